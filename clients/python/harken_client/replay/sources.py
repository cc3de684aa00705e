"""Reading IN row by row: CSV with the standard library, Parquet with pyarrow.

A source gives the wanted columns of each row as a tuple; CSV cells are text, Parquet
cells have their own types. A row that cannot be taken apart is a :class:`BadRow`.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from harken_client.replay.errors import ReplayError

csv.field_size_limit(16 << 20)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row whose cells cannot be told apart."""

    message: str


Row = tuple[Any, ...] | BadRow


class Source(Protocol):
    """``done`` of ``total`` says how far ``rows`` has come, in the source's own units."""

    columns: tuple[str, ...]
    total: int

    @property
    def done(self) -> int: ...

    def rows(self, wanted: Sequence[str], skip: int) -> Iterator[Row]:
        """The ``wanted`` columns of every row after the first ``skip``."""
        ...


def open_source(path: Path) -> Source:
    """The source of a file, by its suffix; :class:`ReplayError` if it cannot be read."""
    if path.is_dir():
        raise ReplayError(
            f"{path} is a folder. A replay reads one file: make it of the folder's tables with\n"
            f"  harken data prepare --spec SPEC {path} --out prepared.parquet"
        )
    try:
        if path.suffix.lower() == ".parquet":
            return ParquetSource(path)
        if path.suffix.lower() == ".csv":
            return CsvSource(path)
    except OSError as error:
        raise ReplayError(f"cannot read {path}: {error.strerror or error}") from None
    raise ReplayError(f"{path}: the name must end in .csv or .parquet")


def parquet_library() -> Any:
    """``pyarrow.parquet``, or a sentence on how to get it."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise ReplayError(
            "Parquet needs pyarrow: pip install 'harken-client[parquet]', or use .csv"
        ) from None
    return pyarrow.parquet


class CsvSource:
    """A UTF-8 CSV file with a header; units are bytes. Blank lines are no rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.total = path.stat().st_size
        self.done = 0
        with path.open("rb") as file:
            try:
                header = next(csv.reader(self._lines(file)), None)
            except csv.Error as error:
                raise ReplayError(f"{path}: the header cannot be read: {error}") from None
        if not header:
            raise ReplayError(f"{path} is empty; it needs a header line")
        if any("\udc80" <= char <= "\udcff" for name in header for char in name):
            raise ReplayError(
                f"{path} is not UTF-8. If it is GB18030, convert it:\n"
                f"  iconv -f GB18030 -t UTF-8 {path} > utf8.csv"
            )
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise ReplayError(f"{path}: the header has {twice[0]!r} twice")
        self.columns = tuple(header)
        self.done = 0

    def rows(self, wanted: Sequence[str], skip: int) -> Iterator[Row]:
        width = len(self.columns)
        pick = _picker([self.columns.index(name) for name in wanted])
        with self._path.open("rb") as file:
            reader = csv.reader(self._lines(file))
            next(reader)
            cells = itertools.islice(filter(None, reader), skip, None)
            try:
                for row in cells:
                    if len(row) < width:  # some exports drop empty cells at the end of a row
                        row += [""] * (width - len(row))
                    if len(row) == width:
                        yield pick(row)
                    else:
                        yield BadRow(f"the row has {len(row)} cells, the header {width}")
            except csv.Error as error:
                raise ReplayError(
                    f"{self._path}, line {reader.line_num}: not CSV: {error}"
                ) from None

    def _lines(self, file: Any) -> Iterator[str]:
        # Bytes that are no UTF-8 become surrogates: they spoil their row, not the file.
        for number, line in enumerate(file):
            self.done += len(line)
            if number == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")
            yield line.decode("utf-8", "surrogateescape")


def _picker(indices: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    if len(indices) > 1:
        return itemgetter(*indices)
    return lambda row: tuple(row[index] for index in indices)


class ParquetSource:
    """A Parquet file; units are rows. Timestamps come as datetimes, to the microsecond."""

    def __init__(self, path: Path) -> None:
        parquet = parquet_library()
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
        except (ValueError, OSError) as error:
            raise ReplayError(f"{path} is not a Parquet file: {error}") from None
        self.columns = tuple(self._file.schema_arrow.names)
        self.total = self._file.metadata.num_rows
        self.done = 0

    def rows(self, wanted: Sequence[str], skip: int) -> Iterator[Row]:
        metadata = self._file.metadata
        self.done, groups = 0, list(range(metadata.num_row_groups))
        while groups and self.done + metadata.row_group(groups[0]).num_rows <= skip:
            self.done += metadata.row_group(groups.pop(0)).num_rows
        skip -= self.done
        batches = self._file.iter_batches(4096, row_groups=groups, columns=list(wanted))
        try:
            for batch in batches:
                columns = [python_values(batch.column(name)) for name in wanted]
                yield from itertools.islice(zip(*columns, strict=True), skip, None)
                self.done += batch.num_rows
                skip = max(0, skip - batch.num_rows)
        except (ValueError, OSError) as error:
            raise ReplayError(f"{self._path}: damaged after row {self.done:,}: {error}") from None


def python_values(column: Any) -> list[Any]:
    """The cells of an Arrow array as a replay takes them: of missing, None."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        return python_values(column.dictionary_decode())
    if pyarrow.types.is_timestamp(kind):
        # Nanoseconds have no place in a datetime, nor in a score.
        column = column.cast(pyarrow.timestamp("us", kind.tz and "UTC"), safe=False)
    elif pyarrow.types.is_floating(kind):
        # Many writers put NaN where there is nothing.
        return [None if value != value else value for value in column.to_pylist()]
    elif pyarrow.types.is_nested(kind):
        return [None if value is None else str(value) for value in column.to_pylist()]
    try:
        values: list[Any] = column.to_pylist()
    except OverflowError:  # a time that Python has no object for
        values = [_python_value(cell) for cell in column]
    return values


def _python_value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except OverflowError:
        import pyarrow

        return cell.cast(pyarrow.string()).as_py()  # no reader takes it for a time
