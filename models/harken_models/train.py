"""From a data set to a bundle: candidates, their judgement, the choice, the test.

1. The test is the last piece of time (or a share of the groups); nothing below sees it before
   step 5.
2. LightGBM's settings and the penalty of the logistic challenger are searched on held-out rows
   before the test, with early stopping there.
3. LightGBM, logistic regression and their weighted mean in log-odds (blend) are compared by
   log-loss on the same held-out rows; the blend is taken where luck could decide.
4. Each is calibrated on what it predicted for the latest held-out rows, and then learns once more
   from all that was known before the test, with the settings found.
5. All are measured on the test, once, to be printed. The choice stands.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import scipy

from harken_models import about as manifest
from harken_models.boosted import fit_boosted
from harken_models.bundle import BundleParts
from harken_models.calibrate import Calibration, choose_calibration, solved_shift
from harken_models.candidates import HeldOutRows, blend_weight, choose, mixed
from harken_models.dataset import Dataset
from harken_models.drift import DriftReference, fit_reference
from harken_models.encodings import FitData
from harken_models.evaluate import Metrics, evaluate
from harken_models.evaluation.bootstrap import intervals
from harken_models.evaluation.scored import scored_of
from harken_models.logistic import fit_logistic
from harken_models.predictor import Kind, Model, Predictor
from harken_models.progress_file import ProgressFile, key_of
from harken_models.ready import Ready, grouped, make_ready
from harken_models.search import LAST, Boosted, Logistic, Search
from harken_models.split import SMALL, Split, split_rows
from harken_models.trials import trial_list

Budget = Literal["quick", "standard", "thorough"]
TRIALS_OF: Mapping[Budget, int] = {"quick": 6, "standard": 12, "thorough": 48}
SEEDS = ((20_000, 5), (200_000, 3))
"""Below so many rows to learn from, so many seeds are averaged; else one."""
RESAMPLES = 300
"""For the intervals of the table; ``harken evaluate`` takes more."""
_CALIBRATION_POSITIVES = 150
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done and how many there are."""


@dataclass(frozen=True, slots=True)
class Options:
    """``trials``: LightGBM settings to try, where it is not to be the ``budget``'s number.

    ``budget_seconds`` ends the search early; what it then finds depends on the machine, so the
    manifest says so. ``groups``: a field of the data by whose values the rows are shared out,
    whatever the specification says. ``resume``: the file that keeps what has been judged.
    ``seeds``: how many LightGBMs are averaged, where the rows are not to decide.
    """

    seed: int = 1
    trials: int | None = None
    budget_seconds: float | None = None
    threads: int = 0
    budget: Budget = "standard"
    groups: str | None = None
    resume: Path | None = None
    seeds: int | None = None

    @property
    def trial_count(self) -> int:
        """How many of LightGBM's settings to try."""
        return self.trials or TRIALS_OF[self.budget]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its log-loss on held-out rows before the test, and its test metrics.

    ``judged_log_loss`` is the same with each fold's base rate set right, by which candidates are
    compared; ``validation_rows``: that loss row by row, as in ``HeldOut``. ``interval``: of each
    test metric the ends of its 95 % interval. ``pieces``: metrics on parts of the test by name.
    """

    kind: Kind
    model: Model
    calibration: Calibration
    validation_log_loss: float
    test: Metrics
    judged_log_loss: float = 0.0
    validation_rows: np.ndarray = field(default_factory=lambda: np.zeros(0))
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pieces: Mapping[str, Metrics] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the candidates predicted for held-out rows (raw log-odds by kind), and the rows."""

    z: Mapping[Kind, np.ndarray]
    label: np.ndarray
    weight: np.ndarray
    group: np.ndarray
    order: np.ndarray


@dataclass(frozen=True, slots=True)
class Training:
    """Everything a training run found. ``parts`` is ready to be written as a bundle.

    ``test``: numbers of the test's rows in the data set's frame. ``pieces``: of parts of the test
    that were measured as well (at opening, in flight), how many rows and complaints they have.
    """

    parts: BundleParts
    chosen: Kind
    candidates: Mapping[Kind, Candidate]
    about: dict[str, Any]
    probes: list[dict[str, Any]]
    test_rows: int
    positives: int
    held_out: HeldOut
    test: np.ndarray
    pieces: Mapping[str, tuple[int, int]]


