"""A log of changes: what has happened to each grumble, and where it stood at any moment.

Everything here looks backwards from a moment, except where a name says that it is about the
outcome: what a model learns from is what serving knew then.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from harken_models import columns
from harken_models.columns import Converted
from harken_models.spec import Condition, DatasetSpec, EventSpec
from harken_models.timetext import NOT_A_TIME
from harken_models.typedrows import (
    BadRow,
    bad_rows,
    column_of,
    read_optional_time,
    texts_of,
)

_UNREADABLE = "is missing"


class Log:
    """Events sorted by case, time and place in the file; cases are numbered from 0.

    ``case``, ``time_us`` and ``row`` (the place in the table ``raw``) are int64 arrays, one for
    each event; those of case ``c`` stand from ``start[c]`` to ``start[c + 1]``. Of events at one
    instant the last in the file stands.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        raw: pd.DataFrame,
        events: tuple[np.ndarray, np.ndarray, np.ndarray],
        cases: int,
    ) -> None:
        case, time_us, row = events
        order = np.lexsort((row, time_us, case))
        self.spec, self.raw, self.cases = spec, raw, cases
        self.case, self.time_us, self.row = case[order], time_us[order], row[order]
        self.start = np.searchsorted(self.case, np.arange(cases + 1))
        # One sorted line of all events: the case first, then the rank of the time. Ranks keep
        # it far from the end of int64, which microseconds would not.
        self._times = np.unique(self.time_us)
        self._stride = len(self._times) + 1
        self._keys = self.case * self._stride + np.searchsorted(self._times, self.time_us)

    def __len__(self) -> int:
        return len(self.case)

    def last(self, case: np.ndarray, until_us: np.ndarray) -> np.ndarray:
        """The place of each case's last event up to and at ``until``; -1 where there is none."""
        line = case * self._stride + np.searchsorted(self._times, until_us, side="right")
        place = np.searchsorted(self._keys, line) - 1
        return np.where(place >= self.start[case], place, -1)

    def seen(self, marked: np.ndarray, case: np.ndarray, place: np.ndarray) -> np.ndarray:
        """How many of a case's events up to ``place`` (-1: none) are marked."""
        total = np.concatenate([[0], np.cumsum(marked)])
        return np.where(place < 0, 0, total[place + 1] - total[self.start[case]])

    def earlier(self, marked: np.ndarray) -> np.ndarray:
        """For each event the place of its case's last marked one before it; -1: none."""
        return self._of_case(np.concatenate([[-1], self._latest(marked)[:-1]])[: len(self)])

    def latest(self, marked: np.ndarray) -> np.ndarray:
        """The same, the event itself included."""
        return self._of_case(self._latest(marked))

    def codes(self, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """A column as a code for each event (-1: missing), and their texts. Raises DataError."""
        texts = texts_of(self.raw, column, "events", self.spec)[self.row]
        codes, distinct = pd.factorize(texts)
        return codes.astype(np.int64), tuple(distinct)

    def having(self, condition: Condition) -> np.ndarray:
        """Which events fulfil a condition. Raises DataError."""
        codes, texts = self.codes(condition.column)
        return among(codes, texts, condition.values)

    @cached_property
    def closing(self) -> np.ndarray:
        """Which events leave their grumble closed."""
        closed = None if self.spec.events is None else self.spec.events.closed
        return np.zeros(len(self), dtype=bool) if closed is None else self.having(closed)

    def stands(self) -> np.ndarray:
        """Which events are the last of their instant."""
        same = (self.case[1:] == self.case[:-1]) & (self.time_us[1:] == self.time_us[:-1])
        return np.concatenate([~same, np.ones(min(1, len(self)), dtype=bool)])

    def _latest(self, marked: np.ndarray) -> np.ndarray:
        place = np.where(marked, np.arange(len(self)), -1)
        return np.asarray(np.maximum.accumulate(place, dtype=np.int64))

    def _of_case(self, place: np.ndarray) -> np.ndarray:
        return np.where(place >= self.start[self.case], place, -1)


def among(codes: np.ndarray, texts: tuple[str, ...], values: tuple[str, ...]) -> np.ndarray:
    """Which codes stand for one of ``values``."""
    wanted = np.array([*(text in values for text in texts), False], dtype=bool)
    return np.asarray(wanted[codes])


def read_times(
    spec: DatasetSpec, raw: pd.DataFrame, table: str, bad: list[BadRow]
) -> tuple[np.ndarray, np.ndarray]:
    """The grumble's text and the time of each event; None and NOT_A_TIME where bad.

    Bad events are added to ``bad``. Raises DataError.
    """
    events = event_spec(spec)
    cases = texts_of(raw, events.case, "events.case", spec)
    nobody = np.flatnonzero(pd.isna(cases))
    bad.extend(BadRow(int(row) + 1, "events.case", "", _UNREADABLE, table) for row in nobody)
    column = column_of(raw, events.time.column, "events.time", spec)
    missing = columns.is_missing(column, spec.missing)
    done = read_optional_time(spec, column, missing, events.time)
    lost = (np.flatnonzero(missing), _UNREADABLE)
    faults = (*done.faults, lost) if missing.any() else done.faults
    done = Converted(done.values, faults)
    bad.extend(bad_rows(done, raw, "events.time", events.time, table))
    return cases, done.values


def closed_times(spec: DatasetSpec, raw: pd.DataFrame, bad: list[BadRow]) -> np.ndarray | None:
    """``events.closed_time`` of each row of the main table, NOT_A_TIME where there is none.

    None where it is not given. Raises DataError.
    """
    source = event_spec(spec).closed_time
    if source is None:
        return None
    column = column_of(raw, source.column, "events.closed_time", spec)
    done = read_optional_time(spec, column, columns.is_missing(column, spec.missing), source)
    bad.extend(bad_rows(done, raw, "events.closed_time", source))
    return done.values


def event_spec(spec: DatasetSpec) -> EventSpec:
    """The specification's log; there must be one."""
    assert spec.events is not None, "asked only where there is a log"
    return spec.events


def is_time(times: np.ndarray) -> np.ndarray:
    """Which are times."""
    return np.asarray(times != NOT_A_TIME)
