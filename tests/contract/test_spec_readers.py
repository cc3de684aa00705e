"""A dataset specification means the same to training and to replay.

Training reads it with pandas, replay with the standard library, or by columns with pyarrow,
neither knowing the other. Both read the same files here, the client's requests pass through the
server's conversion, and what arrives is compared.
"""

from __future__ import annotations

import csv
import math
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harken_client import InvalidRequest
from harken_client.replay.columns import ColumnConverter
from harken_client.replay.convert import Converter
from harken_client.replay.slices import open_slices
from harken_client.replay.sources import open_source
from harken_client.replay.spec import read_spec as read_for_replay
from harken_models.dataset import load_dataset
from harken_models.specreader import read_spec as read_for_training
from harken_server.grpc.convert import from_proto

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("HARKEN_DATA", ROOT.parent / "shared" / "data"))
SPEC = """
dataset: shop
time_zone: America/New_York
time_format: "%m/%d/%Y %H:%M"
missing: ["", N/A]
fields:
  grumble_id: {column: Ticket}
  customer_id: {column: Who}
  voice_time: {column: Opened}
  observe_time: {column: Seen, format: "%Y-%m-%d %H:%M:%S"}
  channel: {column: Via, map: {Web: web, Phone: hotline}, unmapped: other}
  category: {column: Topic, map: {Bill: charges, Net: basic_comms}, unmapped: missing}
  point: {column: Detail}
  resolution_state: {column: State}
  age_years: {column: Age}
  monthly_spend_yuan: {column: Spend}
  dissatisfied: {column: Angry, true: ["Yes"], false: ["No"]}
  grumble_count_30d: {column: Before}
attributes:
  company: {column: Company, type: category}
  visits: {column: Visits, type: number}
  loyal: {column: Loyal, type: flag}
  Via: category
label: {column: Outcome, positive: ["Yes"], blank_is: negative}
split: {groups: Who}
exclude: [{column: Company, values: [Undecided], because: no outcome yet}]
"""
CELLS = {
    "Who": ["c-1", " c-2 ", "", "客户", "007"],
    "Opened": ["03/01/2026 08:30", "11/02/2025 01:30", "03/08/2026 02:30", " 12/31/2025 23:59 "],
    "Seen": ["2026-06-01 00:00:00", "2026-07-02 13:14:15"],
    "Via": ["Web", "Phone", "Carrier pigeon", "", " Web "],
    "Topic": ["Bill", "Net", "Weather", "N/A"],
    "Detail": ["spam_sms", "Fees, charges", "", 'with "quotes"', "NA", "null"],
    "State": ["unresolved", "minor_part", "", "all_satisfied"],
    "Age": ["40", "", "0", "N/A", " 7 "],
    "Spend": ["88.5", "0", "1e3", "", "0.1", "12345.678901234567"],
    "Angry": ["Yes", "No", "", "N/A"],
    "Before": ["0", "3", ""],
    "Company": ["Acme", "Undecided", "", "None"],
    "Visits": ["3", "2.5", "", "-1"],
    "Loyal": ["yes", "no", "true", "FALSE", "1", "0", ""],
    "Outcome": ["Yes", "No", "", " Yes"],
}
WRONG = {
    "Opened": ["yesterday", "", "2026-03-01"],
    "State": ["half"],
    "Age": ["forty", "2.5"],
    "Spend": ["much", "nan", "inf"],
    "Angry": ["maybe"],
    "Visits": ["some"],
    "Loyal": ["perhaps"],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A specification and a file of 2,000 rows, one in ten of them with a wrong cell."""
    folder, rng = tmp_path_factory.mktemp("shop"), random.Random(5)
    spec, data = folder / "spec.yaml", folder / "data.csv"
    spec.write_text(SPEC, encoding="utf-8")
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["Ticket", *CELLS])
        writer.writeheader()
        for number in range(2000):
            row = {name: rng.choice(cells) for name, cells in CELLS.items()}
            if number % 10 == 0:
                name = rng.choice(list(WRONG))
                row[name] = rng.choice(WRONG[name])
            writer.writerow({"Ticket": f"t-{number}", **row})
    return spec, data


Seen = tuple[dict[str, object], float | None]


def as_replayed(spec: Path, data: Path) -> tuple[dict[int, Seen], set[int]]:
    """Row number to fields and outcome as the server gets them; the rows refused."""
    source = open_source(data)
    converter = Converter(read_for_replay(spec), source.columns, "en")
    seen: dict[int, Seen] = {}
    refused = set()
    for number, row in enumerate(source.rows(converter.columns, 0), start=1):
        try:
            converted = converter.convert(row)
        except InvalidRequest:
            refused.add(number)
            continue
        grumble = from_proto(converted.request)
        fields = grumble._asdict()
        attributes = fields.pop("attributes")
        fields |= {f"attr_{name}": value for name, value in attributes.items()}
        seen[number] = known(fields), converted.label
    return seen, refused


def by_columns(spec: Path, data: Path) -> tuple[dict[int, Seen], set[int]]:
    """The same of a replay by columns: what is in the record batches that it sends."""
    source = open_source(data)
    converter = Converter(read_for_replay(spec), source.columns, "en")
    slices, columns = open_slices(data, source, converter, None), ColumnConverter(converter)
    seen: dict[int, Seen] = {}
    refused = set()
    for part in slices.plan():
        typed = columns.typed(slices.read(part))
        refused |= {part.first + place + 1 for place, _, _ in typed.rejects}
        told = {
            f"{name}_us" if name in TIMES else name: cells_of(column)
            for name, column in zip(typed.batch.schema.names, typed.batch.columns, strict=True)
        }
        for row, place in enumerate(typed.places.to_pylist()):
            fields = {name: cells[row] for name, cells in told.items()}
            seen[part.first + place + 1] = known(fields), typed.labels[row].as_py()
    return seen, refused


TIMES = ("voice_time", "observe_time")


def cells_of(column: pa.Array) -> list[object]:
    whole = pa.types.is_timestamp(column.type)
    cells: list[object] = (column.cast(pa.int64()) if whole else column).to_pylist()
    return cells


def as_trained(spec: Path, data: Path) -> tuple[dict[int, Seen], set[int]]:
    """The same for training."""
    dataset = load_dataset(read_for_training(spec), data)
    refused = {bad.row for bad in dataset.bad_rows}
    frame = dataset.frame
    numbers = [n for n in range(1, len(frame) + len(refused) + 1) if n not in refused]
    seen: dict[int, Seen] = {}
    for number, row in zip(numbers, frame.to_dict("records"), strict=True):
        label = None if math.isnan(row["label"]) or row["excluded"] else row["label"]
        seen[number] = known({str(name): value for name, value in row.items()}), label
    return seen, refused


def known(fields: dict[str, object]) -> dict[str, object]:
    """What is known, in one form: true is 1.0, the request's own switches left out."""
    own = ("label", "excluded", "explain", "language")
    return {
        name: float(value) if isinstance(value, bool | int | float) else value
        for name, value in fields.items()
        if name not in own and name[0] != "_" and value is not None and value == value
    }


def compare(spec: Path, data: Path) -> tuple[dict[int, Seen], set[int]]:
    replayed, refused = as_replayed(spec, data)
    assert by_columns(spec, data) == (replayed, refused)
    trained, left_out = as_trained(spec, data)
    assert refused == left_out
    assert replayed.keys() == trained.keys()
    for number, seen in replayed.items():
        assert seen == trained[number], f"row {number}"
    return replayed, refused


def test_both_readers_read_the_same(shop: tuple[Path, Path]) -> None:
    rows, refused = compare(*shop)
    assert len(rows) > 1700
    assert refused
    assert {label for _, label in rows.values()} == {0, 1, None}
    assert {"attr_visits", "attr_loyal", "point", "age_years"} < {
        name for fields, _ in rows.values() for name in fields
    }


def test_both_take_nan_and_null_as_missing(tmp_path: Path) -> None:
    spec, data = tmp_path / "spec.yaml", tmp_path / "data.parquet"
    spec.write_text(
        "dataset: x\nmissing: [N/A]\n"
        "fields:\n  grumble_id: {column: id}\n  voice_time: {column: at}\n"
        "  monthly_spend_yuan: {column: spend}\n  point: {column: point}\n"
        "label: {column: y, positive: ['1']}\n",
        encoding="utf-8",
    )
    table = {
        "id": ["a", "b", "c", "d"],
        "at": [
            "2026-01-01T00:00:00+08",
            "2026-01-01",
            "2026-01-02T03:04Z",
            "2026-01-03 00:00+0100",
        ],
        "spend": pa.array([1.5, math.nan, None, 2.0], from_pandas=False),
        "point": ["p", "", None, "N/A"],
        "y": pa.array([1.0, math.nan, None, 0.0], from_pandas=False),
    }
    pq.write_table(pa.table(table), data)
    rows, refused = compare(spec, data)
    assert not refused
    assert [rows[n][1] for n in (1, 2, 3, 4)] == [1, None, None, 0]
    assert [sorted(rows[n][0].keys() & {"point", "monthly_spend_yuan"}) for n in (1, 2, 3, 4)] == [
        ["monthly_spend_yuan", "point"],
        [],
        [],
        ["monthly_spend_yuan"],
    ]


def test_both_readers_read_real_data_the_same() -> None:
    data = DATA / "cfpb_complaints_2014.csv"
    if not data.exists():
        return  # the project passes without it; the rows above stand for it
    rows, refused = compare(ROOT / "models" / "specs" / "cfpb.yaml", data)
    assert (len(rows), refused) == (8340, set())
