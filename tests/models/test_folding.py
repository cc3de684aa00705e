"""Several boosters folded into one text: the same as their mean, on every way to predict."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from harken_models.boosted import (
    MAXIMUM_TREES,
    BoostedModel,
    Tuned,
    affordable_seeds,
    fit_boosted,
    row_losses,
    tune,
)
from harken_models.boosted_predictor import BoostedPredictor
from harken_models.compiled import compile_trees
from harken_models.encodings import FitData
from harken_models.features import Feature, FeatureSpec
from harken_models.folding import Part, fold
from harken_models.predictor import Model, Predictor
from harken_models.split import Fold
from harken_models.treetext import read_trees
from harken_models.trials import Trial
from sklearn.metrics import log_loss

NATIVE = Trial("n", "native", {"num_leaves": 6, "feature_fraction": 0.7})
TARGET = Trial("t", "target", {"num_leaves": 4, "feature_fraction": 0.7})
ORDERED = Trial("o", "ordered", {"num_leaves": 3})
SETTINGS = {"seed": 1, "num_threads": 1}
SPEC = FeatureSpec(
    (
        Feature("age", "number", ("age",)),
        Feature("plan", "category", ("plan",), categories=tuple("abcdefgh")),
        Feature("hours", "number", ("hours",), monotone=1),
        Feature("place", "category", ("place",), categories=("p", "q", "r")),
    )
)
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def data() -> FitData:
    rng = np.random.default_rng(1)
    rows = 1600
    matrix = np.column_stack(
        [rng.normal(40, 9, rows), rng.integers(0, 10, rows), rng.exponential(9, rows),
         rng.integers(0, 5, rows)]
    ).astype(float)  # fmt: skip
    z = -2.4 + 0.3 * (matrix[:, 1] % 4) + 0.05 * matrix[:, 2] + 0.4 * (matrix[:, 3] == 1)
    label = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(float)
    matrix[rng.random(rows) < 0.1, 0] = np.nan
    times = np.arange(rows) * 3_600_000_000
    return FitData(matrix, label, np.ones(rows), times, times, SPEC)


@pytest.fixture(scope="module")
def tuned(data: FitData) -> dict[str, Tuned]:
    """Three settings judged on two folds, then held to few rounds: what is tested is no figure."""
    folds = [Fold(np.arange(end), np.arange(end, end + 300)) for end in (1000, 1300)]
    return {t.name: tune(data, folds, t, SETTINGS, (0, 1)) for t in (NATIVE, TARGET, ORDERED)}


def few(tuned: Tuned, rounds: int = 12) -> Tuned:
    return replace(tuned, rounds=rounds)


def alone(data: FitData, tuned: Tuned, seeds: tuple[int, ...]) -> list[BoostedPredictor]:
    rows = np.arange(len(data.label))
    models = [fit_boosted(data, rows, [tuned], SETTINGS, (seed,)) for seed in seeds]
    return [BoostedPredictor(model) for model in models]


def check(found: BoostedPredictor, wanted: list[BoostedPredictor], matrix: np.ndarray) -> None:
    """One row, columns, machine code and contributions are all the boosters' mean."""
    z = found.many(matrix)
    assert np.abs(z - np.mean([part.many(matrix) for part in wanted], axis=0)).max() < 1e-12
    assert len(set(z.tolist())) > 100
    rows = matrix[:200].tolist()
    assert [found.one(row) for row in rows] == z[:200].tolist()
    assert found.disagreement() is None
    compiled = compile_trees(found)
    assert compiled.many(matrix).tobytes() == z.tobytes()
    assert [compiled.one(row) for row in rows] == z[:200].tolist()
    for row in rows[:10]:
        parts = [part.explain(row) for part in wanted]
        base, shares = found.explain(row)
        assert base == pytest.approx(np.mean([part[0] for part in parts]), abs=1e-9)
        np.testing.assert_allclose(shares, np.mean([part[1] for part in parts], axis=0), atol=1e-9)
        np.testing.assert_allclose(compiled.explain(row)[1], shares, atol=1e-9)
        assert len(shares) == len(SPEC.names)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_CACHE_DIR", str(tmp_path / "code"))


