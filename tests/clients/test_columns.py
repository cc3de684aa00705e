"""Typing by columns says exactly what converting row by row says."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from harken.v1 import scoring_pb2
from harken_client import InvalidRequest
from harken_client.replay.columns import Block, ColumnConverter, counting
from harken_client.replay.convert import Converter, spec_for
from harken_client.replay.outcome import reject_row
from harken_client.replay.sources import BadRow, python_values
from harken_client.replay.spec import read_spec
from harken_client.requests import CORE_FIELDS
from hypothesis import given, settings
from hypothesis import strategies as st

SPEC = """
dataset: shop
time_zone: {zone}
{format}
missing: ["", N/A]
fields:
  grumble_id: {{column: Ticket}}
  customer_id: {{column: Who, map: {{c1: one, c2: two}}, unmapped: missing}}
  voice_time: {{column: Opened}}
  observe_time: {{column: Seen}}
  channel: {{column: Via, map: {{Web: web, Phone: hotline}}, unmapped: other}}
  category: {{column: Topic, map: {{Bill: charges}}, unmapped: missing}}
  service: {{column: Ticket}}
  point: {{column: Detail}}
  resolution_state: {{column: State}}
  age_years: {{column: Age}}
  monthly_spend_yuan: {{column: Spend}}
  dissatisfied: {{column: Angry, true: ["Yes"], false: ["No"]}}
attributes:
  company: {{column: Company, type: category}}
  visits: {{column: Visits, type: number}}
  loyal: {{column: Loyal, type: flag}}
label: {{column: Outcome, positive: ["Yes"], blank_is: negative}}
exclude: [{{column: Company, values: [Undecided], because: no outcome yet}}]
"""
TEXTS = {
    "Ticket": ["t-1", " t-2 ", "", "N/A", "t,3", 'a "b"', "票\u3000", "x\x1f", "\udcff"],
    "Who": ["c1", "c2", "c3", " c1", ""],
    "Opened": ["2026-03-01T08:00:00Z", "2026-03-01T08:00:00.25+08:00", "2026-11-01 01:30",
               "2026-03-08T02:30", "2026-03-08", "20260308", "2026-W10-1", "noon", "", "N/A",
               "0000-01-01", "9999-12-31T23:59:59.999999", "2026-03-01T24:00:00Z",
               "2026-03-01T08:00:00.1234567Z", " 2026-03-01T08:00 ", "2026-03-01T08:00:60Z",
               "2026-03-01T08Z", "2026-03-01 08:00:00 +0800", "2026-03-01T08:00:00.", "1969-12-31",
               "2026-03-01T08:00:00-00:30", "2026-03-01T08:00:00,5Z", "2026-02-30", "10000-01-01"],
    "Via": ["Web", "Phone", "Pigeon", " Web ", "", "N/A"],
    "Topic": ["Bill", "Net", ""],
    "Detail": ["spam", "", "N/A", " p "],
    "State": ["unresolved", "minor_part", "half", ""],
    "Age": ["40", "40.0", "4e1", "40.5", "forty", "", "N/A", " 7 ", "1_0", "-3", "99999999999",
            "2147483647", "2147483648", "-2147483648", "nan", "inf", "٤٠", "+5", "1e400"],
    "Spend": ["88.5", "0", "-0.0", "1e3", "", "0.1", "12345.678901234567", "nan", "-inf", ".5",
              "5.", "1e-320", "0x10", "1,5", "infinity", "1e22", "9007199254740993", "1d5"],
    "Angry": ["Yes", "No", "maybe", "", " Yes"],
    "Company": ["Acme", "Undecided", " Undecided ", "", "N/A"],
    "Visits": ["3", "2.5", "", "-1", "many"],
    "Loyal": ["yes", "0", "perhaps", ""],
    "Outcome": ["Yes", "No", "", "N/A", " Yes"],
}  # fmt: skip
TEXTS["Seen"] = TEXTS["Opened"]
ORDER = list(TEXTS)
PLAIN = st.text(max_size=4)
TEXT_ROWS = st.lists(
    st.tuples(*(st.one_of(st.sampled_from(TEXTS[name]), PLAIN) for name in ORDER)),
    min_size=1, max_size=12,
)  # fmt: skip
GOOD = {name: cells[0] for name, cells in TEXTS.items()}


def converter_of(folder: Path, zone: str, format_: str) -> Converter:
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(zone=zone, format=format_), encoding="utf-8")
    return Converter(read_spec(path), ORDER, "en")


@pytest.fixture(scope="module", params=["UTC", "America/New_York"])
def converter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Converter:
    return converter_of(tmp_path_factory.mktemp("spec"), request.param, "")


def fields_of(request: scoring_pb2.ScoreRequest) -> dict[str, Any]:
    """What a request carries, in the words of a chunk's columns."""
    found: dict[str, Any] = {}
    for name, core in CORE_FIELDS.items():
        part = getattr(request, core.part)
        if not part.DESCRIPTOR.fields_by_name[name].has_presence:
            value = getattr(part, name) or None
            names = {number: code for code, number in core.codes.items()}
            found[name] = names[value] if names and value else value
        elif core.kind == "time":
            stamp = getattr(part, name)
            found[name] = stamp.seconds * 1_000_000 + stamp.nanos // 1000
        else:
            found[name] = getattr(part, name) if part.HasField(name) else None
    for name, value in request.attributes.items():
        kind = value.WhichOneof("kind")
        found[f"attr_{name}"] = getattr(value, kind) if kind else None
    return {name: value for name, value in found.items() if value is not None}


