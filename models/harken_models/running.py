"""Attributes that are counted over a grumble's events: hand-overs, reopenings, time since.

Whole columns at once; ``past.running_of`` counts the same for one grumble, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harken_models.events import Log, among
from harken_models.spec import Running

US_PER_HOUR = 3_600_000_000


def running_columns(
    log: Log,
    running: Mapping[str, Running],
    case: np.ndarray,
    place: np.ndarray,
    moment_us: np.ndarray,
) -> dict[str, np.ndarray]:
    """Each running attribute at moments of cases: float64, one for each moment.

    ``place`` is the case's last event up to the moment, -1 where there is none. Counts are 0
    and hours NaN before the first event that counts. Raises DataError.
    """
    found = {}
    for name, how in running.items():
        marked = counted_events(log, how)
        if how.kind == "hours_since":
            latest = log.latest(marked)
            then = np.where(place < 0, -1, latest[place]) if len(log) else np.full(len(place), -1)
            hours = (moment_us - _at(log.time_us, then)) / US_PER_HOUR
            found[name] = np.where(then < 0, np.nan, hours)
        else:
            found[name] = log.seen(marked, case, place).astype(np.float64)
    return found


def counted_events(log: Log, how: Running) -> np.ndarray:
    """Which events a running attribute counts, or counts its hours from. Raises DataError."""
    if how.column is None:
        return np.ones(len(log), dtype=bool)
    codes, texts = log.codes(how.column)
    if how.kind == "distinct":
        return _first_of_its_kind(log, codes)
    if how.kind == "changes":
        before = log.earlier(codes >= 0)
        return np.asarray((codes >= 0) & (before >= 0) & (codes != _at(codes, before)))
    hit = among(codes, texts, how.values)
    if how.kind == "returns":
        # An entry, not a stay: since it last was there, it has been where it returns from.
        away = among(codes, texts, how.after)
        before = log.earlier(away | hit)
        hit = hit & (before >= 0) & _at(away, before)
    return hit


def _first_of_its_kind(log: Log, codes: np.ndarray) -> np.ndarray:
    first = np.zeros(len(log), dtype=bool)
    pairs = log.case * (codes.max(initial=-1) + 2) + codes + 1
    first[np.unique(pairs, return_index=True)[1]] = True
    return np.asarray(first & (codes >= 0))


def _at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """``values[place]``, of any value where the place is -1."""
    if not len(values):
        return np.zeros(len(place), values.dtype)
    return np.asarray(values[np.maximum(place, 0)])
