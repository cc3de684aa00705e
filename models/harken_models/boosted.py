"""LightGBM: trials judged with early stopping on held-out time, and the fitted model as text.

Whether a category is given to LightGBM as such or as its complaint rate is decided by the
validation log-loss, as every other setting; several settings and seeds fold into one model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np

from harken_models.encodings import (
    FitData,
    Statistics,
    append_statistics,
    apply_statistics,
    encoded,
)
from harken_models.features import FeatureSpec
from harken_models.folding import Part, fold
from harken_models.split import Fold
from harken_models.trials import LEAF_FACTOR, TRIALS, Encoding, Trial

__all__ = [
    "TRIALS", "BoostedModel", "Encoding", "FitData", "Statistics", "Trial", "Tuned",
    "affordable_seeds", "fit_boosted", "row_losses", "tune",
]  # fmt: skip

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
MAXIMUM_ROUNDS = 1500
MAXIMUM_TREES = 1000
"""Of a folded model. A hundred cost a row some 8 µs, and past three seeds little is gained."""
PATIENCE = 50


@dataclass(frozen=True, slots=True)
class Tuned:
    """A trial judged on held-out time, with the rounds that are best there.

    ``held_out``: the log-odds it predicts for each fold's held-out rows, the mean over seeds;
    ``row_loss``: their log-loss row by row, one fold after the other, unweighted; ``log_loss``:
    its weighted mean, the folds counting alike.
    """

    trial: Trial
    rounds: int
    log_loss: float
    row_loss: np.ndarray
    held_out: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """LightGBM's own text format, and the rates of categories.

    ``statistics``: these codes are replaced by their level's rate. ``appended``: of these codes
    the rates stand in further columns, named ``…~rate``, after all features.
    """

    text: str
    statistics: Statistics = field(default_factory=dict)
    appended: Statistics = field(default_factory=dict)

    def prepare(self, matrix: np.ndarray) -> np.ndarray:
        """Encoded rows as this model wants them."""
        return append_statistics(apply_statistics(matrix, self.statistics), self.appended)

    def columns(self, names: Sequence[str]) -> list[str]:
        """The names of the columns that the trees see, given those of the features."""
        return [*names, *(f"{names[index]}~rate" for index in self.appended)]


def tune(
    data: FitData,
    folds: Sequence[Fold],
    trial: Trial,
    settings: Mapping[str, Any],
    seeds: Sequence[int] = (0,),
) -> Tuned:
    """Train a trial on each fold with early stopping on its held-out time, once a seed.

    The rounds are those at which the mean of all validation curves is lowest.
    """
    curves, boosters, inputs = [], [], []
    for fold_ in folds:
        statistics, train = encoded(data, fold_.train, trial)
        held_out = apply_statistics(data.matrix[fold_.held_out], statistics)
        training = _dataset(data, fold_.train, train, trial)
        judge = training.create_valid(
            held_out, data.label[fold_.held_out], _weight(data, fold_.held_out)
        )
        own = []
        for seed in seeds:
            curve: dict[str, Any] = {}
            booster = lgb.train(
                _params(data.spec, trial, settings, seed, len(fold_.train)),
                training,
                MAXIMUM_ROUNDS,
                valid_sets=[judge],
                callbacks=[
                    lgb.early_stopping(PATIENCE, verbose=False),
                    lgb.record_evaluation(curve),
                ],
                # Otherwise only the trees up to this fold's own best would be left, and what
                # is predicted below would come from another number of rounds than `rounds`.
                keep_training_booster=True,
            )
            own.append(booster)
            curves.append(curve["valid_0"]["binary_logloss"])
        boosters.append(own)
        inputs.append(held_out)
    length = min(map(len, curves))
    rounds = int(np.mean([curve[:length] for curve in curves], axis=0).argmin()) + 1
    predicted = tuple(
        np.mean([b.predict(rows, num_iteration=rounds, raw_score=True) for b in own], axis=0)
        for own, rows in zip(boosters, inputs, strict=True)
    )
    losses = [
        row_losses(data.label[fold_.held_out], z) for fold_, z in zip(folds, predicted, strict=True)
    ]
    weights = [data.weight[fold_.held_out] for fold_ in folds]
    mean = np.mean([np.average(x, weights=w) for x, w in zip(losses, weights, strict=True)])
    return Tuned(trial, rounds, float(mean), np.concatenate(losses), predicted)


def fit_boosted(
    data: FitData,
    rows: np.ndarray,
    tuned: Sequence[Tuned],
    settings: Mapping[str, Any],
    seeds: Sequence[int] = (0,),
) -> BoostedModel:
    """Train on ``rows`` with the settings and rounds found; their mean as one model.

    Each setting counts alike, and each seed within it; where that would be too many trees, the
    last seeds are left out (``affordable_seeds``). Settings that rate categories must share
    their smoothing, as serving has one table of rates; ValueError if not.
    """
    if len({t.trial.smoothing for t in tuned if t.trial.rated}) > 1:
        raise ValueError("settings that are folded into one model must share their smoothing")
    seeds = affordable_seeds(tuned, seeds)
    tables: Statistics = {}
    texts: list[list[str]] = []
    for each in tuned:
        statistics, train = encoded(data, rows, each.trial)
        training = _dataset(data, rows, train, each.trial)
        tables = statistics or tables
        texts.append(
            [
                _text(
                    _params(data.spec, each.trial, settings, seed, len(rows)), training, each.rounds
                )
                for seed in seeds
            ]
        )
    mixed = len({each.trial.rated for each in tuned}) > 1
    model = BoostedModel("", {} if mixed else tables, tables if mixed else {})
    names = model.columns(data.spec.names)
    codes = list(range(len(data.spec.features)))
    # Rates that were trained in their codes' place stand behind all features in the whole.
    moved = {index: place for place, index in enumerate(model.appended, len(codes))}
    rates = [moved.get(index, index) for index in codes]
    parts = [
        Part(text, 1 / (len(tuned) * len(own)), rates if each.trial.rated else codes)
        for each, own in zip(tuned, texts, strict=True)
        for text in own
    ]
    return BoostedModel(fold(parts, names), model.statistics, model.appended)


def affordable_seeds(tuned: Sequence[Tuned], seeds: Sequence[int]) -> Sequence[int]:
    """As many of the seeds, at least one, as keep a folded model within MAXIMUM_TREES."""
    return seeds[: max(MAXIMUM_TREES // sum(each.rounds for each in tuned), 1)]


def row_losses(label: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Log-loss row by row of raw log-odds."""
    return np.asarray(np.logaddexp(0.0, (1.0 - 2.0 * label) * z))


