"""Logs of changes: as a table of their own, or as the main table, a row an event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.cases import read_cases
from harken_models.dataset import Dataset, build_dataset, load_dataset, read_raw
from harken_models.errors import DataError
from harken_models.events import Log
from harken_models.history import NEVER
from harken_models.spec import DatasetSpec, EventSpec, FieldSpec
from harken_models.specreader import read_spec
from hypothesis import given, settings
from hypothesis import strategies as st

MAIN = """
dataset: log
horizon_days: 1
fields:
  grumble_id: {column: id}
  customer_id: {column: who}
  point: {column: about}
attributes:
  team: {column: team, type: category}
  effort: {column: effort, type: number}
events:
  case: id
  time: {column: at}
  closed: {column: state, values: [done]}
  running: {change_count: {count: all}, handover_count: {changes: team}}
snapshots: {at_changes: true, at_hours: [0, 12], spacing: 1}
label: {event: {column: state, values: [angry]}}
"""
HEADER = "id,who,about,team,effort,state,at\n"


def us(text: str) -> int:
    return int(pd.Timestamp(text, tz="UTC").value // 1000)


def load(tmp_path: Path, *rows: str, spec: str = MAIN, header: str = HEADER) -> Dataset:
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "log.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return load_dataset(read_spec(tmp_path / "spec.yaml"), tmp_path / "log.csv")


def test_each_moment_has_the_values_of_the_last_event_by_then(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        "b,2,q,y,7,open,2020-01-02T00:00",
        "a,1,p,x,1,open,2020-01-01T00:00",
        "a,1,p,y,,open,2020-01-01T20:00",
        "a,1,p,y,3,done,2020-01-03T00:00",
        "b,2,q,y,8,done,2020-01-02T06:00",
    )
    frame = data.frame
    assert frame["grumble_id"].tolist() == ["b", "a", "a", "a"]
    hours = (frame["observe_time_us"] - frame["voice_time_us"]) / 3_600_000_000
    assert hours.tolist() == [0, 0, 12, 20]  # b was closed before it was twelve hours old
    assert frame["attr_team"].tolist() == ["y", "x", "x", "y"]
    np.testing.assert_array_equal(frame["attr_effort"], [7, 1, 1, np.nan])
    assert frame["attr_change_count"].tolist() == [1, 1, 1, 2]
    assert frame["attr_handover_count"].tolist() == [0, 0, 0, 1]
    assert frame["_raw"].tolist() == [0, 1, 1, 2]
    assert frame["_snapshot"].tolist() == [1, 1, 2, 3]
    assert frame["_group"].nunique() == 2
    assert data.spec.attributes["handover_count"].type == "number"
    assert data.bad_rows == ()


def test_of_events_at_one_instant_the_last_in_the_file_stands(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        "a,1,p,x,1,open,2020-01-01T00:00",
        "a,1,p,y,2,open,2020-01-01T00:00",
        "a,1,p,z,3,open,2020-01-02T00:00",
    )
    assert data.frame["attr_team"].tolist() == ["y", "y", "z"]
    assert data.frame["attr_change_count"].tolist() == [2, 2, 3]


def test_events_that_are_no_good_are_listed_and_left_out(tmp_path: Path) -> None:
    spec = MAIN.replace("customer_id: {column: who}", "voice_time: {column: who}")
    data = load(
        tmp_path,
        "a,2020-01-01,p,x,1,open,2020-01-01T05:00",
        ",2020-01-01,p,x,1,open,2020-01-01T06:00",
        "a,2020-01-01,p,x,1,open,soon",
        "a,2020-01-01,p,x,much,open,2020-01-01T07:00",
        "a,2020-01-01,p,x,1,open,",
        "b,2020-01-02,p,x,4,open,2020-01-01T07:00",
        "b,2020-01-02,p,x,5,open,2020-01-02T07:00",
        spec=spec,
    )
    assert [(bad.row, bad.field) for bad in data.bad_rows] == [
        (2, "events.case"),
        (2, "grumble_id"),
        (3, "events.time"),
        (4, "effort"),
        (5, "events.time"),
        (6, "events.time"),
    ]
    assert "before voice_time" in data.bad_rows[-1].reason
    first = data.frame[data.frame["_snapshot"] == 1]
    assert first["_raw"].tolist() == [0, 6]
    # Voiced earlier, but nothing was known before the first event.
    assert first["voice_time_us"].tolist() == [us("2020-01-01"), us("2020-01-02")]
    assert first["observe_time_us"].tolist() == [us("2020-01-01T05:00"), us("2020-01-02T07:00")]


def test_a_log_without_one_good_event_is_an_empty_frame(tmp_path: Path) -> None:
    data = load(tmp_path, "a,1,p,x,1,open,never")
    assert len(data.frame) == 0
    assert len(data.bad_rows) == 1
    assert {"_group", "_known_us", "_weight", "_snapshot", "_raw", "label"} <= set(data.frame)


def test_at_opening_only(tmp_path: Path) -> None:
    spec = "\n".join(line for line in MAIN.splitlines() if not line.startswith("snapshots"))
    data = load(
        tmp_path,
        "a,1,p,x,1,open,2020-01-01T00:00",
        "a,1,p,y,2,angry,2020-01-01T20:00",
        "b,1,p,x,1,open,2020-01-01T00:00",
        "b,1,p,y,2,open,2020-01-05T20:00",
        spec=spec,
    )
    assert data.frame["attr_team"].tolist() == ["x", "x"]
    assert data.frame["label"].tolist() == [1, 0]
    assert data.frame["_weight"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("case: id", "case: key", "no column 'key'.*events.case"),
        ("time: {column: at}", "time: {column: when}", "no column 'when'.*events.time"),
        ("{changes: team}", "{changes: crew}", "no column 'crew'.*events"),
        ("horizon_days: 1", "horizon_days: 0", None),
        ("closed: {column: state, values: [done]}", "", None),
    ],
)
def test_what_the_log_has_not_is_named(
    tmp_path: Path, old: str, new: str, says: str | None
) -> None:
    spec, row = MAIN.replace(old, new), "a,1,p,x,1,open,2020-01-01T00:00"
    if says is None:  # one of the two suffices
        load(tmp_path, row, spec=spec)
        return
    with pytest.raises(DataError, match=says):
        load(tmp_path, row, spec=spec)


def test_an_outcome_that_waits_for_the_close_needs_one(tmp_path: Path) -> None:
    spec = MAIN.replace("closed: {column: state, values: [done]}", "")
    spec = spec.replace("horizon_days: 1", "horizon_days: 0")
    with pytest.raises(DataError, match=r"closed or closed_time\), or give horizon_days"):
        load(tmp_path, "a,1,p,x,1,open,2020-01-01T00:00", spec=spec)


OWN = """
dataset: own
horizon_days: 10
tables:
  grumbles: {file: grumbles, main: true}
  closings: {file: closings, key: id}
  steps: {file: steps}
  complaints: {file: complaints, customer: who, time: at}
