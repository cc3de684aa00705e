"""IN in slices: stretches of consecutive rows that can be read, typed and scored on their own.

Which slices a file has depends on the file and ``limit`` alone, so that a replay that goes on
finds the same ones. They are large enough to be worth a call and get smaller towards the end,
so that all processes are done at about the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from harken_client.replay.columns import IDS, Block
from harken_client.replay.convert import Converter
from harken_client.replay.errors import ReplayError
from harken_client.replay.sources import ParquetSource, Source

QUANTUM = 8_192
"""Rows of the smallest slice, but for the last one of its kind."""
LARGEST = 32_768
SHARE = 16
"""A slice holds no more than this part of what is left."""


@dataclass(frozen=True, slots=True)
class Slice:
    """``rows`` rows from ``first`` (from 0) of IN; ``number`` from 0.

    ``home`` is what a reader opens to get there (row groups), ``start`` the place in it: of
    Parquet the first row, of CSV the first byte, ``size`` then being the bytes. ``plain`` says
    that Arrow reads its lines as Python does.
    """

    number: int
    first: int
    rows: int
    home: int
    start: int
    size: int = 0
    plain: bool = True


class Slices(Protocol):
    """A file cut into slices."""

    total: int
    """Units to be done: rows of Parquet, bytes of CSV."""

    def plan(self) -> Iterator[Slice]:
        """Every slice in order."""
        ...

    def done(self, part: Slice) -> int:
        """How many units a slice is."""
        ...

    def read(self, part: Slice) -> Block:
        """Its rows; reading in order is cheapest. Raises ReplayError for a damaged file."""
        ...


def open_slices(path: Path, source: Source, converter: Converter, limit: int | None) -> Slices:
    """The slices of an opened source."""
    from harken_client.replay.csv_slices import CsvSlices

    if isinstance(source, ParquetSource):
        return ParquetSlices(path, converter.columns, text_columns(converter), limit)
    return CsvSlices(path, source.columns, converter.columns, limit)


def text_columns(converter: Converter) -> list[str]:
    """Columns that are read as dictionaries where they are text: all but the ids."""
    ids = {converter.columns[each.index] for each in converter.fields if each.name in IDS}
    return [name for name in converter.columns if name not in ids]


class ParquetSlices:
    """Of a Parquet file. Small row groups share a home, large ones are cut."""

    def __init__(
        self, path: Path, wanted: Sequence[str], texts: Sequence[str], limit: int | None
    ) -> None:
        import pyarrow.parquet as parquet

        self._path, self._wanted = path, list(wanted)
        try:
            schema = parquet.read_schema(path)
            coded = [name for name in texts if _is_text(schema.field(name).type)]
            # Buffered, a column chunk is read in pieces: memory does not depend on its size.
            self._file = parquet.ParquetFile(path, read_dictionary=coded, buffer_size=1 << 18)
        except (ValueError, OSError) as error:
            raise ReplayError(f"{path} is not a Parquet file: {error}") from None
        metadata = self._file.metadata
        self._rows = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        self.total = min(sum(self._rows), sum(self._rows) if limit is None else limit)
        self._homes = _homes(self._rows)
        self._open: _Batches | None = None

    def plan(self) -> Iterator[Slice]:
        first = number = 0
        for home, groups in enumerate(self._homes):
            start, rows = 0, min(sum(self._rows[g] for g in groups), self.total - first)
            while start < rows:
                size = min(slice_rows(self.total - first), rows - start)
                yield Slice(number, first, size, home, start)
                number, first, start = number + 1, first + size, start + size

    def done(self, part: Slice) -> int:
        return part.rows

    def read(self, part: Slice) -> Block:
        try:
            if self._open is None or not self._open.reaches(part):
                batches = self._file.iter_batches(
                    QUANTUM,
                    row_groups=list(self._homes[part.home]),
                    columns=self._wanted,
                    use_threads=False,
                )
                self._open = _Batches(part.home, batches)
            table = self._open.take(part)
        except (ValueError, OSError, StopIteration) as error:
            raise ReplayError(f"{self._path}: damaged after row {part.first:,}: {error}") from None
        return Block(part.rows, [_one_chunk(table.column(name)) for name in self._wanted])


def slice_rows(left: int) -> int:
    """Rows of the next slice when ``left`` are left."""
    return max(QUANTUM, min(LARGEST, left // SHARE // QUANTUM * QUANTUM))


def _homes(groups: Sequence[int]) -> list[tuple[int, ...]]:
    """Consecutive row groups, so many together that a slice is worth it."""
    homes: list[tuple[int, ...]] = []
    gathered: list[int] = []
    for number in range(len(groups)):
        gathered.append(number)
        if sum(groups[each] for each in gathered) >= LARGEST:
            homes.append(tuple(gathered))
            gathered = []
    return [*homes, tuple(gathered)] if gathered else homes


class _Batches:
    """The batches of a home, and how far they have been taken; only forwards."""

    def __init__(self, home: int, batches: Iterator[Any]) -> None:
        self._home, self._batches = home, batches
        self._at = 0
        self._rest: Any = None

    def reaches(self, part: Slice) -> bool:
        return part.home == self._home and part.start >= self._at

    def take(self, part: Slice) -> Any:
        self._gather(part.start - self._at)
        return pa.Table.from_batches(self._gather(part.rows))

    def _gather(self, rows: int) -> list[Any]:
        found = []
        self._at += rows
        while rows:
            batch = self._rest if self._rest is not None else next(self._batches)
            found.append(batch.slice(0, rows))
            self._rest = batch.slice(rows) if batch.num_rows > rows else None
            rows -= min(rows, batch.num_rows)
        return found


def _one_chunk(column: Any) -> Any:
    """One array of a column's chunks; dictionaries that differ are made one."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.unify_dictionaries()
    elif _is_text(kind) and not pa.types.is_string(kind):  # large_string, string_view
        column = column.cast(pa.string())
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _is_text(kind: Any) -> bool:
    views = (pa.types.is_string(kind), pa.types.is_large_string(kind), str(kind) == "string_view")
    return any(views)
