"""Raw log-odds of encoded rows: one model kind, two speeds, the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import lightgbm as lgb
import numpy as np

from harken_models.boosted import BoostedModel
from harken_models.fastpath import SingleRow
from harken_models.features import FeatureSpec
from harken_models.logistic import LogisticModel

Kind = Literal["lightgbm", "logistic", "blend"]


@dataclass(frozen=True, slots=True)
class Model:
    """What training chose, as plain parts. A blend has both, the others one."""

    kind: Kind
    boosted: BoostedModel | None
    logistic: LogisticModel | None


class Predictor:
    """Computes raw log-odds, thread-safe. ``threads``: of LightGBM, for columns only."""

    def __init__(self, model: Model, spec: FeatureSpec, threads: int = 1) -> None:
        self.model = model
        self.spec = spec
        self._threads = threads
        self._logistic = model.logistic
        self._booster: lgb.Booster | None = None
        if model.boosted is not None:
            self._booster = lgb.Booster(model_str=model.boosted.text)
            self._single = SingleRow(self._booster)
            self._tables = [
                (index, table.tolist()) for index, table in model.boosted.statistics.items()
            ]

    @property
    def booster_features(self) -> list[str] | None:
        """LightGBM's own list of features, None where there is no LightGBM model."""
        return None if self._booster is None else list(self._booster.feature_name())

    def one(self, values: list[float]) -> float:
        """Log-odds of one encoded row."""
        if self._booster is None:
            assert self._logistic is not None
            return self._logistic.one(values)
        boosted = self._single(self._prepared(values))
        if self._logistic is None:
            return boosted
        return (boosted + self._logistic.one(values)) / 2

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of encoded rows (rows × features)."""
        if self._booster is None:
            assert self._logistic is not None
            return self._logistic.many(matrix)
        boosted = self.boosted_many(matrix)
        if self._logistic is None:
            return boosted
        return np.asarray((boosted + self._logistic.many(matrix)) / 2)

    def boosted_many(self, matrix: np.ndarray) -> np.ndarray:
        """LightGBM's own log-odds of encoded rows, by ``Booster.predict``."""
        assert self._booster is not None
        assert self.model.boosted is not None
        if not len(matrix):
            return np.zeros(0)
        prepared = self.model.boosted.prepare(matrix)
        return np.asarray(
            self._booster.predict(prepared, raw_score=True, num_threads=self._threads)
        )

    def explain(self, values: list[float]) -> tuple[float, list[float]]:
        """Base value and each feature's contribution, in log-odds before calibration."""
        parts: list[tuple[float, Sequence[float]]] = []
        if self._booster is not None:
            row = np.array([self._prepared(values)])
            shares = np.asarray(self._booster.predict(row, pred_contrib=True, num_threads=1))[0]
            parts.append((float(shares[-1]), shares[:-1].tolist()))
        if self._logistic is not None:
            parts.append(self._logistic.explain(values))
        base = sum(part[0] for part in parts) / len(parts)
        shares_by_feature = zip(*(part[1] for part in parts), strict=True)
        return base, [sum(shares) / len(parts) for shares in shares_by_feature]

    def _prepared(self, values: list[float]) -> list[float]:
        if not self._tables:
            return values
        result = values.copy()
        for index, table in self._tables:
            result[index] = table[int(values[index])]
        return result
