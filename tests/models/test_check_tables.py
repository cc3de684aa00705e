"""The check of linked tables, of an event log, and of data without time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.check.finding import Report
from harken_models.check.run import check_data
from harken_models.dataset import read_raw
from harken_models.simulator.run import Period, simulate_history
from harken_models.specreader import read_spec

SIMULATED = Path(__file__).parents[2] / "models" / "specs" / "simulated.yaml"

LOG = """
dataset: incidents
time_format: "%d/%m/%Y %H:%M"
missing: ["", "?"]
horizon_days: 0
fields:
  grumble_id: {column: number}
  voice_time: {column: opened_at}
  category: {column: category}
attributes:
  priority: category
  group: category
events:
  case: number
  time: {column: updated_at}
  closed: {column: state, values: [Closed]}
  running:
    change_count: {count: all}
    reopening_count: {returns: {column: state, after: [Resolved], to: [Active]}}
snapshots: {at_changes: true, at_hours: [0, 24, 72]}
label: {reaches: {reopening_count: 1}}
split: {test_fraction: 0.3, by: voice_time}
"""
FORM = "%d/%m/%Y %H:%M"

CUSTOMERS = """
dataset: churn
time: none
missing: ["", " "]
fields: {grumble_id: {column: customerID}, tenure_months: {column: tenure}}
attributes:
  contract: category
  charges: number
  senior: {column: senior, type: flag}
