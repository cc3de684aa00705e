"""From a data set to a bundle: candidates, their judgement in time, the choice, the test.

1. The test is the last piece of time; nothing below sees it before step 5.
2. LightGBM trials and penalties of the logistic challenger are judged on held-out time before
   the test (rolling folds where data is small), with early stopping there.
3. LightGBM, logistic regression and their mean in log-odds (blend) are compared by log-loss
   on the same held-out rows. The lowest wins.
4. Each is calibrated on what it predicted for the latest held-out rows, and then learns once more
   from all that was known before the test, with the rounds and penalty found.
5. All are measured on the test, once, to be printed. The choice stands.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.metrics import log_loss

from harken_models.association import AssociationTable, fit_association
from harken_models.boosted import TRIALS, Trial, Tuned, fit_boosted, search, tune
from harken_models.bundle import BundleParts, with_segments
from harken_models.calibrate import Calibration, choose_calibration
from harken_models.dataset import Dataset
from harken_models.evaluate import Metrics, evaluate
from harken_models.featurebuild import build_features, model_columns
from harken_models.features import FeatureSpec
from harken_models.logistic import fit_logistic
from harken_models.predictor import Kind, Model, Predictor
from harken_models.segments import fit_segments
from harken_models.split import SMALL, Fold, Split, split_by_time

PENALTIES = (0.01, 0.03, 0.1, 0.3)
_SEARCH_ROWS = 50_000
_CALIBRATION_POSITIVES = 150
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done and how many there are."""


