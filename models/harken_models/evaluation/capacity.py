"""What so many calls a day find.

Every local day the grumbles with the highest probabilities among that day's rows are called, each
grumble once, on the first day it is on the list. Here a grumble counts once, whatever its weight:
a call is a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harken_models.evaluation.bootstrap import interval, resampled
from harken_models.evaluation.scored import Scored, scored_of

PER_DAY = (10, 20, 50, 100, 200, 500)


def called(rows: Scored, per_day: int) -> np.ndarray:
    """For each row: is its grumble called because of it? Of rows that tie, the first stands."""
    order = np.lexsort((-rows.probability, rows.day))
    starts = np.flatnonzero(np.diff(rows.day[order])) + 1
    _, grumble = np.unique(rows.grumble, return_inverse=True)
    done = np.zeros(grumble.max(initial=-1) + 1, dtype=bool)
    found = np.zeros(len(rows), dtype=bool)
    for day in np.split(order, starts):
        fresh = day[~done[grumble[day]]]
        _, first = np.unique(grumble[fresh], return_index=True)
        chosen = fresh[np.sort(first)[:per_day]]
        found[chosen] = True
        done[grumble[chosen]] = True
    return found


def capacity_curve(
    rows: Scored, per_day: Sequence[int], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """Recall (of grumbles that complain) and precision (of those called) for each capacity.

    The lists are made once; the intervals resample whose grumbles there were.
    """
    _, first, grumble = np.unique(rows.grumble, return_index=True, return_inverse=True)
    outcome = np.zeros(len(first))
    np.maximum.at(outcome, grumble, rows.label)
    lists = np.zeros((len(first), len(per_day)))
    for place, number in enumerate(per_day):
        lists[grumble[called(rows, number)], place] = 1.0
    hits = lists * outcome[:, None]

    def shares(_: Scored, weight: np.ndarray) -> np.ndarray:
        # Whole numbers: exact in any order, so the matrix product gives the same bits anywhere.
        found, complaints, calls = weight @ hits, weight @ outcome, weight @ lists
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.concatenate([found / complaints, found / calls])

    grumbles = scored_of(outcome, np.zeros(len(first)), group=rows.group[first])
    values = shares(grumbles, grumbles.weight)
    drawn = resampled(grumbles, shares, resamples, seed)
    width = len(per_day)
    return [
        {
            "per_day": number,
            "recall": interval(values[place], drawn[:, place]).to_plain(),
            "precision": interval(values[width + place], drawn[:, width + place]).to_plain(),
            "rows": int(lists[:, place].sum()),
        }
        for place, number in enumerate(per_day)
    ]