@pytest.mark.parametrize("name", ["n", "t", "o"])
def test_seeds_fold_into_their_mean(name: str, data: FitData, tuned: dict[str, Tuned]) -> None:
    model = fit_boosted(data, np.arange(1600), [few(tuned[name])], SETTINGS, SEEDS)
    assert bool(model.statistics) == (name != "n")
    assert not model.appended
    parts = alone(data, few(tuned[name]), SEEDS)
    assert parts[0].model.text != parts[1].model.text
    found = BoostedPredictor(model)
    assert found.booster.num_trees() == sum(part.booster.num_trees() for part in parts)
    check(found, parts, data.matrix)


def test_both_encodings_fold_into_one(data: FitData, tuned: dict[str, Tuned]) -> None:
    chosen = [few(tuned["n"]), few(tuned["t"], 20)]
    model = fit_boosted(data, np.arange(1600), chosen, SETTINGS, SEEDS[:2])
    assert not model.statistics
    assert model.columns(SPEC.names) == [*SPEC.names, "plan~rate", "place~rate"]
    found = BoostedPredictor(model)
    assert found.feature_names == model.columns(SPEC.names)
    assert found.width == len(SPEC.names)
    wanted = [part for each in chosen for part in alone(data, each, SEEDS[:2])]
    check(found, wanted, data.matrix)
    asked = {int(i) for tree in read_trees(model.text) for i in tree.feature}
    assert asked == set(range(6))
    # LightGBM itself reads what it would write of the same trees.
    again = lgb.Booster(model_str=found.booster.model_to_string())
    prepared = model.prepare(data.matrix)
    assert (again.predict(prepared, raw_score=True) == found.many(data.matrix)).all()


def test_a_monotone_feature_stays_monotone(data: FitData, tuned: dict[str, Tuned]) -> None:
    chosen = [few(tuned["n"], 40), few(tuned["t"], 40)]
    found = BoostedPredictor(fit_boosted(data, np.arange(1600), chosen, SETTINGS, SEEDS))
    for row in data.matrix[:20]:
        steps = np.tile(row, (30, 1))
        steps[:, 2] = np.linspace(0, 60, 30)
        assert (np.diff(found.many(steps)) >= -1e-12).all()


def test_weights_of_parts_need_not_be_alike(data: FitData, tuned: dict[str, Tuned]) -> None:
    first, second = alone(data, few(tuned["n"]), (0, 1))
    parts = [Part(first.model.text, 0.25, range(4)), Part(second.model.text, 0.75, range(4))]
    found = BoostedPredictor(BoostedModel(fold(parts, SPEC.names)))
    wanted = 0.25 * first.many(data.matrix) + 0.75 * second.many(data.matrix)
    assert np.abs(found.many(data.matrix) - wanted).max() < 1e-12


def test_a_booster_that_found_nothing_to_ask_is_folded_too(data: FitData) -> None:
    stump = replace(NATIVE, params={"num_leaves": 4, "min_gain_to_split": 1e9})
    folds = [Fold(np.arange(1300), np.arange(1300, 1600))]
    nothing = tune(data, folds, stump, SETTINGS)
    found = fit_boosted(data, np.arange(1600), [nothing], SETTINGS, SEEDS)
    (rate,) = set(BoostedPredictor(found).many(data.matrix).tolist())
    assert 1 / (1 + np.exp(-rate)) == pytest.approx(data.label.mean(), abs=1e-6)


def test_one_booster_stays_as_lightgbm_wrote_it(data: FitData, tuned: dict[str, Tuned]) -> None:
    text = fit_boosted(data, np.arange(1600), [few(tuned["n"])], SETTINGS).text
    assert "feature_importances:" in text
    assert "num_threads" not in text
    assert fold([Part(text, 1.0, range(4))], SPEC.names) is text


