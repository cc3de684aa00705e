"""LightGBM's part of a prediction: raw log-odds of encoded rows, and where they come from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import lightgbm as lgb
import numpy as np

from harken_models.boosted import BoostedModel, Statistics
from harken_models.fastpath import SingleRow

_SAMPLE_ROWS = 200


class BoostedPart(Protocol):
    """What a predictor asks of the boosted trees; another evaluation of them may stand in.

    Rows are as ``FeatureSpec`` encodes them; ``one`` and ``many`` agree to the last bit. Safe to
    share between threads.
    """

    def one(self, values: Sequence[float]) -> float:
        """Raw log-odds of one row."""
        ...

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Raw log-odds of rows: (rows × features) to (rows,), float64. The matrix is not changed;
        it is read fastest in Fortran order."""
        ...

    def explain(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Base value and each feature's contribution (SHAP), in log-odds."""
        ...


class BoostedPredictor:
    """The part as LightGBM itself computes it. ``threads``: of LightGBM, for ``many`` only."""

    def __init__(self, model: BoostedModel, threads: int = 1) -> None:
        self.model = model
        self.threads = threads
        self.booster = lgb.Booster(model_str=model.text)
        self._single = SingleRow(self.booster)
        self._replaced, self._appended = _by_code(model.statistics), _by_code(model.appended)
        self.prepares = bool(self._replaced or self._appended)
        self.one = self._one_prepared if self.prepares else self._single

    @property
    def feature_names(self) -> list[str]:
        """LightGBM's own list of columns: the features, then rates that are appended."""
        return list(self.booster.feature_name())

    @property
    def width(self) -> int:
        """How many values an encoded row has."""
        return self.booster.num_feature() - len(self._appended)

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Raw log-odds of rows, by ``Booster.predict``."""
        if not len(matrix):
            return np.zeros(0)
        prepared = self.model.prepare(matrix)
        return np.asarray(self.booster.predict(prepared, raw_score=True, num_threads=self.threads))

    def explain(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Base value and each feature's contribution, by ``Booster.predict``."""
        row = np.array([self.prepared(values)])
        shares = np.asarray(self.booster.predict(row, pred_contrib=True, num_threads=1))[0]
        return float(shares[-1]), self.by_feature(shares[:-1].tolist())

    def by_feature(self, shares: list[float]) -> list[float]:
        """The trees' columns' contributions as the features': an appended rate's is its own
        feature's too."""
        result = shares[: self.width]
        for (index, _), share in zip(self._appended, shares[self.width :], strict=True):
            result[index] += share
        return result

    def prepared(self, values: Sequence[float]) -> Sequence[float]:
        """An encoded row as the trees want it: categories by their rates, or these behind them."""
        if not self.prepares:
            return values
        result = list(values)
        for index, table in self._replaced:
            result[index] = table[values[index]]
        result += [table[values[index]] for index, table in self._appended]
        return result

    def _one_prepared(self, values: Sequence[float]) -> float:
        return self._single(self.prepared(values))

    def disagreement(self) -> tuple[float, float] | None:
        """What the single-row path and ``Booster.predict`` say of a row of which they do not say
        the same, to the last bit; None where they agree on all rows of a sample."""
        rows = self._sample()
        many = np.asarray(self.booster.predict(rows, raw_score=True, num_threads=1)).tolist()
        ones = map(self._single, rows.tolist())
        return next(
            ((one, all_) for one, all_ in zip(ones, many, strict=True) if one != all_), None
        )

    def _sample(self) -> np.ndarray:
        """Rows within the ranges that training saw, a tenth of their values missing."""
        rng = np.random.default_rng(1)
        found = re.search(r"^feature_infos=(.*)$", self.model.text, re.MULTILINE)
        columns = []
        for info in found[1].split() if found else ():
            numbers = [float(x) for x in re.findall(r"[^\[\]:]+", info) if x != "none"] or [0.0]
            if info.startswith("["):
                columns.append(rng.uniform(numbers[0], numbers[-1], _SAMPLE_ROWS))
            else:  # the codes of a category
                columns.append(rng.choice(numbers, _SAMPLE_ROWS))
        rows = np.column_stack(columns)
        rows[rng.random(rows.shape) < 0.1] = np.nan
        return rows


def _by_code(statistics: Statistics) -> list[tuple[int, dict[float, float]]]:
    return [
        (index, {float(level): rate for level, rate in enumerate(table.tolist())})
        for index, table in statistics.items()
    ]
