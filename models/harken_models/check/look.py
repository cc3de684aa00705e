"""What a detector may look at: the raw tables, the built rows, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from harken_models.check.sources import KINDS, Kind, Source, sources_of, times_of
from harken_models.core import CORE_FIELDS
from harken_models.dataset import Dataset, Raw
from harken_models.history import US_PER_DAY
from harken_models.spec import ATTRIBUTE_PREFIX, ColumnLabel, DatasetSpec, FieldSpec

DAYS_BEFORE_MONDAY = 3
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True)
class Field:
    """A column of the built rows that a model may use.

    ``counted``: Harken itself counts it from what lay before, so it cannot look ahead.
    """

    name: str
    column: str
    kind: Kind
    values: np.ndarray
    counted: bool = False

    @cached_property
    def missing(self) -> np.ndarray:
        """Which rows hold nothing."""
        return np.asarray(pd.isna(self.values))

    @cached_property
    def codes(self) -> np.ndarray:
        """Each row's level as a number from 0; -1 where it is missing."""
        return np.asarray(pd.factorize(self.values)[0], dtype=np.int64)

    @cached_property
    def levels(self) -> list[object]:
        """What the codes stand for."""
        return list(pd.factorize(self.values)[1])


@dataclass(frozen=True)
class Look:
    """A loaded dataset under the eyes of the detectors.

    ``undecided`` marks rows whose outcome is not to be believed: they are no longer ``usable``
    for the detectors that come later.
    """

    raw: Raw
    dataset: Dataset
    undecided: np.ndarray | None = None

    def without(self, undecided: np.ndarray) -> Look:
        """The same with some rows no longer usable."""
        return replace(self, undecided=undecided)

    @property
    def spec(self) -> DatasetSpec:
        """The specification."""
        return self.dataset.spec

    @property
    def frame(self) -> pd.DataFrame:
        """The built rows."""
        return self.dataset.frame

    @property
    def main(self) -> pd.DataFrame:
        """The main table with what is joined to it, as read."""
        return self.raw.tables.main

    @cached_property
    def first(self) -> np.ndarray:
        """One row a grumble, its first: rows of one grumble say the same many times."""
        return np.asarray(np.flatnonzero(self.frame["_snapshot"].to_numpy() <= 1))

    @property
    def label_column(self) -> str | None:
        """The column in which the outcome stands, if it stands in one."""
        label = self.spec.label
        return label.column if isinstance(label, ColumnLabel) else None

    @cached_property
    def labelled(self) -> np.ndarray:
        """First rows with a known outcome that are not excluded."""
        known = (self.frame["label"].notna() & ~self.frame["excluded"]).to_numpy()
        return np.asarray(self.first[known[self.first]])

    @cached_property
    def usable(self) -> np.ndarray:
        """Labelled rows whose outcome is to be believed, in the order of time."""
        rows = self.labelled
        if self.undecided is not None:
            rows = rows[~self.undecided[rows]]
        if self.spec.timeless:
            return rows
        return np.asarray(rows[np.argsort(self.ordering_us[rows], kind="stable")])

    @cached_property
    def label(self) -> np.ndarray:
        """The outcome of every row, NaN where it is not known."""
        return self.frame["label"].to_numpy(np.float64)

    @property
    def ordering_us(self) -> np.ndarray:
        """The time that orders the rows for the split."""
        return self.frame[f"{self.spec.split.by}_us"].to_numpy(np.int64)

    @cached_property
    def week(self) -> np.ndarray:
        """For every row the week of the ordering time, in the data's time zone; 0: 1970."""
        moments = pd.to_datetime(pd.Series(self.ordering_us), unit="us", utc=True)
        local = moments.dt.tz_convert(self.spec.time_zone).dt.tz_localize(None)
        days = local.to_numpy(dtype="datetime64[D]").astype(np.int64)
        return np.asarray((days + DAYS_BEFORE_MONDAY) // 7)

    @cached_property
    def cut(self) -> int:
        """How many of the usable rows lie before the test, if time is what divides them."""
        return int(len(self.usable) * (1 - self.spec.split.test_fraction))

    @cached_property
    def part(self) -> np.ndarray:
        """Usable rows in five parts that share no grumble and no customer."""
        name = "customer_id" if "customer_id" in self.frame else "_group"
        keys = self.frame[name].to_numpy()[self.usable]
        codes = pd.factorize(keys)[0].astype(np.int64)
        return np.where(codes < 0, np.arange(len(codes)), codes) % 5

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """What a model may use, in the specification's order."""
        return tuple(self._fields())

    def _fields(self) -> Iterator[Field]:
        spec = self.spec
        for name in map(str, self.frame.columns):
            key = name.removeprefix(ATTRIBUTE_PREFIX)
            kind = self._kind(name, key)
            if kind in ("text", "time") or name.startswith("_") or name in ("label", "excluded"):
                continue
            source = self._source_of(key)
            column = key if source is None else source.column
            values = self.frame[name].to_numpy()
            values = values if kind == "category" else values.astype(np.float64)
            yield Field(key, column, kind, values, counted=source is None)
        if "observe_time" in spec.fields and not spec.timeless:
            passed = self.frame["observe_time_us"] - self.frame["voice_time_us"]
            column = spec.fields["observe_time"].column
            yield Field("open_hours", column, "number", passed.to_numpy() / (US_PER_DAY / 24))

    def _kind(self, name: str, key: str) -> Kind:
        core = CORE_FIELDS.get(name.removesuffix("_us"))
        if core is not None:
            return KINDS[core.type]
        attribute = self.spec.attributes.get(key)
        return "number" if attribute is None else attribute.type

    def _source_of(self, key: str) -> FieldSpec | None:
        """The column that a field is read from; None where Harken counts it."""
        given = self.raw.spec  # the dataset's own specification lists what was counted, too
        if given.events is not None and key in given.events.running:
            return None
        if given.events is not None and key in given.events.values:
            return given.events.values[key]
        attribute = given.attributes.get(key)
        return attribute.source if attribute else given.fields.get(key)

    def times_of(self, source: Source) -> np.ndarray | None:
        """A raw column as µs UTC, int64; None where it does not hold times."""
        return times_of(source, self.spec)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every mapped column of every table, as the files have it."""
        return sources_of(self.raw)

    def column_of(self, name: str) -> str:
        """The operator's column of a field or attribute; the name itself where there is none."""
        return next((one.column for one in self.sources if one.name == name), name)


def monday_of(week: int) -> str:
    """The Monday (ISO date) with which a week of ``Look.week`` begins."""
    return str(np.datetime64("1970-01-01") + (week * 7 - DAYS_BEFORE_MONDAY))
