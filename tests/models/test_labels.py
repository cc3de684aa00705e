"""Outcomes against a brute-force reading of their definitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.dataset import Raw, build_dataset
from harken_models.errors import DataError
from harken_models.history import US_PER_DAY
from harken_models.labels import Complained, complaint_outcome
from harken_models.spec import (
    AttributeField,
    ColumnLabel,
    ComplaintsLabel,
    Condition,
    DatasetSpec,
    EventLabel,
    EventSpec,
    FieldSpec,
    Running,
    SnapshotSpec,
    TableSpec,
)
from harken_models.specreader import read_spec
from harken_models.tables import Tables
from harken_models.timetext import NOT_A_TIME
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

HOUR_US = 3_600_000_000
START = pd.Timestamp("2020-01-01", tz="UTC")
START_US = int(START.value // 1000)
QUICK = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])

GRUMBLE = st.tuples(
    st.sampled_from("ab"), st.integers(0, 20), st.integers(0, 5), st.sampled_from(["p", "q", None])
)
COMPLAINT = st.tuples(st.sampled_from("ab"), st.integers(0, 25), st.sampled_from(["p", "q", None]))
Grumbles = list[tuple[str, int, int, str | None]]
Complaints = list[tuple[str, int, str | None]]


def frames(grumbles: Grumbles, complaints: Complaints) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series([g[0] for g in grumbles], dtype=object),
            "voice_time_us": np.array([g[1] * US_PER_DAY for g in grumbles], dtype=np.int64),
            "observe_time_us": np.array([(g[1] + g[2]) * US_PER_DAY for g in grumbles], np.int64),
            "category": pd.Series([g[3] for g in grumbles], dtype=object),
        }
    )
    other = pd.DataFrame(
        {
            "customer_id": pd.Series([c[0] for c in complaints], dtype=object),
            "complaint_time_us": np.array([c[1] * US_PER_DAY for c in complaints], dtype=np.int64),
            "category": pd.Series([c[2] for c in complaints], dtype=object),
        }
    )
    return frame, other


def nearest(
    grumbles: Grumbles, complaint: tuple[str, int, str | None], days: int, same: bool
) -> int:
    """The grumble that a complaint is put down to."""
    who, day, category = complaint
    mine = []
    for i, (customer, voiced, _, about) in enumerate(grumbles):
        alike = category is not None and about == category
        if customer == who and voiced <= day and (not same or alike or None in (about, category)):
            mine.append((alike and day - voiced <= days, voiced, same and alike, i))
    return max(mine, default=(-1,))[-1]


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("credit", ["all", "nearest", "shared"])
@settings(QUICK, max_examples=60)
@given(
    grumbles=st.lists(GRUMBLE, min_size=1, max_size=12),
    complaints=st.lists(COMPLAINT, max_size=6),
    days=st.integers(1, 10),
)
def test_whose_complaint_it_is(
    same: bool, credit: str, grumbles: Grumbles, complaints: Complaints, days: int
) -> None:
    frame, other = frames(grumbles, complaints)
    label = ComplaintsLabel("c", same_category=same, credit=credit)  # type: ignore[arg-type]
    complained = Complained(frame, other, label, days * US_PER_DAY)
    observe = frame["observe_time_us"].to_numpy()
    rows = np.arange(len(frame))
    end = 25 * US_PER_DAY
    found = complaint_outcome(complained, credit, rows, observe, days * US_PER_DAY, end)
    blamed = [nearest(grumbles, c, days, same) for c in complaints]

    def of(i: int) -> list[int]:
        who, _, _, category = grumbles[i]
        return [
            complaint[1]
            for complaint, owner in zip(complaints, blamed, strict=True)
            if complaint[0] == who
            and (credit != "nearest" or owner == i)
            and (not same or None in (category, complaint[2]) or category == complaint[2])
        ]

    cause: dict[int, int] = {}
    for i, (_, voiced, after, _) in enumerate(grumbles):
        moment = voiced + after
        later = [day for day in of(i) if moment < day <= moment + days]
        already = [day for day in of(i) if voiced <= day <= moment]
        unknown = bool(already) or moment + days > 25
        expected = np.nan if unknown else float(bool(later))
        np.testing.assert_equal(found.label[i], expected)
        assert found.known_us[i] == (moment + days) * US_PER_DAY
        if expected == 1.0:
            cause[i] = min(later)
    if credit != "shared":
        assert found.share is None
        return
    assert found.share is not None
    for i in rows:
        together = [k for k, day in cause.items() if day == cause.get(i)
                    and grumbles[k][0] == grumbles[i][0]]  # fmt: skip
        assert found.share[i] == (1 / len(together) if i in cause else 1)


def test_a_complaint_is_shared_by_grumbles_not_by_their_snapshots() -> None:
    frame, other = frames([("a", 0, 0, None), ("a", 2, 0, None)], [("a", 5, None)])
    complained = Complained(frame, other, ComplaintsLabel("c", credit="shared"), 30 * US_PER_DAY)
    grumble = np.array([0, 0, 0, 1])
    moments = np.array([0, 1, 3, 2]) * US_PER_DAY
    found = complaint_outcome(
        complained, "shared", grumble, moments, 30 * US_PER_DAY, 99 * US_PER_DAY
    )
    assert found.share is not None
    assert found.share.tolist() == [0.5] * 4


SPEC = DatasetSpec(
    dataset="made up",
    title={},
    fields={"grumble_id": FieldSpec("id")},
    attributes={"team": AttributeField(FieldSpec("team"), "category"),
                "effort": AttributeField(FieldSpec("effort"), "number")},
    events=EventSpec(
        case="id",
        time=FieldSpec("at"),
        closed=Condition("state", ("done",)),
        running={"handover_count": Running("changes", "team"),
                 "idle_hours": Running("hours_since")},
    ),
    snapshots=SnapshotSpec(at_hours=(0.0, 6.0), spacing=1.0),
    horizon_days=0,
)  # fmt: skip
EVENT = st.tuples(
    st.integers(0, 2), st.integers(0, 40), st.sampled_from(["open", "angry", "done"]),
    st.sampled_from("xy"),
)  # fmt: skip
Events = list[tuple[int, int, str, str]]


def built(events: Events, spec: DatasetSpec) -> pd.DataFrame:
    log = pd.DataFrame(
        {
            "id": [f"g{e[0]}" for e in events],
            "at": [START + pd.Timedelta(hours=e[1]) for e in events],
            "state": [e[2] for e in events],
            "team": [e[3] for e in events],
            "effort": [float(e[1] % 7) for e in events],
        }
    )
    return build_dataset(Raw(spec, Tables(log, {}))).frame


def happened(events: Events, label: EventLabel) -> list[int]:
    """The hours at which it happens to a grumble with these events."""
    hours, changes = [], 0
    for i, (_, hour, state, team) in enumerate(events):
        changes += i > 0 and events[i - 1][3] != team
        if label.event is not None:
            hit = state in label.event.values
        else:
            assert label.reaches is not None
            value = changes if label.reaches[0] == "handover_count" else hour % 7
            hit = value >= label.reaches[1]
        if hit:
            hours.append(hour)
    return hours


@pytest.mark.parametrize("horizon_days", [0, 0.5])
@pytest.mark.parametrize(
    "label",
    [
        EventLabel(event=Condition("state", ("angry",))),
        EventLabel(reaches=("handover_count", 2)),
        EventLabel(reaches=("effort", 5)),
    ],
)
@settings(QUICK, max_examples=25)
@given(events=st.lists(EVENT, min_size=1, max_size=18))
def test_what_comes_later(label: EventLabel, horizon_days: float, events: Events) -> None:
    frame = built(events, replace(SPEC, label=label, horizon_days=horizon_days))
    end = max(e[1] for e in events)
    for row in frame.itertuples():
        number = int(row.grumble_id[1:])
        mine = sorted((e for e in events if e[0] == number), key=lambda e: e[1])
        hits = happened(mine, label)
        now = (row.observe_time_us - START_US) / HOUR_US
        assert not [hour for hour in hits if hour <= now]
        if horizon_days:
            known, until = now + 12, now + 12
        else:
            known = mine[-1][1] if mine[-1][2] == "done" else np.inf
            until = np.inf
        if known > end:
            assert np.isnan(row.label)
        else:
            assert row.label == bool([hour for hour in hits if hour <= until])
        frame_known = frame["_known_us"][row.Index]
        assert frame_known == (NOT_A_TIME if known == np.inf else START_US + round(known * HOUR_US))


@settings(QUICK, max_examples=25)
@given(events=st.lists(EVENT, min_size=1, max_size=18))
def test_still_open_at_an_age(events: Events) -> None:
    frame = built(events, replace(SPEC, label=EventLabel(open_hours=10)))
    end = max(e[1] for e in events)
    for row in frame.itertuples():
        number = int(row.grumble_id[1:])
        mine = sorted((e for e in events if e[0] == number), key=lambda e: e[1])
        due = mine[0][1] + 10
        assert (row.observe_time_us - START_US) / HOUR_US < due
        then = [state for _, hour, state, _ in mine if hour <= due]
        np.testing.assert_equal(row.label, float(then[-1] != "done") if due <= end else np.nan)


def test_the_value_at_the_close() -> None:
    events = [
        (0, 0, "open", "x"), (0, 5, "open", "y"), (0, 9, "done", "y"),
        (1, 0, "open", "x"), (1, 8, "done", "x"),
        (2, 0, "open", "x"), (2, 8, "angry", "y"),
    ]  # fmt: skip
    label = ColumnLabel("team", ("y",), at="close")
    frame = built(events, replace(SPEC, label=label, snapshots=None))
    np.testing.assert_array_equal(frame["label"], [1, 0, np.nan])
    hours = (frame["_known_us"].where(frame["label"].notna()) - START_US) / HOUR_US
    np.testing.assert_array_equal(hours, [9, 8, np.nan])
    # As a value of the row itself it is what stands there now.
    now = built(events, replace(SPEC, label=replace(label, at="row"), snapshots=None))
    assert now["label"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["idle_hours", "patience"])
def test_only_a_count_or_number_of_the_log_can_be_reached(name: str) -> None:
    with pytest.raises(DataError, match=rf"label\.reaches: {name} is no"):
        built([(0, 0, "open", "x")], replace(SPEC, label=EventLabel(reaches=(name, 2))))


CATEGORIES = """
dataset: categories
horizon_days: 30
fields:
  grumble_id: {column: id}
  customer_id: {column: who}
  voice_time: {column: at}
  category: {column: about, map: {Bill: charges, Net: basic_comms}}
