"""How well a grumble is judged as it grows older: at opening and at each chosen age.

Of all grumbles open at an age the figures may well fall with it, because whoever is still open is
alike. Whether a model gains from what it has seen is told by the same grumbles at every age.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harken_models.evaluation.scored import Scored
from harken_models.evaluation.slices import measured

COHORT = 1000
"""So many grumbles must still be open at an age for them to be followed back to their opening."""
_NEAR_HOURS = 1e-3


def ages(
    rows: Scored, at_hours: Sequence[float], line: float, resamples: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """``open_then``: all that were open at an age; ``same_grumbles``: those open at the oldest
    age that ``COHORT`` grumbles reach, at all the ages before. Both empty without snapshots."""
    if not at_hours:
        return {"open_then": [], "same_grumbles": []}
    alike = _alike(rows)
    places = _places(rows, at_hours)
    kept = [place for place in places if len(place) >= COHORT]
    same: list[np.ndarray] = []
    if len(kept) > 1:
        cohort = rows.grumble[kept[-1]]
        same = [place[np.isin(rows.grumble[place], cohort)] for place in kept]
    return {
        "open_then": _told(alike, places, line, resamples, seed),
        "same_grumbles": _told(alike, same, line, resamples, seed),
    }


def _alike(rows: Scored) -> Scored:
    """At one age every grumble counts once."""
    return Scored(
        rows.label, rows.probability, np.ones(len(rows)), rows.group, rows.observe_us,
        rows.open_hours,
    )  # fmt: skip


def _places(rows: Scored, at_hours: Sequence[float]) -> list[np.ndarray]:
    """The rows at opening (a grumble's first) and at each age that comes later."""
    first = rows.snapshot == 1
    found = [np.flatnonzero(first)]
    for age in sorted(at_hours):
        at_age = np.flatnonzero(~first & (np.abs(rows.open_hours - age) < _NEAR_HOURS))
        if len(at_age):
            found.append(at_age)
    return [place for place in found if len(place)]


def _told(
    rows: Scored, places: list[np.ndarray], line: float, resamples: int, seed: int
) -> list[dict[str, Any]]:
    figures = measured(rows, places, line, resamples, seed)
    return [
        {"hours": round(float(np.median(rows.open_hours[place])), 3), **each}
        for place, each in zip(places, figures, strict=True)
    ]
