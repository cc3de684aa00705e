"""The columns of an operator's files as they are, before anything is made of their texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from harken_models.check.dates import formats_if_times
from harken_models.columns import is_missing, read_time
from harken_models.core import CORE_FIELDS
from harken_models.dataset import Raw
from harken_models.spec import ComplaintsLabel, DatasetSpec, FieldSpec, FileFormat

Kind = Literal["number", "category", "flag", "time", "text"]
KINDS: Mapping[str, Kind] = {
    "number": "number",
    "integer": "number",
    "category": "category",
    "flag": "flag",
    "time": "time",
    "text": "text",
}
"""What the types of core fields and attributes come to here."""


@dataclass(frozen=True)
class Source:
    """A column as the operator's file has it, and what the specification takes it for."""

    name: str
    column: str
    kind: Kind
    raw: pd.Series
    spec: FieldSpec
    missing_words: tuple[str, ...]
    written: FileFormat
    in_main: bool = True

    @cached_property
    def missing(self) -> np.ndarray:
        """Which rows hold nothing."""
        return is_missing(self.raw, self.missing_words)

    @cached_property
    def texts(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct values that are no number or time already, as texts, and their counts."""
        if not holds_text(self.raw):
            return np.array([], dtype=object), np.array([], dtype=np.int64)
        codes, distinct = pd.factorize(self.raw[~self.missing])
        counts = np.bincount(codes, minlength=len(distinct))
        words = np.array([str(value).strip() for value in distinct], dtype=object)
        return words, counts


def sources_of(raw: Raw) -> tuple[Source, ...]:
    """Every mapped column of every table."""
    return tuple(_sources(raw))


def _sources(raw: Raw) -> Iterator[Source]:
    spec, events, label = raw.spec, raw.spec.events, raw.spec.label
    others = raw.tables.others
    main = _Table(raw.tables.main, spec, in_main=True)
    for name, source in spec.fields.items():
        yield from main.source(name, source, CORE_FIELDS[name].type)
    for name, attribute in spec.attributes.items():
        if events is None or name not in events.running:
            kind = "time" if attribute.days_since else attribute.type
            yield from main.source(name, attribute.source, kind)
    if events is not None:
        log = main
        if events.table is not None:
            log = _Table(others[events.table], spec)
        yield from log.source("events.time", events.time, "time")
        if events.closed_time is not None:
            yield from main.source("closed_time", events.closed_time, "time")
        for name, source in events.values.items():
            core = CORE_FIELDS.get(name)
            known = core.type if core else spec.attributes[name].type
            yield from log.source(name, source, known)
    if isinstance(label, ComplaintsLabel) and label.table in others:
        table = spec.tables[label.table]
        if table.time is not None:
            complaints = _Table(others[label.table], spec)
            yield from complaints.source("complaint time", FieldSpec(table.time), "time")


@dataclass(frozen=True, slots=True)
class _Table:
    """A raw table, and whose it is."""

    frame: pd.DataFrame
    spec: DatasetSpec
    in_main: bool = False

    def source(self, name: str, source: FieldSpec, kind: str) -> Iterator[Source]:
        """The column that ``source`` maps; nothing where the table has none of that name."""
        if source.column in self.frame:
            raw = self.frame[source.column]
            missing, written = self.spec.missing, self.spec.format
            known = KINDS[kind]
            yield Source(name, source.column, known, raw, source, missing, written, self.in_main)


def times_of(source: Source, spec: DatasetSpec) -> np.ndarray | None:
    """A column as µs UTC, int64, NOT_A_TIME where there is none; None if it does not hold times."""
    formats: tuple[str, ...] = ()
    if holds_text(source.raw):
        formats = formats_if_times(source.texts[0], spec.formats_of(source.spec))
        if not formats:
            return None
    elif not pd.api.types.is_datetime64_any_dtype(source.raw.dtype):
        return None
    return read_time(source.raw, source.missing, formats, spec.time_zone).values


def holds_text(column: pd.Series) -> bool:
    """Whether the file gives the column as text, or as a mixture of things."""
    kind = column.dtype
    return not (
        pd.api.types.is_numeric_dtype(kind)
        or pd.api.types.is_bool_dtype(kind)
        or pd.api.types.is_datetime64_any_dtype(kind)
    )
