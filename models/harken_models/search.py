"""The search: LightGBM's settings, the logistic penalty, and whether old rows should count less.

Everything is judged on held-out rows before the test, in stages that see ever more data: all
settings on a little, the best third on more, the two that win (categories as codes, categories
as rates) on most of it and with several seeds. Small data has one stage for all settings.

Each judgement goes through the progress file, so an interrupted search repeats none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from harken_models.boosted import Tuned, affordable_seeds, tune
from harken_models.candidates import HeldOutRows, strongest
from harken_models.encodings import FitData
from harken_models.logistic import fit_logistic
from harken_models.progress_file import Judged, ProgressFile
from harken_models.split import Fold, Split
from harken_models.trials import Trial

PENALTIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
FIRST, SECOND, LAST = 20_000, 50_000, 200_000
"""Rows to learn from (and as many to be judged on) in each stage; up to the first, one stage."""
RECENT_FOLDS = 2
"""What the first stage of large data is judged on."""
HALF_LIVES = (0.5, 0.25)
"""In spans of the training time; the second is tried if the first is better than none."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Boosted:
    """The settings whose mean is LightGBM's candidate, and what it predicts for held-out rows.

    ``tried``: each setting's log-loss where it was judged last. ``half_life``: in spans of the
    training time, None where all rows count alike.
    """

    tuned: tuple[Tuned, ...]
    seeds: tuple[int, ...]
    z: np.ndarray
    half_life: float | None
    tried: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Logistic:
    """The logistic regression's penalty, and what it predicts for held-out rows."""

    inverse_penalty: float
    z: np.ndarray
    half_life: float | None
    tried: Mapping[str, float]


