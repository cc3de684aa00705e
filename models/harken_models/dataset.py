"""An operator's file or folder becomes a typed frame of grumbles, with its bad rows listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harken_models import columns
from harken_models.columns import Converted
from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.history import add_history
from harken_models.labels import complaint_labels
from harken_models.spec import (
    ATTRIBUTE_PREFIX,
    AttributeType,
    ColumnLabel,
    ComplaintsLabel,
    DatasetSpec,
    FieldSpec,
    flat_spec,
)
from harken_models.tables import Tables, read_tables
from harken_models.timetext import NOT_A_TIME, times_us

US_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its number in the main table (from 1, header not counted)."""

    row: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.field}: {self.value!r} {self.reason}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Grumbles in the order of the main table, one row each.

    ``frame`` has ``voice_time_us`` and ``observe_time_us`` (int64), the core fields that the
    specification maps (float64 with NaN, or object with None), ``attr_*`` columns, ``label``
    (1.0, 0.0, NaN: unknown) and ``excluded`` (bool). ``bad_rows`` are not in it.
    """

    spec: DatasetSpec
    frame: pd.DataFrame
    bad_rows: tuple[BadRow, ...]
    end_us: int


def load_dataset(spec: DatasetSpec | None, path: Path) -> Dataset:
    """Read DATA (a CSV or Parquet file, or a folder of tables) as ``spec`` says.

    Without a specification the columns must carry the core names. Raises DataError.
    """
    tables = read_tables(spec, path)
    spec = spec or flat_spec(_column_types(tables.main))
    frame, bad_rows = _convert(spec, tables.main)
    complaints = _complaints(spec, tables)
    end_us = _end_of_data(frame, complaints)
    if spec.history == "compute":
        if "customer_id" not in frame:
            raise DataError(f"{spec.file}: history: compute needs the field customer_id")
        frame = add_history(frame, complaints)
    frame["label"] = _labels(spec, tables.main, frame, complaints, end_us)
    frame["excluded"] = _excluded(spec, tables.main)[frame.index]
    return Dataset(spec, frame.reset_index(drop=True), bad_rows, end_us)


def typed_rows(
    spec: DatasetSpec, raw: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[BadRow, ...], np.ndarray]:
    """Some rows of a flat file as ``load_dataset`` types them: frame, bad rows, outcomes.

    The frame's index is the place in ``raw``, from 0; the outcomes stand beside it: 1.0, 0.0,
    NaN where unknown or excluded. For readers of one chunk at a time: a history that the
    specification says to compute needs all rows, and is left as it is. Raises DataError.
    """
    frame, bad_rows = _convert(spec, raw)
    label = np.full(len(frame), np.nan)
    if isinstance(spec.label, ColumnLabel):
        label = _column_label(spec.label, raw, spec)[frame.index]
    return frame, bad_rows, np.where(_excluded(spec, raw)[frame.index], np.nan, label)


def _column_types(raw: pd.DataFrame) -> dict[str, AttributeType]:
    types: dict[str, AttributeType] = {}
    for name in map(str, raw.columns):
        kind = raw[name].dtype
        types[name] = "category"
        if pd.api.types.is_bool_dtype(kind):
            types[name] = "flag"
        elif pd.api.types.is_numeric_dtype(kind):
            types[name] = "number"
    return types


def _convert(spec: DatasetSpec, raw: pd.DataFrame) -> tuple[pd.DataFrame, tuple[BadRow, ...]]:
    values: dict[str, np.ndarray] = {}
    bad_rows: list[BadRow] = []

    def keep(name: str, field: str, source: FieldSpec, converted: Converted) -> None:
        values[name] = converted.values
        for rows, reason in converted.faults:
            texts = raw[source.column].iloc[rows]
            bad_rows.extend(
                BadRow(int(row) + 1, field, "" if pd.isna(text) else str(text)[:80], reason)
                for row, text in zip(rows, texts, strict=True)
            )

    for name, source in spec.fields.items():
        core = CORE_FIELDS[name]
        column = _column(raw, source.column, name, spec)
        missing = columns.is_missing(column, spec.missing)
        if core.type == "time":
            form = source.format or spec.time_format
            done = columns.read_time(column, missing, form, spec.time_zone)
            keep(f"{name}_us", name, source, done)
        elif core.type == "category":
            keep(name, name, source, columns.read_category(column, missing, source, core.values))
        elif core.type == "flag":
            keep(name, name, source, columns.read_flag(column, missing, source))
        elif core.type == "text":
            keep(name, name, source, columns.read_text(column, missing))
        else:
            keep(name, name, source, columns.read_number(column, missing, core))
    for name, attribute in spec.attributes.items():
        source, key = attribute.source, ATTRIBUTE_PREFIX + name
        column = _column(raw, source.column, name, spec)
        missing = columns.is_missing(column, spec.missing)
        if attribute.type == "category":
            keep(key, name, source, columns.read_category(column, missing, source))
        elif attribute.type == "flag":
            keep(key, name, source, columns.read_flag(column, missing, source))
        else:
            keep(key, name, source, columns.read_number(column, missing, None))
    values.setdefault("observe_time_us", values["voice_time_us"])
    bad_rows.extend(_impossible(values, raw, spec))
    typed = {
        # Said aloud, because pandas would make a text type with NaN of objects with None.
        name: pd.Series(column, dtype=object) if column.dtype == object else column
        for name, column in values.items()
    }
    frame = pd.DataFrame(typed, index=pd.RangeIndex(len(raw)))
    dropped = sorted({bad.row - 1 for bad in bad_rows})
    bad_rows.sort(key=lambda bad: (bad.row, bad.field))
    return frame.drop(index=dropped), tuple(bad_rows)


def _impossible(
    values: dict[str, np.ndarray], raw: pd.DataFrame, spec: DatasetSpec
) -> list[BadRow]:
    """Rows whose fields are right one by one and wrong together, or that have no id."""
    voice, observe = values["voice_time_us"], values["observe_time_us"]
    early = (observe < voice) & (observe != NOT_A_TIME) & (voice != NOT_A_TIME)
    faults = []
    for row in np.flatnonzero(early):
        text = str(raw[spec.fields["observe_time"].column].iloc[row])
        faults.append(BadRow(int(row) + 1, "observe_time", text, "is before voice_time"))
    for row in np.flatnonzero(pd.isna(values["grumble_id"])):
        faults.append(BadRow(int(row) + 1, "grumble_id", "", "is missing"))
    return faults


def _column(raw: pd.DataFrame, column: str, field: str, spec: DatasetSpec) -> pd.Series:
    if column not in raw:
        has = ", ".join(map(str, raw.columns[:20]))
        raise DataError(
            f"the data has no column {column!r}, which {spec.file or 'the flat format'} "
            f"maps to {field}; it has {has}"
        )
    return raw[column]


def _complaints(spec: DatasetSpec, tables: Tables) -> pd.DataFrame:
    """``customer_id`` and ``complaint_time_us`` of the complaints table, if there is one."""
    name = spec.label.table if isinstance(spec.label, ComplaintsLabel) else "complaints"
    table, raw = spec.tables.get(name), tables.others.get(name)
    if table is None or raw is None or table.time is None:
        return pd.DataFrame({"customer_id": pd.Series(dtype=object), "complaint_time_us": []})
    customer = _column(raw, table.customer or "customer_id", "the complaints' customer", spec)
    column = _column(raw, table.time, "the complaints' time", spec)
    times = times_us(column, spec.time_format, spec.time_zone)
    missing = columns.is_missing(customer, spec.missing)
    ids = columns.read_text(customer, missing).values
    good = (times != NOT_A_TIME) & ~missing
    if not good.all():
        raise DataError(f"{table.file}: {int((~good).sum())} complaints lack customer or time")
    return pd.DataFrame({"customer_id": ids, "complaint_time_us": times})


def _end_of_data(frame: pd.DataFrame, complaints: pd.DataFrame) -> int:
    times = [int(frame["observe_time_us"].max())] if len(frame) else [0]
    if len(complaints):
        times.append(int(complaints["complaint_time_us"].max()))
    return max(times)


def _labels(
    spec: DatasetSpec, raw: pd.DataFrame, frame: pd.DataFrame, complaints: pd.DataFrame, end_us: int
) -> np.ndarray:
    if isinstance(spec.label, ComplaintsLabel):
        horizon_us = round(spec.horizon_days * US_PER_DAY)
        return complaint_labels(frame, complaints, horizon_us, end_us)
    if spec.label is None:
        return np.full(len(frame), np.nan)
    return _column_label(spec.label, raw, spec)[frame.index]


def _column_label(label: ColumnLabel, raw: pd.DataFrame, spec: DatasetSpec) -> np.ndarray:
    column = _column(raw, label.column, "label", spec)
    missing = columns.is_missing(column, spec.missing)
    texts = columns.read_text(column, missing).values
    blank = 0.0 if label.blank_is == "negative" else np.nan
    known = pd.Series(texts)
    result = np.where(missing, blank, np.where(known.isin(label.positive), 1.0, 0.0))
    if label.negative:
        stray = ~missing & ~known.isin([*label.positive, *label.negative]).to_numpy()
        result = np.where(stray, np.nan, result)
    return np.asarray(result, dtype=np.float64)


def _excluded(spec: DatasetSpec, raw: pd.DataFrame) -> np.ndarray:
    out = np.zeros(len(raw), dtype=bool)
    for rule in spec.exclude:
        column = _column(raw, rule.column, "exclude", spec)
        texts = columns.read_text(column, np.zeros(len(raw), dtype=bool)).values
        out |= pd.Series(texts).isin(rule.values).to_numpy()
    return out