tables:
  grumbles: {file: grumbles, main: true}
  complaints: {file: complaints, customer: who, time: at}
label: {complaints: {table: complaints, same_category: true, category: kind}}
"""


def test_a_complaints_category_is_in_the_words_of_the_grumbles(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(CATEGORIES, encoding="utf-8")
    spec = read_spec(tmp_path / "spec.yaml")
    days = [START + pd.Timedelta(days=n) for n in (0, 1, 60)]
    main = pd.DataFrame({"id": list("abc"), "who": list("112"), "at": days,
                         "about": ["Bill", "Net", "Net"]})  # fmt: skip
    complaints = pd.DataFrame({"who": ["1", "9"], "at": [days[1] + pd.Timedelta(days=2), days[2]],
                               "kind": ["Bill", None]})  # fmt: skip
    frame = build_dataset(Raw(spec, Tables(main, {"complaints": complaints}))).frame
    np.testing.assert_array_equal(frame["label"], [1, 0, np.nan])
    fields = {name: source for name, source in spec.fields.items() if name != "category"}
    with pytest.raises(DataError, match="same_category needs the field category"):
        build_dataset(Raw(replace(spec, fields=fields), Tables(main, {"complaints": complaints})))
    table = TableSpec("complaints", customer="who", time="when")
    tables = {**spec.tables, "complaints": table}
    with pytest.raises(DataError, match="no column 'when'"):
        build_dataset(Raw(replace(spec, tables=tables), Tables(main, {"complaints": complaints})))
