"""Columns stamped after the moment of scoring, and holes in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding
from harken_models.check.look import Look, monday_of
from harken_models.check.sources import Source
from harken_models.timetext import NOT_A_TIME

_SHARE = 0.01
_CASES = 20
_ALIKE = 0.98
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_MOMENTS = ("grumble_id", "customer_id", "voice_time", "observe_time", "closed_time", "events.time")
"""What says when, or who: the moments themselves cannot come after themselves."""


def time_travel(look: Look) -> Iterator[Finding]:
    """Mapped columns that hold times, or days since one, after ``observe_time``."""
    observed = look.frame["observe_time_us"].to_numpy(np.int64)
    rows = look.frame["_raw"].to_numpy()
    days_only = _only_days(observed, look.spec.time_zone)
    for source in look.sources:
        if not source.in_main or source.name in _MOMENTS or source.kind in ("number", "flag"):
            continue
        times = look.times_of(source)
        if times is None:
            continue
        then = times[rows]
        known = then != NOT_A_TIME
        # A moment on the day of an observation that is a mere date is not known to be later.
        slack = _DAY_US if days_only and not _only_days(then, look.spec.time_zone) else 1
        late = known & (then - observed >= slack)
        if late.sum() > _SHARE * known.sum():
            figures = {
                "field": source.name,
                "share": float(late.sum() / known.sum()),
                "hours_late": float(np.median(then[late] - observed[late]) / _HOUR_US),
            }
            name = "leak-later" if _constant_in_case(look, source) else "time-travel"
            yield Finding(name, "error", source.column, int(late.sum()), figures)


def _only_days(times: np.ndarray, time_zone: str) -> bool:
    """Whether all times are midnights of the zone: dates, in truth."""
    moments = pd.to_datetime(pd.Series(times[times != NOT_A_TIME]), unit="us", utc=True)
    local = moments.dt.tz_convert(time_zone)
    return bool(len(local) and (local == local.dt.normalize()).all())


def _constant_in_case(look: Look, source: Source) -> bool:
    """In a log: whether the column is the same in every event of a case, from the first on."""
    events = look.spec.events
    if events is None or events.table is not None:
        return False
    cases = look.main.groupby(events.case, sort=False)[source.column]
    long = cases.size() > 1
    return bool(long.sum() >= _CASES and (cases.nunique(dropna=False)[long] == 1).mean() > 0.95)


def written_at_close(look: Look) -> Iterator[Finding]:
    """Columns of a log that are filled from a case's first event on, yet in closed cases only."""
    events = look.spec.events
    moment = next((one for one in look.sources if one.name == "events.time"), None)
    if events is None or events.table is not None or events.closed is None or moment is None:
        return
    times = look.times_of(moment)
    if times is None or not len(times) or events.closed.column not in look.main:
        return
    cases = pd.factorize(look.main[events.case])[0]
    order = np.lexsort((np.arange(len(cases)), times, cases))
    starts = np.flatnonzero(np.diff(cases[order], prepend=-2) != 0)
    first, last = order[starts], order[np.append(starts[1:], len(order)) - 1]
    state = look.main[events.closed.column].iloc[last].astype(str).str.strip()
    closed = state.isin(events.closed.values).to_numpy()
    if min(closed.sum(), (~closed).sum()) < _CASES:
        return
    for source in look.sources:
        if source.in_main and source.name not in _MOMENTS:
            filled = ~source.missing[first]
            if filled[closed].mean() >= _ALIKE and filled[~closed].mean() <= 1 - _ALIKE:
                figures = {"field": source.name}
                count, wording = int(filled.sum()), "leak-later/closed"
                yield Finding("leak-later", "error", source.column, count, figures, wording)


def gaps(look: Look) -> Iterator[Finding]:
    """Weeks without a row, within the span of the data."""
    if not len(look.first):
        return
    weeks = np.unique(look.week[look.first])
    holes = np.diff(weeks) - 1
    count = int(holes.sum())
    if count:
        widest = int(holes.argmax())
        monday = monday_of(int(weeks[widest]) + 1)
        figures = {"weeks": count, "longest": int(holes.max()), "from": monday}
        yield Finding("gap-in-time", "note", None, 0, figures)


DETECTORS = (
    Detector("time-travel", time_travel, in_time=True),
    Detector(
        "leak-later", written_at_close, frozenset({"time-travel", "leak-later"}), in_time=True
    ),
    Detector("gap-in-time", gaps, in_time=True),
)
