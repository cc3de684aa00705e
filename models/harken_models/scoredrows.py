"""Which rows are learnt from, and what came of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from harken_models.cases import Cases, read_cases
from harken_models.errors import DataError
from harken_models.eventlabels import already, at_close, event_outcome
from harken_models.events import event_spec
from harken_models.labels import Complained, Outcome, column_label, complaint_outcome
from harken_models.running import running_columns
from harken_models.snapshots import Moments, moments, thinned
from harken_models.spec import (
    ATTRIBUTE_PREFIX,
    ColumnLabel,
    ComplaintsLabel,
    DatasetSpec,
    EventLabel,
)
from harken_models.tables import Tables
from harken_models.typedrows import BadRow, convert, texts_of

US_PER_DAY = 86_400_000_000


class ScoredRows(NamedTuple):
    """What is scored: rows, the grumbles that they are moments of, and what came of them."""

    frame: pd.DataFrame
    """Typed; the index is the row of the main table."""
    table: pd.DataFrame
    """Each grumble once, with the same columns and index."""
    grumble: np.ndarray
    """The place in ``table`` of each row."""
    group: np.ndarray
    """Of each grumble: those of one group never part."""
    outcome: Outcome
    end_us: int
    bad: tuple[BadRow, ...]
    cases: Cases | None = None


def one_a_grumble(spec: DatasetSpec, main: pd.DataFrame, complaints: pd.DataFrame) -> ScoredRows:
    """A row of the main table is a grumble, scored once."""
    closing = isinstance(spec.label, ColumnLabel) and spec.label.at == "close"
    for what, asked in (
        ("snapshots", spec.snapshots is not None),
        ("label", closing or isinstance(spec.label, EventLabel)),
    ):
        if asked:
            raise DataError(f"{spec.file}: {what} needs events, the log of changes")
    frame, bad = convert(spec, main)
    every = np.arange(len(frame))
    end_us = _end_of_data(frame["observe_time_us"], complaints["complaint_time_us"])
    if isinstance(spec.label, ComplaintsLabel):
        complained = Complained(_with_customer(spec, frame), complaints, spec.label, _horizon(spec))
        observe_us = frame["observe_time_us"].to_numpy(np.int64)
        outcome = complaint_outcome(
            complained, spec.label.credit, every, observe_us, _horizon(spec), end_us
        )
    else:
        outcome = _plain_outcome(spec, main, frame)
    return ScoredRows(
        frame, frame, every, frame.index.to_numpy(np.int64), outcome, end_us, tuple(bad)
    )


def as_logged(spec: DatasetSpec, tables: Tables, complaints: pd.DataFrame) -> ScoredRows:
    """A grumble is scored at moments at which it is open and not yet complained about."""
    cases = read_cases(spec, tables)
    end_us = _end_of_data(
        cases.table["observe_time_us"], complaints["complaint_time_us"], cases.log.time_us
    )
    found, complained = _scored_at(spec, cases, complaints, end_us)
    place = cases.place(found.grumble, found.time_us)
    frame = cases.at(found.grumble, found.time_us, place)
    counted = running_columns(
        cases.log, event_spec(spec).running, cases.code[found.grumble], place, found.time_us
    )
    frame = frame.assign(**{ATTRIBUTE_PREFIX + name: column for name, column in counted.items()})
    if isinstance(spec.label, ComplaintsLabel):
        _with_customer(spec, frame)
        assert complained is not None, "there are customers"
        outcome = complaint_outcome(
            complained, spec.label.credit, found.grumble, found.time_us, _horizon(spec), end_us
        )
    else:
        outcome = _logged_outcome(spec, tables.main, cases, frame, found, end_us)
    bad = tuple(sorted(cases.bad, key=lambda one: (one.table, one.row, one.field)))
    return ScoredRows(frame, cases.table, found.grumble, cases.code, outcome, end_us, bad, cases)


def _scored_at(
    spec: DatasetSpec, cases: Cases, complaints: pd.DataFrame, end_us: int
) -> tuple[Moments, Complained | None]:
    """The moments that are learnt from, and whose the complaints are (None: nobody knows)."""
    found = moments(cases, spec.snapshots, end_us)
    place = cases.place(found.grumble, found.time_us)
    keep = cases.is_open(found.grumble, found.time_us, place)
    complained = None
    if "customer_id" in cases.table:
        label = spec.label if isinstance(spec.label, ComplaintsLabel) else ComplaintsLabel("")
        complained = Complained(cases.table, complaints, label, _horizon(spec))
        voice_us = cases.voice_us[found.grumble]
        keep &= complained.count(found.grumble, voice_us, found.time_us + 1) == 0
    if isinstance(spec.label, EventLabel):
        keep &= ~already(cases, spec.label, found)
    found = found.only(keep)
    if spec.snapshots is not None:
        found = found.only(thinned(found, cases.voice_us, spec.snapshots.spacing))
    return found, complained


def _logged_outcome(
    spec: DatasetSpec,
    main: pd.DataFrame,
    cases: Cases,
    frame: pd.DataFrame,
    found: Moments,
    end_us: int,
) -> Outcome:
    label, horizon_us, events = spec.label, _horizon(spec), event_spec(spec)
    at_its_close = isinstance(label, ColumnLabel) and label.at == "close"
    later = isinstance(label, EventLabel) and label.open_hours is None and not horizon_us
    if (at_its_close or later) and events.closed is None and events.closed_time is None:
        raise DataError(
            f"{spec.file}: label: the outcome is known when a grumble is closed; say under "
            "events when it is (closed or closed_time), or give horizon_days"
        )
    if isinstance(label, EventLabel):
        return event_outcome(cases, label, found, horizon_us, end_us)
    if isinstance(label, ColumnLabel) and label.at == "close":
        return at_close(cases, label, found, end_us)
    return _plain_outcome(spec, main, frame)


def _end_of_data(*times: pd.Series | np.ndarray) -> int:
    """The latest of all times; 0 where there are none."""
    return max((int(column.max()) for column in times if len(column)), default=0)


def _plain_outcome(spec: DatasetSpec, raw: pd.DataFrame, frame: pd.DataFrame) -> Outcome:
    """What a column of the row itself says, or nothing."""
    label = np.full(len(frame), np.nan)
    if isinstance(spec.label, ColumnLabel):
        texts = texts_of(raw, spec.label.column, "label", spec)
        label = column_label(spec.label, texts)[frame.index]
    if spec.timeless:
        return Outcome(label, np.zeros(len(frame), dtype=np.int64))
    if _horizon(spec):
        return Outcome(label, frame["observe_time_us"].to_numpy(np.int64) + _horizon(spec))
    # Without a horizon the outcome is no later event: it is known as soon as the row counts.
    return Outcome(label, frame[f"{spec.split.by}_us"].to_numpy(np.int64))


def _horizon(spec: DatasetSpec) -> int:
    """In microseconds."""
    return round(spec.horizon_days * US_PER_DAY)


def _with_customer(spec: DatasetSpec, frame: pd.DataFrame) -> pd.DataFrame:
    if "customer_id" not in frame:
        raise DataError(f"{spec.file}: label: complaints needs the field customer_id")
    return frame