fields:
  grumble_id: {column: id}
  customer_id: {column: who}
  voice_time: {column: voiced}
  resolution_state: {column: state}
attributes:
  score: {column: score, type: number}
  first_seen: {column: since, days_since: true}
events:
  table: steps
  case: id
  time: {column: at}
  closed_time: {column: shut}
  values: {resolution_state: {column: now}, score: {column: score}}
  running: {hours_since_change: {hours_since: all}}
snapshots: {at_changes: true, at_hours: [0, 24, 48]}
history: extended
label: {complaints: {table: complaints}}
"""
TABLES = {
    "grumbles": "id,who,voiced,state,score,since\n"
    "a,1,2020-01-01,unresolved,9,2019-12-30\n"
    "b,1,2020-01-02,unresolved,9,\n"
    "c,2,2020-01-03,unresolved,9,2020-01-01\n",
    "closings": "id,shut\na,2020-01-02T18:00\nb,\n",
    "steps": "id,at,now,score\n"
    "a,2020-01-01,unresolved,1\n"
    "a,2020-01-01T12:00,minor_part,\n"
    "b,2020-01-02T03:00,major_part,5\n"
    "z,2020-01-02T03:00,major_part,5\n",
    "complaints": "who,at\n1,2020-01-03T12:00\n9,2020-02-01\n",
}


def own(tmp_path: Path, **changes: str) -> Dataset:
    (tmp_path / "spec.yaml").write_text(OWN, encoding="utf-8")
    for name, text in {**TABLES, **changes}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return build_dataset(read_raw(read_spec(tmp_path / "spec.yaml"), tmp_path))


def test_a_log_of_its_own(tmp_path: Path) -> None:
    data = own(tmp_path)
    frame = data.frame
    hours = (frame["observe_time_us"] - frame["voice_time_us"]) / 3_600_000_000
    assert list(zip(frame["grumble_id"], hours, strict=True)) == [
        ("a", 0), ("a", 12), ("a", 24),  # at 48 hours it was closed
        ("b", 0), ("b", 3), ("b", 24),   # at 36 the customer had complained
        ("c", 0), ("c", 24), ("c", 48),
    ]  # fmt: skip
    assert frame["resolution_state"].tolist() == [
        "unresolved", "minor_part", "minor_part",
        None, "major_part", "major_part",
        None, None, None,
    ]  # fmt: skip
    np.testing.assert_array_equal(
        frame["attr_score"], [1, np.nan, np.nan, np.nan, 5, 5, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(
        frame["attr_hours_since_change"], [0, 0, 12, np.nan, 0, 21, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(
        frame["attr_first_seen"], [2, 2.5, 3, np.nan, np.nan, np.nan, 2, 3, 4]
    )
    assert frame["attr_open_grumble_count"].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert frame["label"].tolist() == [1, 1, 1, 1, 1, 1, 0, 0, 0]
    assert (frame["_known_us"] - frame["observe_time_us"]).unique().tolist() == [
        10 * 86_400_000_000
    ]


def test_bad_events_of_their_own_table_say_which_table(tmp_path: Path) -> None:
    steps = "id,at,now,score\na,2020-01-01,excellent,1\n,2020-01-01,unresolved,1\na,x,unresolved,\n"
    data = own(tmp_path, steps=steps)
    assert [str(bad) for bad in data.bad_rows] == [
        "steps, row 1: resolution_state: 'excellent' is not among its values",
        "steps, row 2: events.case: '' is missing",
        "steps, row 3: events.time: 'x' is not a time "
        "(ISO 8601, 2014-10-16T09:30:00+08:00 for example)",
    ]
    assert set(data.frame["grumble_id"]) == {"a", "b", "c"}


def test_a_grumble_voiced_after_its_first_event_is_a_bad_row(tmp_path: Path) -> None:
    steps = TABLES["steps"] + "c,2020-01-02T23:00,unresolved,1\n"
    data = own(tmp_path, steps=steps)
    assert [(bad.row, bad.field, bad.table) for bad in data.bad_rows] == [(3, "voice_time", "")]
    assert set(data.frame["grumble_id"]) == {"a", "b"}


LOGGED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(LOGGED, st.integers(-1, 10))
def test_the_last_event_by_a_moment(events: list[tuple[int, int]], until: int) -> None:
    case, time = (np.array([e[i] for e in events], dtype=np.int64) for i in (0, 1))
    spec = DatasetSpec("x", {}, {}, events=EventSpec("id", FieldSpec("at")))
    log = Log(spec, pd.DataFrame(), (case, time, np.arange(len(events))), 5)
    found = log.last(np.arange(5), np.full(5, until))
    for number in range(5):
        mine = [i for i, e in enumerate(events) if e[0] == number and e[1] <= until]
        best = max(mine, key=lambda i: (events[i][1], i), default=-1)
        assert (log.row[found[number]] if found[number] >= 0 else -1) == best


def test_when_grumbles_were_open(tmp_path: Path) -> None:
    rows = (
        "a,1,p,x,1,open,2020-01-01",
        "a,1,p,x,1,done,2020-01-02",
        "a,1,p,x,1,done,2020-01-03",
        "a,1,p,x,1,open,2020-01-04",
        "a,1,p,x,1,open,2020-01-05",
        "b,1,p,x,1,open,2020-01-05",
        "c,1,p,x,1,done,2020-01-06",
        "c,1,p,x,1,open,2020-01-06",
    )
    (tmp_path / "spec.yaml").write_text(MAIN, encoding="utf-8")
    (tmp_path / "log.csv").write_text(HEADER + "\n".join(rows), encoding="utf-8")
    raw = read_raw(read_spec(tmp_path / "spec.yaml"), tmp_path / "log.csv")
    spans = read_cases(raw.spec, raw.tables).spans()
    found = [tuple(map(int, row)) for row in zip(*spans, strict=True)]
    assert found == [
        (0, us("2020-01-01"), us("2020-01-02")),
        (0, us("2020-01-04"), NEVER),
        (1, us("2020-01-05"), NEVER),
        (2, us("2020-01-06"), NEVER),
    ]
