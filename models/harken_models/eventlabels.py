"""Does it come to this later? Outcomes that the log of changes itself tells."""

from __future__ import annotations

import numpy as np

from harken_models.cases import Cases
from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.events import event_spec, is_time
from harken_models.labels import Outcome, column_label
from harken_models.running import counted_events
from harken_models.snapshots import US_PER_HOUR, Moments
from harken_models.spec import ATTRIBUTE_PREFIX, ColumnLabel, EventLabel


def at_close(cases: Cases, label: ColumnLabel, found: Moments, end_us: int) -> Outcome:
    """The value of the grumble's last event, known when that has closed it. Raises DataError."""
    log = cases.log
    codes, texts = log.codes(label.column)
    final = log.start[cases.code + 1] - 1
    some = final >= log.start[cases.code]
    words = np.array([*texts, None], dtype=object)
    last = np.where(some, codes[np.where(some, final, 0)], -1) if len(log) else final * 0 - 1
    values = column_label(label, words[last])[found.grumble]
    known_us = cases.ended_us(end_us)[found.grumble]
    return Outcome(np.where(is_time(known_us), values, np.nan), known_us)


def already(cases: Cases, label: EventLabel, found: Moments) -> np.ndarray:
    """Which moments come too late: what is asked has happened. Raises DataError."""
    if label.open_hours is not None:
        return np.asarray(found.time_us >= _deadline(cases, label.open_hours)[found.grumble])
    place = cases.place(found.grumble, found.time_us)
    return np.asarray(cases.log.seen(_hits(cases, label), cases.code[found.grumble], place) > 0)


def event_outcome(
    cases: Cases, label: EventLabel, found: Moments, horizon_us: int, end_us: int
) -> Outcome:
    """Whether it happens after each moment: within the horizon, or while the grumble is open.

    Without a horizon the outcome is known when the grumble is closed, for what happened as for
    what did not: else those that are still open would all be positive. Raises DataError.
    """
    case = cases.code[found.grumble]
    if label.open_hours is not None:
        known_us = _deadline(cases, label.open_hours)[found.grumble]
        happened = cases.is_open(found.grumble, known_us, cases.log.last(case, known_us))
        return _unless_unknown(happened, known_us, end_us)
    hits = _hits(cases, label)
    before = cases.log.seen(hits, case, cases.log.last(case, found.time_us))
    if horizon_us:
        known_us = found.time_us + horizon_us
        later = cases.log.last(case, known_us)
    else:
        known_us = cases.ended_us(end_us)[found.grumble]
        later = cases.log.start[case + 1] - 1
        later = np.where(later >= cases.log.start[case], later, -1)
    return _unless_unknown(cases.log.seen(hits, case, later) > before, known_us, end_us)


def _deadline(cases: Cases, hours: float) -> np.ndarray:
    return cases.voice_us + round(hours * US_PER_HOUR)


def _unless_unknown(happened: np.ndarray, known_us: np.ndarray, end_us: int) -> Outcome:
    known = is_time(known_us) & (known_us <= end_us)
    return Outcome(np.where(known, happened.astype(np.float64), np.nan), known_us)


def _hits(cases: Cases, label: EventLabel) -> np.ndarray:
    """Which events are what is asked."""
    if label.event is not None:
        return cases.log.having(label.event)
    assert label.reaches is not None, "one of the three is given"
    name, least = label.reaches
    with np.errstate(invalid="ignore"):
        return np.asarray(_numbers(cases, name) >= least)


def _numbers(cases: Cases, name: str) -> np.ndarray:
    """A count or number of the log, at each of its events."""
    log, events = cases.log, event_spec(cases.log.spec)
    if name in events.running:
        how = events.running[name]
        if how.kind == "hours_since":
            raise DataError(f"{log.spec.file}: label.reaches: {name} is no count")
        return log.seen(counted_events(log, how), log.case, np.arange(len(log)))
    key = name if name in CORE_FIELDS else ATTRIBUTE_PREFIX + name
    if cases.by_event is not None and key in cases.by_event:
        return cases.by_event[key].to_numpy(np.float64)
    if key in cases.values:
        return cases.values[key].astype(np.float64)
    raise DataError(f"{log.spec.file}: label.reaches: {name} is not counted in the log of events")
