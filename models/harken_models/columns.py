"""One column of an operator's file becomes one typed column of values.

Every reader returns the values and, for each row that has none that is right, a reason. All
work on the distinct texts of a column, so a million rows cost little more than its variety.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harken_models.core import CoreField
from harken_models.numbertext import as_numbers, is_plain
from harken_models.spec import FieldSpec, FileFormat
from harken_models.timetext import NOT_A_TIME, times_us

PLAIN = FileFormat()


@dataclass(frozen=True, slots=True)
class Converted:
    """``values``: one for each row. ``faults``: (row numbers from 0, reason) pairs."""

    values: np.ndarray
    faults: tuple[tuple[np.ndarray, str], ...] = ()


_Outcome = tuple[Any, str | None]


def is_missing(column: pd.Series, markers: Iterable[str]) -> np.ndarray:
    """Which rows hold nothing: null, or one of the text markers (spaces around it do not count)."""
    if not _holds_text(column):
        return np.asarray(column.isna().to_numpy(dtype=bool))
    wanted = set(markers)
    if isinstance(column.dtype, pd.StringDtype):  # no look at distinct texts: they may be many
        return np.array([v != v or v.strip() in wanted for v in _plain(column)], dtype=bool)
    codes, distinct = pd.factorize(column)
    empty = [isinstance(v, str) and v.strip() in wanted for v in _plain(distinct)]
    return np.asarray(np.array([*empty, True])[codes])


def read_text(column: pd.Series, missing: np.ndarray) -> Converted:
    """Identifiers: the text as it is, None where missing. Whole floats lose their ``.0``."""
    if isinstance(column.dtype, pd.StringDtype):  # hardly any two alike: all at once
        texts = np.empty(len(column), dtype=object)
        texts[:] = [v.strip() if isinstance(v, str) else None for v in _plain(column)]
        texts[missing] = None
        return Converted(texts)
    return _by_distinct(column, missing, lambda value: (as_text(value), None), object)


def read_category(
    column: pd.Series, missing: np.ndarray, source: FieldSpec, values: tuple[str, ...] = ()
) -> Converted:
    """Codes, None where missing. ``values`` closes the set of codes."""

    def convert(value: Any) -> _Outcome:
        text = as_text(value)
        if source.map is not None and text in source.map:
            return source.map[text], None
        if source.map is None and (not values or text in values):
            return text, None
        if source.unmapped == "reject":
            return None, "is not among its values"
        return ("other" if source.unmapped == "other" else None), None

    return _by_distinct(column, missing, convert, object)


def read_flag(column: pd.Series, missing: np.ndarray, source: FieldSpec) -> Converted:
    """1.0, 0.0, NaN where missing."""

    def convert(value: Any) -> _Outcome:
        text = as_text(value)
        if text in source.true:
            return 1.0, None
        if text in source.false:
            return 0.0, None
        return np.nan, "is neither a word for true nor one for false"

    return _by_distinct(column, missing, convert, np.float64)


def read_number(
    column: pd.Series, missing: np.ndarray, core: CoreField | None, form: FileFormat = PLAIN
) -> Converted:
    """Float64, NaN where missing. ``core`` gives the range and whether it is whole, ``form`` how
    texts write numbers."""
    known = column.where(~missing)
    if not is_plain(form) and _holds_text(column):
        known = as_numbers(known, form)
    values = pd.to_numeric(known, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    values = np.where(missing, np.nan, values)
    faults = []
    wrong = ~missing & ~np.isfinite(values)
    faults.append((np.flatnonzero(wrong), f"is not a finite number{_written(form)}"))
    if core is not None:
        with np.errstate(invalid="ignore"):
            outside = ~wrong & ~missing & ((values < core.low) | (values > core.high))
            broken = ~wrong & (values != np.floor(values)) & ~np.isnan(values)
        bounds = f"{core.low:g} or more" if core.high == np.inf else f"{core.low:g}–{core.high:g}"
        faults.append((np.flatnonzero(outside), f"is not {bounds}"))
        if core.type == "integer":
            faults.append((np.flatnonzero(broken & ~outside), "is not a whole number"))
    return Converted(values, tuple(fault for fault in faults if len(fault[0])))


def _written(form: FileFormat) -> str:
    return "" if is_plain(form) else f" written like 1{form.thousands}234{form.decimal}5"


def read_time(
    column: pd.Series,
    missing: np.ndarray,
    formats: str | Sequence[str] | None,
    time_zone: str,
) -> Converted:
    """Microseconds UTC, int64. A missing time is a fault: every grumble needs its times."""
    if isinstance(column.dtype, pd.StringDtype):
        column = column.str.strip()
    values = times_us(column.where(~missing), formats, time_zone)
    wanted = (formats,) if isinstance(formats, str) else formats or ()
    shown = " or ".join(wanted) or "ISO 8601, 2014-10-16T09:30:00+08:00 for example"
    faults = [
        (np.flatnonzero(missing), "is missing"),
        (np.flatnonzero(~missing & (values == NOT_A_TIME)), f"is not a time ({shown})"),
    ]
    return Converted(values, tuple(fault for fault in faults if len(fault[0])))


def _by_distinct(
    column: pd.Series, missing: np.ndarray, convert: Callable[[Any], _Outcome], dtype: Any
) -> Converted:
    codes, distinct = pd.factorize(column.where(~missing) if missing.any() else column)
    table = np.full(len(distinct) + 1, None if dtype is object else np.nan, dtype=dtype)
    faults = []
    for code, value in enumerate(_plain(distinct)):
        table[code], reason = convert(value)
        if reason is not None:
            faults.append((np.flatnonzero(codes == code), reason))
    return Converted(table[codes], tuple(faults))


def _holds_text(column: pd.Series) -> bool:
    kind = column.dtype
    return not (
        pd.api.types.is_numeric_dtype(kind)
        or pd.api.types.is_bool_dtype(kind)
        or pd.api.types.is_datetime64_any_dtype(kind)
    )


def _plain(distinct: Any) -> list[Any]:
    """Distinct values as Python objects: walking an Arrow array value by value is slow."""
    return list(np.asarray(distinct, dtype=object))


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
