"""How sure a figure is: intervals by resampling groups of rows.

Rows of one customer (or one grumble) stand or fall together, so whole groups are drawn, with
replacement, as many as there are. A drawing is a weight for every row: how often its group was
drawn, times the row's own weight. Two models are compared under the same drawings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harken_models.evaluation.metrics import FIGURES, Ranked
from harken_models.evaluation.scored import Scored

RESAMPLES = 500
LARGE = 300_000
"""More rows than these are drawn at most ``RESAMPLES_OF_LARGE`` times."""
RESAMPLES_OF_LARGE = 200
Statistic = Callable[[Scored, np.ndarray], np.ndarray]
"""Of rows and their weights: one or more figures, always as many."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float

    def to_plain(self) -> dict[str, float | None]:
        """For JSON: six digits, None for what cannot be told."""
        return {"value": plain(self.value), "low": plain(self.low), "high": plain(self.high)}


def plain(value: float) -> float | None:
    """A figure for JSON: rounded to six digits, None for NaN."""
    return None if np.isnan(value) else round(float(value), 6)


def drawings(rows: Scored, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """The rows' weights in each resample: the same for the same groups, weights and seed."""
    rng = np.random.default_rng(seed)
    names, codes = np.unique(rows.group, return_inverse=True)
    if len(rows) > LARGE:
        resamples = min(resamples, RESAMPLES_OF_LARGE)
    for _ in range(resamples):
        drawn = rng.integers(0, len(names), len(names))
        counts = np.bincount(drawn, minlength=len(names)).astype(np.float64)
        yield rows.weight * counts[codes]


def resampled(
    rows: Scored, statistic: Statistic, resamples: int = RESAMPLES, seed: int = 1
) -> np.ndarray:
    """``statistic`` in every resample: an array (resamples × figures)."""
    return np.array([statistic(rows, weight) for weight in drawings(rows, resamples, seed)])


def interval(value: float, drawn: np.ndarray) -> Interval:
    """The middle 95 % of what was drawn. Resamples that cannot have the figure are left out."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(known):
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(known, (0.025, 0.975))
    return Interval(float(value), float(low), float(high))


def distance_interval(value: float, drawn: np.ndarray) -> Interval:
    """The same for a distance, like the calibration error, that noise can only lengthen.

    Each resample adds to the noise of the rows as much again, so what was drawn lies too high by
    about what the figure itself does: it is reflected at the figure (the basic bootstrap).
    """
    found = interval(value, drawn)
    low, high = 2 * value - found.high, 2 * value - found.low
    return Interval(found.value, min(max(low, 0.0), value), max(high, value))


def figure_intervals(values: np.ndarray, drawn: np.ndarray) -> dict[str, Interval]:
    """Of ``FIGURES`` in their order and their resamples (resamples × figures)."""
    kinds = {"ece": distance_interval}
    return {
        name: kinds.get(name, interval)(float(values[place]), drawn[:, place])
        for place, name in enumerate(FIGURES)
    }


def intervals(rows: Scored, resamples: int = RESAMPLES, seed: int = 1) -> Mapping[str, Interval]:
    """Every one of ``FIGURES`` with its 95 % interval."""
    ranked = Ranked(rows.label, rows.probability)
    drawn = resampled(rows, lambda _, weight: ranked.sums(weight).figures(), resamples, seed)
    return figure_intervals(ranked.sums(rows.weight).figures(), drawn)
