"""Columns of an operator's file become typed core columns; bad rows are listed, never lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from harken_models.dataset import Dataset, load_dataset
from harken_models.errors import DataError
from harken_models.featurebuild import model_columns
from harken_models.specreader import read_spec
from harken_models.timetext import NOT_A_TIME, times_us, utc_offset_hours

SPEC = """\
dataset: x
time_zone: America/New_York
time_format: "%m/%d/%Y"
missing: ["", "N/A"]
fields:
  grumble_id: {column: Id}
  voice_time: {column: Received}
  observe_time: {column: Sent}
  channel: {column: Via, map: {Web: web, Phone: hotline}}
  brand: {column: Brand, map: {G: gotone}, unmapped: missing}
  age_years: {column: Age}
  dissatisfied: {column: Angry, true: [Y], false: [N]}
attributes:
  company: {column: Company, type: category}
  fee: {column: Fee, type: number}
label: {column: Disputed, positive: ["Yes"], blank_is: negative}
exclude: [{column: Response, values: [In progress], because: no outcome yet}]
"""
HEADER = "Id,Received,Sent,Via,Brand,Age,Angry,Company,Fee,Disputed,Response\n"


def load(tmp_path: Path, *rows: str, spec: str = SPEC) -> Dataset:
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "data.csv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return load_dataset(read_spec(tmp_path / "spec.yaml"), tmp_path / "data.csv")


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_values_are_typed_and_missing_stays_missing(tmp_path: Path) -> None:
    frame = load(
        tmp_path,
        "007,10/16/2014,10/17/2014,Web,G,33,Y,Acme,1.5,Yes,Closed",
        "8,10/16/2014,10/16/2014, Phone ,Z,N/A,,N/A,,,In progress",
    ).frame
    assert frame["grumble_id"].tolist() == ["007", "8"]
    assert frame["voice_time_us"].tolist() == [us("2014-10-16T00:00:00-04:00")] * 2
    assert frame["observe_time_us"][0] == us("2014-10-17T00:00:00-04:00")
    assert frame["channel"].tolist() == ["web", "hotline"]
    assert frame["brand"].tolist() == ["gotone", None]
    assert frame["dissatisfied"][0] == 1.0
    assert frame["age_years"][0] == 33
    assert frame[["dissatisfied", "age_years", "attr_fee"]].isna().iloc[1].all()
    assert frame["attr_company"].tolist() == ["Acme", None]
    assert frame["label"].tolist() == [1.0, 0.0]
    assert frame["excluded"].tolist() == [False, True]


def test_bad_rows_are_listed_with_row_field_value_and_reason(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        "1,10/16/2014,10/17/2014,Web,G,33,Y,A,1,,C",
        "2,2014-10-16,10/17/2014,Web,G,33,Y,A,1,,C",
        "3,10/16/2014,10/17/2014,Pigeon,G,-4,maybe,A,inf,,C",
        "4,10/16/2014,10/15/2014,Web,G,33.5,Y,A,1,,C",
        ",10/16/2014,10/16/2014,Web,G,33,Y,A,cheap,,C",
        "6,,10/16/2014,Web,G,33,Y,A,1,,C",
    )
    assert data.frame["grumble_id"].tolist() == ["1"]
    assert [str(bad) for bad in data.bad_rows] == [
        "row 2: voice_time: '2014-10-16' is not a time (%m/%d/%Y)",
        "row 3: age_years: '-4' is not 0–150",
        "row 3: channel: 'Pigeon' is not among its values",
        "row 3: dissatisfied: 'maybe' is neither a word for true nor one for false",
        "row 3: fee: 'inf' is not a finite number",
        "row 4: age_years: '33.5' is not a whole number",
        "row 4: observe_time: '10/15/2014' is before voice_time",
        "row 5: fee: 'cheap' is not a finite number",
        "row 5: grumble_id: '' is missing",
        "row 6: voice_time: '' is missing",
    ]


def test_label_words(tmp_path: Path) -> None:
    row = "{},10/16/2014,10/16/2014,Web,G,3,Y,A,1,{},C"
    rows = [row.format(i, word) for i, word in enumerate(["Yes", "No", "", "Perhaps"])]
    spec = SPEC.replace('["Yes"], blank_is: negative', '["Yes"], negative: ["No"]')
    label = load(tmp_path, *rows, spec=spec).frame["label"].to_numpy()
    np.testing.assert_array_equal(label, [1.0, 0.0, np.nan, np.nan])


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column 'Shop', which .*spec\.yaml maps to fee"):
        load(tmp_path, spec=SPEC.replace("column: Fee", "column: Shop"))


def test_unreadable_files_are_data_errors(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "latin.csv").write_bytes(b"grumble_id,voice_time\n\xff\xfe,1\n")
    for name in ("broken.parquet", "latin.csv", "absent.csv"):
        with pytest.raises(DataError, match=name):
            load_dataset(None, tmp_path / name)


def test_folder_of_tables_is_joined_and_history_computed(tmp_path: Path) -> None:
    spec = """\
dataset: x
horizon_days: 10
fields:
  grumble_id: {column: id}
  customer_id: {column: customer_id}
  voice_time: {column: at}
  brand: {column: brand}
tables:
  g: {file: grumbles, main: true}
  c: {file: customers, key: customer_id}
  complaints: {file: complaints, time: at}
