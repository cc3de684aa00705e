"""Figures of weighted rows against scikit-learn's, intervals against what is known."""

from __future__ import annotations

import numpy as np
import pytest
from harken_models.evaluate import evaluate
from harken_models.evaluation.bootstrap import (
    Interval,
    distance_interval,
    drawings,
    interval,
    intervals,
    resampled,
)
from harken_models.evaluation.metrics import BINS, FIGURES, Ranked, figures
from harken_models.evaluation.scored import Scored, scored_of
from harken_models.evaluation.whole import Whole, differences, line_of, p_value
from scipy.stats import norm
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score


def rows_of(seed: int, size: int, digits: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and probabilities; rounded ones tie."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(1, 4, size)
    label = (rng.random(size) < probability).astype(float)
    if digits is not None:
        probability = np.round(probability, digits)
    label[:2] = 0, 1
    return label, probability


@pytest.mark.parametrize("digits", [None, 2, 1, 0])
@pytest.mark.parametrize("size", [13, 100, 1003])
def test_equal_weights_give_the_figures_of_training(size: int, digits: int | None) -> None:
    label, probability = rows_of(size, size, digits)
    found = figures(label, probability)
    wanted = evaluate(label, probability)
    for name in FIGURES:
        assert found[name] == pytest.approx(getattr(wanted, name), abs=1e-12), name
    assert figures(label, probability, np.full(size, 2.5)) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("digits", [None, 2, 1])
@pytest.mark.parametrize("seed", range(4))
def test_weighted_figures_are_those_of_scikit_learn(seed: int, digits: int | None) -> None:
    label, probability = rows_of(seed, 400, digits)
    probability = np.clip(probability, 0.001, 0.999)
    rng = np.random.default_rng(seed)
    for weight in (rng.integers(0, 4, 400).astype(float), rng.exponential(1, 400)):
        found = figures(label, probability, weight)
        for name, of in (
            ("auc", roc_auc_score),
            ("ap", average_precision_score),
            ("brier", brier_score_loss),
            ("log_loss", log_loss),
        ):
            wanted = of(label, probability, sample_weight=weight)
            assert found[name] == pytest.approx(wanted, abs=1e-12), name


@pytest.mark.parametrize("digits", [None, 1])
def test_a_row_that_counts_twice_is_two_rows(digits: int | None) -> None:
    label, probability = rows_of(5, 300, digits)
    times = np.random.default_rng(6).integers(0, 4, 300)
    one = Ranked(label, probability).sums(times.astype(float))
    many = Ranked(np.repeat(label, times), np.repeat(probability, times)).sums(np.ones(times.sum()))
    shares = (0.01, 0.1, 0.35, 0.9)
    assert one.gains(shares) == pytest.approx(many.gains(shares), abs=1e-12)
    for line in (0.0, 0.1, 0.25, 1.0):
        np.testing.assert_allclose(one.line(line), many.line(line), atol=1e-12)
    for left, right in zip(one.reductions(shares), many.reductions(shares), strict=True):
        assert left == pytest.approx(right, abs=1e-12)


def test_the_line_and_the_recall_targets_by_counting() -> None:
    label, probability = rows_of(7, 500, 2)
    sums = Ranked(label, probability).sums(np.ones(500))
    for line in (0.05, 0.2, 0.9):
        warned = probability >= line
        recall, precision, reduction = sums.line(line)
        assert recall == pytest.approx(label[warned].sum() / label.sum())
        assert reduction == pytest.approx(1 - warned.mean())
        if warned.any():
            assert precision == pytest.approx(label[warned].mean())
    lines, reductions = sums.reductions((0.8, 0.87, 1.0))
    for wanted, line, reduction in zip((0.8, 0.87, 1.0), lines, reductions, strict=True):
        reached = [p for p in probability if label[probability >= p].sum() >= wanted * label.sum()]
        assert line == max(reached)
        assert reduction == pytest.approx(1 - (probability >= line).mean())


def test_the_bins_of_the_calibration_hold_everything() -> None:
    label, probability = rows_of(8, 777, 1)
    weight = np.random.default_rng(8).exponential(1, 777)
    every, predicted, positive = Ranked(label, probability).sums(weight).bins()
    assert len(every) == BINS
    assert every.sum() == pytest.approx(weight.sum())
    assert predicted.sum() == pytest.approx((weight * probability).sum())
    assert positive.sum() == pytest.approx((weight * label).sum())
    means = predicted / every
    assert (np.diff(means) >= -1e-12).all()
    assert np.ptp(every) < 2.2 * weight.max()


def test_what_cannot_be_told_is_nan() -> None:
    probability = np.array([0.1, 0.2, 0.3])
    found = figures(np.zeros(3), probability)
    assert np.isnan([found[name] for name in ("auc", "ap", "lift_10", "recall_10")]).all()
    assert found["brier"] == pytest.approx(np.mean(probability**2))
    assert np.isnan(figures(np.ones(3), probability)["auc"])


def auc_interval(rows: Scored, seed: int, resamples: int) -> Interval:
    ranked = Ranked(rows.label, rows.probability)

    def auc(_: Scored, weight: np.ndarray) -> np.ndarray:
        return np.array([ranked.sums(weight).auc()])

    return interval(float(auc(rows, rows.weight)[0]), resampled(rows, auc, resamples, seed)[:, 0])


def test_intervals_cover_the_truth_where_customers_repeat() -> None:
    """Five rows a customer with one outcome: whole customers must be drawn, not rows."""
    covered, narrow = 0, 0
    truth = norm.cdf(1.0 / np.sqrt(2))
    tries, customers, each = 80, 150, 5
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        label = (rng.random(customers) < 0.4).astype(float)
        label[:2] = 0, 1
        probability = norm.cdf(rng.normal(label, 1))
        label, probability = np.repeat(label, each), np.repeat(probability, each)
        group = np.repeat(np.arange(customers), each)
        found = auc_interval(scored_of(label, probability, group=group), seed, 120)
        covered += found.low <= truth <= found.high
        found = auc_interval(scored_of(label, probability), seed, 40)
        narrow += found.low <= truth <= found.high
    assert 0.88 <= covered / tries <= 1.0
    assert narrow / tries < 0.7


def test_intervals_hold_the_value_and_depend_on_nothing_but_the_seed() -> None:
    label, probability = rows_of(9, 600)
    rows = scored_of(label, probability, group=np.arange(600) // 3)
    found = intervals(rows, 60, 4)
    for name, each in found.items():
        assert each.low <= each.value <= each.high, name
        assert each.low < each.high
    assert intervals(rows, 60, 4) == found
    assert intervals(rows, 60, 5) != found
    named = scored_of(label, probability, group=(np.arange(600) // 3) * 17 + 5)
    assert intervals(named, 60, 4) == found


def test_a_group_is_drawn_whole_and_as_many_as_there_are() -> None:
    rows = scored_of(np.zeros(6), np.zeros(6), np.arange(6) + 1.0, np.array([3, 3, 1, 1, 1, 9]))
    for weight in drawings(rows, 30, 1):
        times = weight / rows.weight
        assert set(times) <= {0.0, 1.0, 2.0, 3.0}
        assert times[0] == times[1]
        assert times[2] == times[3] == times[4]
        assert times[0] + times[2] + times[5] == 3


def test_a_calibrated_model_may_have_no_calibration_error() -> None:
    """Noise alone makes an error; the interval must reach down to nought."""
    rng = np.random.default_rng(10)
    reached = 0
    for seed in range(12):
        probability = rng.beta(1, 4, 800)
        label = (rng.random(800) < probability).astype(float)
        found = intervals(scored_of(label, probability), 80, seed)["ece"]
        assert found.low <= found.value <= found.high
        reached += found.low < found.value / 4
    assert reached >= 8
    assert distance_interval(0.01, np.array([0.02, 0.03, 0.04])).low == 0.0


def test_an_interval_leaves_out_resamples_without_the_figure() -> None:
    drawn = np.array([np.nan, *np.linspace(0, 1, 101)])
    found = interval(0.5, drawn)
    assert (found.low, found.high) == pytest.approx((0.025, 0.975))
    assert np.isnan(interval(0.5, np.full(3, np.nan)).low)
    assert interval(np.nan, drawn).to_plain() == {"value": None, "low": None, "high": None}


def whole_of(rows: Scored, seed: int = 1) -> Whole:
    return Whole(rows, line_of(rows, None), 100, seed)


def test_a_model_beside_itself_shows_no_difference() -> None:
    label, probability = rows_of(11, 500)
    one = whole_of(scored_of(label, probability))
    for name, each in differences(one, one).items():
        assert each == {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}, name


def test_a_worse_model_is_found_by_the_paired_test() -> None:
    label, probability = rows_of(12, 3000)
    noise = np.random.default_rng(12).normal(0, 0.5, 3000)
    worse = norm.cdf(norm.ppf(np.clip(probability, 1e-6, 1 - 1e-6)) + noise)
    found = differences(whole_of(scored_of(label, probability)), whole_of(scored_of(label, worse)))
    assert found["auc"]["value"] > 0 < found["auc"]["low"]
    assert found["log_loss"]["high"] < 0
    assert found["auc"]["p"] == found["log_loss"]["p"] == 0.01  # one over the resamples


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    label, probability = rows_of(13, 1500)
    other = np.clip(probability * 1.05 + 0.002, 0, 0.99)
    ours, theirs = whole_of(scored_of(label, probability)), whole_of(scored_of(label, other))
    gap = differences(ours, theirs)["log_loss"]
    alone = ours.to_plain()["figures"]["log_loss"]
    assert gap["high"] - gap["low"] < 0.3 * (alone["high"] - alone["low"])


def test_p_counts_both_sides() -> None:
    assert p_value([1.0] * 97 + [-1.0] * 3) == pytest.approx(0.06)
    assert p_value([1.0] * 100) == pytest.approx(0.01)
    assert p_value([0.0] * 100) == 1.0
    assert np.isnan(p_value([np.nan]))


def test_a_statistic_sees_the_rows_own_weights() -> None:
    label, probability = rows_of(14, 200)
    weight = np.linspace(0.1, 2, 200)
    rows = scored_of(label, probability, weight)
    drawn = resampled(rows, lambda _, w: np.array([w.sum()]), 200)
    assert drawn.mean() == pytest.approx(weight.sum(), rel=0.02)
