"""Figures of probabilities against outcomes, for rows of unequal weight.

Every figure is read off a few cumulative sums over the rows in falling order of probability. The
order is found once (``Ranked``); other weights, as in each resample of a bootstrap, cost only new
sums (``Sums``). With equal weights the figures are those of ``harken_models.evaluate``. A figure
that a set of rows cannot have (no complaint in it, say) is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

FIGURES = ("auc", "ap", "brier", "log_loss", "ece", "lift_10", "recall_10", "recall_15")
BINS = 10
_EPS = float(np.finfo(np.float64).eps)


class Ranked:
    """Outcomes (0.0 or 1.0) and probabilities of rows, in falling order of probability."""

    def __init__(self, label: np.ndarray, probability: np.ndarray) -> None:
        # Turned round, so that rows which tie lie in the bins of the calibration error as they
        # do in harken_models.evaluate.
        self.order = np.argsort(probability, kind="stable")[::-1]
        self.probability = np.asarray(probability, dtype=np.float64)[self.order]
        self.size = len(self.probability)
        positive = np.asarray(label, dtype=np.float64)[self.order] > 0
        inside = np.clip(self.probability, _EPS, 1 - _EPS)
        self.loss = -np.where(positive, np.log(inside), np.log1p(-inside))
        self.square = (positive - self.probability) ** 2
        self.hits = np.flatnonzero(positive)
        """The rows of the positives."""
        self.hits_before = np.append(0, np.cumsum(positive))
        """How many of them stand before each row, and in all."""
        self.stops = np.append(np.flatnonzero(np.diff(self.probability)) + 1, self.size)
        """Where each run of equal probabilities ends; the next one begins there."""
        run = np.searchsorted(self.stops, self.hits, side="right")
        self.hit_starts = np.append(0, self.stops)[run]
        self.hit_stops = self.stops[run]
        sizes = np.full(BINS, self.size // BINS)
        sizes[: self.size % BINS] += 1
        self.below = np.cumsum(sizes)[:-1]
        """How many of the rows lie below the upper edge of each bin but the last."""

    def sums(self, weight: np.ndarray) -> Sums:
        """The sums of these rows under ``weight``, which is in the rows' first order."""
        return Sums(self, weight[self.order])


