"""The tables of survival against closed forms and against chance itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from harken_models.simulator import DEFAULT
from harken_models.simulator.hazard import Cumulative, SurvivalTables, age_profile, fresh_hours
from harken_models.simulator.parameters import Resolution

HALF = (1.0, 0.5, 0.5, 0.5, 0.5)


@cache
def tables() -> SurvivalTables:
    return SurvivalTables.of(DEFAULT)


@cache
def constant() -> SurvivalTables:
    """Constant hazard, and no move but to the closing of an unresolved grumble."""
    flat = tuple(replace(t, floor=1.0, jump=0.0, resolution=HALF) for t in DEFAULT.types)
    chain = Resolution(
        speeds=(1.0, 1.0, 1.0),
        at_intake=((1.0, 0.0, 0.0, 0.0, 0.0),) * 3,
        moves=((0, 5, 100.0),),
    )
    return SurvivalTables.of(replace(DEFAULT, types=flat, resolution=chain))


def look(table: SurvivalTables, state: int, log_c: float, age: float, kind: int = 0) -> float:
    one = np.ones(1, dtype=np.int64)
    found = table.survival(one * kind, one, one * state, one * log_c, one * age)
    return float(found[0])


@pytest.mark.parametrize("log_c", [-9.0, -6.0, -4.0])
@pytest.mark.parametrize("age", [0.5, 50.0, 400.0])
def test_competing_exponentials(log_c: float, age: float) -> None:
    table = constant()
    k, q, horizon = np.exp(log_c), 0.01, 720.0
    exact = (q + k * np.exp(-(k + q) * horizon)) / (k + q)
    assert look(table, 0, log_c, age) == pytest.approx(exact, rel=1e-6)
    # A state that nothing leaves: the plain exponential.
    assert look(table, 1, log_c, age) == pytest.approx(np.exp(-0.5 * k * horizon), rel=1e-6)


def test_a_future_grumble_in_closed_form() -> None:
    table = constant()
    k, q, horizon = np.exp(-6.0), 0.01, 719.0
    got = fresh_hours(
        table, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.array([-6.0])
    )
    exact = k / (k + q) * (horizon - (1 - np.exp(-(k + q) * horizon)) / (k + q))
    assert got[0] == pytest.approx(exact, rel=1e-4)


def test_longer_open_is_more_dangerous_and_solved_is_less() -> None:
    for kind in range(len(DEFAULT.types)):
        by_age = [1 - look(tables(), 0, -7.0, age, kind) for age in (0.5, 12, 24, 48, 96, 200)]
        assert by_age == sorted(by_age)
        for age in (0.5, 24.0, 100.0):
            by_state = [1 - look(tables(), s, -7.0, age, kind) for s in range(5)]
            assert by_state == sorted(by_state, reverse=True)


def test_limited_patience_ends_with_the_deadline() -> None:
    before, after = (age_profile(DEFAULT, np.array([a]))[:, 0] for a in (8.0, 48.0))
    growth = after / before
    assert growth[0] > 2
    assert growth[0] == growth.max()


def test_interpolation_between_the_grid_is_close() -> None:
    coarse = [look(tables(), 0, log_c, 5.0) for log_c in (-7.0, -6.75, -6.5)]
    hazards = -np.log(coarse)
    # Log hazard is nearly linear in log c: the mid-point lies within half a per cent.
    assert hazards[1] == pytest.approx(np.sqrt(hazards[0] * hazards[2]), rel=5e-3)


def test_cumulative_and_its_inverse() -> None:
    cumulative = Cumulative.of(DEFAULT)
    kind = np.repeat(np.arange(5), 6)
    age = np.tile([0.6, 3.0, 24.0, 100.0, 500.0, 2000.0], 5)
    back = cumulative.age_at(kind, cumulative.at(kind, age))
    np.testing.assert_allclose(back, age, rtol=1e-9)
    assert (cumulative.at(kind, np.full(30, 0.4)) == 0).all()
