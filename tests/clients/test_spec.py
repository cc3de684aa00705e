"""Reading specifications and converting rows by them."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from harken_client import InvalidRequest
from harken_client.replay.convert import Converter, spec_for
from harken_client.replay.errors import ReplayError
from harken_client.replay.sources import BadRow
from harken_client.replay.spec import read_spec

SPEC = """
dataset: shop
time_zone: America/New_York
time_format: "%m/%d/%Y %H:%M"
missing: ["", N/A]
fields:
  grumble_id: {column: Ticket}
  voice_time: {column: Opened}
  observe_time: {column: Seen, format: "%Y-%m-%d"}
  channel: {column: Via, map: {Web: web, Phone: hotline}, unmapped: other}
  category: {column: Topic, map: {Bill: charges}, unmapped: missing}
  resolution_state: {column: State}
  age_years: {column: Age}
  monthly_spend_yuan: {column: Spend}
  dissatisfied: {column: Angry, true: ["Yes"], false: ["No"]}
attributes:
  company: {column: Company, type: category}
  visits: {column: Visits, type: number}
  loyal: {column: Loyal, type: flag}
label: {column: Outcome, positive: ["Yes"], blank_is: negative}
exclude: [{column: Company, values: [In progress], because: no outcome yet}]
split: {test_fraction: 0.3}
"""
ROW = {
    "Ticket": "t-1", "Opened": "03/01/2026 08:30", "Seen": "2026-03-02", "Via": "Phone",
    "Topic": "Bill", "State": "unresolved", "Age": "40", "Spend": "88.5", "Angry": "Yes",
    "Company": "Acme", "Visits": "3", "Loyal": "no",
    "Outcome": "Yes",
}  # fmt: skip


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    file = tmp_path / "spec.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return file


@pytest.fixture
def converter(spec_file: Path) -> Converter:
    return Converter(read_spec(spec_file), list(ROW), "en")


def cells(converter: Converter, **changes: Any) -> tuple[Any, ...]:
    return tuple((ROW | changes)[column] for column in converter.columns)


def test_a_row_becomes_a_request(converter: Converter) -> None:
    converted = converter.convert(cells(converter))
    grumble, customer = converted.request.grumble, converted.request.customer
    assert grumble.grumble_id == "t-1"
    assert grumble.voice_time.ToJsonString() == "2026-03-01T13:30:00Z"  # New York, winter
    assert grumble.observe_time.ToJsonString() == "2026-03-02T05:00:00Z"
    assert (grumble.category, grumble.channel, grumble.resolution_state) == ("charges", 1, 1)
    assert grumble.dissatisfied
    assert (customer.age_years, customer.monthly_spend_yuan) == (40, 88.5)
    attributes = converted.request.attributes
    assert attributes["company"].text == "Acme"
    assert attributes["visits"].number == 3
    assert not attributes["loyal"].flag
    assert attributes["loyal"].WhichOneof("kind") == "flag"
    assert converted.label == 1


def test_missing_is_left_out(converter: Converter) -> None:
    blank = dict.fromkeys((*ROW.keys() - {"Ticket", "Opened", "Seen"},), " N/A ")
    request = converter.convert(cells(converter, **blank)).request
    assert not request.customer.ListFields()
    assert not request.attributes
    assert {field.name for field, _ in request.grumble.ListFields()} == {
        "grumble_id",
        "voice_time",
        "observe_time",
    }


def test_spaces_around_a_text_do_not_count(converter: Converter) -> None:
    spaced = cells(converter, **{name: f"  {text} " for name, text in ROW.items()})
    assert converter.convert(spaced) == converter.convert(cells(converter))


def test_texts_outside_a_map_follow_the_specification(converter: Converter) -> None:
    grumble = converter.convert(cells(converter, Via="Pigeon", Topic="Weather")).request.grumble
    assert (grumble.channel, grumble.category) == (14, "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Outcome": "No"}, 0),
        ({"Outcome": ""}, 0),
        ({"Outcome": "Yes", "Company": "In progress"}, None),
    ],
)
def test_labels(converter: Converter, changes: dict[str, str], expected: int | None) -> None:
    assert converter.convert(cells(converter, **changes)).label == expected


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"Opened": "yesterday"}, "grumble.voice_time", "FIELD_INVALID"),
        ({"Seen": ""}, "grumble.observe_time", "FIELD_REQUIRED"),
        ({"Seen": "03/02/2026"}, "grumble.observe_time", "FIELD_INVALID"),
        ({"State": "halfway"}, "grumble.resolution_state", "UNKNOWN_VALUE"),
        ({"Age": "forty"}, "customer.age_years", "FIELD_INVALID"),
        ({"Age": "40.5"}, "customer.age_years", "FIELD_INVALID"),
        ({"Age": "99999999999"}, "customer.age_years", "VALUE_OUT_OF_RANGE"),
        ({"Age": "1_0"}, "customer.age_years", "FIELD_INVALID"),
        ({"Spend": "nan"}, "customer.monthly_spend_yuan", "FIELD_INVALID"),
        ({"Spend": "inf"}, "customer.monthly_spend_yuan", "FIELD_INVALID"),
        ({"Angry": "maybe"}, "grumble.dissatisfied", "FIELD_INVALID"),
        ({"Visits": "many"}, "attributes[visits]", "FIELD_INVALID"),
        ({"Ticket": "\udcff"}, "grumble.grumble_id", "FIELD_INVALID"),
        ({"Company": "\udcff"}, "attributes[company]", "FIELD_INVALID"),
    ],
)
def test_a_wrong_cell_is_named(
    converter: Converter, changes: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        converter.convert(cells(converter, **changes))
    assert caught.value.reason == reason
    assert [violation.field for violation in caught.value.field_violations] == [field]


def test_all_wrong_cells_are_named(converter: Converter) -> None:
    with pytest.raises(InvalidRequest) as caught:
        converter.convert(cells(converter, Age="x", Spend="y", Opened="z"))
    fields = {violation.field for violation in caught.value.field_violations}
    assert fields == {"customer.age_years", "customer.monthly_spend_yuan", "grumble.voice_time"}


def test_typed_cells_say_the_same_as_text(converter: Converter) -> None:
    typed = cells(
        converter, Opened=datetime(2026, 3, 1, 13, 30, tzinfo=UTC), Seen=date(2026, 3, 2),
        Age=40.0, Spend=88.5, Angry=True, Visits=3, Loyal=False,
    )  # fmt: skip
    assert converter.convert(typed) == converter.convert(cells(converter))
    nan = converter.convert(cells(converter, Age=float("nan"), Angry=None, Visits=float("nan")))
    assert not nan.request.customer.HasField("age_years")
    assert "visits" not in {
        name for name, value in nan.request.attributes.items() if value.WhichOneof("kind")
    }


def test_a_local_time_that_the_clock_shows_twice_is_the_earlier(converter: Converter) -> None:
    def utc(text: str) -> str:
        row = cells(converter, Opened=text)
        return converter.convert(row).request.grumble.voice_time.ToJsonString()

    assert utc("11/01/2026 01:30") == "2026-11-01T05:30:00Z"
    assert utc("03/08/2026 02:30") == "2026-03-08T07:30:00Z"


def test_a_row_that_cannot_be_taken_apart(converter: Converter) -> None:
    with pytest.raises(InvalidRequest, match="13 cells"):
        converter.convert(BadRow("the row has 13 cells, the header 14"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("missing:", "mising:", "did you mean 'missing'"),
        ("column: Ticket", "colum: Ticket", "did you mean 'column'"),
        ("age_years:", "age_year:", "did you mean 'age_years'"),
        ("  voice_time: {column: Opened}\n", "", "has no 'voice_time'"),
        ("America/New_York", "Mars/Olympus", "'Mars/Olympus' is not known"),
        ("unmapped: other", "unmapped: any", "not one of reject, other, missing"),
        ("type: category", "type: text", "not one of number, category, flag"),
        ("dataset: shop", "dataset: shop\ndataset: b", "'dataset' is given twice"),
        ("Phone: hotline", "Phone: hotlin", "cannot become 'hotlin'; did you mean 'hotline'"),
        ("{column: State}", "{column: State, unmapped: other}", "cannot become 'other'"),
        ("dataset: shop", "dataset: [", "not YAML"),
        ("fields:", "fields: 7\nignored:", "unknown key 'ignored'"),
    ],
)
def test_a_wrong_specification_says_where(spec_file: Path, old: str, new: str, said: str) -> None:
    assert old in SPEC
    spec_file.write_text(SPEC.replace(old, new), encoding="utf-8")
    with pytest.raises(ReplayError, match=said.replace("[", r"\[")):
        read_spec(spec_file)


def test_a_column_that_is_not_there_is_named(spec_file: Path) -> None:
    columns = ["Tickets", *(name for name in ROW if name != "Ticket")]
    with pytest.raises(ReplayError, match=r"no column 'Ticket'.*did you mean 'Tickets'"):
        Converter(read_spec(spec_file), columns, "en")


def test_outcomes_may_be_unknown_yet(spec_file: Path) -> None:
    columns = [name for name in ROW if name != "Outcome"]
    converter = Converter(read_spec(spec_file), columns, "en")
    assert converter.convert(cells(converter)).label is None


def test_core_names_need_no_specification() -> None:
    columns = ["grumble_id", "voice_time", "age_years", "attr_plan", "attr_visits", "label", "x"]
    converter = Converter(spec_for(None, columns), columns, "zh")
    assert converter.columns == columns[:-1]
    converted = converter.convert(("g", "2026-03-01T08:00:00+08:00", "40", "gold", 3.0, "true"))
    assert converted.request.customer.age_years == 40
    assert converted.request.language_code == "zh"
    assert converted.request.attributes["plan"].text == "gold"
    assert converted.request.attributes["visits"].number == 3
    assert converted.label == 1
    assert converted.request.grumble.observe_time == converted.request.grumble.voice_time
    with pytest.raises(ReplayError, match="--spec must say"):
        spec_for(None, ["Ticket", "Opened"])


def test_a_prepared_file_carries_core_names_and_the_specs_types(spec_file: Path) -> None:
    columns = ["grumble_id", "voice_time", "attr_visits", "attr_loyal", "label"]
    converter = Converter(read_spec(spec_file), columns, "en")
    row = dict(zip(columns, ("g", "2026-03-01T08:00:00Z", "3", "true", "0"), strict=True))
    converted = converter.convert(tuple(row[name] for name in converter.columns))
    assert converted.request.attributes["visits"].number == 3
    assert converted.request.attributes["loyal"].flag
    assert converted.label == 0


def test_csv_header_names_survive_a_byte_order_mark(tmp_path: Path) -> None:
    from harken_client.replay.sources import open_source

    file = tmp_path / "bom.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows([["grumble_id", "voice_time"], ["g", "t"], [], ["h"]])
    source = open_source(file)
    assert source.columns == ("grumble_id", "voice_time")
    assert list(source.rows(["voice_time", "grumble_id"], 0)) == [("t", "g"), ("", "h")]
    assert list(source.rows(["grumble_id"], 1)) == [("h",)]


SHORT = """
dataset: x
fields: {grumble_id: {column: Ticket}, voice_time: {column: Opened}}
attributes: {Age: number}
split: {groups: Company}
"""


def test_an_attribute_may_be_its_type_alone(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SHORT, encoding="utf-8")
    spec = read_spec(path)
    assert spec.attributes["Age"].source.column == "Age"
    row = {"Ticket": "t", "Opened": "2026-03-01", "Age": "7"}
    converter = Converter(spec, list(row), "en")
    request = converter.convert(tuple(row[column] for column in converter.columns)).request
    assert request.attributes["Age"].number == 7


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("events: {case: Ticket, time: {column: At}, running: {moves: {count: all}}}",
         r"uses 'events' \(a log of changes\)"),
        ("format: {encoding: gb18030}", r"uses 'format' \(how files are written\)"),
        ("time: none", r"uses 'time' \(rows without time\)"),
        ('time_format: ["%d/%m/%Y", "%d.%m.%Y"]', "uses several time formats"),
    ],
)  # fmt: skip
def test_what_only_prepared_files_can_be_replayed_with(
    tmp_path: Path, added: str, words: str
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SHORT + added + "\n", encoding="utf-8")
    spec = read_spec(path)
    with pytest.raises(ReplayError, match=words + "; prepare the file first:\n  harken data prep"):
        Converter(spec, ["Ticket", "Opened", "Age"], "en")
    prepared = ["grumble_id", "voice_time", "observe_time", "attr_Age", "attr_moves", "label"]
    fitted = Converter(spec, prepared, "en")
    assert "attr_Age" in fitted.columns
    if added.startswith("events"):  # what was counted is a number, though CSV cells are text
        cells = dict.fromkeys(prepared, "1") | {"voice_time": "2026-03-01T00:00:00Z"}
        cells["observe_time"] = cells["voice_time"]
        request = fitted.convert(tuple(cells[column] for column in fitted.columns)).request
        assert request.attributes["moves"].number == 1
