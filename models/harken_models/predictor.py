"""Raw log-odds of encoded rows: one model kind, two speeds, the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harken_models.boosted import BoostedModel
from harken_models.boosted_predictor import BoostedPart, BoostedPredictor
from harken_models.features import FeatureSpec
from harken_models.logistic import LogisticModel

Kind = Literal["lightgbm", "logistic", "blend"]


@dataclass(frozen=True, slots=True)
class Model:
    """What training chose, as plain parts. A blend has both, the others one.

    ``weight``: the boosted part's share in a blend's log-odds; the logistic part has the rest.
    """

    kind: Kind
    boosted: BoostedModel | None
    logistic: LogisticModel | None
    weight: float = 0.5


class Predictor:
    """Computes raw log-odds, thread-safe.

    ``threads``: of LightGBM, for columns only. ``booster`` is LightGBM itself where the model
    has trees; ``boosted``, what computes them, may be replaced by another part that agrees.
    """

    def __init__(self, model: Model, spec: FeatureSpec, threads: int = 1) -> None:
        self.model = model
        self.spec = spec
        self.threads = threads
        self.logistic = model.logistic
        self._share, self._rest = model.weight, 1.0 - model.weight
        self.booster = None if model.boosted is None else BoostedPredictor(model.boosted, threads)
        self.boosted: BoostedPart | None = self.booster

    @property
    def compiled(self) -> bool:
        """Are the trees machine code, and not LightGBM?"""
        return self.boosted is not self.booster

    @property
    def booster_features(self) -> list[str] | None:
        """LightGBM's own list of features, None where there is no LightGBM model."""
        return None if self.booster is None else self.booster.feature_names

    def one(self, values: Sequence[float]) -> float:
        """Log-odds of one encoded row."""
        if self.boosted is None:
            assert self.logistic is not None
            return self.logistic.one(values)
        boosted = self.boosted.one(values)
        if self.logistic is None:
            return boosted
        return self._share * boosted + self._rest * self.logistic.one(values)

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of encoded rows (rows × features)."""
        if self.boosted is None:
            assert self.logistic is not None
            return self.logistic.many(matrix)
        boosted = self.boosted.many(matrix)
        if self.logistic is None:
            return boosted
        return np.asarray(self._share * boosted + self._rest * self.logistic.many(matrix))

    def explain(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Base value and each feature's contribution, in log-odds before calibration."""
        if self.boosted is None:
            assert self.logistic is not None
            return self.logistic.explain(values)
        base, shares = self.boosted.explain(values)
        if self.logistic is None:
            return base, shares
        other, others = self.logistic.explain(values)
        share, rest = self._share, self._rest
        return share * base + rest * other, [
            share * mine + rest * its for mine, its in zip(shares, others, strict=True)
        ]
