"""Cells: exact on a cut and a hair beside it, for one value as for a column."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import numpy as np
import pytest
from harken_rules.cells import make_cells
from harken_rules.column_cells import column_codes
from harken_rules.language import Fact, FactType, Interval, Missing, OneOf, Within
from harken_rules.named_cells import MISSING
from harken_rules.number_cells import NumberCells
from harken_rules.verdict import EngineError, FactError
from hypothesis import given
from hypothesis import strategies as st

from .random_bases import CUTS, PLACE, around


def number(*cuts: str, integer: bool = False, limits: Interval | None = None) -> NumberCells:
    kind = FactType.INTEGER if integer else FactType.NUMBER
    fact = Fact("open_hours", kind, "request", {}, PLACE, unit="hours", range=limits or Interval())
    cells = make_cells(fact, [OneOf(tuple(Decimal(cut) for cut in cuts))])
    assert isinstance(cells, NumberCells)
    return cells


def test_points_and_intervals_alternate() -> None:
    cells = number("3.9", "48")
    values = [-7, 3.8999999999999995, 3.9, 3.9000000000000004, 47.5, 48, 48.0, 10**30]
    assert [cells.code(value) for value in values] == [1, 1, 2, 3, 3, 4, 4, 5]
    assert cells.size == 6


def test_a_float_is_its_shortest_decimal() -> None:
    cells = number("3.9")
    assert Decimal.from_float(3.9) < Decimal("3.9")  # the binary float itself lies below
    assert cells.code(3.9) == cells.code(Decimal("3.9")) == cells.constant(Decimal("3.9"))
    assert cells.code(Decimal("3.9") - Decimal("1e-25")) == 1


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None)
cut_sets = st.sets(decimals | st.sampled_from(CUTS), min_size=1, max_size=5)


@given(cut_sets, st.floats(allow_nan=False, allow_infinity=False) | st.integers() | decimals)
def test_codes_count_the_cuts_below(cuts: set[Decimal], value: float | int | Decimal) -> None:
    cells = number(*map(str, cuts))
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    wanted = 1 + sum(cut < exact for cut in cuts) + sum(cut <= exact for cut in cuts)
    assert cells.code(value) == wanted


@given(cut_sets, st.randoms(use_true_random=False))
def test_columns_and_scalars_agree_around_cuts(cuts: set[Decimal], rng: random.Random) -> None:
    cells = number(*map(str, cuts))
    floats = [0.0, -0.0, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308]
    for cut in cuts:
        nearest = float(cut)
        if math.isfinite(nearest):
            floats += [nearest, math.nextafter(nearest, 9e999), math.nextafter(nearest, -9e999)]
    floats = [value for value in floats if math.isfinite(value)]
    codes, errors = column_codes(cells, np.array(floats))
    assert codes.tolist() == [cells.code(value) for value in floats]
    assert not errors
    values = [around(rng, rng.choice(CUTS)) for _ in range(5)]
    codes, _ = column_codes(cells, np.array(values, dtype=object))
    assert codes.tolist() == [cells.code(value) for value in values]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int8, np.float32])
def test_columns_of_other_types(dtype: type) -> None:
    cells = number("3", "9007199254740993", "0.1")
    limits = np.finfo(dtype) if dtype is np.float32 else np.iinfo(dtype)
    values = [1, 2, 3, 4, limits.max]
    if dtype in (np.int64, np.uint64):
        values += [2**53, 2**53 + 1, 2**53 + 2]
    if dtype is np.float32:
        values += [0.1]
    column = np.array(values, dtype=dtype)
    codes, errors = column_codes(cells, column)
    assert codes.tolist() == [cells.code(value) for value in column]
    assert codes.tolist() == [cells.code(value.item()) for value in column]
    assert not errors


def test_whole_numbers() -> None:
    cells = number("2", "3", integer=True)
    assert cells.code(3) == cells.code(3.0) == cells.code(Decimal("3.00")) == 4
    assert cells.code(np.int64(3)) == 4
    for value in (2.5, Decimal("2.5"), Decimal("1e-999"), 5e-324):
        with pytest.raises(FactError, match="whole number"):
            cells.code(value)
    codes, errors = column_codes(cells, np.array([2.5, 3.0, np.nan]))
    assert codes.tolist() == [MISSING, 4, MISSING]
    assert [str(error) for error in errors.values()] == [
        "open_hours: expected a whole number, got 2.5"
    ]
    between = cells.accepts(Within(Interval(Decimal(2), Decimal(3), True, True)))
    assert between == 0  # no integer lies there


def test_range() -> None:
    cells = number("5", limits=Interval(Decimal(0), Decimal(10), True, False))
    assert cells.code(10) == cells.code(Decimal("10.0"))
    assert cells.code(5e-324) == cells.code(1)
    for value in (0, -0.0, 10.000000000000002, -(10**30), Decimal("1e999999")):
        with pytest.raises(FactError, match="outside its range") as caught:
            cells.code(value)
        assert caught.value.suggestion == "it must be above 0 and at most 10 hours"
    codes, errors = column_codes(cells, np.array([0.0, 5.0, np.nan, 11.0]))
    assert codes.tolist() == [MISSING, cells.code(5), MISSING, MISSING]
    assert sorted(errors) == [0, 3]
    assert cells.accepts(Within(Interval(Decimal(5)))) == 0b11110000 & cells.reachable


@pytest.mark.parametrize(
    "value",
    ["3", b"3", [3], {}, True, np.True_, 3j, math.nan, math.inf, -math.inf, Decimal("sNaN")],
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(FactError, match=r"expected a (finite )?number"):
        number("3").code(value)


def test_a_column_knows_missing_and_infinite() -> None:
    codes, errors = column_codes(number("3"), np.array([np.nan, np.inf, 3.0]))
    assert codes.tolist() == [MISSING, MISSING, 2]
    assert list(errors) == [1]
    assert "finite" in errors[1].message


def enum(is_open: bool = False) -> Fact:
    values = {"charges": {}, "basic_comms": {}}
    return Fact("category", FactType.ENUM, "request", {}, PLACE, values=values, open=is_open)


def test_enum() -> None:
    cells = make_cells(enum(), [])
    assert [cells.code("charges"), cells.code("basic_comms"), cells.size] == [1, 2, 3]
    with pytest.raises(FactError) as caught:
        cells.code("chrages")
    assert str(caught.value) == (
        "category: 'chrages' is not one of its values; did you mean 'charges'?"
    )
    with pytest.raises(FactError, match="expected a code"):
        cells.code(1)


def test_open_enum() -> None:
    cells = make_cells(enum(is_open=True), [])
    assert cells.code("") == cells.code("x" * 100_000) == 3
    assert cells.accepts(OneOf(("charges",), negated=True)) == 0b1100
    assert cells.accepts(OneOf(("charges",))) == 0b0010
    assert cells.accepts(Missing(True)) == 0b0001
    assert cells.accepts(Missing(False)) == 0b1110
    with pytest.raises(EngineError):
        cells.accepts(OneOf(("unlisted",)))


def test_boolean() -> None:
    cells = make_cells(Fact("dissatisfied", FactType.BOOLEAN, "request", {}, PLACE), [])
    assert [cells.code(False), cells.code(True), cells.code(np.True_)] == [1, 2, 2]
    for value in (1, 0, "true", 1.0, Decimal(1), []):
        with pytest.raises(FactError, match="true or false"):
            cells.code(value)


def test_messages_are_short() -> None:
    limited = number("3", limits=Interval(None, Decimal(9)))
    for cells in (limited, make_cells(enum(), [])):
        for value in ("x" * 100_000, 10**100_000, b"x" * 100_000, ["x" * 100_000]):
            with pytest.raises(FactError) as caught:
                cells.code(value)
            assert len(str(caught.value)) < 200
            assert len(caught.value.value) < 50


def test_examples_lie_in_their_cells() -> None:
    for integer in (False, True):
        cells = number(*map(str, CUTS), integer=integer)
        for code in range(1, cells.size):
            example = cells.example(code)
            assert (example is not None) == bool(cells.reachable >> code & 1)
            if example is not None:
                assert cells.code(example) == code
    assert make_cells(enum(is_open=True), []).example(3) == "another"


def test_inconsistent_bases_are_refused() -> None:
    with pytest.raises(EngineError):
        make_cells(enum(), []).accepts(Within(Interval()))
    with pytest.raises(EngineError):
        number("3").constant("three")
