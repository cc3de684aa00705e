"""Calibration: one number and a column, the choice made forwards in time, the base rate."""

from __future__ import annotations

import numpy as np
import pytest
from harken_models.calibrate import Calibration, choose_calibration, solved_shift
from harken_models.evaluate import calibration_error
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

KNOTS = ((-3.0, -4.0), (-1.0, -1.5), (0.5, -1.5), (2.0, 1.0))
CALIBRATIONS = [
    Calibration(),
    Calibration("platt", 0.8, -0.3),
    Calibration("isotonic", knots=KNOTS, shift=-1.2),
    Calibration("beta", shift=0.3, beta=(0.7, 1.9, -0.4)),
    Calibration("beta", beta=(0.0, 1.9, -0.4)),
]


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@given(z=st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_calibration_of_one_and_of_many(calibration: Calibration, z: list[float]) -> None:
    column = np.array([*z, -3.0, 0.5, 2.0])
    many = calibration.many(column)
    assert np.array([calibration.one(x) for x in column.tolist()]).tobytes() == many.tobytes()
    assert (np.diff(calibration.many(np.sort(column))) >= 0).all()


def outcomes(p: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(p)) < p).astype(float)


def test_calibration_is_chosen_where_it_helps() -> None:
    z = np.random.default_rng(1).normal(-1, 1, 20_000)
    label = outcomes(expit(z), 2)
    wrong = choose_calibration(2 * z + 1, label)
    assert wrong.method == "platt"
    assert calibration_error(label, wrong.many(2 * z + 1)) < 0.015
    assert calibration_error(label, choose_calibration(z, label).many(z)) < 0.015
    stepped = outcomes(np.where(z > 0, 0.6, np.where(z > -1, 0.3, 0.02)), 3)
    assert choose_calibration(z, stepped).method == "isotonic"
    assert choose_calibration(z[:50], label[:50]).method == "none"
    assert choose_calibration(z[:1], label[:1]).method == "none"


def test_beta_calibration_bends_one_side_more_than_the_other() -> None:
    z = np.random.default_rng(4).normal(-1, 2, 20_000)
    truth = Calibration("beta", beta=(0.4, 2.0, -0.7))
    label = outcomes(truth.many(z), 5)
    found = choose_calibration(z, label)
    assert found.method == "beta"
    np.testing.assert_allclose(found.beta, truth.beta, atol=0.15)
    assert calibration_error(label, found.many(z)) < 0.01
    falling = choose_calibration(-z, label)
    assert min(falling.beta, default=0.0) >= 0.0
    assert (np.diff(falling.many(np.sort(z))) >= 0).all()


def test_what_held_only_in_the_past_is_not_chosen() -> None:
    """Steps that three fifths of the time had, and the last two had the other way round."""
    z = np.random.default_rng(6).normal(-0.5, 1.0, 30_000)
    way = np.where(np.arange(len(z)) < 18_000, 1.0, -1.0)
    label = outcomes(expit(z + way * np.where(np.abs(z) < 0.6, 1.2 * np.sign(z), 0.0)), 7)
    order = np.random.default_rng(8).permutation(len(z))
    assert choose_calibration(z[order], label[order], ordered=False).method == "isotonic"
    assert choose_calibration(z[:18_000], label[:18_000]).method == "isotonic"
    assert choose_calibration(z, label).method != "isotonic"


def test_weights_count_as_rows() -> None:
    z = np.random.default_rng(9).normal(-1, 1, 3000)
    label = outcomes(expit(0.5 * z + 1), 10)
    weight = np.where(label > 0, 3.0, 1.0)
    found = choose_calibration(z, label, weight)
    assert found.method in ("platt", "beta")
    assert found.many(z) @ weight == pytest.approx(label @ weight, rel=1e-3)
    assert choose_calibration(z, label).many(z).mean() == pytest.approx(label.mean(), rel=1e-3)


def test_base_rate_correction_moves_odds_by_one_factor() -> None:
    corrected = Calibration("platt", 1.1, 0.2).shifted(0.4068, 0.05)
    z = np.array([-2.0, 0.0, 3.0])
    odds = corrected.many(z) / (1 - corrected.many(z))
    before = Calibration("platt", 1.1, 0.2).many(z)
    factor = odds / (before / (1 - before))
    np.testing.assert_allclose(factor, np.exp(logit(0.05) - logit(0.4068)))
    assert Calibration().shifted(0.4, None) == Calibration()


@pytest.mark.parametrize("kept", [0.1, 0.4])
def test_the_shift_recovers_the_rate_of_the_field(kept: float) -> None:
    """A sample in which most grumbles without complaint are left out, and a field where not."""
    rng = np.random.default_rng(11)
    z = rng.normal(-2.5, 1.2, 200_000)
    label = outcomes(expit(z), 12)
    sampled = (label > 0) | (rng.random(len(z)) < kept)
    rate = float(label.mean())
    # The sample's own truth: the same odds, lifted as much as the others were left out.
    right = expit(z[sampled] - np.log(kept))
    shift = solved_shift(right, label[sampled], None, rate)
    assert shift == pytest.approx(logit(rate) - logit(label[sampled].mean()), abs=0.03)
    assert expit(z - np.log(kept) + shift).mean() == pytest.approx(rate, rel=0.02)
    # Probabilities that are too bold still come to mean the field's rate.
    bold = expit(1.6 * logit(right))
    again = solved_shift(bold, label[sampled], np.ones(int(sampled.sum())), rate)
    p = expit(1.6 * (z - np.log(kept)) + again)
    assert p.mean() == pytest.approx(rate, rel=0.1)
    plain = expit(1.6 * (z - np.log(kept)) + logit(rate) - logit(label[sampled].mean()))
    assert abs(plain.mean() - rate) > 2 * abs(p.mean() - rate)


def test_the_shift_is_nothing_where_sample_and_field_agree() -> None:
    p = np.array([0.0, 0.2, 0.4, 1.0])
    label = np.array([0.0, 0.0, 1.0, 1.0])
    weight = np.array([3.0, 1.0, 0.5, 1.0])
    rate = float(p @ weight / weight.sum())
    moved = solved_shift(p, label, weight, rate)
    sample = float(label @ weight / weight.sum())
    w = weight * np.where(label > 0, rate / sample, (1 - rate) / (1 - sample))
    shifted = expit(logit(np.clip(p, 1e-15, 1 - 1e-15)) + moved)
    assert shifted @ w / w.sum() == pytest.approx(rate, abs=1e-9)
