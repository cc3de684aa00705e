"""Logistic model, calibration, metrics, segments and association, each by itself."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from harken_models.association import fit_association, prior_strength
from harken_models.coded import Coded
from harken_models.core import SEGMENTS
from harken_models.dataset import Dataset
from harken_models.evaluate import evaluate
from harken_models.featurebuild import build_features, model_columns
from harken_models.features import Feature, FeatureSpec
from harken_models.logistic import LogisticModel, fit_logistic
from harken_models.logistic_terms import LevelTerm, NumberTerm
from harken_models.segments import SegmentModel, fit_segments
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit


def test_logistic_matches_its_design_and_survives_text(operator_data: Dataset) -> None:
    frame = operator_data.frame
    spec = build_features(frame, operator_data.spec)
    matrix, label = spec.encode_columns(model_columns(frame), len(frame)), frame["label"]
    model = fit_logistic(matrix, label.to_numpy(), spec, 0.1)
    z = model.many(matrix)
    assert (
        np.array([model.one(row.tolist()) for row in matrix[:500]]).tobytes() == z[:500].tobytes()
    )
    assert abs(expit(z).mean() - label.mean()) < 0.002
    assert LogisticModel.from_plain(model.to_plain(spec.names), spec) == model
    base, parts = model.explain(matrix[0].tolist())
    assert base + sum(parts) == pytest.approx(z[0], abs=1e-12)
    assert base == pytest.approx(z.mean(), abs=1e-9)


def test_a_weight_of_two_is_a_row_given_twice() -> None:
    rng = np.random.default_rng(6)
    spec = FeatureSpec(
        tuple(Feature(name, "category", (name,), categories=tuple("abcd")) for name in "xy")
    )
    matrix = rng.integers(0, 6, (3000, 2)).astype(float)
    label = (rng.random(3000) < 0.1 + 0.1 * matrix[:, 0]).astype(float)
    weight = 1.0 + (matrix[:, 1] == label)
    twice = np.repeat(np.arange(3000), weight.astype(int))
    wanted = fit_logistic(matrix[twice], label[twice], spec, 0.1)
    found = fit_logistic(matrix, label, spec, 0.1, weight)
    np.testing.assert_allclose(found.many(matrix), wanted.many(matrix), atol=1e-3)
    plain = fit_logistic(matrix, label, spec, 0.1)
    assert np.abs(plain.many(matrix) - wanted.many(matrix)).max() > 0.3
    assert fit_logistic(matrix, label, spec, 0.1, np.ones(3000)) == plain
    row = matrix[0].tolist()
    base, shares = found.explain(row)
    assert base == pytest.approx(np.average(found.many(matrix), weights=weight), abs=1e-9)
    assert base + sum(shares) == pytest.approx(found.one(row), abs=1e-12)


def test_logistic_terms_stay_finite_where_training_never_was(operator_data: Dataset) -> None:
    frame = operator_data.frame
    spec = build_features(frame, operator_data.spec)
    matrix = spec.encode_columns(model_columns(frame), len(frame))
    model = fit_logistic(matrix, frame["label"].to_numpy(), spec, 0.1)
    wild = spec.encode_row({"monthly_spend_yuan": 1e300, "age_years": -1e300, "point": "new"})
    assert np.isfinite(model.one(wild))
    assert model.one(wild) == model.many(np.array([wild]))[0]


ANY = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False),
    st.integers(-5, 200).map(float),
    st.sampled_from([0.0, -0.0, 2.0, 127.0, 128.0, 1e300, -1e300]),
)
TERMS = st.builds(
    NumberTerm,
    low=st.sampled_from([-3.0, -0.0, 0.0]), high=st.sampled_from([4.0, 90.5]),
    mean=st.floats(-5, 5), scale=st.floats(0.1, 9), coefficient=st.floats(-3, 3),
    missing=st.floats(-1, 1), average=st.just(0.0), edges=st.just((1.0, 2.5, 60.0)),
    steps=st.tuples(*[st.floats(-1, 1)] * 4),
)  # fmt: skip


@given(terms=st.lists(TERMS, min_size=1, max_size=4), rows=st.lists(st.lists(ANY, min_size=5)))
def test_logistic_terms_of_one_and_of_many(
    terms: list[NumberTerm], rows: list[list[float]]
) -> None:
    width = len(terms) + 1
    model = LogisticModel(0.25, (*terms, LevelTerm((0.5, -0.125, 2.0), 0.0)))
    wide = [[*row[: width - 1], float(place % 3)] for place, row in enumerate(rows)]
    matrix = np.array(wide).reshape(-1, width)
    many = model.many(matrix)
    assert np.array([model.one(row) for row in matrix.tolist()]).tobytes() == many.tobytes()
    plain = [
        functools.reduce(
            operator.add, [t.one(x) for t, x in zip(model.terms, row, strict=True)], 0.25
        )
        for row in matrix.tolist()
    ]
    assert plain == many.tolist()


def test_metrics_by_hand() -> None:
    label = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=float)
    probability = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    found = evaluate(label, probability)
    assert found.auc == pytest.approx(15 / 16)
    assert (found.recall_10, found.lift_10) == (0.5, 5.0)
    assert found.brier == pytest.approx(((label - probability) ** 2).mean())
    assert found.ece == pytest.approx(abs(label - probability).mean())


def test_recall_shares_ties_out() -> None:
    label = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    assert evaluate(label, np.full(10, 0.2)).recall_10 == pytest.approx(0.1)


def profiles(rows: int) -> pd.DataFrame:
    """Customers around the descriptions of the six segments."""
    rng = np.random.default_rng(4)
    centres = {
        "gotone_1": ("gotone", 33, 100, 380), "gotone_2": ("gotone", 31, 55, 180),
        "mzone_1": ("mzone", 22, 14, 45), "mzone_2": ("mzone", 34, 80, 62),
        "easyown_1": ("easyown", 25, 25, 150), "easyown_2": ("easyown", 39, 65, 35),
    }  # fmt: skip
    truth = rng.choice(list(centres), rows)
    table = pd.DataFrame([centres[name] for name in truth])
    noise = rng.normal(0, [3, 9, 14], (rows, 3))
    return pd.DataFrame(
        {
            "brand": table[0],
            "age_years": (table[1] + noise[:, 0]).clip(lower=16),
            "tenure_months": (table[2] + noise[:, 1]).clip(lower=0),
            "monthly_spend_yuan": (table[3] + noise[:, 2]).clip(lower=0),
            "truth": truth,
        }
    )


def test_segments_find_and_name_the_six_groups() -> None:
    customers = profiles(6000)
    model = fit_segments(customers)
    assert model is not None
    columns = {name: customers[name].to_numpy() for name in customers}
    found = model.many(columns, len(customers))
    assert (found == customers["truth"]).mean() > 0.93
    assert {name for name, _, _ in model.centroids} == set(SEGMENTS)
    assert SegmentModel.from_plain(model.to_plain()) == model


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gotone", "mzone", "easyown", "strange", None]),
            *[
                st.one_of(st.none(), st.floats(0, high), st.integers(0, high), st.just(1e308))
                for high in (90, 300, 900)
            ],
        )
    )
)
def test_segments_of_one_and_of_many(customers: list[tuple[Any, ...]]) -> None:
    model = six_segments()
    names = ("brand", "age_years", "tenure_months", "monthly_spend_yuan")
    rows = [dict(zip(names, customer, strict=True)) for customer in customers]
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in rows], dtype=float) for name in names[1:]
    }
    columns["brand"] = np.array([row["brand"] for row in rows], dtype=object)
    ones = [model.one(row) for row in rows]
    assert model.many(columns, len(rows)).tolist() == ones
    assert [by_hand(model, customer) for customer in customers] == ones


@functools.cache
def six_segments() -> SegmentModel:
    model = fit_segments(profiles(3000))
    assert model is not None
    return model


def by_hand(model: SegmentModel, customer: tuple[Any, ...]) -> str | None:
    """Every centroid looked at, nothing left out."""
    brand, *numbers = customer
    if brand is None or numbers.count(None) > 1:
        return None
    distances = {}
    for name, own, centre in model.centroids:
        gaps = [
            (min(x, high) - mean) / deviation - c
            for x, c, (mean, deviation, high) in zip(numbers, centre, model.scaling, strict=True)
            if x is not None
        ]
        distances[name] = (0 if own == brand else 9) + sum(gap * gap for gap in gaps)
    return min(distances, key=lambda name: distances[name])


def test_a_segment_needs_brand_and_two_numbers() -> None:
    model = fit_segments(profiles(3000))
    assert model is not None
    young = {"brand": "mzone", "age_years": 21, "tenure_months": 10}
    assert model.one(young) == "mzone_1"
    assert model.one({**young, "tenure_months": None}) is None
    assert model.one({**young, "brand": None}) is None
    assert fit_segments(profiles(3000).drop(columns="age_years")) is None


def test_association_is_signed_shrunk_and_falls_back() -> None:
    rng = np.random.default_rng(2)
    points = rng.choice(["hot", "cold", "plain"], 30_000)
    segments = rng.choice(np.array(["gotone_1", "mzone_1", None], dtype=object), len(points))
    rate = pd.Series(points).map({"hot": 0.2, "cold": 0.02, "plain": 0.08}).to_numpy()
    rate = rate * np.where((points == "hot") & (segments == "mzone_1"), 2, 1)
    label = (rng.random(len(points)) < rate).astype(float)
    points, label = np.append(points, "once"), np.append(label, 1.0)
    segments = np.append(segments, None)
    table = fit_association(points, segments, label)
    hot, cold = table.one("hot", "gotone_1"), table.one("cold", "gotone_1")
    assert hot is not None
    assert cold is not None
    assert hot > 0 > cold
    assert table.one("hot", "mzone_1") > hot  # type: ignore[operator]
    assert table.one("hot", "easyown_1") == table.one("hot", None)
    assert table.one("unheard of", None) is None
    assert table.one(None, "gotone_1") is None
    # One complaint out of one grumble says next to nothing.
    once = table.cells.set_index("point").loc["once"]
    assert once["rate"] == 1.0
    assert 1 < once["lift"] < 3
    cells = table.cells[table.cells["segment"] == ""]
    assert cells["grumbles"].sum() == len(points)
    asked = np.array(["hot", "once", None, "unheard of"], dtype=object)
    many = table.many(asked, np.array(["mzone_1", None, "mzone_1", None], dtype=object))
    one = [table.one(p, s) for p, s in zip(asked, ["mzone_1", None, "mzone_1", None], strict=True)]
    np.testing.assert_array_equal(many, [np.nan if v is None else v for v in one])
    codes = np.array([2, 0, -1, 1])
    coded = Coded(codes, ("once", "unheard of", "hot"))
    of_segments = Coded(np.array([1, 0, 1, -1]), (None, "mzone_1"))
    np.testing.assert_array_equal(table.many(coded, of_segments), many)


def test_prior_strength_finds_the_spread_it_was_made_with() -> None:
    rng = np.random.default_rng(3)
    sizes = np.full(4000, 60)
    rates = rng.beta(0.1 * 80, 0.9 * 80, len(sizes))
    found = prior_strength(sizes, rng.binomial(sizes, rates), 0.1)
    assert 60 < found < 105
    alike = prior_strength(sizes, rng.binomial(sizes, 0.1), 0.1)
    assert alike > 500
