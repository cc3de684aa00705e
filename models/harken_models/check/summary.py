"""The data in figures, before anything is found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harken_models.check.finding import Summary, Week
from harken_models.check.look import Look, monday_of


def summarise(look: Look) -> Summary:
    """Rows, span, outcomes and their rate by week; grumbles count once, at their first row."""
    frame = look.frame
    label = look.label[look.labelled]
    excluded = frame["excluded"].to_numpy()[look.first]
    mapped = {one.column for one in look.sources} | {look.label_column}
    mapped |= {rule.column for rule in look.spec.exclude}
    mapped |= {table.key for table in look.spec.tables.values()}
    if look.spec.events is not None:
        mapped |= _columns_of_log(look)
    return Summary(
        rows=len(frame),
        grumbles=len(look.first),
        main=len(look.main),
        bad_rows=len({bad.row for bad in look.dataset.bad_rows}),
        excluded=int(excluded.sum()),
        span=_span(look),
        labelled=look.spec.label is not None,
        known=len(label),
        unknown=len(look.first) - int(excluded.sum()) - len(label),
        positives=int(label.sum()),
        weeks=() if look.spec.timeless else _weeks(look),
        unused=tuple(str(column) for column in look.main if column not in mapped),
    )


def _columns_of_log(look: Look) -> set[str | None]:
    events = look.spec.events
    assert events is not None
    used: set[str | None] = {events.case}
    used |= {running.column for running in events.running.values()}
    used.add(events.closed.column if events.closed else None)
    condition = getattr(look.spec.label, "event", None)
    used.add(condition.column if condition else None)
    return used


def _span(look: Look) -> tuple[str, str] | None:
    if look.spec.timeless or not len(look.frame):
        return None
    times = look.frame["voice_time_us"].min(), look.frame["observe_time_us"].max()
    local = pd.to_datetime(pd.Series(times), unit="us", utc=True)
    local = local.dt.tz_convert(look.spec.time_zone)
    return local[0].isoformat(), local[1].isoformat()


def _weeks(look: Look) -> tuple[Week, ...]:
    rows = look.labelled
    found, place = np.unique(look.week[rows], return_inverse=True)
    counts = np.bincount(place, minlength=len(found))
    hits = np.bincount(place, weights=look.label[rows], minlength=len(found))
    return tuple(
        Week(monday_of(int(week)), int(n), int(k))
        for week, n, k in zip(found, counts, hits, strict=True)
    )