def by_rows(converter: Converter, rows: list[Any]) -> list[Any]:
    """Of each row what is sent and its outcome, or its line among the rejects."""
    found: list[Any] = []
    for place, row in enumerate(rows):
        try:
            converted = converter.convert(row)
        except InvalidRequest as error:
            found.append(reject_row(place, converter.grumble_id(row), error))
        else:
            found.append((exact(fields_of(converted.request)), converted.label))
    return found


def by_columns(columns: ColumnConverter, block: Block) -> list[Any]:
    typed = columns.typed(block)
    found: list[Any] = [None] * block.rows
    times = ("voice_time", "observe_time")
    cast = {name: typed.batch.column(name).cast(pa.int64()).to_pylist() for name in times}
    rows = pa.Table.from_batches([typed.batch]).drop_columns(list(times)).to_pylist()
    for number, (place, row) in enumerate(zip(typed.places.to_pylist(), rows, strict=True)):
        row |= {name: values[number] for name, values in cast.items()}
        known = {name: value for name, value in row.items() if value is not None}
        found[place] = exact(known), typed.labels[number].as_py()
    for place, grumble_id, error in typed.rejects:
        assert found[place] is None
        found[place] = reject_row(place, grumble_id, error)
    return found


def exact(fields: dict[str, Any]) -> dict[str, Any]:
    """Numbers to the bit, whole or not."""
    return {
        name: float(value).hex()
        if isinstance(value, int | float) and not isinstance(value, bool) and "time" not in name
        else value
        for name, value in fields.items()
    }


def arrow(cells: list[str]) -> Any:
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:  # such a file is not read by Arrow
        return cells


@settings(max_examples=25, deadline=None)
@given(rows=TEXT_ROWS)
def test_text_is_typed_as_row_by_row(converter: Converter, rows: list[tuple[str, ...]]) -> None:
    expected = by_rows(converter, [tuple(pick(converter, row)) for row in rows])
    cells = [list(column) for column in zip(*(pick(converter, row) for row in rows), strict=True)]
    columns = ColumnConverter(converter)
    for form in (cells, [arrow(column) for column in cells]):
        for _ in range(2):  # what is remembered says the same
            assert by_columns(columns, Block(len(rows), form)) == expected
    coded = [column if isinstance(column, list) else column.dictionary_encode() for column in form]
    assert by_columns(columns, Block(len(rows), coded)) == expected


def pick(converter: Converter, row: tuple[str, ...]) -> list[str]:
    named = dict(zip(ORDER, row, strict=True))
    return [named[name] for name in converter.columns]


@pytest.mark.parametrize("name", ORDER)
def test_each_column_alone(converter: Converter, name: str) -> None:
    """Every text by itself: no other row keeps it from the quick way."""
    columns = ColumnConverter(converter)
    for text in TEXTS[name]:
        row = [(GOOD | {name: text})[column] for column in converter.columns]
        block = Block(2, [arrow([cell, cell]) for cell in row])
        assert by_columns(columns, block) == by_rows(converter, [tuple(row)] * 2)


