"""Choosing among settings: what an error of measurement may and may not decide."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from harken_models import search as searching
from harken_models.boosted import FitData
from harken_models.candidates import HeldOutRows, blend_weight, choose, strongest
from harken_models.features import Feature, FeatureSpec
from harken_models.progress_file import ProgressFile
from harken_models.search import Search
from harken_models.split import Fold, Split
from harken_models.trials import trial_list
from scipy.special import expit

DAY_US = 86_400_000_000
SETTINGS = {"seed": 1, "num_threads": 1}


def fit_data(rows: int, seed: int = 0, drift: float = 0.0) -> FitData:
    """A year of rows with a number and a category; with ``drift`` the number turns round."""
    rng = np.random.default_rng(seed)
    number, code = rng.normal(size=rows), rng.integers(0, 5, rows).astype(float)
    when = np.sort(rng.random(rows))
    z = -1.0 + number * (1 - drift * (1 - when)) + 0.3 * (code - 2)
    spec = FeatureSpec(
        (Feature("number", "number", ("number",)),
         Feature("code", "category", ("code",), categories=("a", "b", "c", "d", "e"))),
    )  # fmt: skip
    times = (when * 365 * DAY_US).astype(np.int64)
    label = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(float)
    matrix = np.column_stack([number, code])
    return FitData(matrix, label, np.ones(rows), times, times, spec, np.arange(rows))


def split_of(data: FitData, pieces: int = 3) -> Split:
    rows = np.arange(len(data.label))
    cuts = np.quantile(rows, np.linspace(0.4, 0.8, pieces + 1)).astype(int)
    folds = tuple(Fold(rows[:a], rows[a:b]) for a, b in pairwise(cuts))
    end = cuts[-1]
    return Split(folds, Fold(rows[:end], rows[end:]), int(data.times[end]))


def search_of(data: FitData, split: Split | None = None, said: list[str] | None = None) -> Search:
    say = (lambda _: None) if said is None else said.append
    log = ProgressFile(None, "")
    return Search(data, split or split_of(data), SETTINGS, log, say, lambda: True)


def held_out(rows: int, groups: int | None = None, seed: int = 1) -> HeldOutRows:
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < 0.3).astype(float)
    group = np.arange(rows) if groups is None else rng.integers(0, groups, rows)
    return HeldOutRows(label, np.ones(rows), group, np.zeros(rows, dtype=int), np.arange(rows))


def test_an_error_counts_groups_not_rows() -> None:
    """The same 200 witnesses heard ten times over are no more certain."""
    few = held_out(200)
    rng = np.random.default_rng(3)
    z, other = rng.normal(size=200), rng.normal(size=200)
    again = HeldOutRows(
        np.tile(few.label, 10), np.ones(2000), np.tile(few.group, 10),
        np.zeros(2000, dtype=int), np.arange(2000),
    )  # fmt: skip
    repeated = again.margin(np.tile(z, 10), np.tile(other, 10))
    assert repeated == pytest.approx(few.margin(z, other))
    as_rows = replace(again, group=np.arange(2000)).margin(np.tile(z, 10), np.tile(other, 10))
    assert as_rows[1] < repeated[1] / 2.5


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    """Of two models whose difference is drawn anew again and again."""
    means, errors = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        rows = held_out(400, seed=seed)
        shared = np.where(rows.label > 0, -0.5, -1.0)
        mean, error = rows.margin(shared + rng.normal(0, 0.5, 400), shared)
        means.append(mean)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)


def test_weights_are_rows_counted_so_often() -> None:
    rows = held_out(500)
    rng = np.random.default_rng(2)
    times = rng.integers(1, 4, 500)
    z, other = rng.normal(size=500), rng.normal(size=500)
    weighted = replace(rows, weight=times.astype(float))
    some = np.repeat(np.arange(500), times)
    long = HeldOutRows(
        rows.label[some], np.ones(len(some)), rows.group[some], rows.fold[some], some
    )
    assert weighted.margin(z, other) == pytest.approx(long.margin(z[some], other[some]))
    assert weighted.loss(z) == pytest.approx(long.loss(z[some]))


def test_the_strongest_penalty_within_an_error_of_the_best() -> None:
    rows = held_out(4000)
    rng = np.random.default_rng(5)
    best = np.where(rows.label > 0, 0.2, -1.2)
    near, far = best + rng.normal(0, 0.02, 4000), best * 0.2
    assert strongest(rows, {0.01: far, 0.1: near, 1.0: best}) == 0.1
    assert strongest(rows, {0.01: best, 0.1: near}) == 0.01
    assert strongest(rows, {0.01: far, 1.0: best}) == 1.0


def test_equal_parts_unless_another_weight_is_better_beyond_doubt() -> None:
    rows = held_out(4000)
    good = np.where(rows.label > 0, 0.2, -1.2)
    noise = np.random.default_rng(4).normal(0, 2.0, 4000)
    near = good + np.random.default_rng(5).normal(0, 0.02, 4000)
    assert blend_weight(rows, good, near) == 0.5
    assert blend_weight(rows, good, noise) == 0.75
    assert blend_weight(rows, noise, good) == 0.25


def test_a_blend_close_to_the_best_is_taken_and_a_distant_one_is_not() -> None:
    rows = held_out(4000)
    rng = np.random.default_rng(6)
    good = np.where(rows.label > 0, 0.2, -1.2)
    near, bad = good + rng.normal(0, 0.02, 4000), rng.normal(0, 2.0, 4000)
    kind, because = choose(
        rows, {"lightgbm": good, "logistic": near, "blend": (good + near) / 2}, "time"
    )
    assert kind == "blend"
    kind, because = choose(
        rows, {"lightgbm": good, "logistic": bad, "blend": (good + bad) / 2}, "groups"
    )
    assert kind == "lightgbm"
    assert because.startswith("lowest log-loss on held-out groups, base rates set right: light")


def test_old_rows_count_less_only_where_the_world_turned() -> None:
    still = fit_data(3000)
    assert search_of(still).logistic().half_life is None
    turned = fit_data(3000, drift=3.0)
    found = search_of(turned).logistic()
    assert found.half_life is not None
    weight = search_of(turned).recent(found.half_life).weight
    known = split_of(turned).final.train
    assert weight[known].mean() == pytest.approx(1.0)
    span = turned.times[known[-1]] - turned.times[known[0]]
    assert weight[known[0]] / weight[known[-1]] == pytest.approx(
        2 ** (-1 / found.half_life), rel=1e-6
    )
    assert span > 0
    # Without time there is no recency.
    by_groups = replace(split_of(turned), kind="groups", test_start_us=None)
    assert search_of(turned, by_groups).logistic().half_life is None


def test_the_best_with_codes_and_the_best_with_rates_stand_together() -> None:
    data = fit_data(1500)
    found = search_of(data).boosted(trial_list(3), 2)
    assert {tuned.trial.rated for tuned in found.tuned} == {True, False}
    assert found.seeds == (0, 1)
    assert len(found.tried) == 3
    assert found.half_life is None
    means = np.mean([np.concatenate(tuned.held_out) for tuned in found.tuned], axis=0)
    assert means.tobytes() == found.z.tobytes()


def test_large_data_is_searched_in_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rows in (("FIRST", 250), ("SECOND", 500), ("LAST", 1000)):
        monkeypatch.setattr(searching, name, rows)
    data = fit_data(3000)
    group = np.arange(3000) // 2
    data = replace(data, group=group)
    said: list[str] = []
    search = search_of(data, said=said)
    for fold, whole in zip(search.folds, split_of(data).folds, strict=True):
        assert len(whole.train) > 1000 >= len(fold.train) > 450
        # Groups are kept whole, and spread over all the time.
        both = np.bincount(group[fold.train])
        assert set(both[both > 0]) == {2}
        assert data.times[fold.train].min() < data.times[whole.train].min() + 20 * DAY_US
    found = search.boosted(trial_list(6), 1)
    names = [word.removeprefix("LightGBM ") for word in said]
    assert names[:6] == [trial.name for trial in trial_list(6)]
    # The best third is judged again, and one of each encoding is among it.
    assert 2 <= len(set(names[6:])) <= 3
    again = set(names[6:])
    assert {trial.rated for trial in trial_list(6) if trial.name in again} == {True, False}
    assert {tuned.trial.name for tuned in found.tuned} <= again
    assert len(search.rows.label) == sum(len(fold.held_out) for fold in search.folds)


def test_a_base_rate_that_moves_decides_nothing() -> None:
    """A candidate that is as sharp but wrong about the level of a fold is as good."""
    rows = held_out(2000)
    rows = replace(rows, fold=np.repeat([0, 1], 1000))
    z = np.where(rows.label > 0, 0.2, -1.2) + np.random.default_rng(1).normal(0, 0.5, 2000)
    moved = z + np.where(rows.fold == 0, 1.5, -0.7)
    assert rows.loss(moved) == pytest.approx(rows.loss(z), abs=1e-9)
    assert rows.raw_loss(moved) > rows.raw_loss(z) + 0.05
    level = [expit(part).mean() for part in rows.parts(rows._levelled(moved))]
    shares = [part.mean() for part in rows.parts(rows.label)]
    assert level == pytest.approx(shares, abs=1e-9)
    # Not even beyond all measure.
    assert rows.loss(z + 60.0) == pytest.approx(rows.loss(z), abs=1e-6)


def test_calibration_takes_the_latest_folds_and_those_before_that_are_no_different() -> None:
    fold = np.repeat([0, 1, 2, 3], 1000)
    rng = np.random.default_rng(2)
    rates = np.array([0.5, 0.2, 0.2, 0.2])[fold]
    label = (rng.random(4000) < rates).astype(float)
    order = np.arange(4000)
    rows = HeldOutRows(label, np.ones(4000), order, fold, order)
    z = np.full(4000, -1.4)
    assert (rows.latest(z, 150) == order[1000:]).all()
    # Too few complaints: the first fold has to help out, different or not.
    assert (rows.latest(z, 800) == order).all()
    # What the model expected makes no difference.
    assert (rows.latest(np.where(fold == 0, 0.0, z), 150) == order).all()
