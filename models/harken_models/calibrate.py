"""From a raw log-odds to a probability that means what it says.

Whatever the method, a calibration is a rising map from log-odds to log-odds, so the base-rate
correction is one addition after it and the logistic function comes last. One number and a
column go through the same elementwise operations; ``scipy.special.expit`` computes both with
the same scalar code.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import expit, log_expit, logit

Method = Literal["none", "platt", "beta", "isotonic"]
Pieces = Sequence[tuple[np.ndarray, np.ndarray]]
"""Rows to fit a method to, and rows to judge it on."""

_PARTS = 5
_POSITIVES: Mapping[Method, int] = {"none": 0, "platt": 50, "beta": 200, "isotonic": 2000}
"""Complaints that a method needs, in order of how much it has to fit: below, it follows noise."""
_WORTH: Mapping[Method, float] = {"none": 0.0, "platt": 0.0, "beta": 0.0005, "isotonic": 0.001}
"""By what share it must lower the log-loss, to be worth more than a straight line."""
_LEAST = 1e-15
_FAR = 40.0
_RIDGE, _STEPS, _EXACT = 1e-9, 100, 1e-10


@dataclass(frozen=True)
class Calibration:
    """``expit(map(z) + shift)``.

    ``map`` is ``slope * z + intercept``; or, with ``knots``, piecewise linear through them
    (rising pairs of log-odds in and out) and flat beyond the ends; or, with ``beta`` (a, b, c;
    a and b not negative), ``a * log p - b * log(1 - p) + c`` of the probability p that z means.
    ``shift`` moves the base rate of the sample to that of the field.
    """

    method: Method = "none"
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    shift: float = 0.0
    beta: tuple[float, float, float] | tuple[()] = ()

    def one(self, z: float) -> float:
        """The probability of one raw log-odds."""
        if self.beta:
            a, b, c = self.beta
            return float(expit(a * log_expit(z) - b * log_expit(-z) + c + self.shift))
        if not self.knots:
            return float(expit(self.slope * z + self.intercept + self.shift))
        x, y, width, rise = self._pieces
        at = bisect_right(x, z, 1, len(x) - 1) - 1
        inside = x[0] if z < x[0] else (x[-1] if z > x[-1] else z)
        return float(expit(y[at] + (inside - x[at]) / width[at] * rise[at] + self.shift))

    def many(self, z: np.ndarray) -> np.ndarray:
        """The probabilities of a column of raw log-odds."""
        if self.beta:
            a, b, c = self.beta
            return np.asarray(expit(a * log_expit(z) - b * log_expit(-z) + c + self.shift))
        if not self.knots:
            return np.asarray(expit(self.slope * z + self.intercept + self.shift))
        x, y, width, rise = self._arrays
        at = np.searchsorted(x[1:-1], z, side="right")
        inside = np.where(z < x[0], x[0], np.where(z > x[-1], x[-1], z))
        return np.asarray(expit(y[at] + (inside - x[at]) / width[at] * rise[at] + self.shift))

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        """Of each knot x and y, and how far the next one is in both."""
        x, y = (np.array(side) for side in zip(*self.knots, strict=True))
        return x, y, np.diff(x), np.diff(y)

    @cached_property
    def _pieces(self) -> tuple[list[float], ...]:
        return tuple(array.tolist() for array in self._arrays)

    def shifted(self, sample_rate: float, field_rate: float | None) -> Calibration:
        """The same calibration for a population whose base rate is ``field_rate``."""
        if field_rate is None:
            return self
        return replace(self, shift=float(logit(field_rate) - logit(sample_rate)))


def choose_calibration(
    z: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None, ordered: bool = True
) -> Calibration:
    """Calibrate raw log-odds that were predicted for held-out rows.

    The rows should be the latest there are, as base rates drift. Each method that has enough
    complaints to be fitted is judged on rows that it was not fitted to. ``ordered``: the rows
    stand in order of time, and a method fitted to the first two fifths is judged on the third
    (then three on the fourth, four on the last). Otherwise each fifth is judged by the others.
    The best is then fitted on all.
    """
    weight = np.ones(len(z)) if weight is None else weight
    enough = min(label.sum(), (1 - label).sum())
    pieces = list(_forwards(len(z)) if ordered else _crosswise(len(z)))
    pieces = [(fit, judge) for fit, judge in pieces if 0 < label[fit].sum() < len(fit)]
    if not pieces:
        return Calibration()
    losses = {
        method: _loss(method, z, label, weight, pieces) * (1 + _WORTH[method])
        for method, needed in _POSITIVES.items()
        if enough >= needed
    }
    return _fit(min(losses, key=lambda method: losses[method]), z, label, weight)


def solved_shift(
    p: np.ndarray, label: np.ndarray, weight: np.ndarray | None, field_rate: float
) -> float:
    """What is to be added to the log-odds of ``p`` so that they mean ``field_rate`` in the field.

    ``p``: calibrated probabilities of held-out rows of the sample, in which complaints are more
    or less frequent than in the field. Complaints and the others are weighted back to their
    shares in the field, and the mean probability must then be the field's rate. For perfect
    probabilities that is ``logit(field) - logit(sample)``; it holds for others as well.
    """
    from scipy.optimize import brentq

    weight = np.ones(len(p)) if weight is None else weight
    sample_rate = float(np.average(label, weights=weight))
    as_in_field = weight * np.where(
        label > 0, field_rate / sample_rate, (1 - field_rate) / (1 - sample_rate)
    )
    z = logit(np.clip(p, _LEAST, 1 - _LEAST))
    total = as_in_field.sum()

    def gap(shift: float) -> float:
        return float(as_in_field @ expit(z + shift) / total - field_rate)

    return float(brentq(gap, -_FAR, _FAR, xtol=1e-12))


def _forwards(rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for done in range(2, _PARTS):
        start, end = rows * done // _PARTS, rows * (done + 1) // _PARTS
        yield np.arange(start), np.arange(start, end)


def _crosswise(rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for own in np.array_split(np.arange(rows), _PARTS):
        yield np.setdiff1d(np.arange(rows), own), own


def _loss(
    method: Method, z: np.ndarray, label: np.ndarray, weight: np.ndarray, pieces: Pieces
) -> float:
    """Mean log-loss over the rows judged."""
    total = 0.0
    for fit, judge in pieces:
        p = _fit(method, z[fit], label[fit], weight[fit]).many(z[judge])
        p = np.clip(p, _LEAST, 1 - _LEAST)
        total -= float(weight[judge] @ np.log(np.where(label[judge] > 0, p, 1 - p)))
    return total / float(sum(weight[judge].sum() for _, judge in pieces))


def _fit(method: Method, z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    if method == "platt":
        return _platt(z, label, weight)
    if method == "beta":
        return _beta(z, label, weight)
    if method == "isotonic":
        return _isotonic(z, label, weight)
    return Calibration()


def _platt(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    slope, intercept = _logistic([z, np.ones(len(z))], label, weight)
    return Calibration("platt", slope, intercept) if slope > 0 else Calibration()


def _beta(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    """A term that comes out negative, and would have the map fall, is left out."""
    sides = {"a": log_expit(z), "b": -log_expit(-z), "c": np.ones(len(z))}
    while len(sides) > 1:
        found = dict(zip(sides, _logistic(list(sides.values()), label, weight), strict=True))
        falling = [name for name, term in found.items() if name != "c" and term < 0]
        if not falling:
            return Calibration("beta", beta=(found.get("a", 0.0), found.get("b", 0.0), found["c"]))
        del sides[min(falling, key=lambda name: found[name])]
    return Calibration()


def _logistic(
    columns: Sequence[np.ndarray], label: np.ndarray, weight: np.ndarray
) -> tuple[float, ...]:
    """The terms of a logistic regression on few columns, by Newton's method with halved steps."""
    design, share = np.column_stack(columns), weight / weight.sum()
    outcome = 2.0 * label - 1.0
    ridge = _RIDGE * np.eye(len(columns))

    def loss(terms: np.ndarray) -> float:
        return float(
            share @ np.logaddexp(0.0, -outcome * (design @ terms)) + terms @ ridge @ terms / 2
        )

    terms = np.array([*[1.0] * (len(columns) - 1), 0.0])
    least = loss(terms)
    for _ in range(_STEPS):
        p = expit(design @ terms)
        slope = design.T @ (share * (p - label)) + ridge @ terms
        bend = design.T @ (design * (share * p * (1 - p))[:, None]) + ridge
        step = np.linalg.solve(bend, slope)
        while (now := loss(terms - step)) > least and np.abs(step).max() > _EXACT:
            step /= 2
        if now > least or np.abs(step).max() <= _EXACT:
            break
        terms, least = terms - step, now
    return tuple(terms.tolist())


def _isotonic(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    from sklearn.isotonic import IsotonicRegression  # serving need not wait for it

    margin = 1 / (len(z) + 2)
    fitter = IsotonicRegression(y_min=margin, y_max=1 - margin).fit(z, label, weight)
    if len(fitter.X_thresholds_) < 2:
        return Calibration()
    knots = zip(fitter.X_thresholds_, logit(fitter.y_thresholds_), strict=True)
    return Calibration("isotonic", knots=tuple((float(x), float(y)) for x, y in knots))
