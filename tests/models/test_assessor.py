"""The compiled assessor and coded columns say what ``assess`` says, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from harken_models import BundleError, FeatureError, default_bundle_path, load_bundle
from harken_models.boosted_predictor import BoostedPredictor
from harken_models.bundle import Assessment, Bundle
from harken_models.calibrate import Calibration
from harken_models.coded import SLICE
from harken_models.core import CORE_FIELDS
from harken_models.features import Feature, FeatureSpec

from .rows import as_columns, random_rows

ISOTONIC = Calibration("isotonic", knots=((-9.0, -8.0), (-2.0, -2.2), (3.0, 2.4)), shift=-0.7)
ATTRIBUTES = ("plan", "roaming", "data_gb")
CORE = tuple(f"{name}_us" if field.type == "time" else name for name, field in CORE_FIELDS.items())


@dataclass(frozen=True)
class Named:
    """A coded column as another package may have it."""

    codes: np.ndarray
    values: tuple[object, ...]


def coded(columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Columns with those of objects coded, in an order of values of their own."""
    made: dict[str, Any] = dict(columns)
    for name, column in columns.items():
        if column.dtype == object:
            codes, values = pd.factorize(column)
            # The last value stands for nobody; the codes are turned round.
            made[name] = Named(
                np.where(codes < 0, -1, len(values) - codes).astype(np.int16),
                ("nobody's", *values[::-1]),
            )
    return made


def assess_all(bundle: Bundle, rows: Sequence[Mapping[str, Any]]) -> list[Assessment]:
    assess = bundle.assessor(CORE)
    return [
        assess(tuple(row.get(name) for name in CORE), {k: row[k] for k in ATTRIBUTES if k in row})
        for row in rows
    ]


