"""One feature specification, one row or columns: the same bits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from harken_models.coded import Coded
from harken_models.dataset import Dataset
from harken_models.errors import FeatureError
from harken_models.featurebuild import MINIMUM_LEVEL, build_features, model_columns
from harken_models.features import WEEKDAYS, Feature, FeatureSpec
from harken_models.spec import AttributeField, FieldSpec
from hypothesis import given, settings
from hypothesis import strategies as st

STATES = ("good", "middling", "bad")
SPEC = FeatureSpec(
    (
        Feature("spend", "number", ("spend",)),
        Feature("angry", "flag", ("angry",)),
        Feature("state", "ordinal", ("state",), categories=STATES),
        Feature("point", "category", ("point",), categories=("p", "q")),
        Feature("both", "category", ("point", "state"), "joint", categories=("p|bad", "q|good")),
        Feature("open_hours", "number", ("observe_time_us", "voice_time_us"), "open_hours"),
        Feature("hour_of_day", "number", ("voice_time_us",), "hour_of_day"),
        Feature("weekday", "category", ("voice_time_us",), "day_of_week", categories=WEEKDAYS),
        Feature("total", "number", ("first", "second"), "total"),
        Feature("share", "number", ("first", "second"), "share"),
        Feature("part", "number", ("first", "second"), "part"),
    ),
    utc_offset_hours=8.0,
)
TEXTS = st.sampled_from(["p", "q", "never seen", "", None])
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 9))
TIMES = st.integers(-(10**15), 4 * 10**15)
ROW = st.fixed_dictionaries(
    {
        "spend": NUMBERS,
        "angry": st.sampled_from([True, False, None]),
        "state": st.sampled_from([*STATES, "unheard of", None]),
        "point": TEXTS,
        "voice_time_us": TIMES,
        "observe_time_us": TIMES,
        "first": NUMBERS,
        "second": NUMBERS,
    }
)


def as_columns(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name.endswith("_us"):
            columns[name] = np.array(values, dtype=np.int64)
        elif name in ("state", "point"):
            columns[name] = np.array(values, dtype=object)
        else:
            columns[name] = np.array([math.nan if v is None else v for v in values], dtype=float)
    return columns


@settings(max_examples=300, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_rows_and_columns_give_identical_bits(rows: list[dict[str, Any]]) -> None:
    matrix = SPEC.encode_columns(as_columns(rows), len(rows))
    for row, encoded in zip(rows, matrix, strict=True):
        one = np.array(SPEC.encode_row(row))
        assert one.tobytes() == encoded.tobytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6), st.permutations(list(SPEC.inputs)))
def test_the_compiled_row_has_the_same_bits(rows: list[dict[str, Any]], names: list[str]) -> None:
    encode = SPEC.row_function({name: place for place, name in enumerate(names)})
    for row in rows:
        found = np.array([float(x) for x in encode([row[name] for name in names])])
        assert found.tobytes() == np.array(SPEC.encode_row(row)).tobytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6), st.integers(1, 6))
def test_coded_columns_and_slices_have_the_same_bits(rows: list[dict[str, Any]], size: int) -> None:
    columns: dict[str, Any] = as_columns(rows)
    whole = SPEC.encode_columns(columns, len(rows))
    for name in ("state", "point", "spend"):
        values = tuple(dict.fromkeys(row[name] for row in rows))
        codes = np.array([values.index(row[name]) for row in rows], dtype=np.int32)
        columns[name] = Coded(codes, values)
    encode = SPEC.encode_slices(columns, len(rows))
    for start in range(0, len(rows), size):
        part = slice(start, min(start + size, len(rows)))
        found = encode(part)
        assert found.flags.f_contiguous
        assert found.tobytes() == whole[part].tobytes()


def test_a_joint_code_may_be_cut_at_any_bar() -> None:
    feature = Feature("pair", "category", ("a", "b"), "joint", categories=("x|y|z", "x|z", "|"))
    spec = FeatureSpec((feature,))
    texts = ["x", "y", "z", "x|y", "y|z", "", "|", "x|y|z", None, 7]
    pairs = [{"a": a, "b": b} for a in texts for b in texts]
    ones = [spec.encode_row(pair)[0] for pair in pairs]
    columns = {n: np.array([pair[n] for pair in pairs], dtype=object) for n in "ab"}
    assert spec.encode_columns(columns, len(pairs))[:, 0].tolist() == ones
    assert ones[pairs.index({"a": "x", "b": "y|z"})] == 0.0
    assert ones[pairs.index({"a": "x|y", "b": "z"})] == 0.0
    assert set(ones) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_what_each_value_becomes() -> None:
    row = {
        "spend": 12.5, "angry": True, "state": "bad", "point": "q", "first": 2, "second": None,
        "voice_time_us": 0, "observe_time_us": 5_400_000_000,
    }  # fmt: skip
    values = dict(zip(SPEC.names, SPEC.encode_row(row), strict=True))
    for name in ("total", "share", "part"):
        assert math.isnan(values.pop(name))
    # 1970-01-01 was a Thursday; at 0:00 UTC clocks eight hours ahead show 8.
    assert values == {
        "spend": 12.5, "angry": 1.0, "state": 2.0, "point": 1.0, "both": 2.0,
        "open_hours": 1.5, "hour_of_day": 8.0, "weekday": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "share", "part"),
    [(1, 3, 0.25, 1 / 3), (0, 4, 0.0, 0.0), (2, 0, 1.0, None), (0, 0, None, None),
     (3.5, -3.5, None, -1.0), (None, 2, None, None)],
)  # fmt: skip
def test_a_share_of_nothing_is_missing(
    first: float | None, second: float | None, share: float | None, part: float | None
) -> None:
    found = SPEC.encode_row({"first": first, "second": second})[-2:]
    assert [None if math.isnan(x) else x for x in found] == [share, part]
    for columns in ({"first": [first], "second": [second]}, {"first": np.array([3])}):
        arrays = {name: np.array(own, dtype=float) for name, own in columns.items()}
        matrix = SPEC.encode_columns(arrays, 1)[:, -2:]
        wanted = found if len(columns) == 2 else [math.nan, math.nan]
        np.testing.assert_array_equal(matrix[0], wanted)


def test_unseen_and_missing_are_two_things() -> None:
    unseen = SPEC.encode_row({"point": "never seen", "state": "unheard of"})
    missing = SPEC.encode_row({})
    point, state = SPEC.names.index("point"), SPEC.names.index("state")
    assert (unseen[point], missing[point]) == (2.0, 3.0)
    assert math.isnan(unseen[state])
    assert math.isnan(missing[state])


@pytest.mark.parametrize(
    ("row", "field"),
    [({"point": 3}, "point"), ({"spend": "much"}, "spend"), ({"first": 10**400}, "first")],
)
def test_a_wrong_type_names_its_field(row: dict[str, Any], field: str) -> None:
    with pytest.raises(FeatureError) as caught:
        SPEC.encode_row(row)
    assert caught.value.field == field
    column = np.array([row[field], None], dtype=object)
    with pytest.raises((FeatureError, OverflowError)):
        SPEC.encode_columns({field: column}, 2)


def test_value_texts_are_for_people() -> None:
    row = {"spend": 0.1, "angry": False, "point": "p", "state": "bad", "voice_time_us": 0}
    texts = {f.name: SPEC.value_text(row, f) for f in SPEC.features}
    assert texts == {
        "spend": "0.1", "angry": "false", "state": "bad", "point": "p", "both": "p|bad",
        "open_hours": "", "hour_of_day": "8", "weekday": "thursday", "total": "",
        "share": "", "part": "",
    }  # fmt: skip


def test_features_built_from_data(operator_data: Dataset) -> None:
    frame = operator_data.frame
    spec = build_features(frame, operator_data.spec)
    features = {feature.name: feature for feature in spec.features}
    assert features["open_hours"].monotone == 1
    assert features["resolution_state"].monotone == 1
    assert features["resolution_state"].categories[-1] == "unresolved"
    assert features["grumble_count_90d"].monotone == 1
    assert features["plan"].attribute
    assert features["roaming"].type == "flag"
    assert features["monthly_spend_yuan"].unit == "yuan/month"
    assert spec.utc_offset_hours == 8
    assert "grumble_id" not in features
    assert "customer_id" not in features
    assert "label" not in features


def test_rare_levels_are_pooled_and_constant_columns_left_out(operator_data: Dataset) -> None:
    frame = operator_data.frame.assign(brand="gotone")
    few = frame["point"].copy()
    few.iloc[: MINIMUM_LEVEL - 1] = "rare"
    spec = build_features(frame.assign(point=few), operator_data.spec)
    features = {feature.name: feature for feature in spec.features}
    assert "brand" not in features
    assert "rare" not in features["point"].categories
    column = spec.names.index("point")
    matrix = spec.encode_columns(model_columns(frame.assign(point=few)), len(frame))
    assert matrix[0, column] == len(features["point"].categories)


def test_reserved_names_are_monotone_where_the_domain_is_sure(operator_data: Dataset) -> None:
    names = ("handover_count", "reopening_count", "contact_count", "open_grumble_count",
             "grumble_count_7d", "complaint_count_7d", "same_point_count_30d")  # fmt: skip
    free = ("hours_since_change", "hours_since_reply", "days_since_complaint", "change_count")
    numbers = np.arange(len(operator_data.frame)) % 7.0
    frame = operator_data.frame.assign(**{f"attr_{name}": numbers for name in (*names, *free)})
    frame["grumble_count_30d"] = np.minimum(frame["grumble_count_90d"], numbers)
    own = {name: AttributeField(FieldSpec(name), "number") for name in (*names, *free)}
    spec = replace(operator_data.spec, attributes={**operator_data.spec.attributes, **own})
    features = {feature.name: feature for feature in build_features(frame, spec).features}
    assert {features[name].monotone for name in names} == {1}
    assert {features[name].monotone for name in free} == {0}
    assert features["complaint_share_90d"].inputs == ("complaint_count_90d", "grumble_count_90d")
    assert features["recent_grumble_share"].unit == "share"
    plain = build_features(operator_data.frame, operator_data.spec).names
    assert not {"complaint_share_90d", "recent_grumble_share"} & set(plain)


def test_the_most_frequent_levels_are_kept(operator_data: Dataset) -> None:
    """400 of an operator's own category, 250 of another; at the edge the first by name."""
    rows = np.arange(12_000)
    frame = operator_data.frame.iloc[rows % 2400].reset_index(drop=True)
    levels = np.array([f"level {number:03}" for number in range(600)], dtype=object)
    often = np.where(rows < 6000, rows % 300, 300 + rows % 300)
    frame = frame.assign(attr_plan=levels[often], channel=levels[often])
    features = {f.name: f for f in build_features(frame, operator_data.spec).features}
    assert features["plan"].categories == tuple(levels[:400])
    assert features["channel"].categories == tuple(levels[:250])


def test_a_weekday_needs_more_than_a_few_weeks(operator_data: Dataset) -> None:
    frame = operator_data.frame
    assert "day_of_week" in build_features(frame, operator_data.spec).names
    assert "day_of_week" not in build_features(frame.iloc[:600], operator_data.spec).names