@dataclass(frozen=True, slots=True)
class Options:
    """``trials``: LightGBM settings to try. ``budget_seconds`` ends the search early; what it
    then finds depends on the machine, so the manifest says so."""

    seed: int = 1
    trials: int = 4
    budget_seconds: float | None = None
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its log-loss on held-out time before the test, and its test metrics."""

    kind: Kind
    model: Model
    calibration: Calibration
    validation_log_loss: float
    test: Metrics


@dataclass(frozen=True, slots=True)
class Training:
    """Everything a training run found. ``parts`` is ready to be written as a bundle."""

    parts: BundleParts
    chosen: Kind
    candidates: Mapping[Kind, Candidate]
    about: dict[str, Any]
    probes: list[dict[str, Any]]
    test_rows: int
    positives: int


def train(
    dataset: Dataset, options: Options, progress: Progress = lambda _what, _done, _of: None
) -> Training:
    """Train on a loaded data set. Raises TrainingError where that cannot work."""
    began = time.monotonic()
    frame, split = dataset.frame, split_by_time(dataset.frame, dataset.spec)
    known = split.final.train
    steps = _Steps(progress, options.trials + len(PENALTIES) + 5)
    steps("segments")
    segments = fit_segments(frame.iloc[known])
    columns = with_segments(model_columns(frame), len(frame), segments)
    frame = frame.assign(segment=pd.Series(columns["segment"], dtype=object))
    features = build_features(frame.iloc[known], dataset.spec)
    matrix = features.encode_columns(columns, len(frame))
    label = frame["label"].to_numpy()
    job = _Job(matrix, label, split, features, options, began, steps)

    tuned, tried = job.tune_boosted()
    penalty, logistic_held_out, penalties = job.tune_logistic()
    held_out: dict[Kind, np.ndarray] = {
        "lightgbm": np.concatenate(tuned.held_out),
        "logistic": np.concatenate(logistic_held_out),
    }
    held_out["blend"] = (held_out["lightgbm"] + held_out["logistic"]) / 2
    outcome = np.concatenate([label[fold.held_out] for fold in split.folds])
    losses = {kind: float(log_loss(outcome, expit(z))) for kind, z in held_out.items()}
    chosen = min(losses, key=lambda kind: losses[kind])

    latest = _latest(split, label)

    steps("fitting on all before the test")
    boosted = fit_boosted(matrix, label, known, features, tuned, job.settings)
    logistic = fit_logistic(matrix[known], label[known], features, penalty)
    models = {
        "lightgbm": Model("lightgbm", boosted, None),
        "logistic": Model("logistic", None, logistic),
        "blend": Model("blend", boosted, logistic),
    }
    candidates: dict[Kind, Candidate] = {}
    test = split.final.held_out
    for kind, z in held_out.items():
        calibration = choose_calibration(z[latest], outcome[latest])
        predictor = Predictor(models[kind], features, job.threads)
        probability = calibration.many(predictor.many(matrix[test]))
        metrics = evaluate(label[test], probability)
        candidates[kind] = Candidate(kind, models[kind], calibration, losses[kind], metrics)
    steps("association")
    # What the probabilities average now: the rate of the rows they were calibrated on, or,
    # without calibration, of those the model learnt from.
    calibrated = candidates[chosen].calibration.method != "none"
    sample_rate = float((outcome[latest] if calibrated else label[known]).mean())
    winner = candidates[chosen]
    parts = BundleParts(
        features=features,
        model=winner.model,
        calibration=winner.calibration.shifted(sample_rate, dataset.spec.base_rate_field),
        segments=segments,
        association=_association(frame, columns, known, label),
    )
    about = _about(dataset, split, candidates, chosen, options)
    about["search"] = {
        "lightgbm": {"trial": tuned.trial.name, "rounds": tuned.rounds, "tried": tried},
        "logistic": {"inverse_penalty": penalty, "tried": penalties},
        "cut_short_by_budget": len(tried) < options.trials,
    }
    about["base_rate"] = {
        "sample": round(sample_rate, 6),
        "field": dataset.spec.base_rate_field,
        "shift": parts.calibration.shift,
    }
    steps("done")
    return Training(
        parts, chosen, candidates, about, _probes(frame.iloc[test]), len(test),
        int(label[test].sum()),
    )  # fmt: skip


@dataclass
class _Steps:
    progress: Progress
    total: int
    done: int = 0

    def __call__(self, what: str) -> None:
        self.progress(what, self.done, self.total)
        self.done = min(self.done + 1, self.total)


class _Job:
    """The searches of one training run over one matrix."""

    def __init__(
        self,
        matrix: np.ndarray,
        label: np.ndarray,
        split: Split,
        features: FeatureSpec,
        options: Options,
        began: float,
        steps: _Steps,
    ) -> None:
        self.matrix, self.label, self.features = matrix, label, features
        self.folds = split.folds
        self.thin_folds = tuple(_thin(fold) for fold in split.folds)
        self.options, self.began, self.steps = options, began, steps
        self.threads = options.threads or _threads(len(split.final.train))
        self.settings = {"seed": options.seed, "num_threads": self.threads}

    def tune_boosted(self) -> tuple[Tuned, dict[str, float]]:
        """The best trial, judged on whole folds, and the log-loss of every trial."""

        def on_thin_folds(trial: Trial) -> Tuned:
            self.steps(f"LightGBM {trial.name}")
            return self._tune(trial, self.thin_folds)

        results = search(on_thin_folds, TRIALS[: self.options.trials], self._time_left)
        best = results[0]
        self.steps("LightGBM on all rows")
        if any(
            len(t.train) < len(f.train) for t, f in zip(self.thin_folds, self.folds, strict=True)
        ):
            best = self._tune(best.trial, self.folds)
        return best, {r.trial.name: round(r.log_loss, 6) for r in results}

    def tune_logistic(self) -> tuple[float, list[np.ndarray], dict[str, float]]:
        """The best C, what it predicts for the held-out rows, and the log-loss of each C."""
        losses: dict[float, float] = {}
        for penalty in PENALTIES:
            self.steps(f"logistic C={penalty:g}")
            losses[penalty] = self._loss(penalty, self.thin_folds)
        best = min(losses, key=lambda penalty: losses[penalty])
        held_out = self._logistic(best, self.folds)
        return best, held_out, {f"{c:g}": round(loss, 6) for c, loss in losses.items()}

    def _tune(self, trial: Trial, folds: Sequence[Fold]) -> Tuned:
        return tune(self.matrix, self.label, folds, self.features, trial, self.settings)

    def _logistic(self, penalty: float, folds: Sequence[Fold]) -> list[np.ndarray]:
        return [
            fit_logistic(
                self.matrix[fold.train], self.label[fold.train], self.features, penalty
            ).many(self.matrix[fold.held_out])
            for fold in folds
        ]

    def _loss(self, penalty: float, folds: Sequence[Fold]) -> float:
        predicted = self._logistic(penalty, folds)
        pairs = zip(predicted, folds, strict=True)
        return float(np.mean([log_loss(self.label[f.held_out], expit(z)) for z, f in pairs]))

    def _time_left(self) -> bool:
        budget = self.options.budget_seconds
        return budget is None or time.monotonic() - self.began < budget / 2


def _latest(split: Split, label: np.ndarray) -> slice:
    """The end of the folds' held-out rows: as many whole folds as hold 150 complaints."""
    rows, positives = 0, 0.0
    for fold in reversed(split.folds):
        rows += len(fold.held_out)
        positives += label[fold.held_out].sum()
        if positives >= _CALIBRATION_POSITIVES:
            break
    return slice(-rows, None)


