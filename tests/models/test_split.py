"""Training, validation and test never overlap in time, and labels are purged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from harken_models.errors import TrainingError
from harken_models.spec import DatasetSpec, FieldSpec, SplitSpec
from harken_models.split import SMALL, US_PER_DAY, split_by_time, split_rows
from hypothesis import given, settings
from hypothesis import strategies as st

SPEC = DatasetSpec("x", {}, {"grumble_id": FieldSpec("id"), "voice_time": FieldSpec("at")})


def frame(rows: int, days: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    times = rng.integers(0, days * US_PER_DAY, rows)
    return pd.DataFrame(
        {
            "voice_time_us": times,
            "observe_time_us": times + rng.integers(0, US_PER_DAY, rows),
            "label": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows) < 0.3),
            "excluded": rng.random(rows) < 0.1,
        }
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20), st.floats(0.1, 0.4), st.floats(0.1, 0.3), st.integers(0, 1000))
def test_no_label_reaches_into_later_time(
    horizon: int, test: float, validation: float, seed: int
) -> None:
    data = frame(3000, 120, seed)
    spec = replace(SPEC, horizon_days=float(horizon), split=SplitSpec(test, validation))
    split = split_by_time(data, spec)
    times = data["observe_time_us"].to_numpy()
    usable = data["label"].notna() & ~data["excluded"]
    for fold in (*split.folds, split.final):
        assert times[fold.train].max() + horizon * US_PER_DAY <= times[fold.held_out].min()
        assert usable.to_numpy()[fold.train].all()
        assert usable.to_numpy()[fold.held_out].all()
    for fold in split.folds:
        # Not even the outcomes of held-out rows were unknown when the test begins.
        assert times[fold.held_out].max() + horizon * US_PER_DAY <= split.test_start_us
    assert (times[split.final.held_out] >= split.test_start_us).all()
    tested = len(split.final.held_out) / usable.sum()
    assert abs(tested - test) < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_a_label_is_known_a_horizon_after_the_observation_whatever_orders_the_rows(
    seed: int,
) -> None:
    data = frame(3000, 120, seed)
    data["observe_time_us"] = data["voice_time_us"] + 20 * US_PER_DAY
    spec = replace(SPEC, horizon_days=5.0, split=SplitSpec(0.3, 0.2, "voice_time"))
    split = split_by_time(data, spec)
    known = data["observe_time_us"].to_numpy() + 5 * US_PER_DAY
    voiced = data["voice_time_us"].to_numpy()
    for fold in (*split.folds, split.final):
        assert known[fold.train].max() <= voiced[fold.held_out].min()


def test_rows_of_one_time_never_part() -> None:
    data = frame(2000, 1)
    data["voice_time_us"] = np.repeat(np.arange(40), 50) * US_PER_DAY
    spec = replace(SPEC, horizon_days=0.0, split=SplitSpec(0.33, 0.2, "voice_time"))
    split = split_by_time(data, spec)
    days = data["voice_time_us"].to_numpy()
    assert not set(days[split.final.train]) & set(days[split.final.held_out])


def test_small_data_gets_five_rolling_folds_and_large_data_three() -> None:
    spec = replace(SPEC, horizon_days=1.0)
    small = split_by_time(frame(3000, 100), spec)
    assert len(small.folds) == 5
    sizes = [len(fold.train) for fold in small.folds]
    assert sizes == sorted(sizes)
    assert len(split_by_time(frame(2 * SMALL, 100), spec).folds) == 3


@pytest.mark.parametrize(
    ("rows", "days", "horizon", "message"),
    [
        (100, 100, 1.0, "only .* rows have a known outcome"),
        (3000, 100, 90.0, "would have to learn from"),
    ],
)
def test_too_little_data_is_said_so(rows: int, days: int, horizon: float, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        split_by_time(frame(rows, days), replace(SPEC, horizon_days=horizon))


def with_groups(data: pd.DataFrame, count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return data.assign(_group=rng.integers(0, count, len(data)))


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_one_grumble_never_part_in_time(seed: int) -> None:
    data = with_groups(frame(3000, 120, seed), 900)
    start = data.groupby("_group")["observe_time_us"].min()
    # A grumble's rows lie within a week of its first.
    within = np.random.default_rng(seed).integers(0, 7 * US_PER_DAY, len(data))
    data["observe_time_us"] = data["_group"].map(start) + within
    data["_known_us"] = data["observe_time_us"] + 3 * US_PER_DAY
    split = split_rows(data, SPEC)
    group, known = data["_group"].to_numpy(), data["_known_us"].to_numpy()
    start = data.groupby("_group")["observe_time_us"].min()
    observed = data["observe_time_us"].to_numpy()
    for fold in (*split.folds, split.final):
        assert not set(group[fold.train]) & set(group[fold.held_out])
        first = min(start[g] for g in group[fold.held_out])
        assert known[fold.train].max() <= first
    # Rows whose grumble began before the test and was known only later are nobody's.
    used = len(split.final.train) + len(split.final.held_out)
    usable = (data["label"].notna() & ~data["excluded"]).sum()
    assert used < usable
    assert split.purge_us == 3 * US_PER_DAY
    assert observed[split.final.held_out].min() >= split.test_start_us


def test_a_piece_needs_ten_groups_with_a_complaint_not_ten_rows() -> None:
    data = frame(1000, 100)
    data["label"] = 0.0
    data["_group"] = np.arange(1000)
    # Forty complaints, all of the same two grumbles.
    late = np.argsort(data["observe_time_us"].to_numpy())[600:]
    data.loc[late[::10], "label"] = 1.0
    data.loc[late[::10], "_group"] = [2000, 2001] * 20
    with pytest.raises(TrainingError, match="would have to"):
        split_rows(data, replace(SPEC, horizon_days=0.0))


def test_outcomes_that_take_long_leave_fewer_pieces_and_it_is_said() -> None:
    data = frame(3000, 100)
    lasting = np.random.default_rng(1).exponential(20, len(data)) * US_PER_DAY
    data["_known_us"] = data["observe_time_us"] + (lasting + 25 * US_PER_DAY).astype(int)
    split = split_rows(data, SPEC)
    assert 1 <= len(split.folds) < 5
    assert split.notes == (f"{len(split.folds)} held-out pieces instead of 5",)


GROUPED = replace(SPEC, split=SplitSpec(test_fraction=0.3, groups="customer"))


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_dealt_whole_and_complaints_evenly(seed: int) -> None:
    data = with_groups(frame(3000, 100, seed), 1200, seed)
    split = split_rows(data, GROUPED, seed)
    assert (split.kind, split.test_start_us, len(split.folds)) == ("groups", None, 5)
    group, label = data["_group"].to_numpy(), data["label"].to_numpy()
    usable = np.flatnonzero(data["label"].notna() & ~data["excluded"])
    for fold in (*split.folds, split.final):
        assert not set(group[fold.train]) & set(group[fold.held_out])
        rate = label[fold.held_out].mean()
        assert rate == pytest.approx(label[usable].mean(), abs=0.03)
    assert len(split.final.held_out) / len(usable) == pytest.approx(0.3, abs=0.02)
    held_out = np.concatenate([fold.held_out for fold in split.folds])
    assert sorted(held_out) == sorted(split.final.train)
    again = split_rows(data, GROUPED, seed)
    assert (again.final.held_out == split.final.held_out).all()
    other = split_rows(data, GROUPED, seed + 1)
    assert set(other.final.held_out) != set(split.final.held_out)


def test_rows_alike_in_every_field_stay_together() -> None:
    rng = np.random.default_rng(1)
    data = frame(2000, 100).assign(excluded=False, attr_x=rng.normal(size=2000))
    data["label"] = (rng.random(2000) < 0.3).astype(float)
    twins = np.arange(0, 200)
    for name in ("voice_time_us", "observe_time_us", "attr_x"):
        data.loc[twins + 500, name] = data.loc[twins, name].to_numpy()
    data["grumble_id"] = np.arange(2000).astype(str)
    data["_group"] = np.arange(2000)
    split = split_rows(data, GROUPED)
    for fold in (*split.folds, split.final):
        assert not set(fold.train) & (
            set(fold.held_out) | {row + 500 for row in fold.held_out if row < 200}
        )
    assert split.notes == ("400 rows that are alike in every field were kept together",)


def test_doubles_by_chance_in_coarse_fields_do_not_glue_the_data_together() -> None:
    rng = np.random.default_rng(1)
    data = frame(2000, 100).assign(voice_time_us=0, observe_time_us=0)
    data["attr_x"] = rng.integers(0, 5, 2000).astype(float)
    split = split_rows(data, replace(GROUPED, timeless=True))
    assert len(split.final.held_out) > 400
    assert "100% of the rows are alike in every field" in split.notes[0]
