"""The moments of an open grumble that are learnt from, and how much each of them weighs.

What is chosen, and every weight, depends on nothing after the moment. To divide a grumble's
weight by the number of its snapshots would not do: that number is known only at the end, and
grumbles that escalate are long, so their first moments would weigh least and the probability at
intake would come out too low.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from harken_models.cases import Cases
from harken_models.spec import SnapshotSpec

US_PER_HOUR = 3_600_000_000


class Moments(NamedTuple):
    """Moments of grumbles, sorted by grumble and time; three arrays of one length."""

    grumble: np.ndarray
    """The row in the table of grumbles."""
    time_us: np.ndarray
    chosen: np.ndarray
    """Taken whatever stands near it; the others are changes."""

    def only(self, keep: np.ndarray) -> Moments:
        """Those marked."""
        return Moments(self.grumble[keep], self.time_us[keep], self.chosen[keep])


def moments(cases: Cases, spec: SnapshotSpec | None, end_us: int) -> Moments:
    """When each grumble could be scored: at its first moment, at changes and at chosen ages.

    Nothing before its first moment or after the end of the data. Without ``spec`` there is only
    the first.
    """
    first = cases.table["observe_time_us"].to_numpy(np.int64)
    every = np.arange(len(first))
    parts = [(every, first, np.ones(len(first), dtype=bool))]
    if spec is not None and spec.at_changes:
        begin, end = cases.log.start[cases.code], cases.log.start[cases.code + 1]
        grumble = np.repeat(every, end - begin)
        nth = np.arange(len(grumble)) - np.repeat(
            np.cumsum(end - begin) - (end - begin), end - begin
        )
        time_us = cases.log.time_us[begin[grumble] + nth]
        parts.append((grumble, time_us, np.zeros(len(grumble), dtype=bool)))
    for hours in spec.at_hours if spec is not None else ():
        time_us = cases.voice_us + round(hours * US_PER_HOUR)
        parts.append((every, time_us, np.ones(len(every), dtype=bool)))
    grumble, time_us, chosen = (np.concatenate(column) for column in zip(*parts, strict=True))
    keep = (time_us >= first[grumble]) & (time_us <= end_us)
    grumble, time_us, chosen = grumble[keep], time_us[keep], chosen[keep]
    order = np.lexsort((~chosen, time_us, grumble))
    grumble, time_us, chosen = grumble[order], time_us[order], chosen[order]
    again = (grumble[1:] == grumble[:-1]) & (time_us[1:] == time_us[:-1])
    return Moments(grumble, time_us, chosen).only(np.concatenate([[True], ~again])[: len(grumble)])


def thinned(found: Moments, voice_us: np.ndarray, spacing: float) -> np.ndarray:
    """Which moments are kept: the chosen ones, and changes that do not follow too closely.

    ``voice_us`` is of each grumble. A change is kept at an age of at least ``spacing`` times
    that of the last kept moment, and 0.1 hours more.
    """
    age = (found.time_us - voice_us[found.grumble]) / US_PER_HOUR
    nth = ordinal(found.grumble) - 1
    keep = found.chosen.copy()
    latest = np.full(len(voice_us), -np.inf)
    # One round for the first moment of every grumble, one for the second, and so on: what is
    # kept depends on what was kept before. Rows are sorted by round, so each is a slice.
    order = np.argsort(nth, kind="stable")
    bounds = np.searchsorted(nth[order], np.arange(nth.max(initial=-1) + 2))
    for begin, end in pairwise(bounds):
        rows = order[begin:end]
        who = found.grumble[rows]
        keep[rows] |= age[rows] >= spacing * latest[who] + 0.1
        kept = rows[keep[rows]]
        latest[found.grumble[kept]] = age[kept]
    return keep


def ordinal(grumble: np.ndarray) -> np.ndarray:
    """1, 2, … within each grumble; they stand together."""
    starts = np.concatenate([[True], grumble[1:] != grumble[:-1]])[: len(grumble)]
    begin = np.flatnonzero(starts)
    return np.arange(len(grumble)) - np.repeat(begin, np.diff([*begin, len(grumble)])) + 1


def weights(nth: np.ndarray, labelled: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """One over the snapshot's number, times its share; mean 1 over the labelled rows.

    So a grumble with many snapshots weighs as the logarithm of their number, and at each age all
    grumbles weigh nearly alike.
    """
    weight = 1.0 / nth
    if share is not None:
        weight = weight * share
    mean = weight[labelled].mean() if labelled.any() else 1.0
    return np.asarray(weight if mean == 1.0 else weight / mean)
