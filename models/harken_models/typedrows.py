"""Rows of a table become typed columns with Harken's names, and the bad ones are listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harken_models import columns
from harken_models.columns import Converted
from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.spec import ATTRIBUTE_PREFIX, AttributeField, DatasetSpec, FieldSpec
from harken_models.timetext import NOT_A_TIME

US_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its number in its table (from 1, header not counted).

    ``table`` is empty for the main table.
    """

    row: int
    field: str
    value: str
    reason: str
    table: str = ""

    def __str__(self) -> str:
        where = f"{self.table}, row" if self.table else "row"
        return f"{where} {self.row}: {self.field}: {self.value!r} {self.reason}"


def convert(
    spec: DatasetSpec, raw: pd.DataFrame, skip: Collection[str] = ()
) -> tuple[pd.DataFrame, list[BadRow]]:
    """The mapped columns of the main table, bad rows left out; its index is the place in ``raw``.

    Times are ``voice_time_us`` and ``observe_time_us``, both 0 in data without time; attributes
    have their prefix, those of type ``days_since`` still hold their time (``in_days`` makes days
    of it). ``skip`` names fields and attributes that come from elsewhere. A voice time that is
    not mapped leaves both times out unless ``observe_time`` is. Raises DataError.
    """
    values: dict[str, np.ndarray] = {}
    bad: list[BadRow] = []
    for name, source in spec.fields.items():
        if name not in skip and not (spec.timeless and CORE_FIELDS[name].type == "time"):
            key = f"{name}_us" if CORE_FIELDS[name].type == "time" else name
            values[key] = _kept(read_field(spec, raw, name, source), raw, name, source, bad)
    for name, attribute in spec.attributes.items():
        if name not in skip:
            done = read_attribute(spec, raw, name, attribute)
            values[ATTRIBUTE_PREFIX + name] = _kept(done, raw, name, attribute.source, bad)
    if spec.timeless:
        values["voice_time_us"] = np.zeros(len(raw), dtype=np.int64)
    if "voice_time_us" in values:
        values.setdefault("observe_time_us", values["voice_time_us"])
        bad.extend(_before_voice(values, raw, spec))
    if "grumble_id" in values:
        bad.extend(
            BadRow(int(row) + 1, "grumble_id", "", "is missing")
            for row in np.flatnonzero(pd.isna(values["grumble_id"]))
        )
    elif spec.timeless:
        values["grumble_id"] = np.array([str(n + 1) for n in range(len(raw))], dtype=object)
    index = pd.RangeIndex(len(raw))
    frame = pd.DataFrame(as_columns(values, index), index)
    bad.sort(key=lambda one: (one.row, one.field))
    return frame.drop(index=sorted({one.row - 1 for one in bad})), bad


def read_field(spec: DatasetSpec, raw: pd.DataFrame, name: str, source: FieldSpec) -> Converted:
    """One core field's column. Raises DataError."""
    core = CORE_FIELDS[name]
    column = column_of(raw, source.column, name, spec)
    missing = columns.is_missing(column, spec.missing)
    if core.type == "time":
        return _read_time(spec, column, missing, source)
    if core.type == "category":
        return columns.read_category(column, missing, source, core.values)
    if core.type == "flag":
        return columns.read_flag(column, missing, source)
    if core.type == "text":
        return columns.read_text(column, missing)
    return columns.read_number(column, missing, core, spec.format)


def read_attribute(
    spec: DatasetSpec, raw: pd.DataFrame, name: str, attribute: AttributeField
) -> Converted:
    """One attribute's column; of ``days_since`` its time, perhaps missing. Raises DataError."""
    source = attribute.source
    column = column_of(raw, source.column, name, spec)
    missing = columns.is_missing(column, spec.missing)
    if attribute.days_since:
        return read_optional_time(spec, column, missing, source)
    if attribute.type == "category":
        return columns.read_category(column, missing, source)
    if attribute.type == "flag":
        return columns.read_flag(column, missing, source)
    return columns.read_number(column, missing, None, spec.format)