@pytest.mark.parametrize("kind", ["lightgbm", "logistic", "blend"])
def test_the_assessor_says_what_assess_says(
    kind: str, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle, rows = write(tmp_path / kind, kind, calibration=ISOTONIC), random_rows(800, 11)
    found = assess_all(bundle, rows)
    assert found == [bundle.assess(row) for row in rows]
    assert len({one.probability for one in found}) > 300
    assert {one.segment is None for one in found} == {True, False}


def test_so_does_that_of_the_shipped_bundle() -> None:
    bundle, rows = load_bundle(default_bundle_path()), random_rows(500, 12)
    assert assess_all(bundle, rows) == [bundle.assess(row) for row in rows]


def test_names_may_stand_in_any_order_lack_some_and_hold_others(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", "blend")
    assess = bundle.assessor(("harvest", "brand", "point"))
    row = {"brand": "gotone", "point": "spam_sms"}
    assert assess([7, "gotone", "spam_sms"], {}) == bundle.assess(row)
    assert assess([7, "gotone", "spam_sms"], {"plan": "basic"}) == bundle.assess(
        {**row, "plan": "basic"}
    )


def test_a_name_overrules_an_attribute_and_is_found_among_them_otherwise(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", "lightgbm")
    attributes = {"brand": "mzone", "point": "extra_fee", "segment": "gotone_2", "plan": "family"}
    assess = bundle.assessor(("brand",))
    assert assess([None], attributes) == bundle.assess({**attributes, "brand": None})
    assert assess([None], attributes).segment == "gotone_2"


def test_a_name_given_twice_has_its_last_value(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", "blend")
    row = {"brand": "gotone", "age_years": 60, "tenure_months": 100, "point": "extra_fee"}
    found = bundle.assessor(("brand", *row))(["mzone", *row.values()], {"plan": "basic"})
    assert found == bundle.assess({**row, "plan": "basic"})


@pytest.mark.parametrize("values", [(), ("spam_sms",), ("spam_sms", 40, None)])
def test_a_row_of_another_length_is_refused(
    values: Sequence[object], write: Callable[..., Bundle], tmp_path: Path
) -> None:
    assess = write(tmp_path / "b", "blend").assessor(("point", "age_years"))
    with pytest.raises(ValueError, match=r"is (shorter|longer) than"):
        assess(values, {})


def test_names_and_categories_are_no_part_of_what_is_executed() -> None:
    evil = "row[0]]) or exit(3)\n'\"{row}"
    spec = FeatureSpec(
        (
            Feature(evil, "number", (evil,)),
            Feature(f"{evil}2", "category", ("{0}",), categories=('"', evil)),
            Feature(f"{evil}3", "category", (evil, "{0}"), "joint", categories=(f"1|{evil}",)),
        )
    )
    encode = spec.row_function({evil: 0, "{0}": 1})
    for row in ([1, evil], [2.5, '"'], [None, "'"], [None, None]):
        found, wanted = encode(row), spec.encode_row({evil: row[0], "{0}": row[1]})
        np.testing.assert_array_equal(found, wanted)
    assert encode([1, evil]) == (1, 1.0, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age_years", "much"),
        ("brand", 7),
        ("brand", ["mzone"]),
        ("grumble_count_90d", "1"),
        ("resolution_state", True),
        ("data_gb", "12"),
        ("plan", 7),
        ("roaming", "yes"),
        ("voice_time_us", "now"),
    ],
)
@pytest.mark.parametrize("kind", ["lightgbm", "logistic"])
def test_a_wrong_type_is_named_as_assess_names_it(
    kind: str, field: str, value: object, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", kind)
    row: dict[str, Any] = {
        "brand": "mzone", "age_years": 20, "tenure_months": 9, "grumble_count_90d": 2,
        "voice_time_us": 10**15, "observe_time_us": 10**15,
    }  # fmt: skip
    row[field] = value
    with pytest.raises(FeatureError) as slow:
        bundle.assess(row)
    with pytest.raises(FeatureError) as fast:
        assess_all(bundle, [row])
    assert slow.value.field == fast.value.field == field
    assert str(slow.value) == str(fast.value)


@pytest.mark.parametrize("kind", ["lightgbm", "blend"])
def test_coded_columns_and_objects_give_the_same_bits(
    kind: str, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", kind, calibration=ISOTONIC)
    columns = as_columns(random_rows(SLICE // 4, 13))
    # More than one slice, and the last one short.
    columns = {name: np.tile(column, 5)[: SLICE + 100] for name, column in columns.items()}
    plain = bundle.assess_columns(columns, SLICE + 100)
    found = bundle.assess_columns(coded(columns), SLICE + 100)
    assert found.probability.tobytes() == plain.probability.tobytes()
    assert found.association.tobytes() == plain.association.tobytes()
    assert found.segment.tolist() == plain.segment.tolist()
    last = slice(SLICE, SLICE + 100)
    apart = bundle.assess_columns({n: c[last] for n, c in columns.items()}, 100)
    assert apart.probability.tobytes() == plain.probability[last].tobytes()


def test_segments_come_coded(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "b")
    columns = coded(as_columns(random_rows(300, 14)))
    found = bundle.assess_columns(columns, 300)
    codes, values = found.segment_coded.codes, found.segment_coded.values
    assert codes.dtype == np.int32
    assert [None if code < 0 else values[code] for code in codes] == found.segment.tolist()
    assert (codes >= 0).sum() > 100
    assert (codes < 0).any()
    assert len(set(values)) == len(values)


def test_missing_among_the_values_of_a_coded_column_is_missing(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", "blend")
    profile = {
        "brand": "mzone", "age_years": 20.0, "tenure_months": 9.0, "monthly_spend_yuan": 40.0
    }  # fmt: skip
    for nothing in (None, float("nan")):
        column = Named(np.array([0, 1, -1]), (nothing, "gotone_1"))
        given = {
            name: Named(np.zeros(3, dtype=np.int64), (value,)) for name, value in profile.items()
        }
        found = bundle.assess_columns({**given, "segment": column, "point": column}, 3)
        assert found.segment.tolist() == ["mzone_1", "gotone_1", "mzone_1"]
        wanted = bundle.assess(profile)
        assert found.probability[[0, 2]].tolist() == [wanted.probability] * 2
        assert np.isnan(found.association[[0, 2]]).all()


def test_no_rows_and_no_columns(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "b", "blend")
    assert bundle.assess_columns({}, 0).probability.shape == (0,)
    found = bundle.assess_columns({}, 3)
    assert found.probability.tolist() == [bundle.assess({}).probability] * 3
    assert found.segment.tolist() == [None] * 3


def test_a_wrong_value_matters_where_a_row_has_it(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / "b", "blend")
    for name, bad in (("channel", 7), ("plan", ["x"]), ("age_years", "old")):
        unused = Named(np.array([-1, -1]), (bad,))
        nothing = [bundle.assess({}).probability] * 2
        assert bundle.assess_columns({name: unused}, 2).probability.tolist() == nothing
        with pytest.raises(FeatureError) as caught:
            bundle.assess_columns({name: Named(np.array([-1, 0]), (bad,))}, 2)
        assert caught.value.field == name


def test_columns_of_many_strange_values_cost_no_table_of_all_pairs() -> None:
    bundle, rows = load_bundle(default_bundle_path()), 20_000
    names = tuple(f"strange {row}" for row in range(rows))
    column = Named(np.arange(rows), names)
    both = {"point": column, "segment": column}  # four hundred million pairs
    found = bundle.assess_columns(both, rows)
    assert found.segment_coded.values[: len(names)] == names
    strange = {"point": "strange 1", "segment": "strange 1"}
    assert set(found.probability.tolist()) == {bundle.assess(strange).probability}


def test_threads_of_lightgbm_change_no_bit(tmp_path: Path, write: Callable[..., Bundle]) -> None:
    write(tmp_path / "b", "blend")
    columns = as_columns(random_rows(500, 15))
    one, two = (
        load_bundle(tmp_path / "b", threads).assess_columns(columns, 500) for threads in (1, 2)
    )
    assert one.probability.tobytes() == two.probability.tobytes()


def test_the_order_of_the_matrix_changes_no_bit(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    for kind in ("lightgbm", "blend"):
        bundle, rows = write(tmp_path / kind, kind), random_rows(300, 16)
        matrix = bundle.parts.features.encode_columns(as_columns(rows), len(rows))
        before = matrix.copy()
        z = bundle.predictor.many(matrix)
        assert bundle.predictor.many(np.asfortranarray(matrix)).tobytes() == z.tobytes()
        assert before.tobytes() == matrix.tobytes()
        assert [bundle.predictor.one(row) for row in matrix.tolist()] == z.tolist()


def test_a_single_row_path_that_is_off_is_noticed_on_loading(
    write: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "b", "lightgbm")
    right = BoostedPredictor.__init__

    def wrong(self: Any, *given: Any) -> None:
        right(self, *given)
        single = self._single
        self._single = lambda row: float(np.nextafter(single(row), 9.0))

    monkeypatch.setattr(BoostedPredictor, "__init__", wrong)
    with pytest.raises(BundleError, match="single-row path gives"):
        load_bundle(tmp_path / "b")


def test_a_part_may_stand_in_for_the_trees(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "b", "lightgbm")
    bundle.predictor.boosted = SimpleNamespace(  # type: ignore[assignment]
        one=lambda _values: 0.0, many=lambda matrix: np.zeros(len(matrix))
    )
    calm = bundle.parts.calibration.one(0.0)
    assert bundle.assess({}).probability == calm
    assert bundle.assessor(())((), {}).probability == calm
    assert bundle.assess_columns({}, 2).probability.tolist() == [calm, calm]
