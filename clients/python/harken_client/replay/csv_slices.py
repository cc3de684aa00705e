"""A CSV file in slices: cut at ends of rows, read by Arrow where that says what Python says.

The row way reads CSV with Python's ``csv``. Arrow reads the same unless quotes stand in odd
places, a carriage return stands alone, a byte is no UTF-8 or a row has too many or too few
cells. A stretch of lines without any of these is *plain*. All others are read by ``csv``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from harken_client.replay.columns import Block
from harken_client.replay.errors import ReplayError
from harken_client.replay.slices import SHARE, Slice

SMALLEST_BYTES = 1 << 20
LARGEST_BYTES = 4 << 20
MOST_BYTES = 64 << 20
"""A row that is longer is left to ``csv`` and its own limit."""
BOM = b"\xef\xbb\xbf"


class CsvSlices:
    """Of a UTF-8 CSV file; ``columns`` is its header."""

    def __init__(
        self, path: Path, columns: Sequence[str], wanted: Sequence[str], limit: int | None
    ) -> None:
        self._path, self._limit = path, limit
        self._columns, self._wanted = list(columns), list(wanted)
        self._places = [self._columns.index(name) for name in wanted]
        self.total = path.stat().st_size

    def plan(self) -> Iterator[Slice]:
        first = number = 0
        with self._path.open("rb") as file:
            start = _header_end(file)
            while self._limit is None or first < self._limit:
                file.seek(start)
                most = None if self._limit is None else self._limit - first
                size, rows, plain = self._next(file, self.total - start, most)
                if not size:
                    return
                if rows:
                    rows = rows if most is None else min(rows, most)
                    yield Slice(number, first, rows, 0, start, size, plain)
                    number += 1
                start, first = start + size, first + rows

    def done(self, part: Slice) -> int:
        return part.size

    def read(self, part: Slice) -> Block:
        with self._path.open("rb") as file:
            file.seek(part.start)
            data = file.read(part.size)
        if part.plain:
            table = self._by_arrow(data)
            if table is not None and table.num_rows >= part.rows:
                return Block(part.rows, [_array(table, name, part.rows) for name in self._wanted])
        return self._by_python(data, part.rows)

    def _next(self, file: Any, left: int, most: int | None) -> tuple[int, int, bool]:
        """Bytes and rows of the next stretch of the file, and whether it is plain."""
        wanted = max(SMALLEST_BYTES, min(LARGEST_BYTES, left // SHARE))
        start, data = file.tell(), b""
        while len(data) < min(left, MOST_BYTES):
            data += file.read(wanted)
            if data.endswith(b"\r"):  # its line feed is the next byte
                data += file.read(1)
            plain = plain_rows(data, at_end=len(data) >= left)
            if plain is not None:
                return *plain, True
            if b'"' not in data or not _is_open(data):
                break  # more of it would not make it plain
        file.seek(start)
        return *self._count_by_python(file, wanted, start, most), False

    def _count_by_python(
        self, file: Any, wanted: int, start: int, most: int | None
    ) -> tuple[int, int]:
        """The end of the row at which ``wanted`` bytes are full, found by ``csv`` itself.

        Rows before one that is no CSV are still given.
        """
        read = size = rows = 0

        def lines() -> Iterator[str]:
            nonlocal read
            for line in file:
                read += len(line)
                yield line.decode("utf-8", "surrogateescape")

        reader = csv.reader(lines())
        try:
            for row in reader:
                size, rows = read, rows + bool(row)
                if size >= wanted or rows == most:
                    break
        except csv.Error as error:
            if not rows:
                line = self._lines_before(start) + reader.line_num
                raise ReplayError(f"{self._path}, line {line}: not CSV: {error}") from None
        return size, rows

    def _lines_before(self, start: int) -> int:
        with self._path.open("rb") as file:
            return sum(block.count(b"\n") for block in _blocks(file, start))

    def _by_arrow(self, data: bytes) -> Any:
        try:
            return arrow_csv.read_csv(
                io.BytesIO(data),
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=len(data) + 1, column_names=self._columns
                ),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self._wanted, pa.string()),
                    include_columns=self._wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:  # a row of other length, or bytes that are no UTF-8
            return None

    def _by_python(self, data: bytes, rows: int) -> Block:
        width = len(self._columns)
        lines = (line.decode("utf-8", "surrogateescape") for line in io.BytesIO(data))
        columns: list[list[str | None]] = [[] for _ in self._places]
        bad: dict[int, str] = {}
        for place, row in enumerate(_first(filter(None, csv.reader(lines)), rows)):
            if len(row) > width:
                bad[place] = f"the row has {len(row)} cells, the header {width}"
                for column in columns:
                    column.append(None)
                continue
            row += [""] * (width - len(row))  # some exports drop empty cells at the end of a row
            for column, at in zip(columns, self._places, strict=True):
                column.append(row[at])
        return Block(len(columns[0]), columns, bad)


def _blocks(file: Any, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        size -= len(block)
        yield block


def _first(rows: Iterator[list[str]], most: int) -> Iterator[list[str]]:
    for _, row in zip(range(most), rows, strict=False):
        yield row


def _header_end(file: Any) -> int:
    """Where the first row begins: ``csv`` itself says how many lines the header has."""
    size = 0

    def lines() -> Iterator[str]:
        nonlocal size
        for line in file:
            text = line if size else line.removeprefix(BOM)
            size += len(line)
            yield text.decode("utf-8", "surrogateescape")

    next(csv.reader(lines()), None)
    return size


def _is_open(data: bytes) -> bool:
    return data.count(b'"') % 2 == 1


def plain_rows(data: bytes, *, at_end: bool) -> tuple[int, int] | None:
    """Bytes and rows of the whole rows at the beginning of ``data``, or None if not plain.

    Plain: every quoted cell is quoted as a whole, carriage returns stand before line feeds only,
    no line is blank, nothing is NUL. ``at_end``: nothing follows ``data``.
    """
    if b"\0" in data or data.count(b"\r") != data.count(b"\r\n"):
        return None
    outside = [data]
    if b'"' in data:
        # Between quotes, every second piece is the inside of a cell; between two pieces of a
        # cell that holds a quote, written twice, there is nothing.
        pieces = data.split(b'"')
        outside, inside = pieces[::2], pieces[1::2]
        if len(inside) == len(outside):  # a cell goes on after the end of ``data``
            if at_end:
                return None
            inside.pop()
        if not _well_placed(outside, closed=len(pieces) % 2 == 1):
            return None
    lines = b'"'.join(outside)
    cut = len(lines) if at_end else lines.rfind(b"\n") + 1
    kept = lines[:cut]
    if not kept or _has_blank(kept):
        return None
    rows = kept.count(b"\n") + (not kept.endswith(b"\n"))
    size = cut
    if len(outside) > 1:
        size += sum(len(piece) + 1 for piece in inside[: kept.count(b'"')])
    return size, rows


def _well_placed(outside: Sequence[bytes], *, closed: bool) -> bool:
    """Does every quoted cell begin after and end before a comma or the end of a line?"""
    last = len(outside) - 1
    for place, piece in enumerate(outside):
        if not piece:
            continue
        if place and piece[:1] not in b",\r\n":
            return False
        if (place < last or not closed) and piece[-1:] not in b",\n":
            return False
    return True


def _has_blank(lines: bytes) -> bool:
    return lines.startswith((b"\n", b"\r\n")) or b"\n\n" in lines or b"\n\r\n" in lines


def _array(table: Any, name: str, rows: int) -> Any:
    column = table.column(name).slice(0, rows)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
