"""IN in slices: no row lost, cut or doubled, and every cell as the row way reads it."""

from __future__ import annotations

import csv
import random
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harken_client.replay import csv_slices, slices
from harken_client.replay.convert import Converter, spec_for
from harken_client.replay.csv_slices import CsvSlices
from harken_client.replay.errors import ReplayError
from harken_client.replay.offline import Stock
from harken_client.replay.slices import ParquetSlices, Slice, open_slices, slice_rows
from harken_client.replay.sources import BadRow, CsvSource, ParquetSource, python_values
from hypothesis import example, given, settings
from hypothesis import strategies as st

HEADER = b"grumble_id,voice_time,x\n"
WANTED = ["x", "grumble_id"]


def cells_of(block: Any) -> list[Any]:
    """Rows of a block as a source gives them."""
    columns = [c if isinstance(c, list) else python_values(c) for c in block.columns]
    rows = list(zip(*columns, strict=True))
    assert len(rows) == block.rows
    return [BadRow(block.bad[n]) if n in block.bad else row for n, row in enumerate(rows)]


def both(path: Path, limit: int | None = None) -> tuple[list[Any], list[Any], list[Slice]]:
    """The rows of a CSV file row by row and in slices, and the slices; errors as their text."""
    source = CsvSource(path)
    expected: list[Any] = []
    try:
        expected += islice(source.rows(WANTED, 0), limit)
    except ReplayError as error:
        expected.append(error.message)
    cut = CsvSlices(path, source.columns, WANTED, limit)
    found: list[Any] = []
    plan: list[Slice] = []
    try:
        for part in cut.plan():
            assert (part.number, part.first) == (len(plan), len(found))
            plan.append(part)
            found += cells_of(cut.read(part))
    except ReplayError as error:
        found.append(error.message)
    return expected, found, plan


CELLS = st.lists(
    st.sampled_from(
        [b"a", b"bb", b'"a,b"', b'"q ""q"" q"', b'"two\nlines"', b'"cr\r\nlf"', b"", b'""', b" ",
         b'5"', b'"x"y', b'x "y"', b' "s,s"', b"\xff", b"\0", "票".encode(), b'"""', b"\r",
         b'"open']
    ),
    min_size=1, max_size=5,
)  # fmt: skip
LINES = st.lists(st.tuples(CELLS, st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"])))


@settings(max_examples=80, deadline=None)
@given(lines=LINES, size=st.sampled_from([1, 7, 40, 1000]), cut=st.booleans())
@example(lines=[([b"a"], b"\r\n")] * 9, size=7, cut=True)
@example(lines=[([b'"a"', b'"b\nb"', b"c"], b"\n")] * 9, size=7, cut=False)
def test_csv_is_read_as_row_by_row(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Any], size: int, cut: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "in.csv"
    text = b"".join(b",".join(cells) + end for cells, end in lines)
    path.write_bytes(HEADER + (text.rstrip(b"\r\n") if cut else text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_slices, "SMALLEST_BYTES", size)
        patch.setattr(csv_slices, "LARGEST_BYTES", size)
        expected, found, _ = both(path)
        assert found == expected
        expected, found, _ = both(path, limit=3)
        assert found == expected


def write(path: Path, rows: int, seed: int = 1) -> Path:
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["grumble_id", "voice_time", "x"])
        for row in range(rows):
            said = rng.choice(["plain", "with, comma", 'with "quotes"', "two\nlines", "", "票"])
            writer.writerow([row, "2026-03-01", said])
    return path


def test_usual_csv_is_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_slices, "SMALLEST_BYTES", 1000)
    path = write(tmp_path / "in.csv", 2000)
    expected, found, plan = both(path)
    assert found == expected
    assert len(plan) > 10
    assert all(part.plain for part in plan)
    assert sum(part.rows for part in plan) == 2000
    source = CsvSource(path)
    cut = CsvSlices(path, source.columns, WANTED, None)
    assert all(not isinstance(c, list) for part in plan for c in cut.read(part).columns)


def test_one_odd_line_does_not_slow_down_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_slices, "SMALLEST_BYTES", 1000)
    path = write(tmp_path / "in.csv", 2000)
    with path.open("ab") as file:
        file.write(b'1,2,5" wide\n1,2,3,4\n')
    path.write_bytes(path.read_bytes() + b"".join(b"%d,2,3\n" % n for n in range(2000)))
    expected, found, plan = both(path)
    assert found == expected
    assert sum(not part.plain for part in plan) == 1