def _text(params: Mapping[str, Any], training: lgb.Dataset, rounds: int) -> str:
    booster = lgb.train(dict(params), training, rounds)
    text = booster.model_to_string(num_iteration=rounds)
    # How many threads there were is no part of the model, and must not change its digest.
    return re.sub(r"\[num_threads: \d+\]\n", "", text)


def _dataset(data: FitData, rows: np.ndarray, matrix: np.ndarray, trial: Trial) -> lgb.Dataset:
    """Training input; one for all seeds, which may change nothing of how it was binned."""
    categories = [
        index
        for index, feature in enumerate(data.spec.features)
        if feature.type == "category" and not trial.rated
    ]
    return lgb.Dataset(
        matrix,
        data.label[rows],
        weight=_weight(data, rows),
        feature_name=list(data.spec.names),
        categorical_feature=categories,
        params={"verbosity": -1},
    )


def _weight(data: FitData, rows: np.ndarray) -> np.ndarray | None:
    """Rows that all weigh 1 are given without weights: other sums would move the last bits."""
    weight = data.weight[rows]
    return None if (weight == 1.0).all() else weight


def _params(
    spec: FeatureSpec, trial: Trial, settings: Mapping[str, Any], seed: int, rows: int
) -> dict[str, Any]:
    own = dict(trial.params)
    factor = own.pop(LEAF_FACTOR, 1.0)
    by_size = {
        # Complaints are rare, so a leaf must hold many rows; few data cannot give many.
        "min_data_in_leaf": round(min(max(rows // 150, 30), 300) * factor),
        # Small steps follow noise less and cost time, which small data has.
        "learning_rate": 0.03 if rows < 20_000 else 0.06,
    }
    monotone = [feature.monotone for feature in spec.features]
    params = {**_COMMON, **by_size, "monotone_constraints": monotone, **own, **settings}
    if seed:
        # The general seed also cuts the data into bins, and they are cut once for all seeds.
        number = 1000 * int(settings.get("seed", 0)) + seed
        params |= {"bagging_seed": number, "feature_fraction_seed": number}
    return params
