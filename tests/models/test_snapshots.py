"""Snapshots look backwards only: what they are, what they hold and what they weigh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.dataset import Dataset, Raw, build_dataset, load_dataset
from harken_models.errors import DataError
from harken_models.featurebuild import model_columns
from harken_models.prepare import flat_frame
from harken_models.simulator import Period, simulate_tables
from harken_models.snapshots import Moments, ordinal, thinned, weights
from harken_models.spec import (
    AttributeField,
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
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
HOUR_US = 3_600_000_000
START = pd.Timestamp("2020-01-01", tz="UTC")

SPEC = DatasetSpec(
    dataset="made up",
    title={},
    fields={
        "grumble_id": FieldSpec("id"),
        "customer_id": FieldSpec("who"),
        "point": FieldSpec("about"),
    },
    attributes={"team": AttributeField(FieldSpec("team"), "category")},
    label=EventLabel(reaches=("handover_count", 2)),
    tables={
        "log": TableSpec("log", main=True),
        "complaints": TableSpec("complaints", customer="who", time="at"),
    },
    history="extended",
    horizon_days=2,
    events=EventSpec(
        case="id",
        time=FieldSpec("at"),
        closed=Condition("state", ("done",)),
        running={
            "handover_count": Running("changes", "team"),
            "reopening_count": Running("returns", "state", ("open",), ("done",)),
            "people_count": Running("distinct", "team"),
            "hours_since_change": Running("hours_since"),
        },
    ),
    snapshots=SnapshotSpec(at_hours=(0.0, 5.0, 30.0)),
)
QUICK = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""Building a dataset takes milliseconds: a failure is not worth minutes of making it smaller."""
EVENT = st.tuples(
    st.integers(0, 4),  # grumble; customer a has the even ones
    st.integers(0, 80),  # hour
    st.sampled_from(["open", "wait", "done"]),
    st.sampled_from(["x", "y", "z", ""]),
)
COMPLAINT = st.tuples(st.integers(0, 1), st.integers(0, 90))