def test_the_same_bytes_again(data: FitData, tuned: dict[str, Tuned]) -> None:
    chosen = [few(tuned["n"]), few(tuned["t"])]
    first = fit_boosted(data, np.arange(1600), chosen, SETTINGS, SEEDS)
    again = fit_boosted(data, np.arange(1600), chosen, {**SETTINGS, "num_threads": 2}, SEEDS)
    assert first.text == again.text
    sizes = re.search(r"^tree_sizes=(.*)$", first.text, re.MULTILINE)
    assert sizes is not None
    blocks = re.split(r"(?=^Tree=)", first.text.split("end of trees")[0], flags=re.MULTILINE)[1:]
    assert [len(block.encode()) for block in blocks] == [int(s) for s in sizes[1].split()]


def test_rates_that_are_folded_share_their_smoothing(
    data: FitData, tuned: dict[str, Tuned]
) -> None:
    other = replace(tuned["o"], trial=replace(ORDERED, smoothing=50.0))
    with pytest.raises(ValueError, match="share their smoothing"):
        fit_boosted(data, np.arange(1600), [tuned["t"], other], SETTINGS)
    fit_boosted(data, np.arange(1600), [few(tuned["n"], 2), few(other, 2)], SETTINGS)


def test_seeds_give_way_to_the_number_of_trees(tuned: dict[str, Tuned]) -> None:
    assert affordable_seeds([few(tuned["n"], 100)], range(5)) == range(5)
    assert affordable_seeds([few(tuned["n"], 200), few(tuned["t"], 130)], range(5)) == range(3)
    assert affordable_seeds([few(tuned["n"], MAXIMUM_TREES + 1)], range(5)) == range(1)


def test_what_tuning_says_is_what_it_predicted(data: FitData, tuned: dict[str, Tuned]) -> None:
    found = tuned["n"]
    label = data.label[1000:1600]
    z = np.concatenate(found.held_out)
    assert len(found.row_loss) == len(z) == 600
    assert found.row_loss == pytest.approx(row_losses(label, z))
    halves = [log_loss(label[s], 1 / (1 + np.exp(-z[s]))) for s in (slice(300), slice(300, 600))]
    assert found.log_loss == pytest.approx(np.mean(halves))
    once = tune(data, [Fold(np.arange(1300), np.arange(1300, 1600))], NATIVE, SETTINGS)
    assert 0 < once.rounds < 1500


def test_weights_reach_the_trees(data: FitData, tuned: dict[str, Tuned]) -> None:
    rows = np.arange(1600)
    plain = fit_boosted(data, rows, [few(tuned["n"])], SETTINGS)
    heavy = replace(data, weight=np.where(data.label > 0, 3.0, 1.0))
    found = fit_boosted(heavy, rows, [few(tuned["n"], 60)], SETTINGS)
    z = BoostedPredictor(found).many(data.matrix)
    assert np.average(1 / (1 + np.exp(-z)), weights=heavy.weight) == pytest.approx(
        np.average(data.label, weights=heavy.weight), abs=0.02
    )
    assert found.text != plain.text


@pytest.mark.parametrize("weight", [0.25, 0.5])
def test_a_blend_has_its_share_of_the_trees(
    weight: float, data: FitData, tuned: dict[str, Tuned]
) -> None:
    from harken_models.logistic import fit_logistic

    boosted = fit_boosted(data, np.arange(1600), [few(tuned["n"]), few(tuned["t"])], SETTINGS)
    logistic = fit_logistic(data.matrix, data.label, SPEC, 0.1)
    blend = Predictor(Model("blend", boosted, logistic, weight), SPEC)
    trees = BoostedPredictor(boosted).many(data.matrix)
    z = blend.many(data.matrix)
    np.testing.assert_allclose(z, weight * trees + (1 - weight) * logistic.many(data.matrix))
    rows = data.matrix[:50].tolist()
    assert [blend.one(row) for row in rows] == z[:50].tolist()
    if weight == 0.5:  # as every blend was once computed
        assert z.tobytes() == ((trees + logistic.many(data.matrix)) / 2).tobytes()
    base, shares = blend.explain(rows[0])
    assert base + sum(shares) == pytest.approx(z[0], abs=1e-9)