ISO = st.builds(
    lambda date, middle, clock, fraction, zone: f"{date}{middle}{clock}{fraction}{zone}",
    st.sampled_from(["2026-03-01", "2026-3-1", "0001-01-01", "9999-12-31", "2024-02-29"]),
    st.sampled_from(["T", " ", "t", ""]),
    st.sampled_from(["08:00:00", "08:00", "08", "0800", "080000", "24:00:00", "23:59:59", ""]),
    st.sampled_from(["", ".5", ".123456", ".1234567", ".", ",5"]),
    st.sampled_from(["", "Z", "z", "+08:00", "+08", "-0030", "+08:00:30", " +08:00", "+24:00"]),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(text=ISO)
def test_times_written_in_every_way(converter: Converter, text: str) -> None:
    row = [(GOOD | {"Opened": text})[column] for column in converter.columns]
    found = by_columns(ColumnConverter(converter), Block(1, [arrow([cell]) for cell in row]))
    assert found == by_rows(converter, [tuple(row)])


UTC = dt.UTC
MOMENT = dt.datetime.fromisoformat("2026-03-01T08:00:00.123456")
GAP, TWICE = map(dt.datetime.fromisoformat, ("2026-03-08T02:30", "2026-11-01T01:30"))
TYPED: list[tuple[str, Any]] = [
    ("Ticket", pa.array(["a", None, " b ", "N/A"], pa.large_string())),
    ("Ticket", pa.array([1, None, 3, 2**60])),
    ("Ticket", pa.array([1.5, 2.0, float("nan"), None])),
    ("Ticket", pa.array([b"x", None, b"\xff", b""])),
    ("Who", pa.array(["c1", None, "c9", "c2"]).dictionary_encode()),
    ("Opened", pa.array([MOMENT, MOMENT, None, MOMENT], pa.timestamp("us"))),
    ("Opened", pa.array([MOMENT] * 4, pa.timestamp("ns", "Asia/Shanghai"))),
    ("Opened", pa.array([-1, 1, -999, 2001], pa.timestamp("ns"))),
    ("Opened", pa.array([dt.date(2026, 3, 8), dt.date(1969, 1, 1)] * 2)),
    ("Opened", pa.array([GAP, TWICE] * 2)),
    ("Opened", pa.array([1, 2, 3, 4])),
    ("Opened", pa.array([MOMENT] * 4, pa.date64())),
    ("Opened", pa.nulls(4)),
    ("State", pa.nulls(4)),
    ("State", pa.array(["unresolved", None, "x", "minor_part"]).dictionary_encode()),
    ("Age", pa.array([1, None, 2**31, -(2**31)])),
    ("Age", pa.array([1, 2, None, 3], pa.uint8())),
    ("Age", pa.array([1.0, 2.5, float("nan"), None])),
    ("Age", pa.array([1.0, 2.0, float("nan"), None], pa.float32())),
    ("Age", pa.array([Decimal("1.00"), Decimal("2.50"), None, Decimal("3.00")])),
    ("Age", pa.array([True, None, False, True])),
    ("Age", pa.nulls(4)),
    ("Spend", pa.array([2**53 + 1, -(2**63), 2**63 - 1, None])),
    ("Spend", pa.array([2**64 - 1, 0, None, 1], pa.uint64())),
    ("Spend", pa.array([0.1, -0.0, float("nan"), None], pa.float32())),
    ("Spend", pa.array([float("inf"), 1.0, float("nan"), None])),
    ("Spend", pa.array([-0.0, float("-inf"), 0.0, None])),
    ("Spend", pa.array([Decimal("0.1"), None, Decimal("1.5"), Decimal("9.9")])),
    ("Spend", pa.array([[1], None, [2, 3], []])),
    ("Angry", pa.array([True, None, False, True])),
    ("Angry", pa.array([1, 0, None, 2])),
    ("Angry", pa.array(["Yes", None, "No", "x"]).dictionary_encode()),
    ("Company", pa.array([1, None, 0, 5])),
    ("Company", pa.array([{"a": 1}, None, {"a": 2}, {"a": None}])),
    ("Visits", pa.array([1, None, 2, 3], pa.int8())),
    ("Loyal", pa.array([1.0, 0.0, float("nan"), None])),
    ("Loyal", pa.array([True, None, False, True])),
    ("Outcome", pa.array([True, False, None, True])),
    ("Outcome", pa.array(["Yes", None, "No", ""])),
]


@pytest.mark.parametrize(("name", "column"), TYPED, ids=[f"{n}-{c.type}" for n, c in TYPED])
def test_typed_columns_are_typed_as_row_by_row(
    converter: Converter, name: str, column: Any
) -> None:
    given = {each: pa.array([GOOD[each]] * 4) for each in ORDER} | {name: column}
    cells = [python_values(given[each]) for each in converter.columns]
    expected = by_rows(converter, list(zip(*cells, strict=True)))
    column = given[name]
    if pa.types.is_large_string(column.type):
        given[name] = column.cast(pa.string())
    block = Block(4, [given[each] for each in converter.columns])
    assert by_columns(ColumnConverter(converter), block) == expected


def test_without_a_specification_columns_keep_their_types() -> None:
    given = {
        "grumble_id": pa.array(["a", "b", None]),
        "voice_time": pa.array([MOMENT.replace(tzinfo=UTC)] * 3),
        "attr_plan": pa.array(["gold", None, " x "]).dictionary_encode(),
        "attr_visits": pa.array([1, 2, None]),
        "attr_new": pa.array([True, None, False]),
        "attr_when": pa.array([dt.date(2026, 3, 1)] * 3),
        "attr_price": pa.array([Decimal("1.5"), None, Decimal("2.0")]),
        "attr_none": pa.nulls(3),
        "label": pa.array([1.0, 0.0, None]),
    }
    converter = Converter(spec_for(None, list(given)), list(given), "en")
    cells = [python_values(given[name]) for name in converter.columns]
    expected = by_rows(converter, list(zip(*cells, strict=True)))
    columns = ColumnConverter(converter)
    block = Block(3, [given[name] for name in converter.columns])
    assert by_columns(columns, block) == expected
    batch = columns.typed(block).batch
    kinds = {name: str(batch.schema.field(name).type) for name in batch.schema.names}
    assert kinds["grumble_id"] == "string"
    assert kinds["attr_visits"] == "double"
    assert kinds["attr_new"] == "bool"
    assert kinds["attr_when"].startswith("dictionary")
    assert kinds["voice_time"] == kinds["observe_time"] == "timestamp[us, tz=UTC]"


def test_rows_that_cannot_be_taken_apart(converter: Converter) -> None:
    cells = [[GOOD[name], None, GOOD[name]] for name in converter.columns]
    block = Block(3, cells, {1: "the row has 20 cells, the header 15"})
    rows = [*zip(*cells, strict=True)]
    expected = by_rows(converter, [rows[0], BadRow(block.bad[1]), rows[2]])
    assert by_columns(ColumnConverter(converter), block) == expected


@pytest.mark.parametrize("text", ["03/01/2026 08:30", "2026-03-01", "", "11/01/2026 01:30"])
def test_a_format_of_times_is_read_by_python(tmp_path: Path, text: str) -> None:
    converter = converter_of(tmp_path, "America/New_York", 'time_format: "%m/%d/%Y %H:%M"')
    row = [(GOOD | {"Opened": text, "Seen": text})[name] for name in converter.columns]
    found = by_columns(ColumnConverter(converter), Block(1, [arrow([cell]) for cell in row]))
    assert found == by_rows(converter, [tuple(row)])


def test_arrow_trims_what_python_strips() -> None:
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    trimmed = pc.utf8_trim_whitespace(pa.array([f"{c}x{c}" for c in characters])).to_pylist()
    differ = [c for c, text in zip(characters, trimmed, strict=True) if f"{c}x{c}".strip() != text]
    assert differ == [], [unicodedata.name(c, hex(ord(c))) for c in differ]


def test_counting() -> None:
    assert counting(0).to_pylist() == []
    assert counting(3).to_pylist() == [0, 1, 2]
    assert counting(70_000)[69_999].as_py() == 69_999
