"""The client's own measures against scikit-learn's, ties included."""

from __future__ import annotations

from itertools import pairwise

import pytest
from harken_client.replay.metrics import (
    auc,
    average_precision,
    brier,
    calibration,
    expected_calibration_error,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

probabilities = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=40
)


@given(probabilities, probabilities)
def test_measures_agree_with_scikit_learn(positives: list[float], negatives: list[float]) -> None:
    outcomes = [1] * len(positives) + [0] * len(negatives)
    predicted = positives + negatives
    assert auc(positives, negatives) == pytest.approx(roc_auc_score(outcomes, predicted), abs=1e-12)
    assert average_precision(positives, negatives) == pytest.approx(
        average_precision_score(outcomes, predicted), abs=1e-12
    )
    assert brier(positives, negatives) == pytest.approx(
        brier_score_loss(outcomes, predicted), abs=1e-12
    )


@given(probabilities, probabilities)
def test_bins_hold_every_row_once_and_split_no_tie(
    positives: list[float], negatives: list[float]
) -> None:
    bins = calibration(positives, negatives)
    assert sum(item.rows for item in bins) == len(positives) + len(negatives)
    assert all(a.highest < b.lowest for a, b in pairwise(bins))
    complained = sum(item.complaint_rate * item.rows for item in bins)
    assert complained == pytest.approx(len(positives))


def test_a_known_calibration_error() -> None:
    bins = calibration([0.2] * 4 + [0.8] * 8, [0.2] * 6 + [0.8] * 2, bins=2)
    assert [(item.rows, item.complaint_rate) for item in bins] == [(10, 0.4), (10, 0.8)]
    assert expected_calibration_error(bins) == pytest.approx(0.1)


def test_without_outcomes_there_is_no_measure() -> None:
    assert auc([0.5], []) is None
    assert average_precision([], [0.5]) is None
    assert brier([], []) is None
    assert calibration([], []) == ()
    assert expected_calibration_error(()) is None