def read_optional_time(
    spec: DatasetSpec, column: pd.Series, missing: np.ndarray, source: FieldSpec
) -> Converted:
    """Microseconds; a time that is missing is ``NOT_A_TIME`` and no fault."""
    done = _read_time(spec, column, missing, source)
    faults = ((rows[~missing[rows]], reason) for rows, reason in done.faults)
    return Converted(done.values, tuple(fault for fault in faults if len(fault[0])))


def _read_time(
    spec: DatasetSpec, column: pd.Series, missing: np.ndarray, source: FieldSpec
) -> Converted:
    return columns.read_time(column, missing, spec.formats_of(source), spec.time_zone)


def in_days(frame: pd.DataFrame, spec: DatasetSpec) -> pd.DataFrame:
    """The frame with ``days_since`` attributes as days from their time to ``observe_time``."""
    days = {}
    for name, attribute in spec.attributes.items():
        key = ATTRIBUTE_PREFIX + name
        if attribute.days_since and key in frame:
            then = frame[key].to_numpy(np.int64)
            passed = (frame["observe_time_us"].to_numpy() - then) / US_PER_DAY
            days[key] = np.where(then == NOT_A_TIME, np.nan, passed)
    return frame.assign(**days) if days else frame


def as_columns(
    values: Mapping[str, np.ndarray], index: pd.Index
) -> dict[str, pd.Series | np.ndarray]:
    """Arrays as columns of a frame with this index."""
    return {
        name: object_column(column, index) if column.dtype == object else column
        for name, column in values.items()
    }


def object_column(values: np.ndarray, index: pd.Index) -> pd.Series:
    """Objects as a column. Said aloud, because pandas would make a text type with NaN of them."""
    return pd.Series(values, index, dtype=object)


def bad_rows(
    done: Converted, raw: pd.DataFrame, field: str, source: FieldSpec, table: str = ""
) -> Iterator[BadRow]:
    """Each fault of a column as a bad row."""
    for rows, reason in done.faults:
        for row, text in zip(rows, raw[source.column].iloc[rows], strict=True):
            shown = "" if pd.isna(text) else str(text)[:80]
            yield BadRow(int(row) + 1, field, shown, reason, table)


def column_of(raw: pd.DataFrame, column: str, field: str, spec: DatasetSpec) -> pd.Series:
    """A column of a table. Raises DataError where it has none of the name."""
    if column not in raw:
        has = ", ".join(map(str, raw.columns[:20]))
        raise DataError(
            f"the data has no column {column!r}, which {spec.file or 'the flat format'} "
            f"maps to {field}; it has {has}"
        )
    return raw[column]


def texts_of(raw: pd.DataFrame, column: str, field: str, spec: DatasetSpec) -> np.ndarray:
    """The texts of a column, spaces around them gone, None where missing. Raises DataError."""
    found = column_of(raw, column, field, spec)
    return columns.read_text(found, columns.is_missing(found, spec.missing)).values


def _kept(
    done: Converted, raw: pd.DataFrame, field: str, source: FieldSpec, bad: list[BadRow]
) -> np.ndarray:
    bad.extend(bad_rows(done, raw, field, source))
    return done.values


def _before_voice(
    values: Mapping[str, np.ndarray], raw: pd.DataFrame, spec: DatasetSpec
) -> Iterator[BadRow]:
    """Rows observed before they were voiced: right one by one and wrong together."""
    voice, observe = values["voice_time_us"], values["observe_time_us"]
    early = (observe < voice) & (observe != NOT_A_TIME) & (voice != NOT_A_TIME)
    for row in np.flatnonzero(early):
        text = str(raw[spec.fields["observe_time"].column].iloc[row])
        yield BadRow(int(row) + 1, "observe_time", text, "is before voice_time")