class Sums:
    """Sums from the highest probability down, and what can be read off them.

    ``all[n]`` is the weight of the first ``n`` rows; positives are few, and summed on their own.
    """

    def __init__(self, ranked: Ranked, weight: np.ndarray) -> None:
        self.ranked = ranked
        self.weight = weight
        self.all = _summed(weight)
        self.of_hits = weight[ranked.hits]
        self.hits = _summed(self.of_hits)
        self.total, self.positives = float(self.all[-1]), float(self.hits[-1])

    def positive(self, rows: np.ndarray) -> np.ndarray:
        """The weight of the positives among the first so many ``rows``."""
        return np.asarray(self.hits[self.ranked.hits_before[rows]])

    def figures(self) -> np.ndarray:
        """The values of ``FIGURES``, in their order."""
        found = self.gains((0.10, 0.15))
        return np.array(
            [
                self.auc(),
                self.average_precision(),
                self.mean(self.ranked.square),
                self.mean(self.ranked.loss),
                self.calibration_error(),
                found[0] / 0.10,
                *found,
            ]
        )

    def auc(self) -> float:
        """The share of pairs in which the complaint stands higher; ties count a half."""
        negatives = self.total - self.positives
        if self.positives <= 0 or negatives <= 0:
            return np.nan
        starts, stops = self.ranked.hit_starts, self.ranked.hit_stops
        above = self.all[starts] - self.positive(starts)
        down_to = self.all[stops] - self.positive(stops)
        wrong = _dot(self.of_hits, above + down_to) / 2
        return 1 - wrong / (self.positives * negatives)

    def average_precision(self) -> float:
        """Precision at each probability, weighted by the recall that it adds."""
        if self.positives <= 0:
            return np.nan
        stops = self.ranked.hit_stops
        every = self.all[stops]
        precision = np.divide(
            self.positive(stops), every, out=np.zeros(len(every)), where=every > 0
        )
        return _dot(self.of_hits, precision) / self.positives

    def mean(self, of_rows: np.ndarray) -> float:
        """The mean of values that stand in the order of ``ranked``."""
        return _dot(self.weight, of_rows) / self.total if self.total > 0 else np.nan

    def calibration_error(self) -> float:
        """Mean distance of predicted and observed rate over ten bins of equal weight."""
        if self.total <= 0:
            return np.nan
        _, predicted, observed = self.bins()
        return float(np.abs(predicted - observed).sum() / self.total)

    def bins(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight, sum of probabilities and sum of positives in ten bins, the lowest first."""
        size = self.ranked.size
        edges = self.total * (size - self.ranked.below[::-1]) / max(size, 1)
        inner = np.searchsorted(self.all[1:], edges, side="right")
        return self.sums_between(np.array([0, *inner, size]))

    def sums_between(self, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same three between each of the ``cuts`` (numbers of rows) and the next, from the
        last pair to the first."""
        predicted = [
            _dot(self.weight[start:stop], self.ranked.probability[start:stop])
            for start, stop in pairwise(cuts)
        ]
        every, positive = np.diff(self.all[cuts]), np.diff(self.positive(cuts))
        return every[::-1], np.array(predicted)[::-1], positive[::-1]

    def gains(self, shares: Sequence[float]) -> np.ndarray:
        """The share of all positives among the top ``shares`` of the rows.

        Rows that tie at an edge count in proportion.
        """
        if self.positives <= 0:
            return np.full(len(shares), np.nan)
        size = np.asarray(shares) * self.total
        row = np.minimum(np.searchsorted(self.all[1:], size), self.ranked.size - 1)
        run = np.searchsorted(self.ranked.stops, row, side="right")
        starts, stops = np.append(0, self.ranked.stops)[run], self.ranked.stops[run]
        found, more = self.positive(starts), self.positive(stops)
        before, after = self.all[starts], self.all[stops]
        return np.asarray(
            (found + (more - found) * (size - before) / (after - before)) / self.positives
        )

    def line(self, probability: float) -> np.ndarray:
        """Recall, precision and workload reduction, if a warning is given from it up."""
        warned = np.searchsorted(-self.ranked.probability, [-probability], side="right")
        found, every = float(self.positive(warned)[0]), float(self.all[warned][0])
        return np.array(
            [_ratio(found, self.positives), _ratio(found, every), 1 - _ratio(every, self.total)]
        )

    def reductions(self, recalls: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """For each wanted recall the highest line that has it, and its workload reduction."""
        if self.positives <= 0:
            return np.full(len(recalls), np.nan), np.full(len(recalls), np.nan)
        # A hair less is enough: sums of the same weights in another order differ by it.
        wanted = np.asarray(recalls) * self.positives * (1 - 1e-12)
        hit = np.minimum(np.searchsorted(self.hits[1:], wanted), len(self.of_hits) - 1)
        line = self.ranked.probability[self.ranked.hits[hit]]
        return line, 1 - self.all[self.ranked.hit_stops[hit]] / self.total


def figures(
    label: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None
) -> Mapping[str, float]:
    """``FIGURES`` by name. All arrays of one length; without ``weight`` all rows count alike."""
    ones = np.ones(len(label)) if weight is None else weight
    values = Ranked(label, probability).sums(ones).figures()
    return dict(zip(FIGURES, map(float, values), strict=True))


def _summed(values: np.ndarray) -> np.ndarray:
    """Cumulative sums, nothing first."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums


def _dot(left: np.ndarray, right: np.ndarray) -> float:
    """Σ left · right. Not by BLAS, whose last bits follow the number of its threads."""
    return float(np.einsum("i,i->", left, right))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
