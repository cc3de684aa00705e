"""Windowed history and labels against a brute-force reading of their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from harken_models.history import US_PER_DAY, EventIndex, add_history
from harken_models.labels import complaint_labels
from hypothesis import given, settings
from hypothesis import strategies as st

# Few customers, points and distinct times, so that ties and window edges are common.
TIMES = st.integers(0, 40).map(lambda step: step * 5 * US_PER_DAY)
CUSTOMERS = st.sampled_from(["a", "b", None])
GRUMBLE = st.tuples(CUSTOMERS, TIMES, st.integers(0, 8), st.sampled_from(["p", "q", None]))


def frames(
    grumbles: list[tuple[str | None, int, int, str | None]],
    complaints: list[tuple[str | None, int]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series([g[0] for g in grumbles], dtype=object),
            "voice_time_us": np.array([g[1] for g in grumbles], dtype=np.int64),
            "observe_time_us": np.array(
                [g[1] + g[2] * 5 * US_PER_DAY for g in grumbles], dtype=np.int64
            ),
            "point": pd.Series([g[3] for g in grumbles], dtype=object),
        }
    )
    other = pd.DataFrame(
        {
            "customer_id": pd.Series([c[0] for c in complaints], dtype=object),
            "complaint_time_us": np.array([c[1] for c in complaints], dtype=np.int64),
        }
    )
    return frame, other


@settings(max_examples=150, deadline=None)
@given(
    st.lists(GRUMBLE, min_size=1, max_size=25), st.lists(st.tuples(CUSTOMERS, TIMES), max_size=12)
)
def test_history_is_what_its_definition_says(
    grumbles: list[tuple[str | None, int, int, str | None]],
    complaints: list[tuple[str | None, int]],
) -> None:
    frame, other = frames(grumbles, complaints)
    found = add_history(frame, other)
    for i, row in enumerate(frame.itertuples()):
        rest = frame.drop(index=i)
        mine = rest[rest["customer_id"] == row.customer_id]
        theirs = other[other["customer_id"] == row.customer_id]
        expected: dict[str, float] = {}
        for days in (30, 90):
            since = row.observe_time_us - days * US_PER_DAY
            voiced = mine["voice_time_us"]
            inside = (voiced >= since) & (voiced < row.observe_time_us)
            expected[f"grumble_count_{days}d"] = inside.sum()
            when = theirs["complaint_time_us"]
            expected[f"complaint_count_{days}d"] = (
                (when >= since) & (when < row.observe_time_us)
            ).sum()
        expected["same_point_count_90d"] = (inside & (mine["point"] == row.point)).sum()
        if row.point is None:
            expected["same_point_count_90d"] = np.nan
        before = [t for t in [*mine["voice_time_us"], *when] if t < row.voice_time_us]
        days_since = (row.voice_time_us - max(before)) / US_PER_DAY if before else np.nan
        expected["days_since_contact"] = days_since if days_since <= 90 else np.nan
        if row.customer_id is None:
            expected = dict.fromkeys(expected, np.nan)
        for name, value in expected.items():
            np.testing.assert_equal(found[name][i], value, err_msg=f"{name} of row {i}")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(GRUMBLE, min_size=1, max_size=25),
    st.lists(st.tuples(CUSTOMERS, TIMES), max_size=12),
    st.integers(0, 12),
)
def test_labels_are_what_their_definition_says(
    grumbles: list[tuple[str | None, int, int, str | None]],
    complaints: list[tuple[str | None, int]],
    steps: int,
) -> None:
    frame, other = frames(grumbles, complaints)
    horizon, end = steps * 5 * US_PER_DAY, 45 * 5 * US_PER_DAY
    found = complaint_labels(frame, other, horizon, end)
    for i, row in enumerate(frame.itertuples()):
        when = other[other["customer_id"] == row.customer_id]["complaint_time_us"]
        observe = row.observe_time_us
        followed = ((when > observe) & (when <= observe + horizon)).any()
        already = ((when >= row.voice_time_us) & (when <= observe)).any()
        unknown = row.customer_id is None or already or observe + horizon > end
        np.testing.assert_equal(found[i], np.nan if unknown else float(followed))


def test_the_future_does_not_change_history() -> None:
    grumbles = [("a", i * US_PER_DAY, 0, "p") for i in range(20)]
    complaints = [("a", 3 * US_PER_DAY)]
    frame, other = frames(grumbles, complaints)
    full = add_history(frame, other)
    cut = add_history(frame.iloc[:10], other)
    pd.testing.assert_frame_equal(full.iloc[:10], cut)


def test_an_empty_index_counts_nothing() -> None:
    empty = np.array([], dtype=np.int64)
    index = EventIndex(empty, empty)
    some = np.array([0, 1, -1])
    assert index.count(some, some, some + 5).tolist() == [0, 0, 0]
    assert index.latest(some, some + 5).tolist() == [-1, -1, -1]


def test_days_since_contact_that_the_operator_gives_are_kept() -> None:
    frame, other = frames([("a", 0, 0, "p"), ("a", US_PER_DAY, 0, "p")], [])
    given_days = add_history(frame.assign(days_since_contact=[200.0, 7.0]), other)
    assert given_days["days_since_contact"].tolist() == [200.0, 7.0]


@pytest.mark.parametrize("large", [2**40, 2**52])
def test_times_far_from_1970(large: int) -> None:
    frame, other = frames([("a", large, 0, "p"), ("a", large + 1, 0, "p")], [("a", large)])
    found = add_history(frame, other)
    assert found["grumble_count_30d"].tolist() == [0, 1]
    assert found["complaint_count_90d"].tolist() == [0, 1]
