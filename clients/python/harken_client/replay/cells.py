"""From one cell of IN, text or typed, to the value that the API takes.

Readers raise :class:`InvalidRequest` for a cell that is none; spaces around a text do not
count. Cells that are missing never come here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from harken_client.errors import invalid_field
from harken_client.replay.spec import ColumnSpec
from harken_client.requests import EPOCH, CoreField, did_you_mean

_MICROSECOND = timedelta(microseconds=1)


class TimeReader:
    """Times of cells as microseconds UTC; without an offset they are in ``zone``.

    A local time that the clock shows twice is the earlier one, one that it skips the hour
    after (``fold=0``).
    """

    def __init__(self, zone: tzinfo, format_: str | None) -> None:
        self._zone = zone
        self._format = format_
        # Dates repeat a great deal and strptime is slow.
        self._parse: Callable[[str, str | None], int] = functools.lru_cache(65_536)(self._from_text)

    def microseconds(self, path: str, cell: Any, format_: str | None = None) -> int:
        """The time of a text, datetime or date; :class:`InvalidRequest` if it is none."""
        if isinstance(cell, str):
            try:
                return self._parse(cell, format_ or self._format)
            except (ValueError, OverflowError):
                words = f"{cell!r} is not a time ({format_ or self._format or 'ISO 8601'})"
                raise invalid_field(path, words, "FIELD_INVALID") from None
        if isinstance(cell, date) and not isinstance(cell, datetime):
            cell = datetime.combine(cell, time())
        if isinstance(cell, datetime):
            return _microseconds(cell, self._zone)
        raise invalid_field(path, f"{cell!r} is not a time", "FIELD_INVALID")

    def _from_text(self, text: str, format_: str | None) -> int:
        value = datetime.strptime(text, format_) if format_ else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone follows
        return _microseconds(value, self._zone)


def _microseconds(value: datetime, zone: tzinfo) -> int:
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone).astimezone(UTC)
    return (value - EPOCH) // _MICROSECOND


def _text_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], str | None]:
    codes, unmapped = source.map, source.unmapped
    if codes is None and core.codes:
        codes = {code: code for code in core.codes}
    if codes is None:
        return cell_text

    def read(cell: Any) -> str | None:
        text = cell_text(cell)
        if text in codes:
            return codes[text]
        if unmapped == "reject":
            words = f"{text!r} is not among the values of {source.column!r}"
            raise invalid_field(core.path, words + did_you_mean(text, codes), "UNKNOWN_VALUE")
        return "other" if unmapped == "other" else None

    return read


def _code_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], int | None]:
    text_of = _text_reader(core, source)

    def read(cell: Any) -> int | None:
        text = text_of(cell)
        return None if text is None else core.codes[text]

    return read


def _number_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], float | None]:
    def read(cell: Any) -> float | None:
        try:
            if isinstance(cell, str) and "_" in cell:  # Python's own digit separator
                raise ValueError
            number = float(cell)
        except (TypeError, ValueError):
            raise invalid_field(core.path, f"{cell!r} is not a number", "FIELD_INVALID") from None
        if math.isfinite(number):
            return number
        if isinstance(cell, float) and math.isnan(cell):  # how pandas writes a missing number
            return None
        raise invalid_field(core.path, f"{cell!r} is not a finite number", "FIELD_INVALID")

    return read


def _integer_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], int | None]:
    number_of = _number_reader(core, source)

    def read(cell: Any) -> int | None:
        number = number_of(cell)
        if number is None or number.is_integer():
            return None if number is None else int(number)
        raise invalid_field(core.path, f"{cell!r} is not a whole number", "FIELD_INVALID")

    return read


def _flag_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], bool | None]:
    words = dict.fromkeys(source.false, False) | dict.fromkeys(source.true, True)

    def read(cell: Any) -> bool | None:
        if isinstance(cell, bool):
            return cell
        if isinstance(cell, float) and math.isnan(cell):
            return None
        text = cell_text(cell)
        if text in words:
            return words[text]
        said = f"{text!r} is neither a word for yes ({', '.join(source.true)}) nor for no"
        raise invalid_field(core.path, said, "FIELD_INVALID")

    return read


def _any_reader(core: CoreField, source: ColumnSpec) -> Callable[[Any], Any]:
    number_of = _number_reader(core, source)

    def read(cell: Any) -> Any:
        if isinstance(cell, bool | str):
            return cell
        return number_of(cell) if isinstance(cell, int | float) else cell_text(cell)

    return read


READERS: Mapping[str, Callable[[CoreField, ColumnSpec], Callable[[Any], Any]]] = {
    "text": _text_reader,
    "code": _code_reader,
    "number": _number_reader,
    "integer": _integer_reader,
    "flag": _flag_reader,
    "any": _any_reader,
}
"""What makes the reader of a column, by kind. A reader answers None for missing."""


def cell_text(cell: Any) -> str:
    """A cell as a CSV would show it: whole numbers without a fraction, no space around it."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