class Search:
    """The searches of one training run.

    ``folds`` are those on which candidates are compared, ``rows`` what they hold out;
    ``cut_short`` says whether ``go_on`` ended the search of LightGBM's settings early.
    """

    def __init__(
        self,
        data: FitData,
        split: Split,
        settings: Mapping[str, Any],
        log: ProgressFile,
        say: Say,
        go_on: Callable[[], bool],
    ) -> None:
        self._data, self._split, self._settings = data, split, settings
        self._log, self._say, self._go_on = log, say, go_on
        self.folds = self._thinned(LAST)
        self.rows = HeldOutRows.of(data, self.folds)
        self.cut_short = False

    def boosted(self, trials: Sequence[Trial], seeds: int) -> Boosted:
        """Judge the trials; the best with codes and the best with rates are averaged."""
        tried: dict[str, float] = {}
        judge, folds = "all", self.folds
        if max(len(fold.train) for fold in self._split.folds) > FIRST:
            recent = self._thinned(FIRST)[-RECENT_FOLDS:]
            ranked = self._ranked("first", trials, recent, tried)
            trials = _best_third([tuned.trial for tuned in ranked])
            judge, folds = "second", self._thinned(SECOND)
        ranked = self._ranked(judge, trials, folds, tried)
        winners = _by_family(ranked)
        first = winners[0]
        half_life = self._half_life(
            np.concatenate(first.held_out),
            folds,
            lambda half: np.concatenate(
                self._tuned("recent", first.trial, folds, (0,), half).held_out
            ),
        )
        several = tuple(affordable_seeds(winners, range(seeds)))
        if folds is not self.folds or len(several) > 1 or half_life is not None:
            winners = [
                self._tuned("last", winner.trial, self.folds, several, half_life)
                for winner in winners
            ]
        chosen, z = self._together(winners)
        return Boosted(chosen, several, z, half_life, tried)

    def logistic(self) -> Logistic:
        """Judge the penalties; the strongest within one standard error of the best is taken."""
        folds = self._thinned(SECOND)
        rows = HeldOutRows.of(self._data, folds)
        z = {c: self._logistic("penalty", c, folds, None) for c in PENALTIES}
        chosen = strongest(rows, z)
        half_life = self._half_life(
            z[chosen], folds, lambda half: self._logistic("recent", chosen, folds, half)
        )
        found = self._logistic("last", chosen, self.folds, half_life)
        tried = {f"{c:g}": round(rows.loss(column), 6) for c, column in z.items()}
        return Logistic(chosen, found, half_life, tried)

    def recent(self, half_life: float | None) -> FitData:
        """The data with weights that halve with every ``half_life`` spans of training time."""
        if half_life is None:
            return self._data
        known, times = self._split.final.train, self._data.times
        span = times[known].max() - times[known].min()
        age = (times[known].max() - times) / (half_life * max(span, 1))
        weight = self._data.weight * np.exp2(-np.maximum(age, 0.0))
        return replace(self._data, weight=weight / weight[known].mean())

    def thin(self, rows: np.ndarray, limit: int) -> np.ndarray:
        """Every n-th group of ``rows`` in order of time, so that about ``limit`` rows are left."""
        every = -(-len(rows) // limit)
        if every <= 1:
            return rows
        order = np.argsort(self._data.times[rows], kind="stable")
        group = rows if self._data.group is None else self._data.group[rows]
        number = np.empty(len(rows), dtype=np.int64)
        number[order] = pd.factorize(group[order])[0]
        return np.asarray(rows[number % every == 0])

    def _thinned(self, limit: int) -> tuple[Fold, ...]:
        """The folds with at most about ``limit`` rows on either side; themselves if they have."""
        folds = self._split.folds
        if all(max(len(fold.train), len(fold.held_out)) <= limit for fold in folds):
            return folds
        return tuple(
            Fold(self.thin(fold.train, limit), self.thin(fold.held_out, limit)) for fold in folds
        )

    def _ranked(
        self, stage: str, trials: Sequence[Trial], folds: Sequence[Fold], tried: dict[str, float]
    ) -> list[Tuned]:
        """The trials judged on ``folds``, best first, until there is no time for more."""
        results: list[Tuned] = []
        for trial in trials:
            if results and not self._go_on():
                self.cut_short = True
                break
            results.append(self._tuned(stage, trial, folds, (0,), None))
            tried[trial.name] = round(results[-1].log_loss, 6)
        return sorted(results, key=lambda tuned: tuned.log_loss)

    def _half_life(
        self,
        plain: np.ndarray,
        folds: Sequence[Fold],
        weighted: Callable[[float], np.ndarray],
    ) -> float | None:
        """The shortest half-life that keeps being better, if it is better than none beyond
        doubt and in most folds."""
        rows = HeldOutRows.of(self._data, folds)
        chosen, best = None, plain
        for half_life in HALF_LIVES if self._split.kind == "time" else ():
            z = weighted(half_life)
            if rows.loss(z) >= rows.loss(best):
                break
            chosen, best = half_life, z
        sure = rows.surely_better(best, plain) and rows.folds_better(best, plain) > 0.5
        return chosen if sure else None

    def _together(self, winners: Sequence[Tuned]) -> tuple[tuple[Tuned, ...], np.ndarray]:
        """All winners, unless one alone is beyond doubt better than their mean."""
        columns = [np.concatenate(winner.held_out) for winner in winners]
        mean = np.mean(columns, axis=0)
        best = min(range(len(winners)), key=lambda place: self.rows.loss(columns[place]))
        if self.rows.surely_better(columns[best], mean):
            return (winners[best],), columns[best]
        return tuple(winners), mean

    def _tuned(
        self,
        stage: str,
        trial: Trial,
        folds: Sequence[Fold],
        seeds: Sequence[int],
        half_life: float | None,
    ) -> Tuned:
        self._say(f"LightGBM {trial.name}")
        name = f"lightgbm {stage} {trial} seeds {tuple(seeds)} half-life {half_life}"
        rows = HeldOutRows.of(self._data, folds)
        judged = self._log.get(name)
        if judged is None:
            found = tune(self.recent(half_life), folds, trial, self._settings, seeds)
            judged = Judged(found.rounds, np.concatenate(found.held_out))
            self._log.put(name, judged)
        losses = rows.losses(judged.z)
        return Tuned(trial, judged.rounds, rows.loss(judged.z), losses, rows.parts(judged.z))

    def _logistic(
        self, stage: str, inverse_penalty: float, folds: Sequence[Fold], half_life: float | None
    ) -> np.ndarray:
        stage = "all" if folds is self.folds and half_life is None else stage
        name = f"logistic {stage} {inverse_penalty:g} half-life {half_life}"
        self._say(f"logistic C={inverse_penalty:g}")
        judged = self._log.get(name)
        if judged is None:
            data = self.recent(half_life)
            columns = []
            for fold in folds:
                train = fold.train
                model = fit_logistic(
                    data.matrix[train], data.label[train], data.spec, inverse_penalty,
                    data.weight[train],
                )  # fmt: skip
                columns.append(model.many(data.matrix[fold.held_out]))
            judged = Judged(0, np.concatenate(columns))
            self._log.put(name, judged)
        return judged.z


def _best_third(ranked: Sequence[Trial]) -> list[Trial]:
    """The best third, with the best of each kind of encoding among them."""
    best = list(ranked[: -(-len(ranked) // 3)])
    for rated in (True, False):
        if not any(trial.rated == rated for trial in best):
            best += [trial for trial in ranked if trial.rated == rated][:1]
    return best


def _by_family(ranked: Sequence[Tuned]) -> list[Tuned]:
    """The best setting that takes categories as codes, and the best that rates them; best first."""
    found: dict[bool, Tuned] = {}
    for tuned in ranked:
        found.setdefault(tuned.trial.rated, tuned)
    return list(found.values())
