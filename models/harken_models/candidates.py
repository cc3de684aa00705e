"""Judging candidates on the same held-out rows, and choosing where luck could decide.

A held-out loss is itself measured with an error, and the time after training may not be like the
time within it. Of settings that lie within one standard error of the best the steadier is
taken: the stronger penalty, the blend. What is plain (equal parts, rows that count alike) is only
given up for what is better beyond doubt. Errors are those of a paired difference, row by row, and
clustered: rows of one group are no independent witnesses.

Base rates drift, and how high probabilities are altogether is mended by calibration afterwards,
on the latest rows. So what is compared is what remains when each fold's base rate is set right:
one shift a fold, the same courtesy to every candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from harken_models.boosted import row_losses
from harken_models.encodings import FitData
from harken_models.predictor import Kind
from harken_models.split import Fold

BLEND_WEIGHTS = (0.5, 0.25, 0.75)
"""Of the boosted part; the first stands unless another is better beyond doubt."""
SURE = 3.0
"""Standard errors that leave no doubt, though several things are tried."""
_STEPS = 50


@dataclass(frozen=True)
class HeldOutRows:
    """The held-out rows of all folds, one fold after the other.

    ``group``: rows of one number belong together; ``fold``: which fold a row is of; ``order``:
    the rows in the order of time (of the data, where there is none).
    """

    label: np.ndarray
    weight: np.ndarray
    group: np.ndarray
    fold: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, data: FitData, folds: Sequence[Fold]) -> HeldOutRows:
        """The rows that ``folds`` hold out."""
        rows = np.concatenate([fold.held_out for fold in folds])
        group = rows if data.group is None else data.group[rows]
        number = np.repeat(np.arange(len(folds)), [len(fold.held_out) for fold in folds])
        order = np.lexsort((np.arange(len(rows)), data.times[rows]))
        return cls(data.label[rows], data.weight[rows], group, number, order)

    def parts(self, z: np.ndarray) -> tuple[np.ndarray, ...]:
        """A column cut into the folds."""
        bounds = np.flatnonzero(np.diff(self.fold)) + 1
        return tuple(np.split(z, bounds))

    def losses(self, z: np.ndarray) -> np.ndarray:
        """Log-loss of each row, with the base rate of each fold set right."""
        return row_losses(self.label, self._levelled(z))

    def loss(self, z: np.ndarray) -> float:
        """The weighted mean of ``losses``."""
        return float(np.average(self.losses(z), weights=self.weight))

    def raw_loss(self, z: np.ndarray) -> float:
        """The weighted mean of the rows' log-losses, base rates as they were predicted."""
        return float(np.average(row_losses(self.label, z), weights=self.weight))

    def margin(self, z: np.ndarray, other: np.ndarray) -> tuple[float, float]:
        """By how much ``z`` loses more than ``other``, and the standard error of that."""
        difference = self.losses(z) - self.losses(other)
        mean = float(np.average(difference, weights=self.weight))
        sums = np.bincount(self._cluster, weights=self.weight * (difference - mean))
        return mean, float(np.sqrt((sums**2).sum()) / self.weight.sum())

    def within_an_error(self, z: np.ndarray, best: np.ndarray) -> bool:
        """Is ``z`` at most one standard error worse than ``best``?"""
        mean, error = self.margin(z, best)
        return mean <= error

    def surely_better(self, z: np.ndarray, other: np.ndarray) -> bool:
        """Is ``z`` better than ``other`` beyond doubt?"""
        mean, error = self.margin(z, other)
        return -mean > SURE * error

    def folds_better(self, z: np.ndarray, other: np.ndarray) -> float:
        """In what share of the folds ``z`` is better than ``other``."""
        difference = self.weight * (self.losses(z) - self.losses(other))
        return float((np.bincount(self.fold, weights=difference) < 0).mean())

    def shifts(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how much each fold's log-odds are to be shifted so that their mean probability is
        its share of complaints, and the standard error of that.

        Newton's method on a convex loss, all folds at once.
        """
        count = self.fold.max(initial=0) + 1
        shift = np.zeros(count)
        for _ in range(_STEPS):
            p = expit(z + shift[self.fold])
            gap = np.bincount(self.fold, self.weight * (self.label - p), count)
            steep = np.maximum(np.bincount(self.fold, self.weight * p * (1 - p), count), 1e-12)
            step = np.clip(gap / steep, -2.0, 2.0)
            shift += step
            if np.abs(step).max() < 1e-10:
                break
        return shift, 1 / np.sqrt(steep)

    def latest(self, z: np.ndarray, positives: float) -> np.ndarray:
        """The rows of the latest folds, in order of time: as many as hold so many ``positives``,
        and those before them whose base rate is no other (within two standard errors)."""
        found = np.bincount(self.fold, weights=self.label)
        shift, error = self.shifts(z)
        first = len(found) - 1
        while first > 0 and found[first:].sum() < positives:
            first -= 1
        while first > 0:
            certain = error[first:] ** -2
            level = np.average(shift[first:], weights=certain)
            noise = np.hypot(error[first - 1], certain.sum() ** -0.5)
            if abs(shift[first - 1] - level) > 2 * noise:
                break
            first -= 1
        return np.asarray(self.order[self.fold[self.order] >= first])

    def _levelled(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(z + self.shifts(z)[0][self.fold])

    @cached_property
    def _cluster(self) -> np.ndarray:
        return np.unique(self.group, return_inverse=True)[1]


def strongest(rows: HeldOutRows, by_penalty: Mapping[float, np.ndarray]) -> float:
    """The strongest penalty (the smallest C) within one standard error of the best."""
    best = min(by_penalty, key=lambda c: rows.loss(by_penalty[c]))
    return min(c for c, z in by_penalty.items() if rows.within_an_error(z, by_penalty[best]))


def blend_weight(rows: HeldOutRows, boosted: np.ndarray, logistic: np.ndarray) -> float:
    """The share of the boosted part in a blend."""
    even = mixed(BLEND_WEIGHTS[0], boosted, logistic)
    better = {
        weight: rows.loss(mixed(weight, boosted, logistic))
        for weight in BLEND_WEIGHTS[1:]
        if rows.surely_better(mixed(weight, boosted, logistic), even)
    }
    return min(better, key=lambda weight: better[weight]) if better else BLEND_WEIGHTS[0]


def mixed(weight: float, boosted: np.ndarray, logistic: np.ndarray) -> np.ndarray:
    """Log-odds of a blend."""
    return weight * boosted + (1 - weight) * logistic


def choose(rows: HeldOutRows, z: Mapping[Kind, np.ndarray], what: str) -> tuple[Kind, str]:
    """The candidate that is taken, and why, in words. ``what`` was held out: time, groups.

    The lowest log-loss wins; but a blend within one standard error of it is taken instead.
    """
    losses = {kind: rows.loss(column) for kind, column in z.items()}
    best = min(losses, key=lambda kind: losses[kind])
    said = ", ".join(f"{kind} {loss:.4f}" for kind, loss in losses.items() if kind != best)
    lowest = f"lowest log-loss on held-out {what}, base rates set right: {best} "
    lowest += f"{losses[best]:.4f}; {said}"
    if best == "blend" or not rows.within_an_error(z["blend"], z[best]):
        return best, lowest
    _, error = rows.margin(z["blend"], z[best])
    return "blend", f"within one standard error ({error:.4f}) of the {lowest}"
