"""The summary's counts: exact as long as they are few, then in bins, with a bound that holds."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest
from harken_client.replay import metrics, part_tally, tally
from harken_client.replay.part_tally import add_up, tally_bytes
from harken_client.replay.tally import Tally, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

Row = tuple[int, float, int | None]
PROBABILITIES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0, 5e-324]))
ROWS = st.lists(
    st.tuples(st.integers(1, 5), PROBABILITIES, st.sampled_from([0, 1, None])), max_size=60
)  # fmt: skip


def by_rows(rows: list[Row]) -> Tally:
    found = Tally()
    for row in rows:
        found.add(*row)
    return found


def by_parts(rows: list[Row], size: int) -> Tally:
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    return add_up(section(part) for part in parts)


def section(rows: list[Row]) -> Any:
    levels, probabilities, labels = zip(*rows, strict=True)
    kinds = (pa.int32(), pa.float64(), pa.int8())
    columns = zip((levels, probabilities, labels), kinds, strict=True)
    return tally_bytes(*(pa.array(list(cells), kind) for cells, kind in columns))


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, size=st.integers(1, 30), bound=st.sampled_from([0, 10, 10_000]))
def test_rows_and_parts_add_up_to_the_same(rows: list[Row], size: int, bound: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "EXACT", bound)
        patch.setattr(part_tally, "EXACT", bound)
        patch.setattr(part_tally, "GATHERED", 20)
        one, other = by_rows(rows), by_parts(rows, size)
        assert (one.levels, +one.outcomes) == (other.levels, +other.outcomes)
        first, second = one.measures(), other.measures()
        assert first.auc == second.auc
        assert first.ap == second.ap
        assert first.brier == pytest.approx(second.brier)
        assert first.auc_error == second.auc_error
        assert len(first.calibration) == len(second.calibration)
        for a, b in zip(first.calibration, second.calibration, strict=True):
            assert (a.lowest, a.highest, a.rows) == (b.lowest, b.highest, b.rows)
            assert a.mean_probability == pytest.approx(b.mean_probability)
            assert a.complaint_rate == b.complaint_rate


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_the_error_is_no_larger_than_it_says(rows: list[Row]) -> None:
    positives, negatives = ([p for _, p, label in rows if label == value] for value in (1, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "EXACT", 0)
        patch.setattr(tally, "SHIFT", 50)  # coarse bins, of which many hold several
        found = by_rows(rows).measures()
    auc = metrics.auc(positives, negatives)
    assert (found.auc is None) == (auc is None)
    if found.auc is not None and auc is not None:
        assert abs(found.auc - auc) <= found.auc_error + 1e-12
    assert found.brier == pytest.approx(metrics.brier(positives, negatives))
    assert sum(b.rows for b in found.calibration) == len(positives) + len(negatives)


def usual_rows(count: int) -> list[Row]:
    rng = random.Random(4)
    rows: list[Row] = []
    for _ in range(count):
        chance = rng.betavariate(1, 12)
        rows.append((rng.randrange(1, 6), chance, int(rng.random() < chance)))
    return rows


def test_bins_are_as_good_as_exact_to_the_figures_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = usual_rows(10_000)
    exact = by_rows(rows).measures()
    monkeypatch.setattr(tally, "EXACT", 100)
    found = by_rows(rows).measures()
    assert exact.auc_error == 0 < found.auc_error < 0.0002
    assert found.auc == pytest.approx(exact.auc, abs=0.00005)
    assert found.ap == pytest.approx(exact.ap, abs=0.0005)
    assert found.brier == pytest.approx(exact.brier, abs=1e-12)
    assert len(found.calibration) == 10
    for a, b in zip(found.calibration, exact.calibration, strict=True):
        assert a.mean_probability == pytest.approx(b.mean_probability, abs=0.0005)
        assert a.rows == pytest.approx(b.rows, abs=30)


def test_memory_is_bounded_however_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "EXACT", 1000)
    monkeypatch.setattr(tally, "SHIFT", 46)  # 64 bins an octave
    found, most = Tally(), 0
    for row in usual_rows(10_000):
        found.add(*row)
        most = max(most, found.held)
    assert found.labelled == 10_000
    assert most < 1000 + 64 * 20


def test_bins_sort_as_probabilities_do() -> None:
    rng = random.Random(2)
    chances = sorted([0.0, 1.0, 2.0**-31, *(rng.random() ** 9 for _ in range(2000))])
    keys = [key_of(chance) for chance in chances]
    assert keys == sorted(keys)
    assert key_of(0.5) != key_of(0.5 * (1 + 2**-12))
    assert key_of(0.0) == key_of(2.0**-40)
