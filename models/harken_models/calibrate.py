"""From a raw log-odds to a probability that means what it says.

Whatever the method, a calibration is a rising map from log-odds to log-odds, so the base-rate
correction is one addition after it and the logistic function comes last. One number and a
column go through the same elementwise operations; ``scipy.special.expit`` computes both with
the same scalar code.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import expit, logit

Method = Literal["none", "platt", "isotonic"]
_PARTS = 5
_PLATT_POSITIVES = 50
_ISOTONIC_POSITIVES = 2000
"""Isotonic regression has many steps to fit; below this it follows noise."""
_WORTH = 0.001
"""By what share its steps must lower the log-loss of a straight line."""


@dataclass(frozen=True)
class Calibration:
    """``expit(map(z) + shift)``.

    ``map`` is ``slope * z + intercept``, or, with ``knots``, piecewise linear through them
    (rising pairs of log-odds in and out) and flat beyond the ends. ``shift`` moves the base
    rate of the sample to that of the field: ``logit(field) - logit(sample)``.
    """

    method: Method = "none"
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    shift: float = 0.0

    def one(self, z: float) -> float:
        """The probability of one raw log-odds."""
        if not self.knots:
            return float(expit(self.slope * z + self.intercept + self.shift))
        x, y, width, rise = self._pieces
        at = bisect_right(x, z, 1, len(x) - 1) - 1
        inside = x[0] if z < x[0] else (x[-1] if z > x[-1] else z)
        return float(expit(y[at] + (inside - x[at]) / width[at] * rise[at] + self.shift))

    def many(self, z: np.ndarray) -> np.ndarray:
        """The probabilities of a column of raw log-odds."""
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


def choose_calibration(z: np.ndarray, label: np.ndarray) -> Calibration:
    """Calibrate raw log-odds that were predicted for held-out rows.

    The rows should be the latest there are, as base rates drift. Each method that has enough
    complaints to be fitted is judged by cross-fitting: every fifth row is predicted by what the
    others give. The best is then fitted on all.
    """
    enough = min(label.sum(), (1 - label).sum())
    methods: list[Method] = ["none"]
    if enough >= _PLATT_POSITIVES:
        methods.append("platt")
    if enough >= _ISOTONIC_POSITIVES:
        methods.append("isotonic")
    losses = {method: _cross_fitted_loss(method, z, label) for method in methods}
    best = min(losses, key=lambda method: losses[method] * (1 + _WORTH * (method == "isotonic")))
    return _fit(best, z, label)


def _cross_fitted_loss(method: Method, z: np.ndarray, label: np.ndarray) -> float:
    from sklearn.metrics import log_loss

    part = np.arange(len(z)) % _PARTS
    probability = np.empty(len(z))
    for own in range(_PARTS):
        calibration = _fit(method, z[part != own], label[part != own])
        probability[part == own] = calibration.many(z[part == own])
    return float(log_loss(label, probability))


def _fit(method: Method, z: np.ndarray, label: np.ndarray) -> Calibration:
    # Imported here and above: serving calibrates with numbers alone, and need not wait for it.
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    if method == "platt":
        fitter = LogisticRegression(C=1e6, tol=1e-8).fit(z.reshape(-1, 1), label)
        slope, intercept = float(fitter.coef_[0, 0]), float(fitter.intercept_[0])
        return Calibration("platt", slope, intercept) if slope > 0 else Calibration()
    if method == "isotonic":
        margin = 1 / (len(z) + 2)
        fitter = IsotonicRegression(y_min=margin, y_max=1 - margin).fit(z, label)
        if len(fitter.X_thresholds_) < 2:
            return Calibration()
        knots = zip(fitter.X_thresholds_, logit(fitter.y_thresholds_), strict=True)
        return Calibration("isotonic", knots=tuple((float(x), float(y)) for x, y in knots))
    return Calibration()
