"""Rates of categories: counted by hand, and never from a row's own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from harken_models.encodings import (
    FitData,
    append_statistics,
    apply_statistics,
    encoded,
    rate_tables,
)
from harken_models.features import JOINT, Feature, FeatureSpec
from harken_models.timetext import NOT_A_TIME
from harken_models.trials import LEAF_FACTOR, TRIALS, Trial, trial_list
from hypothesis import given, settings
from hypothesis import strategies as st

SPEC = FeatureSpec(
    (
        Feature("company_issue", "category", ("company", "issue"), JOINT,
                categories=("a|x", "a|y", "b|x", "rare|x")),
        Feature("age", "number", ("age",)),
        Feature("company", "category", ("company",), categories=("a", "b")),
    )
)  # fmt: skip
TARGET, ORDERED = Trial("t", "target"), Trial("o", "ordered", smoothing=10.0)


def made(rows: int, seed: int, groups: int | None = None) -> FitData:
    rng = np.random.default_rng(seed)
    company = rng.integers(0, 4, rows)
    joints = np.array([[0, 1, 4], [2, 4, 4], [3, 3, 4], [5, 5, 5]])  # 4: pooled, 5: missing
    joint = joints[company, rng.integers(0, 3, rows)]
    matrix = np.column_stack([joint, rng.random(rows), company]).astype(float)
    times = np.sort(rng.integers(0, 40, rows)) * 10
    return FitData(
        matrix,
        (rng.random(rows) < 0.2 + 0.1 * company).astype(float),
        rng.choice([0.5, 1.0, 2.0], rows),
        times,
        times + rng.integers(0, 80, rows),
        SPEC,
        None if groups is None else rng.integers(0, groups, rows),
    )


def rate(data: FitData, rows: np.ndarray, level: int, prior: float, index: int, s: float) -> float:
    """One level's rate over some rows, by hand."""
    own = rows[data.matrix[rows, index] == level]
    weight = data.weight[own]
    return float((weight @ data.label[own] + s * prior) / (weight.sum() + s))


def by_hand(data: FitData, rows: np.ndarray, row: int, s: float, overall: float) -> list[float]:
    """A row's two rates from the rows given: of its company, and of its company's issue."""
    joint, company = data.matrix[row, 0], data.matrix[row, 2]
    of_company = rate(data, rows, company, overall, 2, s)
    first = {0: 0, 1: 0, 2: 1, 3: 2}.get(int(joint))  # level 2 of company: any other
    prior = overall if first is None else rate(data, rows, first, overall, 2, s)
    return [rate(data, rows, joint, prior, 0, s), of_company]


def mean(data: FitData, rows: np.ndarray) -> float:
    return float(np.average(data.label[rows], weights=data.weight[rows]))


def test_tables_are_counted_from_all_rows_and_joint_levels_start_from_their_first_part() -> None:
    data = made(300, 1)
    rows = np.arange(20, 280)
    tables = rate_tables(data, rows, 20.0)
    assert list(tables) == [0, 2]
    assert [len(table) for table in tables.values()] == [6, 4]
    for row in range(300):
        found = [tables[0][int(data.matrix[row, 0])], tables[2][int(data.matrix[row, 2])]]
        assert found == pytest.approx(by_hand(data, rows, row, 20.0, mean(data, rows)))


@pytest.mark.parametrize("groups", [None, 60])
def test_target_rates_come_from_the_other_parts(groups: int | None) -> None:
    data = made(200, 2, groups)
    rows = np.arange(200)
    _, train = encoded(data, rows, TARGET)
    assert (train[:, 1] == data.matrix[:, 1]).all()
    if data.group is None:
        part = rows % 8
    else:
        order = {group: place for place, group in enumerate(dict.fromkeys(data.group.tolist()))}
        part = np.array([order[group] for group in data.group.tolist()]) % 8
    for row in rows[:60]:
        others = rows[part != part[row]]
        wanted = by_hand(data, others, row, 20.0, mean(data, others))
        assert [train[row, 0], train[row, 2]] == pytest.approx(wanted)


@pytest.mark.parametrize("groups", [None, 60])
def test_ordered_rates_come_from_what_was_known_before(groups: int | None) -> None:
    data = made(200, 3, groups)
    data.known[::17] = NOT_A_TIME
    rows = np.arange(5, 200)
    _, train = encoded(data, rows, ORDERED)
    for row in range(5, 200, 3):
        seen = (data.known[rows] < data.times[row]) & (data.known[rows] != NOT_A_TIME)
        if data.group is not None:
            seen &= data.group[rows] != data.group[row]
        before = rows[seen]
        weight = data.weight[before]
        overall = (weight @ data.label[before] + 10 * mean(data, rows)) / (weight.sum() + 10)
        wanted = by_hand(data, before, row, 10.0, overall)
        assert [train[row - 5, 0], train[row - 5, 2]] == pytest.approx(wanted)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), trial=st.sampled_from([TARGET, ORDERED]))
def test_no_row_knows_the_outcome_of_its_group(seed: int, trial: Trial) -> None:
    """Two rows of one group exchange their outcomes, so that no average moves: nor may theirs."""
    data = made(120, seed, groups=20)
    assert data.group is not None
    data.weight[:] = 1.0
    pairs = [
        (one, other)
        for one in range(120)
        for other in range(one)
        if data.group[one] == data.group[other] and data.label[one] != data.label[other]
    ]
    one, other = pairs[seed % len(pairs)]
    label = data.label.copy()
    label[[one, other]] = label[[other, one]]
    rows = np.arange(120)
    _, before = encoded(data, rows, trial)
    _, after = encoded(replace(data, label=label), rows, trial)
    own = data.group == data.group[one]
    np.testing.assert_allclose(after[own], before[own], atol=1e-12)


def test_codes_are_replaced_or_rates_appended() -> None:
    matrix = np.array([[0.0, 5.0], [1.0, 6.0]])
    tables = {0: np.array([0.25, 0.5, 0.1])}
    assert apply_statistics(matrix, tables).tolist() == [[0.25, 5.0], [0.5, 6.0]]
    assert append_statistics(matrix, tables).tolist() == [[0.0, 5.0, 0.25], [1.0, 6.0, 0.5]]
    assert matrix[0, 0] == 0.0
    assert apply_statistics(matrix, {}) is append_statistics(matrix, {}) is matrix


def test_native_codes_stay() -> None:
    data = made(50, 4)
    statistics, train = encoded(data, np.arange(10, 50), TRIALS[1])
    assert statistics == {}
    assert train.tobytes() == data.matrix[10:].tobytes()


def test_a_longer_list_of_trials_begins_with_the_shorter() -> None:
    long = trial_list(48)
    assert long[:6] == TRIALS
    assert all(trial_list(count) == long[:count] for count in (1, 6, 7, 12))
    assert len({trial.name for trial in long}) == 48
    for start in range(6, 46):
        assert {t.encoding for t in long[start : start + 3]} == {"native", "target", "ordered"}
    assert {trial.params.get(LEAF_FACTOR, 1.0) for trial in long} == {0.5, 1.0, 2.0, 4.0}
    assert {trial.smoothing for trial in long} == {10.0, 20.0, 50.0}
