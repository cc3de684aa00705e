"""Training, validation and test never overlap in time, and labels are purged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from harken_models.errors import TrainingError
from harken_models.spec import DatasetSpec, FieldSpec, SplitSpec
from harken_models.split import SMALL, US_PER_DAY, split_by_time
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


def test_small_data_gets_rolling_folds_and_large_data_one() -> None:
    spec = replace(SPEC, horizon_days=1.0)
    small = split_by_time(frame(3000, 100), spec)
    assert len(small.folds) == 5
    sizes = [len(fold.train) for fold in small.folds]
    assert sizes == sorted(sizes)
    assert len(split_by_time(frame(2 * SMALL, 100), spec).folds) == 1


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
