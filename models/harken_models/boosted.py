"""LightGBM: the trials, early stopping on held-out time, and the fitted model as text.

A category is given to LightGBM either as such (``native``) or as its smoothed complaint rate
in training (``target``); the validation log-loss decides, as for every other setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import lightgbm as lgb
import numpy as np

from harken_models.features import FeatureSpec
from harken_models.split import Fold

Encoding = Literal["native", "target"]
Statistics = Mapping[int, np.ndarray]
"""Of each category feature (by position) the rate of each level."""

_PARTS = 8


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting to try. ``params`` override ``_COMMON``."""

    name: str
    encoding: Encoding
    params: Mapping[str, float] = field(default_factory=dict)


_COMMON: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "lambda_l2": 10.0,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "cat_smooth": 50.0,
    "cat_l2": 20.0,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
TRIALS = (
    Trial("target-16", "target", {"num_leaves": 16}),
    Trial("native-4", "native", {"num_leaves": 4, "feature_fraction": 0.7}),
    Trial("native-8", "native", {"num_leaves": 8, "feature_fraction": 0.5}),
    Trial("target-4", "target", {"num_leaves": 4, "feature_fraction": 0.5}),
    Trial("target-32", "target", {"num_leaves": 32}),
    Trial("native-24", "native", {"num_leaves": 24}),
)
"""The search, in order; ``--trials N`` tries the first N."""
MAXIMUM_ROUNDS = 1500
PATIENCE = 50
SMOOTHING = 20.0
"""Rows of average complaint rate that every level of a target statistic starts with."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A trial judged on held-out time: mean log-loss, its rounds, and what it predicted."""

    trial: Trial
    rounds: int
    log_loss: float
    held_out: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """LightGBM's own text format, and the statistics of a target encoding (empty: native)."""

    text: str
    statistics: Statistics

    def prepare(self, matrix: np.ndarray) -> np.ndarray:
        """Encoded rows as this model wants them."""
        return apply_statistics(matrix, self.statistics)


def tune(
    matrix: np.ndarray,
    label: np.ndarray,
    folds: Sequence[Fold],
    spec: FeatureSpec,
    trial: Trial,
    settings: Mapping[str, Any],
) -> Tuned:
    """Train a trial on each fold with early stopping on its held-out time.

    The rounds are those at which the mean of the folds' validation curves is lowest.
    """
    curves, boosters, inputs = [], [], []
    for fold in folds:
        statistics, train = _prepared(matrix, label, fold.train, spec, trial.encoding)
        held_out = apply_statistics(matrix[fold.held_out], statistics)
        curve: dict[str, Any] = {}
        training = _dataset(train, label[fold.train], spec, trial.encoding)
        boosters.append(
            lgb.train(
                _params(spec, trial, settings, len(fold.train)),
                training,
                MAXIMUM_ROUNDS,
                valid_sets=[training.create_valid(held_out, label[fold.held_out])],
                callbacks=[
                    lgb.early_stopping(PATIENCE, verbose=False),
                    lgb.record_evaluation(curve),
                ],
                # Otherwise only the trees up to this fold's own best would be left, and what
                # is predicted below would come from another number of rounds than `rounds`.
                keep_training_booster=True,
            )
        )
        curves.append(curve["valid_0"]["binary_logloss"])
        inputs.append(held_out)
    length = min(map(len, curves))
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    rounds = int(mean.argmin()) + 1
    predicted = tuple(
        np.asarray(booster.predict(rows, num_iteration=rounds, raw_score=True))
        for booster, rows in zip(boosters, inputs, strict=True)
    )
    return Tuned(trial, rounds, float(mean[rounds - 1]), predicted)


def fit_boosted(
    matrix: np.ndarray,
    label: np.ndarray,
    rows: np.ndarray,
    spec: FeatureSpec,
    tuned: Tuned,
    settings: Mapping[str, Any],
) -> BoostedModel:
    """Train on ``rows`` with the rounds and setting found."""
    statistics, train = _prepared(matrix, label, rows, spec, tuned.trial.encoding)
    training = _dataset(train, label[rows], spec, tuned.trial.encoding)
    booster = lgb.train(_params(spec, tuned.trial, settings, len(rows)), training, tuned.rounds)
    text = booster.model_to_string(num_iteration=tuned.rounds)
    # How many threads there were is no part of the model, and must not change its digest.
    return BoostedModel(re.sub(r"\[num_threads: \d+\]\n", "", text), statistics)


def search(
    tune_trial: Callable[[Trial], Tuned], trials: Sequence[Trial], go_on: Callable[[], bool]
) -> list[Tuned]:
    """Judge the trials in order, until there are no more or ``go_on`` says stop; best first."""
    results: list[Tuned] = []
    for trial in trials:
        if results and not go_on():
            break
        results.append(tune_trial(trial))
    return sorted(results, key=lambda tuned: tuned.log_loss)


def apply_statistics(matrix: np.ndarray, statistics: Statistics) -> np.ndarray:
    """The matrix with each category's code replaced by its level's rate."""
    if not statistics:
        return matrix
    result = matrix.copy(order="K")
    for index, table in statistics.items():
        result[:, index] = table[matrix[:, index].astype(np.int64)]
    return result


def _prepared(
    matrix: np.ndarray, label: np.ndarray, rows: np.ndarray, spec: FeatureSpec, encoding: Encoding
) -> tuple[Statistics, np.ndarray]:
    """Statistics from ``rows``, and the rows as training input.

    A row's own outcome must not be in its own input: the rows are cut into eight parts, and
    each takes its rates from the other seven.
    """
    train = matrix[rows]
    if encoding == "native":
        return {}, train
    target = label[rows]
    part = np.arange(len(rows)) % _PARTS
    result = train.copy()
    statistics: dict[int, np.ndarray] = {}
    for index, feature in enumerate(spec.features):
        if feature.type != "category":
            continue
        codes = train[:, index].astype(np.int64)
        statistics[index] = _rates(codes, target, feature.levels)
        for own in range(_PARTS):
            others = part != own
            rates = _rates(codes[others], target[others], feature.levels)
            result[~others, index] = rates[codes[~others]]
    return statistics, result


def _rates(codes: np.ndarray, target: np.ndarray, levels: int) -> np.ndarray:
    count = np.bincount(codes, minlength=levels)
    positive = np.bincount(codes, weights=target, minlength=levels)
    return np.asarray((positive + SMOOTHING * target.mean()) / (count + SMOOTHING))


def _dataset(
    matrix: np.ndarray, label: np.ndarray, spec: FeatureSpec, encoding: Encoding
) -> lgb.Dataset:
    categories = [
        index
        for index, feature in enumerate(spec.features)
        if feature.type == "category" and encoding == "native"
    ]
    return lgb.Dataset(
        matrix,
        label,
        feature_name=list(spec.names),
        categorical_feature=categories,
        params={"verbosity": -1},
    )


def _params(
    spec: FeatureSpec, trial: Trial, settings: Mapping[str, Any], rows: int
) -> dict[str, Any]:
    monotone = [feature.monotone for feature in spec.features]
    by_size = {
        # Complaints are rare, so a leaf must hold many rows; few data cannot give many.
        "min_data_in_leaf": min(max(rows // 150, 30), 300),
        # Small steps follow noise less and cost time, which small data has.
        "learning_rate": 0.03 if rows < 20_000 else 0.06,
    }
    return {**_COMMON, **by_size, "monotone_constraints": monotone, **trial.params, **settings}