def test_a_file_that_is_no_csv_says_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", 30)
    with path.open("ab") as file:
        file.write(b"1,2,a\rb\n")
    expected, found, _ = both(path)
    assert found[-1] == expected[-1]
    assert "not CSV" in found[-1]


def test_a_byte_order_mark_and_a_header_of_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b'\xef\xbb\xbfgrumble_id,"voice\ntime",x\ng,t,1\n')
    assert CsvSource(path).columns == ("grumble_id", "voice\ntime", "x")
    expected, found, _ = both(path)
    assert found == expected == [("1", "g")]


def parquet(path: Path, rows: int, groups: int) -> Path:
    ids = pa.array([f"g{row}" for row in range(rows)])
    codes = pa.array([f"c{row * 7919 % 13}" for row in range(rows)], pa.large_string())
    times = pa.array(range(rows), pa.timestamp("us", "UTC"))
    table = {"grumble_id": ids, "voice_time": times, "category": codes}
    pq.write_table(pa.table(table), path, row_group_size=groups)
    return path


def slices_of(path: Path, limit: int | None = None) -> ParquetSlices:
    source = ParquetSource(path)
    converter = Converter(spec_for(None, source.columns), source.columns, "en")
    found = open_slices(path, source, converter, limit)
    assert isinstance(found, ParquetSlices)
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "QUANTUM", 50)
    monkeypatch.setattr(slices, "LARGEST", 200)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("groups", [7, 100, 130, 999, 5000])
@pytest.mark.parametrize("limit", [None, 777])
def test_parquet_is_read_in_any_order(tmp_path: Path, groups: int, limit: int | None) -> None:
    path = parquet(tmp_path / "in.parquet", 2000, groups)
    cut = slices_of(path, limit)
    plan = list(cut.plan())
    assert sum(part.rows for part in plan) == cut.total == (limit or 2000)
    assert [part.first for part in plan] == [
        sum(p.rows for p in plan[:n]) for n in range(len(plan))
    ]
    assert max(part.rows for part in plan) <= 200
    random.Random(3).shuffle(plan)
    whole = pq.read_table(path)
    for part in plan:
        block = cut.read(part)
        for column, name in zip(
            block.columns, ("grumble_id", "category", "voice_time"), strict=True
        ):
            rows = whole[name].slice(part.first, part.rows)
            assert python_values(column) == rows.to_pylist()


def test_slices_get_smaller_towards_the_end() -> None:
    left, sizes = 10_000_000, list[int]()
    while left > 0:
        sizes.append(min(left, slice_rows(left)))
        left -= sizes[-1]
    assert sizes[0] == slices.LARGEST
    assert sizes[-2] == slices.QUANTUM
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) < 350


@pytest.mark.usefixtures("small")
def test_processes_read_forwards_where_nobody_else_does(tmp_path: Path) -> None:
    cut = slices_of(parquet(tmp_path / "in.parquet", 2000, 500))
    stock = Stock(cut.plan(), by_home=True)
    first = [stock.take(process) for process in (0, 1, 0, 1)]
    assert [part.home for part in first if part] == [0, 1, 0, 1]
    homes: dict[int, list[int]] = {0: [], 1: []}
    process = 0
    while part := stock.take(process):
        homes[process].append(part.first)
        process = 1 - process
    assert sorted(homes[0]) == homes[0]
    assert len(homes[0]) + len(homes[1]) + 4 == len(list(cut.plan()))


def test_a_damaged_parquet_file_says_where(tmp_path: Path) -> None:
    path = parquet(tmp_path / "in.parquet", 2000, 500)
    cut = slices_of(path)
    data = bytearray(path.read_bytes())
    data[100:3000] = bytes(2900)
    path.write_bytes(data)
    with pytest.raises(ReplayError, match="damaged after row 0"):
        cut.read(next(cut.plan()))