label: {column: Churn, positive: ["Yes"], negative: ["No"]}
split: {test_fraction: 0.25, groups: customerID}
"""


def checked(folder: Path, frame: pd.DataFrame, spec: str) -> Report:
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    frame.to_csv(folder / "data.csv", index=False)
    return check_data(read_raw(read_spec(folder / "spec.yaml"), folder / "data.csv"))


def named(report: Report) -> list[tuple[str, str | None]]:
    return [(one.id, one.column) for one in report.findings if one.counts]


# --- linked tables: the simulator's ---


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate_history(folder, 1000, 7, Period(np.datetime64("2011-01-01", "D"), 6, 90), False)
    return folder


Tables = dict[str, pd.DataFrame]


def with_refund(tables: Tables, spec: str, rng: np.random.Generator) -> str:
    grumbles = tables["grumbles"]
    complaints = tables["complaints"].sort_values("complaint_time")
    left = grumbles.reset_index().sort_values("observe_time")
    on = {"left_on": "observe_time", "right_on": "complaint_time", "by": "customer_id"}
    within = pd.Timedelta(days=30)
    joined = pd.merge_asof(left, complaints, direction="forward", tolerance=within, **on)
    paid = joined.set_index("index")["complaint_time"].notna().sort_index().to_numpy()
    grumbles["refund"] = np.where(paid, rng.normal(60, 9, len(grumbles)), 0.0)
    return spec.replace("label:", "attributes:\n  refund: {column: refund, type: number}\nlabel:")


def with_survey(tables: Tables, spec: str, rng: np.random.Generator) -> str:
    grumbles = tables["grumbles"]
    days = pd.to_timedelta(rng.integers(1, 60, len(grumbles)), unit="D")
    grumbles["surveyed"] = pd.to_datetime(grumbles["observe_time"]) + days
    return spec.replace(
        "label:", "attributes:\n  surveyed: {column: surveyed, type: category}\nlabel:"
    )


def without_last_complaints(tables: Tables, spec: str, _rng: np.random.Generator) -> str:
    complaints = tables["complaints"]
    times = pd.to_datetime(complaints["complaint_time"])
    tables["complaints"] = complaints[times < times.max() - pd.Timedelta(days=75)]
    return spec


def with_copies(tables: Tables, spec: str, rng: np.random.Generator) -> str:
    grumbles = tables["grumbles"]
    scored = grumbles[~grumbles["scored"].isin(["ended_before_review", "history_only"])]
    copies = scored.iloc[rng.choice(len(scored), 60, replace=False)]
    copies = copies.assign(grumble_id=[f"copy{i}" for i in range(60)])
    tables["grumbles"] = pd.concat([grumbles, copies], ignore_index=True)
    return spec


def with_one_brand(tables: Tables, spec: str, _rng: np.random.Generator) -> str:
    tables["customers"]["brand"] = "mzone"
    return spec


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (None, []),
        (with_refund, [("leak-strong", "refund")]),
        (with_survey, [("time-travel", "surveyed")]),
        (without_last_complaints, [("unknown-outcome", None)]),
        (with_copies, [("duplicate-rows", None)]),
        (with_one_brand, [("constant-column", "brand")]),
    ],
)
def test_linked_tables(
    simulated: Path,
    tmp_path: Path,
    plant: Callable[[Tables, str, np.random.Generator], str] | None,
    found: list[tuple[str, str | None]],
) -> None:
    tables = {
        name: pd.read_parquet(simulated / f"{name}.parquet")
        for name in ("grumbles", "customers", "complaints")
    }
    spec = SIMULATED.read_text(encoding="utf-8")
    if plant is not None:
        spec = plant(tables, spec, np.random.default_rng(3))
    for name, frame in tables.items():
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    report = check_data(read_raw(read_spec(tmp_path / "spec.yaml"), tmp_path))
    assert named(report) == found


# --- an event log ---


def log() -> pd.DataFrame:
    """Seven hundred incidents; a fifth is reopened, one in eight is not closed yet."""
    rng = np.random.default_rng(2)
    rows = []
    start = pd.Timestamp("2016-02-01")
    for case in range(700):
        opened = start + pd.Timedelta(minutes=int(case * 300 + rng.integers(0, 250)))
        states = ["New", "Active", "Resolved"]
        if rng.random() < 0.2:
            states += ["Active", "Resolved"]
        if rng.random() < 0.875:
            states.append("Closed")
        time = opened
        priority, group = rng.choice(["1", "2", "3"]), rng.choice(["net", "mail", "desk"])
        for state in states:
            moment = time.strftime(FORM)
            rows.append((f"INC{case}", opened.strftime(FORM), moment, state, priority, group))
            time += pd.Timedelta(minutes=int(rng.integers(30, 3000)))
    names = ["number", "opened_at", "updated_at", "state", "priority", "group"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(category=rng.choice(["a", "b", "c"], len(frame)))


def resolved_in_every_row(frame: pd.DataFrame, spec: str) -> tuple[pd.DataFrame, str]:
    times = pd.to_datetime(frame["updated_at"], format=FORM)
    last = times.groupby(frame["number"]).transform("max")
    frame = frame.assign(resolved_at=last.dt.strftime(FORM))
    return frame, spec.replace("  group: category", "  group: category\n  resolved_at: category")


def code_of_the_closed(frame: pd.DataFrame, spec: str) -> tuple[pd.DataFrame, str]:
    closed = (frame["state"] == "Closed").groupby(frame["number"]).transform("any")
    code = np.where(closed, "code " + frame["priority"], "?")
    spec = spec.replace("  group: category", "  group: category\n  closed_code: category")
    return frame.assign(closed_code=code), spec


def opened_late(frame: pd.DataFrame, spec: str) -> tuple[pd.DataFrame, str]:
    late = frame["number"].isin([f"INC{i}" for i in range(0, 700, 50)])
    times = pd.to_datetime(frame["opened_at"], format=FORM) + pd.Timedelta(hours=1)
    opened = frame["opened_at"].where(~late, times.dt.strftime(FORM))
    return frame.assign(opened_at=opened), spec


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (None, []),
        (resolved_in_every_row, [("leak-later", "resolved_at")]),
        (code_of_the_closed, [("leak-later", "closed_code")]),
        (opened_late, [("impossible-order", "updated_at")]),
    ],
)
def test_an_event_log(
    tmp_path: Path,
    plant: Callable[[pd.DataFrame, str], tuple[pd.DataFrame, str]] | None,
    found: list[tuple[str, str | None]],
) -> None:
    frame, spec = log(), LOG
    if plant is not None:
        frame, spec = plant(frame, spec)
    report = checked(tmp_path, frame, spec)
    assert named(report) == found
    assert report.summary.main == len(frame)
    assert report.summary.rows > report.summary.grumbles


def test_the_shipped_log_has_no_finding() -> None:
    data = Path(__file__).parents[3] / "shared" / "data" / "bpi2013_closed_problems.csv"
    if not data.is_file():
        pytest.skip("the real log is not here")
    report = check_data(read_raw(read_spec(SIMULATED.with_name("bpi2013.yaml")), data))
    assert named(report) == []


# --- customers without time ---


def customers(rows: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    tenure, month = rng.integers(0, 72, rows), rng.random(rows) < 0.5
    churn = rng.random(rows) < 1 / (1 + np.exp(1.2 + 0.02 * tenure - 0.9 * month))
    return pd.DataFrame(
        {
            "customerID": [f"c{i}" for i in range(rows)],
            "tenure": tenure,
            "contract": np.where(month, "month", "year"),
            "charges": [f"{value:.2f}" for value in rng.gamma(4, 18, rows)],
            "senior": rng.choice(["0", "1"], rows, p=[0.8, 0.2]),
            "Churn": np.where(churn, "Yes", "No"),
        }
    )


def test_customers_without_time(tmp_path: Path) -> None:
    report = checked(tmp_path, customers(), CUSTOMERS)
    assert named(report) == []
    assert report.summary.span is None
    assert report.summary.weeks == ()


def test_copies_among_customers(tmp_path: Path) -> None:
    frame = customers()
    copies = frame.iloc[:60].assign(customerID=[f"d{i}" for i in range(60)])
    report = checked(tmp_path, pd.concat([frame, copies]), CUSTOMERS)
    assert named(report) == [("duplicate-rows", None)]


def test_few_coarse_columns_make_no_copies(tmp_path: Path) -> None:
    spec = CUSTOMERS.replace("  charges: number\n", "").replace(
        ", tenure_months: {column: tenure}", ""
    )
    frame = customers().drop(columns=["charges", "tenure"])
    assert named(checked(tmp_path, frame, spec)) == []


def test_a_leak_among_customers(tmp_path: Path) -> None:
    frame = customers()
    gone = (frame["Churn"] == "Yes").astype(int) * 3 + np.arange(len(frame)) % 2
    spec = CUSTOMERS.replace("  charges: number", "  charges: number\n  calls: number")
    assert named(checked(tmp_path, frame.assign(calls=gone), spec)) == [("leak-strong", "calls")]


def test_one_class_and_thirty_rows(tmp_path: Path) -> None:
    frame = customers()
    one = checked(tmp_path, frame.assign(Churn="No"), CUSTOMERS)
    assert named(one) == [("label-one-class", "Churn")]
    few = checked(tmp_path, frame.iloc[:30], CUSTOMERS)
    assert ("few-rows", None) in named(few)


def test_without_a_label_the_rest_is_checked(tmp_path: Path) -> None:
    spec = CUSTOMERS.replace('label: {column: Churn, positive: ["Yes"], negative: ["No"]}\n', "")
    report = checked(tmp_path, customers().assign(contract="year"), spec)
    assert named(report) == [("constant-column", "contract")]
    assert [one.id for one in report.findings if not one.counts] == ["no-label"]


def test_customers_still_under_way_are_not_negative(tmp_path: Path) -> None:
    frame = customers()
    under_way = (frame["Churn"] == "No") & (np.arange(len(frame)) % 4 == 0)
    frame["contract"] = frame["contract"].mask(under_way, "pending")
    assert named(checked(tmp_path, frame, CUSTOMERS)) == [("unknown-outcome", "contract")]