def train(
    dataset: Dataset, options: Options, progress: Progress = lambda _what, _done, _of: None
) -> Training:
    """Train on a loaded data set. Raises TrainingError where that cannot work."""
    say = _Steps(progress, options.trial_count + 35)
    say("splitting")
    dataset = grouped(dataset, options.groups)
    split = split_rows(dataset.frame, dataset.spec, options.seed)
    say("segments and features")
    run = _Run(make_ready(dataset, split), split, options, say)
    found = run.search()
    say("fitting on all before the test")
    models = run.models(found)
    say("measuring on the test")
    candidates = {kind: run.measured(models[kind], found.rows, z) for kind, z in found.z.items()}
    say("association, fields, base rate")
    winner = candidates[found.chosen]
    calibration, base_rate = run.for_the_field(
        winner.calibration, found, dataset.spec.base_rate_field
    )
    parts = BundleParts(
        features=run.data.spec,
        model=winner.model,
        calibration=calibration,
        segments=run.ready.segments,
        association=run.ready.association(run.known),
        drift=run.reference(found, calibration),
    )
    about = _about(dataset, run, found, candidates) | {"base_rate": base_rate}
    label, test, rows = run.data.label, run.test, found.rows
    say("done")
    return Training(
        parts,
        found.chosen,
        candidates,
        about,
        manifest.probes(run.ready.frame.iloc[test]),
        len(test),
        int(label[test].sum()),
        HeldOut(found.z, rows.label, rows.weight, rows.group, rows.order),
        test,
        {
            name: (len(piece), int(label[piece].sum()))
            for name, piece in run.ready.pieces(test).items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What the search and the choice came to. ``some``: of the rows to learn from, as many as a
    linear model and a summary need."""

    boosted: Boosted
    logistic: Logistic
    share: float
    rows: HeldOutRows
    z: Mapping[Kind, np.ndarray]
    chosen: Kind
    because: str
    cut_short: bool
    boosted_data: FitData
    logistic_data: FitData
    some: np.ndarray


class _Run:
    """One training: its rows, its split and how it was asked for."""

    def __init__(self, ready: Ready, split: Split, options: Options, say: _Steps) -> None:
        self.ready, self.data, self.split = ready, ready.data, split
        self.options, self.say = options, say
        self.known, self.test = split.final.train, split.final.held_out
        self.threads = options.threads or _threads(len(self.known))
        self.settings = {"seed": options.seed, "num_threads": self.threads}

    def search(self) -> _Found:
        """Search, compare and choose, on held-out rows before the test."""
        began, seconds = time.monotonic(), self.options.budget_seconds

        def go_on() -> bool:
            return seconds is None or time.monotonic() - began < seconds / 2

        seeds = self.options.seeds or _seeds(len(self.known))
        log = ProgressFile(self.options.resume, self._key())
        search = Search(self.data, self.split, self.settings, log, self.say, go_on)
        logistic = search.logistic()
        boosted = search.boosted(trial_list(self.options.trial_count), seeds)
        share = blend_weight(search.rows, boosted.z, logistic.z)
        z: dict[Kind, np.ndarray] = {
            "lightgbm": boosted.z,
            "logistic": logistic.z,
            "blend": mixed(share, boosted.z, logistic.z),
        }
        chosen, because = choose(search.rows, z, self.split.kind)
        return _Found(
            boosted, logistic, share, search.rows, z, chosen, because, search.cut_short,
            search.recent(boosted.half_life), search.recent(logistic.half_life),
            search.thin(self.known, LAST),
        )  # fmt: skip

    def models(self, found: _Found) -> Mapping[Kind, Model]:
        """All candidates, learning from all that was known before the test."""
        chosen, seeds = found.boosted, found.boosted.seeds
        boosted = fit_boosted(found.boosted_data, self.known, chosen.tuned, self.settings, seeds)
        data, rows = found.logistic_data, found.some
        logistic = fit_logistic(
            data.matrix[rows], data.label[rows], data.spec, found.logistic.inverse_penalty,
            data.weight[rows],
        )  # fmt: skip
        return {
            "lightgbm": Model("lightgbm", boosted, None),
            "logistic": Model("logistic", None, logistic),
            "blend": Model("blend", boosted, logistic, found.share),
        }

    def measured(self, model: Model, rows: HeldOutRows, z: np.ndarray) -> Candidate:
        """A candidate, calibrated on held-out rows and measured on the test."""
        late = self._latest(rows, z)
        in_time = self.split.kind == "time"
        calibration = choose_calibration(z[late], rows.label[late], rows.weight[late], in_time)
        predictor = Predictor(model, self.data.spec, self.threads)
        probability = np.zeros(len(self.data.label))
        probability[self.test] = calibration.many(predictor.many(self.data.matrix[self.test]))

        def metrics(some: np.ndarray) -> Metrics:
            return evaluate(self.data.label[some], probability[some], self.data.weight[some])

        test = self.test
        scored = scored_of(
            self.data.label[test], probability[test], self.data.weight[test],
            self.ready.clusters[test],
        )  # fmt: skip
        ranges = intervals(scored, RESAMPLES, self.options.seed)
        return Candidate(
            model.kind,
            model,
            calibration,
            rows.raw_loss(z),
            metrics(test),
            rows.loss(z),
            rows.losses(z),
            {name: (found.low, found.high) for name, found in ranges.items()},
            {
                name: metrics(piece)
                for name, piece in self.ready.pieces(test).items()
                if 0 < self.data.label[piece].sum() < len(piece)
            },
        )

    def for_the_field(
        self, calibration: Calibration, found: _Found, field_rate: float | None
    ) -> tuple[Calibration, dict[str, float | None]]:
        """The calibration shifted to the declared rate of the field, and what the manifest says."""
        rows = found.rows
        late = self._latest(rows, found.z[found.chosen])
        label, weight = rows.label[late], rows.weight[late]
        sample = float(np.average(label, weights=weight))
        if field_rate is not None:
            p = calibration.many(found.z[found.chosen][late])
            calibration = replace(calibration, shift=solved_shift(p, label, weight, field_rate))
        said = {"sample": round(sample, 6), "field": field_rate, "shift": calibration.shift}
        return calibration, said

    def reference(self, found: _Found, calibration: Calibration) -> DriftReference:
        """What rows and probabilities were like. The probabilities are those of held-out rows: of
        its own training rows a model is surer than of any that come later."""
        matrix = self.data.matrix[found.some]
        return fit_reference(self.data.spec, matrix, calibration.many(found.z[found.chosen]))

    def _latest(self, rows: HeldOutRows, z: np.ndarray) -> np.ndarray:
        """Held-out rows to calibrate on: the latest, as base rates drift; without time all."""
        if self.split.kind == "groups":
            return rows.order
        return rows.latest(z, _CALIBRATION_POSITIVES)

    def _key(self) -> str:
        """All that judgements depend on."""
        data, folds = self.data, (*self.split.folds, self.split.final)
        arrays = [data.matrix, data.label, data.weight, data.times, data.known]
        arrays += [] if data.group is None else [data.group]
        arrays += [rows for fold in folds for rows in (fold.train, fold.held_out)]
        versions = (lgb.__version__, np.__version__, scipy.__version__)
        return key_of(arrays, self.settings, data.spec, versions)


@dataclass
class _Steps:
    progress: Progress
    total: int
    done: int = 0

    def __call__(self, what: str) -> None:
        self.progress(what, self.done, self.total)
        self.done = min(self.done + 1, self.total)


def _seeds(rows: int) -> int:
    return next((seeds for below, seeds in SEEDS if rows < below), 1)


def _threads(rows: int) -> int:
    """All the cores, but one for small data: waiting for each other would cost more."""
    if rows < SMALL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _about(
    dataset: Dataset, run: _Run, found: _Found, candidates: Mapping[Kind, Candidate]
) -> dict[str, Any]:
    """What the manifest says, but for the base rate."""
    spec, data, boosted, logistic = dataset.spec, run.data, found.boosted, found.logistic
    model = candidates[found.chosen].model
    group = np.arange(len(data.label)) if data.group is None else data.group
    return {
        "dataset": spec.dataset,
        "simulated": spec.simulated,
        "horizon_days": spec.horizon_days,
        "chosen": found.chosen,
        "because": found.because,
        "metrics": {
            kind: {
                "validation_log_loss": round(candidate.validation_log_loss, 6),
                "judged_log_loss": round(candidate.judged_log_loss, 6),
                **candidate.test.to_plain(),
            }
            for kind, candidate in candidates.items()
        },
        "windows": manifest.windows(run.ready.frame, spec, run.split, data.label),
        "validation": manifest.validation(run.split, data.weight, group),
        "needs": manifest.needs(
            run.ready.frame.iloc[found.some], data.spec, Predictor(model, data.spec),
            data.matrix[found.some],
        ),
        "seed": run.options.seed,
        "search": {
            "budget": run.options.budget,
            "lightgbm": {
                "settings": {tuned.trial.name: tuned.rounds for tuned in boosted.tuned},
                "seeds": len(boosted.seeds),
                "half_life": boosted.half_life,
                "tried": dict(boosted.tried),
            },
            "logistic": {
                "inverse_penalty": logistic.inverse_penalty,
                "half_life": logistic.half_life,
                "tried": dict(logistic.tried),
            },
            "blend_weight": found.share,
            "cut_short_by_budget": found.cut_short,
        },
    }  # fmt: skip