label: {complaints: {table: complaints}}
history: compute
"""
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    days = pd.to_datetime("2014-01-01", utc=True) + pd.to_timedelta([0, 5, 40], unit="D")
    grumbles = pd.DataFrame({"id": ["a", "b", "c"], "customer_id": ["1", "1", "2"], "at": days})
    grumbles.to_parquet(tmp_path / "grumbles.parquet")
    (tmp_path / "customers.csv").write_text("customer_id,brand\n1,gotone\n2,mzone\n")
    (tmp_path / "complaints.csv").write_text("customer_id,at\n1,2014-01-03\n9,2014-02-11\n")
    data = load_dataset(read_spec(tmp_path / "spec.yaml"), tmp_path)
    assert data.frame["brand"].tolist() == ["gotone", "gotone", "mzone"]
    # a is followed by a complaint; b by none within the horizon; c's horizon has not passed.
    np.testing.assert_array_equal(data.frame["label"].to_numpy(), [1.0, 0.0, np.nan])
    assert data.frame["grumble_count_30d"].tolist() == [0, 1, 0]
    assert data.frame["complaint_count_30d"].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2014-10-16T09:30:00", "Asia/Shanghai"),
        ("2014-10-16T09:30:00.123456", "UTC"),
        ("2014-10-16", "America/New_York"),
        ("2014-11-02T01:30:00", "America/New_York"),  # shown twice
        ("2014-03-09T02:30:00", "America/New_York"),  # skipped
        ("2014-10-16T09:30:00+05:30", "UTC"),
        ("2014-10-16T09:30:00Z", "Asia/Shanghai"),
    ],
)
def test_times_are_read_as_python_reads_them(text: str, zone: str) -> None:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    expected = round(moment.timestamp() * 1e6)
    mixed = pd.Series([text, "2000-01-01T00:00:00Z", "2000-01-01", "rubbish"])
    found = times_us(mixed, None, zone)
    assert found[0] == expected
    assert found[3] == NOT_A_TIME


def test_typed_time_columns() -> None:
    naive = pd.Series(pd.to_datetime(["2014-07-01 12:00"]))
    assert times_us(naive, None, "Asia/Shanghai")[0] == us("2014-07-01T12:00:00+08:00")
    aware = naive.dt.tz_localize("America/New_York")
    assert times_us(aware, None, "UTC")[0] == us("2014-07-01T12:00:00-04:00")


def test_standard_offset_has_no_daylight_saving() -> None:
    assert utc_offset_hours("America/New_York") == -5
    assert utc_offset_hours("Australia/Sydney") == 10
    assert utc_offset_hours("Asia/Shanghai") == 8


def test_columns_about_the_rows(tmp_path: Path) -> None:
    row = "{},10/16/2014,10/{}/2014,Web,G,3,Y,A,1,Yes,{}"
    rows = [row.format(1, 16, "C"), row.format(2, 15, "C"), row.format(3, 18, "In progress")]
    frame = load(tmp_path, *rows).frame
    assert frame["_raw"].tolist() == [0, 2]  # the second is observed too early
    assert frame["_group"].tolist() == [0, 2]
    assert frame["_snapshot"].tolist() == [1, 1]
    assert frame["_weight"].tolist() == [1.0, 1.0]
    horizon = 30 * 86_400_000_000
    assert (frame["_known_us"] - frame["observe_time_us"]).tolist() == [horizon, horizon]
    assert not [name for name in model_columns(frame) if name.startswith("_")]


@pytest.mark.parametrize("by", ["voice_time", "observe_time"])
def test_without_a_horizon_the_outcome_is_known_with_the_row(tmp_path: Path, by: str) -> None:
    spec = SPEC + f"horizon_days: 0\nsplit: {{by: {by}}}\n"
    frame = load(tmp_path, "1,10/16/2014,10/18/2014,Web,G,3,Y,A,1,Yes,C", spec=spec).frame
    assert frame["_known_us"].tolist() == frame[f"{by}_us"].tolist()


def test_groups_are_of_the_column_that_the_split_names(tmp_path: Path) -> None:
    row = "{},10/16/2014,10/16/2014,Web,G,3,Y,{},1,Yes,C"
    rows = [row.format(i, company) for i, company in enumerate(["A", "B", "A", "", "N/A", "B"])]
    group = load(tmp_path, *rows, spec=SPEC + "split: {groups: Company}\n").frame["_group"]
    assert group[0] == group[2] != group[1] == group[5]
    assert group.nunique() == 4  # a row without one is a group of its own


def test_data_without_time(tmp_path: Path) -> None:
    spec = """\
dataset: x
time: none
fields: {tenure_months: {column: Months}}
attributes: {plan: {column: Plan, type: category}}
label: {column: Left, positive: ["Yes"], negative: ["No"]}
"""
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "data.csv").write_text("Months,Plan,Left\n3,a,Yes\nx,b,No\n5,b,No\n")
    data = load_dataset(read_spec(tmp_path / "spec.yaml"), tmp_path / "data.csv")
    assert [bad.row for bad in data.bad_rows] == [2]
    assert data.frame["grumble_id"].tolist() == ["1", "3"]
    assert data.frame["tenure_months"].tolist() == [3, 5]
    assert data.frame["label"].tolist() == [1, 0]
    for name in ("voice_time_us", "observe_time_us", "_known_us"):
        assert data.frame[name].tolist() == [0, 0]


def test_days_since_a_time(tmp_path: Path) -> None:
    spec = SPEC.replace("company: {column: Company, type: category}",
                        "bought: {column: Company, days_since: true}")  # fmt: skip
    row = "{},10/16/2014,10/18/2014,Web,G,3,Y,{},1,Yes,C"
    rows = [row.format(i, day) for i, day in enumerate(["10/08/2014", "N/A", "10/20/2014", "A"])]
    data = load(tmp_path, *rows, spec=spec)
    np.testing.assert_array_equal(data.frame["attr_bought"], [10, np.nan, -2])
    assert [str(bad) for bad in data.bad_rows] == ["row 4: bought: 'A' is not a time (%m/%d/%Y)"]
