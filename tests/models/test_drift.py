"""What training rows looked like, and how far others have moved from it."""

from __future__ import annotations

import numpy as np
import pytest
from harken_models.drift import ColumnReference, DriftReference, fit_reference, psi
from harken_models.features import Feature, FeatureSpec

SPEC = FeatureSpec(
    (
        Feature("age", "number", ("age",)),
        Feature("angry", "flag", ("angry",)),
        Feature("state", "ordinal", ("state",), categories=("good", "middling", "bad")),
        Feature("point", "category", ("point",), categories=("007", "no", "p")),
    )
)


def rows(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = np.column_stack(
        [rng.normal(40, 9, count), rng.integers(0, 2, count), rng.integers(0, 3, count),
         rng.integers(0, 5, count)]
    ).astype(float)  # fmt: skip
    matrix[rng.random(count) < 0.1, :3] = np.nan
    return matrix


@pytest.fixture(scope="module")
def reference() -> DriftReference:
    matrix = rows(20_000, 1)
    return fit_reference(SPEC, matrix, np.random.default_rng(2).random(len(matrix)))


def test_every_row_is_counted_where_it_falls(reference: DriftReference) -> None:
    matrix = rows(20_000, 1)
    assert reference.rows == 20_000
    assert {sum(column.counts) for column in reference.columns.values()} == {20_000}
    age = reference.columns["age"]
    assert len(age.edges) == 9
    assert age.counts[-1] == np.isnan(matrix[:, 0]).sum()
    assert max(age.counts[:-1]) - min(age.counts[:-1]) <= 1
    point = reference.columns["point"]
    assert point.levels == ("007", "no", "p")
    assert list(point.counts) == np.bincount(matrix[:, 3].astype(int)).tolist()
    state = reference.columns["state"]
    assert state.counts[3] == 0  # an unlisted rank is missing
    assert state.counts[4] == np.isnan(matrix[:, 2]).sum()


def test_the_same_population_has_not_moved(reference: DriftReference) -> None:
    for seed, count in ((3, 20_000), (4, 300), (5, 40)):
        for place, name in enumerate(SPEC.names):
            assert psi(reference.columns[name], rows(count, seed)[:, place]) < 0.1
    everything = rows(20_000, 1)
    assert psi(reference.columns["age"], everything[:, 0]) == 0.0


def test_another_population_has(reference: DriftReference) -> None:
    later = rows(2000, 6)
    assert psi(reference.columns["age"], later[:, 0] + 9) > 0.25
    assert 0.01 < psi(reference.columns["age"], later[:, 0] + 2) < 0.25
    gone = later[:, 0].copy()
    gone[:1000] = np.nan
    assert psi(reference.columns["age"], gone) > 0.25
    assert psi(reference.columns["point"], np.zeros(2000)) > 0.25
    assert psi(reference.probability, np.full(2000, 0.05)) > 0.25
    assert np.isnan(psi(reference.probability, np.zeros(0)))


def test_the_index_by_hand() -> None:
    reference = ColumnReference("number", (1.0,), (), (600, 400, 0))
    column = np.array([0.0] * 30 + [1.0] * 70)
    p = np.array([600.5, 400.5, 0.5]) / 1001.5
    q = np.array([30.5, 70.5, 0.5]) / 101.5
    wanted = ((q - p) * np.log(q / p)).sum() - (1 / 1000 + 1 / 100)
    assert psi(reference, column) == pytest.approx(wanted)


def test_texts_and_codes_of_a_category_are_the_same(reference: DriftReference) -> None:
    point = reference.columns["point"]
    texts = np.array(["p", "007", None, "never seen", float("nan")], dtype=object)
    assert point.bins(texts).tolist() == [2, 0, 4, 3, 4]
    assert point.bins(np.array([2.0, 0.0, 4.0, 3.0, 4.0])).tolist() == [2, 0, 4, 3, 4]


def test_rare_levels_are_compared_together() -> None:
    """Many levels with a row or two each move by chance; that is no drift."""
    rng = np.random.default_rng(7)
    levels = tuple(f"level {number:03}" for number in range(300))
    spec = FeatureSpec((Feature("company", "category", ("company",), categories=levels),))
    often = 1 / np.arange(1, 303)

    def drawn(count: int) -> np.ndarray:
        return rng.choice(302, count, p=often / often.sum()).astype(float)[:, None]

    reference = fit_reference(spec, drawn(3000), np.full(3000, 0.5)).columns["company"]
    assert len(reference.counts) == 302
    assert psi(reference, drawn(1000)[:, 0]) < 0.05
    assert psi(reference, 299 - np.minimum(drawn(1000)[:, 0], 299)) > 0.25


def test_a_reference_survives_text(reference: DriftReference) -> None:
    assert DriftReference.from_plain(reference.to_plain()) == reference
    plain = reference.columns["age"].to_plain()
    with pytest.raises(ValueError, match="10 counts do not fit"):
        ColumnReference.from_plain({**plain, "counts": plain["counts"][1:]})
    with pytest.raises(ValueError, match="kind 'colour'"):
        ColumnReference.from_plain({**plain, "kind": "colour"})


def test_a_column_without_values_is_all_missing() -> None:
    spec = FeatureSpec((Feature("age", "number", ("age",)),))
    nothing = np.full((50, 1), np.nan)
    column = fit_reference(spec, nothing, np.full(50, 0.1)).columns["age"]
    assert column.counts == (0, 50)
    assert psi(column, nothing[:, 0]) == 0.0
    assert psi(column, np.zeros(50)) > 0.25