def _threads(rows: int) -> int:
    """All the cores, but one for small data: waiting for each other would cost more."""
    if rows < SMALL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _thin(fold: Fold) -> Fold:
    """A fold small enough to try many settings on: every n-th row, in order of time."""
    step = -(-len(fold.train) // _SEARCH_ROWS)
    other = -(-len(fold.held_out) // _SEARCH_ROWS)
    return Fold(fold.train[::step], fold.held_out[::other])


def _association(
    frame: pd.DataFrame, columns: Mapping[str, np.ndarray], known: np.ndarray, label: np.ndarray
) -> AssociationTable:
    points = frame["point"].to_numpy() if "point" in frame else np.full(len(frame), None)
    return fit_association(points[known], columns["segment"][known], label[known])


def _about(
    dataset: Dataset,
    split: Split,
    candidates: Mapping[Kind, Candidate],
    chosen: Kind,
    options: Options,
) -> dict[str, Any]:
    spec, frame = dataset.spec, dataset.frame
    others = ", ".join(
        f"{kind} {c.validation_log_loss:.4f}" for kind, c in candidates.items() if kind != chosen
    )
    best = candidates[chosen].validation_log_loss
    times = frame[f"{spec.split.by}_us"].to_numpy()
    label = frame["label"].to_numpy()

    def window(rows: np.ndarray) -> dict[str, Any]:
        return {
            "from": _iso(times[rows].min()),
            "to": _iso(times[rows].max()),
            "rows": len(rows),
            "positives": int(label[rows].sum()),
        }

    return {
        "dataset": spec.dataset,
        "simulated": spec.simulated,
        "horizon_days": spec.horizon_days,
        "chosen": chosen,
        "because": f"lowest log-loss on held-out time: {chosen} {best:.4f}; {others}",
        "metrics": {
            kind: {"validation_log_loss": round(c.validation_log_loss, 6), **c.test.to_plain()}
            for kind, c in candidates.items()
        },
        "windows": {
            "by": spec.split.by,
            "held_out": [window(fold.held_out) for fold in split.folds],
            "training": window(split.final.train),
            "test": window(split.final.held_out),
            "test_start": _iso(split.test_start_us),
        },
        "seed": options.seed,
    }


def _iso(us: int) -> str:
    return str(pd.Timestamp(int(us), unit="us", tz="UTC").isoformat())


def _probes(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dozen rows of the test, without ids, as ``assess`` takes them."""
    some = frame.iloc[:: max(len(frame) // 12, 1)].head(12)
    columns = model_columns(some)
    rows = []
    for index in range(len(some)):
        values = {name: column[index] for name, column in columns.items()}
        rows.append(
            {
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in values.items()
                if value is not None and value == value
            }
        )
    return rows
