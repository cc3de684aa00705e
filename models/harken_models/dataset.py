"""An operator's file or folder becomes a typed frame of grumbles, with its bad rows listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from harken_models.columns import read_text
from harken_models.errors import DataError
from harken_models.history import EXTENDED, add_history, extended_history
from harken_models.labels import column_label
from harken_models.scoredrows import ScoredRows, as_logged, one_a_grumble
from harken_models.snapshots import ordinal, weights
from harken_models.spec import (
    ATTRIBUTE_PREFIX,
    AttributeField,
    AttributeType,
    ColumnLabel,
    ComplaintsLabel,
    DatasetSpec,
    FieldSpec,
    flat_spec,
)
from harken_models.tables import Tables, read_tables
from harken_models.timetext import NOT_A_TIME, times_us
from harken_models.typedrows import (
    BadRow,
    column_of,
    convert,
    in_days,
    object_column,
    texts_of,
)

_FLAT = ("grumble_id", "voice_time")
"""What a file without a specification must have."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Tables as they were read, and what they mean: ``flat_spec``'s where no specification was
    given."""

    spec: DatasetSpec
    tables: Tables


@dataclass(frozen=True, slots=True)
class Dataset:
    """Grumbles in the order of the main table, one row each.

    ``frame`` has ``voice_time_us`` and ``observe_time_us`` (int64), the core fields that the
    specification maps (float64 with NaN, or object with None), ``attr_*`` columns, ``label``
    (1.0, 0.0, NaN: unknown) and ``excluded`` (bool). ``bad_rows`` are not in it.

    Columns whose names begin with ``_`` are about the rows, and no feature: ``_group`` (int64:
    rows of one group never part), ``_known_us`` (int64: when the outcome is known, whatever it
    is; NOT_A_TIME: never), ``_weight`` (float64, mean 1 over the labelled rows), ``_snapshot``
    (int32: 1, 2, … within its grumble), ``_raw`` (int64: the row of the main table, from 0).
    """

    spec: DatasetSpec
    frame: pd.DataFrame
    bad_rows: tuple[BadRow, ...]
    end_us: int


def load_dataset(spec: DatasetSpec | None, path: Path) -> Dataset:
    """Read DATA (a CSV or Parquet file, or a folder of tables) as ``spec`` says.

    Without a specification the columns must carry the core names. Raises DataError.
    """
    return build_dataset(read_raw(spec, path))


def read_raw(spec: DatasetSpec | None, path: Path) -> Raw:
    """The tables of DATA, nothing of them typed yet. Raises DataError."""
    tables = read_tables(spec, path)
    lacking = [] if spec else [n for n in _FLAT if n not in tables.main.columns]
    if lacking:
        raise DataError(
            f"{path}: has no column {' and no column '.join(lacking)}: without a specification "
            "(--spec) the columns must carry the core names"
        )
    return Raw(spec or flat_spec(_column_types(tables.main)), tables)


def build_dataset(raw: Raw) -> Dataset:
    """Typed rows with their history and outcomes. Raises DataError."""
    spec, main = raw.spec, raw.tables.main
    complaints = _complaints(spec, raw.tables)
    if spec.events is None:
        rows = one_a_grumble(spec, main, complaints)
    else:
        rows = as_logged(spec, raw.tables, complaints)
    frame = in_days(rows.frame, spec)
    if spec.history != "given":
        frame = _with_history(spec, frame, rows, complaints)
    label, known_us, share = rows.outcome
    places = frame.index.to_numpy(np.int64)
    frame["label"] = label
    frame["excluded"] = _excluded(spec, main)[places]
    frame["_group"] = _groups(spec, main, rows)
    frame["_known_us"] = known_us
    labelled = ~np.isnan(label) & ~frame["excluded"].to_numpy()
    nth = ordinal(rows.grumble)
    frame["_weight"] = weights(nth, labelled, share)
    frame["_snapshot"] = nth.astype(np.int32)
    frame["_raw"] = places
    frame = frame.reset_index(drop=True)
    return Dataset(completed(spec, frame), frame, rows.bad, rows.end_us)


def _with_history(
    spec: DatasetSpec, frame: pd.DataFrame, rows: ScoredRows, complaints: pd.DataFrame
) -> pd.DataFrame:
    """The frame with what the customer had done before each moment."""
    if "customer_id" not in frame:
        raise DataError(f"{spec.file}: history: {spec.history} needs the field customer_id")
    counted = add_history(frame, complaints, rows.table, rows.grumble)
    if spec.history == "extended":
        spans = None if rows.cases is None else rows.cases.spans()
        more = extended_history(frame, complaints, rows.table, rows.grumble, spans)
        columns = {ATTRIBUTE_PREFIX + name: column for name, column in more.items()}
        counted = counted.assign(**{n: c for n, c in columns.items() if n not in frame})
    return counted


def completed(spec: DatasetSpec, frame: pd.DataFrame) -> DatasetSpec:
    """The specification with the attributes that were counted here: each a number."""
    counted = (*(spec.events.running if spec.events is not None else ()), *EXTENDED)
    new = {
        name: AttributeField(FieldSpec(ATTRIBUTE_PREFIX + name), "number")
        for name in counted
        if name not in spec.attributes and ATTRIBUTE_PREFIX + name in frame
    }
    return replace(spec, attributes=MappingProxyType({**spec.attributes, **new})) if new else spec


def typed_rows(
    spec: DatasetSpec, raw: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[BadRow, ...], np.ndarray]:
    """Some rows of a flat file as ``load_dataset`` types them: frame, bad rows, outcomes.

    The frame's index is the place in ``raw``, from 0; the outcomes stand beside it: 1.0, 0.0,
    NaN where unknown or excluded. For readers of one chunk at a time: a history that the
    specification says to compute needs all rows, and is left as it is. Raises DataError.
    """
    frame, bad = convert(spec, raw)
    frame = in_days(frame, spec)
    label = np.full(len(frame), np.nan)
    if isinstance(spec.label, ColumnLabel):
        label = column_label(spec.label, texts_of(raw, spec.label.column, "label", spec))
        label = label[frame.index]
    return frame, tuple(bad), np.where(_excluded(spec, raw)[frame.index], np.nan, label)


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


def _complaints(spec: DatasetSpec, tables: Tables) -> pd.DataFrame:
    """``customer_id`` and ``complaint_time_us`` of the complaints table, if there is one.

    ``category`` too, in the words of the grumbles', where the label goes by it.
    """
    name = spec.label.table if isinstance(spec.label, ComplaintsLabel) else "complaints"
    table, raw = spec.tables.get(name), tables.others.get(name)
    if table is None or raw is None or table.time is None:
        return pd.DataFrame({"customer_id": pd.Series(dtype=object), "complaint_time_us": []})
    ids = texts_of(raw, table.customer or "customer_id", "the complaints' customer", spec)
    column = column_of(raw, table.time, "the complaints' time", spec)
    times = times_us(column, spec.formats_of(FieldSpec(table.time)), spec.time_zone)
    good = (times != NOT_A_TIME) & ~pd.isna(ids)
    if not good.all():
        raise DataError(f"{table.file}: {int((~good).sum())} complaints lack customer or time")
    complaints = pd.DataFrame({"customer_id": ids, "complaint_time_us": times})
    label = spec.label
    if isinstance(label, ComplaintsLabel) and (label.same_category or label.credit == "nearest"):
        source = spec.fields.get("category")
        if label.same_category and source is None:
            raise DataError(f"{spec.file}: label: same_category needs the field category")
        if source is not None and (label.same_category or label.category in raw):
            texts = texts_of(raw, label.category, "the complaints' category", spec)
            words = source.map or {}
            known = np.array([words.get(text, text) for text in texts], dtype=object)
            complaints["category"] = object_column(known, complaints.index)
    return complaints


def _groups(spec: DatasetSpec, raw: pd.DataFrame, rows: ScoredRows) -> np.ndarray:
    """The group of each row: by the column that the split names, else by its grumble."""
    if spec.split.groups is None:
        return np.asarray(rows.group[rows.grumble], dtype=np.int64)
    codes = pd.factorize(texts_of(raw, spec.split.groups, "split.groups", spec))[0]
    alone = np.arange(len(raw)) + codes.max(initial=-1) + 1
    groups = np.where(codes < 0, alone, codes)[rows.table.index]
    return np.asarray(groups[rows.grumble], dtype=np.int64)


def _excluded(spec: DatasetSpec, raw: pd.DataFrame) -> np.ndarray:
    out = np.zeros(len(raw), dtype=bool)
    for rule in spec.exclude:
        column = column_of(raw, rule.column, "exclude", spec)
        texts = read_text(column, np.zeros(len(raw), dtype=bool)).values
        out |= pd.Series(texts).isin(rule.values).to_numpy()
    return out
