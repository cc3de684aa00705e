"""What a requester computes of the past is, to the bit, what training has seen of it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from harken_models.events import Log
from harken_models.history import NEVER, US_PER_DAY, Spans, add_history, extended_history
from harken_models.past import PastGrumble, past_of, running_of
from harken_models.running import running_columns
from harken_models.spec import DatasetSpec, EventSpec, FieldSpec, Running
from hypothesis import given, settings
from hypothesis import strategies as st

STEP = 7 * US_PER_DAY // 3
"""Not a whole number of days, so that hours and days have digits to agree on."""
STEPS = st.integers(0, 50)
GRUMBLE = st.tuples(
    st.sampled_from("ab"),  # customer
    STEPS,  # voiced
    st.integers(0, 12),  # observed after so many steps
    st.sampled_from(["p", "q", None]),
    st.lists(st.integers(0, 12), max_size=4),  # closed, opened, closed … each after so many
)
COMPLAINT = st.tuples(st.sampled_from("ab"), STEPS)


def spans_of(voiced: int, gaps: list[int]) -> list[tuple[int, int | None]]:
    """Alternately closed and opened, as a log would have it."""
    times = [voiced * STEP]
    for gap in gaps:
        times.append(times[-1] + gap * STEP)
    ends: list[int | None] = [*times[1::2], *([None] if len(times) % 2 else [])]
    return list(zip(times[0::2], ends, strict=True))


def bits(value: float | None) -> float:
    return math.nan if value is None else value


@settings(max_examples=150, deadline=None)
@given(st.lists(GRUMBLE, min_size=1, max_size=14), st.lists(COMPLAINT, max_size=8))
def test_past_of_is_the_column_code_to_the_bit(
    grumbles: list[tuple[str, int, int, str | None, list[int]]], complaints: list[tuple[str, int]]
) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series([g[0] for g in grumbles], dtype=object),
            "voice_time_us": np.array([g[1] * STEP for g in grumbles]),
            "observe_time_us": np.array([(g[1] + g[2]) * STEP for g in grumbles]),
            "point": pd.Series([g[3] for g in grumbles], dtype=object),
        }
    )
    other = pd.DataFrame(
        {
            "customer_id": pd.Series([c[0] for c in complaints], dtype=object),
            "complaint_time_us": np.array([c[1] * STEP for c in complaints], dtype=np.int64),
        }
    )
    spans = [spans_of(g[1], g[4]) for g in grumbles]
    rows = [(i, a, NEVER if b is None else b) for i, s in enumerate(spans) for a, b in s]
    columns = Spans(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))
    found = add_history(frame, other)
    more = extended_history(frame, other, spans=columns)
    for i, (customer, voiced, after, point, _) in enumerate(grumbles):
        others = [
            PastGrumble(g[1] * STEP, g[3], spans[k])
            for k, g in enumerate(grumbles)
            if k != i and g[0] == customer
        ]
        times = [c[1] * STEP for c in complaints if c[0] == customer]
        asked = past_of(others, times, voiced * STEP, (voiced + after) * STEP, point, True)
        for name, value in asked.items():
            trained = found[name][i] if name in found else more[name][i]
            np.testing.assert_equal(bits(value), float(trained), err_msg=f"{name} of row {i}")
        plain = past_of(others, times, voiced * STEP, (voiced + after) * STEP, point, False)
        assert plain == {name: asked[name] for name in plain}
        assert set(plain) == set(found) - set(frame)
        assert set(asked) - set(plain) == set(more)


def test_a_grumble_scored_again_is_not_its_own_past() -> None:
    """Three moments of one grumble are one grumble to everybody else."""
    table = pd.DataFrame(
        {
            "customer_id": pd.Series(["a", "a"], dtype=object),
            "voice_time_us": [0, 4 * US_PER_DAY],
            "observe_time_us": [0, 4 * US_PER_DAY],
            "point": pd.Series(["p", "p"], dtype=object),
        }
    )
    moments = table.iloc[[0, 0, 0, 1]].assign(observe_time_us=np.array([0, 2, 6, 5]) * US_PER_DAY)
    none = pd.DataFrame({"customer_id": pd.Series(dtype=object), "complaint_time_us": []})
    own = np.array([0, 0, 0, 1])
    found = add_history(moments, none, table, own)
    assert found["grumble_count_30d"].tolist() == [0, 0, 1, 1]
    assert found["same_point_count_90d"].tolist() == [0, 0, 1, 1]
    more = extended_history(moments, none, table, own)
    np.testing.assert_array_equal(more["days_since_same_point"], [np.nan, np.nan, 2, 5])
    assert "open_grumble_count" not in more  # no log says which were open


def test_a_point_that_changed_is_no_point_of_its_own_past() -> None:
    """The grumble was voiced about p and is now about q: neither counts for itself."""
    table = pd.DataFrame(
        {
            "customer_id": pd.Series(["a"], dtype=object),
            "voice_time_us": [0],
            "observe_time_us": [0],
            "point": pd.Series(["p"], dtype=object),
        }
    )
    later = table.assign(observe_time_us=[US_PER_DAY], point=pd.Series(["q"], dtype=object))
    none = pd.DataFrame({"customer_id": pd.Series(dtype=object), "complaint_time_us": []})
    found = add_history(later, none, table, np.array([0]))
    assert found["same_point_count_90d"].tolist() == [0]
    more = extended_history(later, none, table, np.array([0]))
    assert np.isnan(more["days_since_same_point"]).all()


RUNNING = {
    "every": Running("count"),
    "waits": Running("count", "state", ("w", "x")),
    "changes": Running("changes", "who"),
    "people": Running("distinct", "who"),
    "reopened": Running("returns", "state", ("o", "w"), ("c", "x")),
    "since": Running("hours_since"),
    "since_wait": Running("hours_since", "state", ("w",)),
}
EVENT = st.tuples(
    st.sampled_from("AB"),
    st.integers(0, 12),
    st.sampled_from(["o", "w", "x", "c", ""]),
    st.sampled_from(["u", "v", ""]),
)
EVENTS = EventSpec("case", FieldSpec("time"))
SPEC = DatasetSpec("log", {}, {}, events=EVENTS)


def log_of(events: list[tuple[str, int, str, str]]) -> Log:
    raw = pd.DataFrame(
        {
            "state": pd.Series([e[2] for e in events], dtype=object),
            "who": pd.Series([e[3] for e in events], dtype=object),
        }
    )
    cases = np.array(["AB".index(e[0]) for e in events], dtype=np.int64)
    times = np.array([e[1] * STEP for e in events], dtype=np.int64)
    return Log(SPEC, raw, (cases, times, np.arange(len(events))), 2)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENT, max_size=20), st.integers(-1, 14))
def test_running_of_is_the_column_code_to_the_bit(
    events: list[tuple[str, int, str, str]], step: int
) -> None:
    log = log_of(events)
    case = np.arange(2)
    moment = np.full(2, step * STEP + 1)
    found = running_columns(log, RUNNING, case, log.last(case, moment), moment)
    for number, name in enumerate("AB"):
        mine = [(e[1] * STEP, {"state": e[2], "who": e[3]}) for e in events if e[0] == name]
        asked = running_of(mine, RUNNING, step * STEP + 1)
        for attribute, value in asked.items():
            np.testing.assert_equal(
                bits(value), float(found[attribute][number]), err_msg=f"{attribute} of {name}"
            )


def test_what_counts_and_what_does_not() -> None:
    states = ["o", "w", "c", "o", "w", "o", "x", "x", "w", "c"]
    events = [(hour * 3_600_000_000, {"state": s, "who": "uuvvuuuvvv"[hour]})
              for hour, s in enumerate(states)]  # fmt: skip
    asked = running_of(events, RUNNING, 12 * 3_600_000_000)
    assert asked == {
        "every": 10.0,
        "waits": 5.0,
        "changes": 3.0,
        "people": 2.0,
        "reopened": 2.0,  # c → o and x → w; o → w → o is a stay
        "since": 3.0,
        "since_wait": 4.0,
    }
    before = running_of(events, RUNNING, -1)
    assert before == {**dict.fromkeys(asked, 0.0), "since": None, "since_wait": None}