def made_up(
    events: list[tuple[int, int, str, str]], complaints: list[tuple[int, int]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    log = pd.DataFrame(
        {
            "id": [f"g{e[0]}" for e in events],
            "who": ["c" if e[0] == 9 else "ab"[e[0] % 2] for e in events],
            "about": ["pq"[e[0] // 2 % 2] for e in events],
            "at": [START + pd.Timedelta(hours=e[1]) for e in events],
            "state": [e[2] for e in events],
            "team": [e[3] for e in events],
        }
    )
    other = pd.DataFrame(
        {
            "who": ["ab"[c[0]] for c in complaints],
            "at": [START + pd.Timedelta(hours=c[1]) for c in complaints],
        }
    )
    return log, other


def built(log: pd.DataFrame, complaints: pd.DataFrame, spec: DatasetSpec = SPEC) -> Dataset:
    return build_dataset(Raw(spec, Tables(log, {"complaints": complaints})))


def keyed(data: Dataset, until_us: int) -> dict[tuple[str, int], dict[str, object]]:
    """What a model sees of each moment up to a time, and the moment's number."""
    frame = data.frame.assign(nth=data.frame["_snapshot"])
    columns = pd.DataFrame(model_columns(frame), dtype=object)
    columns = columns.where(columns.notna(), None)
    found = {}
    for name, row in zip(frame["grumble_id"], columns.to_dict("records"), strict=True):
        if row["observe_time_us"] <= until_us and name != "g9":
            found[name, row["observe_time_us"]] = row
    return found


@pytest.mark.parametrize("label", [SPEC.label, ComplaintsLabel("complaints")])
@settings(QUICK, max_examples=25)
@given(
    events=st.lists(EVENT, min_size=1, max_size=25),
    complaints=st.lists(COMPLAINT, max_size=4),
    cut=st.integers(0, 80),
)
def test_the_future_changes_no_snapshot(
    label: EventLabel | ComplaintsLabel,
    events: list[tuple[int, int, str, str]],
    complaints: list[tuple[int, int]],
    cut: int,
) -> None:
    """What is written after a moment leaves all snapshots up to it as they were."""
    spec = replace(SPEC, label=label)
    whole = built(*made_up(events, complaints), spec)
    early = [e for e in events if e[1] <= cut]
    # Somebody else's event, so that the data ends at the cut in any case.
    early.append((9, cut, "open", "x"))
    short = built(*made_up(early, [c for c in complaints if c[1] <= cut]), spec)
    until_us = min(int(START.value // 1000) + cut * HOUR_US, whole.end_us)
    assert keyed(short, until_us) == keyed(whole, until_us)


@settings(QUICK, max_examples=25)
@given(st.lists(EVENT, min_size=1, max_size=25), st.lists(COMPLAINT, max_size=4))
def test_snapshots_are_of_open_grumbles_not_yet_complained_about(
    events: list[tuple[int, int, str, str]], complaints: list[tuple[int, int]]
) -> None:
    data = built(*made_up(events, complaints))
    frame = data.frame
    assert (frame["observe_time_us"] <= data.end_us).all()
    start = int(START.value // 1000)
    for row in frame.itertuples():
        number = int(row.grumble_id[1:])
        hour = (row.observe_time_us - start) / HOUR_US
        mine = [(e[1], i, e[2]) for i, e in enumerate(events) if e[0] == number and e[1] <= hour]
        assert max(mine)[2] != "done"
        voiced = min(mine)[0]
        assert row.voice_time_us == start + voiced * HOUR_US
        assert not [c for c in complaints if c[0] == number % 2 and voiced <= c[1] <= hour]
        assert row.attr_handover_count < 2  # nothing is left to predict
    assert (frame["_snapshot"] == frame.groupby("_group").cumcount() + 1).all()
    assert not frame.duplicated(["grumble_id", "observe_time_us"]).any()
    known = frame["label"].notna()
    if known.any():
        assert frame["_weight"][known].mean() == pytest.approx(1)
    product = frame["_weight"] * frame["_snapshot"]
    assert product.empty or product.max() == pytest.approx(product.min())


AGES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 60), st.booleans()), min_size=1, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(AGES, st.sampled_from([1.0, 1.2, 2.0]))
def test_thinning_goes_forwards(ages: list[tuple[int, int, bool]], spacing: float) -> None:
    ages = sorted(ages)
    grumble, tenths, chosen = (np.array(column) for column in zip(*ages, strict=True))
    found = Moments(grumble, tenths.astype(np.int64) * HOUR_US // 10, chosen.astype(bool))
    keep = thinned(found, np.zeros(4, dtype=np.int64), spacing)
    latest: dict[int, float] = {}
    for i, who in enumerate(grumble):
        age = int(found.time_us[i]) / HOUR_US
        wanted = bool(chosen[i]) or who not in latest or age >= spacing * latest[who] + 0.1
        assert keep[i] == wanted
        if wanted:
            latest[who] = age


def test_weights_of_snapshots() -> None:
    nth = ordinal(np.array([3, 3, 3, 5, 7, 7]))
    assert nth.tolist() == [1, 2, 3, 1, 1, 2]
    every = np.ones(6, dtype=bool)
    plain = weights(nth, every, None)
    np.testing.assert_allclose(plain / plain[0], [1, 1 / 2, 1 / 3, 1, 1, 1 / 2])
    assert plain.mean() == pytest.approx(1)
    some = np.array([True, False, False, True, False, False])
    assert weights(nth, some, None)[some].mean() == pytest.approx(1)
    ones = np.ones(4, dtype=np.int64)
    assert (weights(ones, ones > 0, None) == 1.0).all()  # to the bit: as without weights
    assert len(weights(ones[:0], ones[:0] > 0, None)) == 0


def test_without_a_log_there_are_no_snapshots() -> None:
    log, complaints = made_up([(0, 0, "open", "x")], [])
    with pytest.raises(DataError, match="snapshots needs events"):
        built(log, complaints, replace(SPEC, events=None))
    with pytest.raises(DataError, match="label needs events"):
        built(log, complaints, replace(SPEC, events=None, snapshots=None))


def test_prepared_snapshots_are_rows(tmp_path: Path) -> None:
    events = [(n % 5, n, "open", "xyz"[n % 3]) for n in range(40)]
    data = built(*made_up(events, [(0, 70)]))
    flat = flat_frame(data)
    assert len(flat) == len(data.frame)
    assert not [name for name in flat if str(name).startswith("_")]
    path = tmp_path / "flat.parquet"
    flat.to_parquet(path, index=False)
    back = load_dataset(None, path)
    for name in ("grumble_id", "observe_time_us", "attr_handover_count", "grumble_count_30d"):
        assert back.frame[name].tolist() == data.frame[name].tolist()
    hours = back.frame["attr_hours_since_change"].to_numpy()
    np.testing.assert_array_equal(hours, data.frame["attr_hours_since_change"].to_numpy())


def test_the_real_log_gives_what_was_counted_in_it(real_data: Path | None) -> None:
    if real_data is None:
        pytest.skip("no real data beside this checkout")
    spec = read_spec(ROOT / "models" / "specs" / "bpi2013.yaml")
    data = load_dataset(spec, real_data / "bpi2013_closed_problems.csv")
    opening = data.frame[data.frame["_snapshot"] == 1]
    assert data.bad_rows == ()
    assert len(opening) == 1486  # of 1,487 cases one is closed by its first event
    assert opening["label"].sum() == 314
    assert data.frame["label"].notna().all()  # every case is closed
    per_case = data.frame.groupby("_group")["_weight"].sum()
    assert per_case.max() / per_case.min() < 1 + np.log(data.frame["_snapshot"].max())


def test_simulated_grumbles_in_flight() -> None:
    spec = read_spec(ROOT / "models" / "specs" / "simulated_in_flight.yaml")
    tables = {n: t.to_pandas() for n, t in simulate_tables(300, 5, Period(months=2)).tables.items()}
    main = tables["grumbles"].merge(tables["customers"], on="customer_id")
    main = main.merge(tables["closures"], on="grumble_id", how="left")
    others = {"changes": tables["status_changes"], "complaints": tables["complaints"]}
    frame = build_dataset(Raw(spec, Tables(main, others))).frame
    hours = (frame["observe_time_us"] - frame["voice_time_us"]) / HOUR_US
    truth = tables["truth_in_flight"].merge(tables["grumbles"], on="grumble_id")
    age = (truth["observe_time_x"] - truth["voice_time"]) / pd.Timedelta(hours=1)
    end = tables["truth"].set_index("grumble_id")["end_time"]
    for wanted in spec.snapshots.at_hours if spec.snapshots is not None else ():
        now = frame[np.isclose(hours, wanted) & ~frame["excluded"]]
        told = set(truth["grumble_id"][np.isclose(age, wanted)])
        # Every snapshot at a chosen age has its truth. The truth knows of some more: their
        # customers have complained about something else.
        assert set(now["grumble_id"]) <= told
        assert len(now) > 0.9 * len(told) > 0
    ended = end.reindex(frame["grumble_id"]).dt.as_unit("us").astype("int64").to_numpy()
    assert (frame["observe_time_us"].to_numpy() < np.where(ended < 0, 2**62, ended)).all()
    assert frame["resolution_state"].notna().all()
    assert frame["attr_open_grumble_count"].max() > 0
    assert frame["_snapshot"].max() > 5


INCIDENTS = """\
number,incident_state,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_at,\
sys_updated_at,contact_type,location,category,subcategory,u_symptom,impact,urgency,priority,\
assignment_group,knowledge,resolved_at,closed_at
INC1,New,0,0,0,true,Caller 1,29/2/2016 01:16,29/2/2016 01:23,Phone,L1,C1,S1,?,2,2,3,G1,true,3/3/2016 11:29,5/3/2016 12:00
INC1,Active,1,0,3,true,Caller 1,29/2/2016 01:16,29/2/2016 08:53,Phone,L1,C1,S1,?,2,2,3,G2,true,3/3/2016 11:29,5/3/2016 12:00
INC1,Active,1,0,4,false,Caller 1,29/2/2016 01:16,1/3/2016 11:29,Phone,L1,C1,S1,?,2,2,3,G2,true,3/3/2016 11:29,5/3/2016 12:00
INC1,Closed,1,0,5,false,Caller 1,29/2/2016 01:16,5/3/2016 12:00,Phone,L1,C1,S1,?,2,2,3,G2,true,3/3/2016 11:29,5/3/2016 12:00
INC2,New,0,0,0,true,Caller 1,29/2/2016 04:40,29/2/2016 04:57,IVR,L1,C2,S1,X,2,2,3,?,false,1/3/2016 09:52,6/3/2016 10:00
INC2,Resolved,0,0,1,true,Caller 1,29/2/2016 04:40,1/3/2016 09:52,IVR,L1,C2,S1,X,2,2,3,?,false,1/3/2016 09:52,6/3/2016 10:00
INC3,New,0,0,0,true,?,1/3/2016 04:40,1/3/2016 04:57,Email,L1,C2,S1,X,2,2,3,?,false,?,?
"""  # fmt: skip  # noqa: E501


def test_an_incident_log_as_it_is_exported(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(INCIDENTS, encoding="utf-8")
    spec = read_spec(ROOT / "models" / "specs" / "incidents.yaml")
    data = load_dataset(spec, tmp_path / "log.csv")
    frame = data.frame
    assert data.bad_rows == ()
    assert [(n, h) for n, h in zip(frame["grumble_id"], frame["_snapshot"], strict=True)] == [
        ("INC1", 1), ("INC1", 2), ("INC1", 3), ("INC1", 4),
        ("INC2", 1), ("INC2", 2), ("INC2", 3),
        ("INC3", 1), ("INC3", 2), ("INC3", 3), ("INC3", 4),
    ]  # fmt: skip
    np.testing.assert_array_equal(
        frame["label"], [1, 1, 1, 1, 0, 0, 0, np.nan, np.nan, np.nan, np.nan]
    )
    assert frame["attr_handover_count"].tolist()[:4] == [0, 0, 1, 1]
    assert frame["attr_change_count"].tolist()[:4] == [0, 0, 3, 3]
    assert frame["channel"].tolist()[::4] == ["hotline", "other", "email"]
    assert frame["grumble_count_30d"].tolist()[:7] == [0, 1, 1, 1, 1, 1, 1]
    assert frame["grumble_count_30d"].isna().tolist()[7:] == [True] * 4
