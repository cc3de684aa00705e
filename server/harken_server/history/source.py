"""HISTORY: a flat CSV or Parquet file, and the specification that says what its columns are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from harken_models.core import CORE_FIELDS
from harken_models.errors import ModelsError
from harken_models.spec import (
    ATTRIBUTE_PREFIX,
    FALSE_WORDS,
    TRUE_WORDS,
    AttributeField,
    AttributeType,
    ColumnLabel,
    DatasetSpec,
    FileFormat,
    flat_spec,
)
from harken_models.specreader import read_spec

from harken_server.history import HistoryError

CHUNK = 100_000
OUTCOME = "complained"
"""A flat file's column of outcomes, where it has no ``label``."""
_TYPES: Mapping[str, AttributeType] = {
    "text": "category",
    "number": "number",
    "whole number": "number",
    "flag": "flag",
}


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Rows as the file has them; ``first`` is the number of the first, from 1, header apart."""

    first: int
    table: pa.Table | pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def frame(self) -> pd.DataFrame:
        """As pandas has it."""
        return self.table if isinstance(self.table, pd.DataFrame) else self.table.to_pandas()


@dataclass(frozen=True, slots=True)
class History:
    """An opened HISTORY. ``rows``: how many, where that is known without reading; ``notes``:
    what a reader of the figures should know of the file, a sentence each."""

    path: Path
    spec: DatasetSpec
    columns: tuple[str, ...]
    rows: int | None
    probability: str | None = None
    notes: tuple[str, ...] = ()

    def chunks(self, size: int = CHUNK) -> Iterator[RawChunk]:
        """All rows in order. Raises HistoryError for a file that turns out to be damaged."""
        first = 1
        try:
            for table in self._tables(size):
                yield RawChunk(first, table)
                first += len(table)
        except (ValueError, OSError) as error:  # those of pandas and pyarrow are ValueErrors
            raise HistoryError(f"{self.path}: cannot be read: {_first_line(error)}") from None

    def _tables(self, size: int) -> Iterator[pa.Table | pd.DataFrame]:
        if self.path.suffix.lower() == ".csv":
            # All columns are read: of some, pandas would not see that a row has a cell too many.
            with pd.read_csv(
                self.path,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                chunksize=size,
            ) as reader:
                for frame in reader:
                    if not isinstance(frame.index, pd.RangeIndex):
                        raise ValueError("its rows have more cells than its header")
                    yield frame[list(self.columns)]
            return
        with pq.ParquetFile(self.path, read_dictionary=self._coded()) as file:
            for batch in file.iter_batches(size, columns=list(self.columns)):
                yield pa.Table.from_batches([batch])

    def _coded(self) -> list[str]:
        """The columns of few distinct texts: read as codes they are quick to convert."""
        fields = [f for name, f in self.spec.fields.items() if CORE_FIELDS[name].type == "category"]
        fields += [a.source for a in self.spec.attributes.values() if a.type == "category"]
        return sorted({each.column for each in fields})


def open_history(
    path: Path,
    spec_path: Path | None = None,
    attributes: Mapping[str, str] | None = None,
    probability: str | None = None,
) -> History:
    """Open HISTORY; ``attributes`` maps those that rules or model read to their kind (``text``,
    ``number``, ``whole number``, ``flag``), ``probability`` names a column to take it from.

    Raises HistoryError.
    """
    held, rows = _header(path)
    try:
        given = None if spec_path is None else read_spec(spec_path)
    except ModelsError as error:
        raise HistoryError(str(error)) from None
    spec, notes = _fit(given, held, attributes or {}, path)
    if probability is not None and probability not in held:
        raise HistoryError(f"{path}: has no column {probability!r} to take the probability from")
    wanted = [*(f.column for f in spec.fields.values())]
    wanted += [a.source.column for a in spec.attributes.values()]
    wanted += [rule.column for rule in spec.exclude]
    if isinstance(spec.label, ColumnLabel):
        wanted.append(spec.label.column)
    if probability is not None:
        wanted.append(probability)
    columns = tuple(dict.fromkeys(wanted))
    absent = [name for name in columns if name not in held]
    if absent:
        has = ", ".join(held[:20])
        raise HistoryError(
            f"{path}: has no column {absent[0]!r}, which {spec.file} names; it has {has}"
        )
    return History(path, _sendable(spec), columns, rows, probability, notes)


def _sendable(spec: DatasetSpec) -> DatasetSpec:
    """The same with plain dictionaries: a read-only view of one cannot go to another process."""
    views = {n: dict(getattr(spec, n)) for n in ("title", "fields", "attributes", "tables")}
    return replace(spec, **views)  # type: ignore[arg-type]


def _header(path: Path) -> tuple[list[str], int | None]:
    """The columns' names, and how many rows there are where the file says so."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise HistoryError(
            f"{path} is a folder. A history is one file: make it of the folder's tables with\n"
            f"  harken data prepare --spec SPEC {path} --out history.parquet"
        )
    if suffix not in (".csv", ".parquet"):
        raise HistoryError(f"{path}: the name must end in .csv or .parquet")
    try:
        if suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                return list(file.schema_arrow.names), file.metadata.num_rows
        head = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=0)
        return [str(name) for name in head.columns], None
    except FileNotFoundError:
        raise HistoryError(f"{path}: no such file") from None
    except (ValueError, OSError) as error:
        raise HistoryError(f"{path}: cannot be read: {_first_line(error)}") from None


def _fit(
    given: DatasetSpec | None, held: list[str], attributes: Mapping[str, str], path: Path
) -> tuple[DatasetSpec, tuple[str, ...]]:
    """The specification that fits the file, as a replay chooses it: a file that ``harken data
    prepare`` has written carries core names, not the specification's."""
    prepared = {"grumble_id", "voice_time"} <= set(held)
    mapped = {source.column for source in given.fields.values()} if given else set()
    whole = given is not None and _needs_preparing(given)
    if given is None or (prepared and (given.tables or whole or not mapped <= set(held))):
        if not prepared:
            absent = next(name for name in ("grumble_id", "voice_time") if name not in held)
            raise HistoryError(
                f"{path}: has no column {absent!r}. Its columns must carry the core names, or "
                "--spec must say which column is what"
            )
        return _flat(given, held, attributes), ()
    if whole:
        raise HistoryError(
            f"{path}: {given.file} says what only harken data prepare makes rows of; run\n"
            f"  harken data prepare --spec {given.file} {path} --out history.parquet"
        )
    spec = _with_known_attributes(given, attributes)
    if isinstance(spec.label, ColumnLabel) and spec.label.column in held:
        label = spec.label
    else:  # an outcome that the file does not have is simply not known
        label = None
    exclude = tuple(rule for rule in spec.exclude if rule.column in held)
    notes: tuple[str, ...] = ()
    if spec.history != "given":
        notes = (
            f"{spec.file} has the history counts computed, which takes the whole data: here they "
            "are missing. To have them, run harken data prepare first.",
        )
    return replace(spec, label=label, exclude=exclude), notes


def _needs_preparing(spec: DatasetSpec) -> bool:
    """Whether a row of the file is no grumble, or is not written as flat files are."""
    return spec.events is not None or spec.timeless or spec.format != FileFormat()


def _flat(given: DatasetSpec | None, held: list[str], attributes: Mapping[str, str]) -> DatasetSpec:
    types: dict[str, AttributeType] = dict.fromkeys(held, "category")
    for name, kind in attributes.items():
        types[ATTRIBUTE_PREFIX + name] = _TYPES[kind]
    spec = flat_spec({name: types[name] for name in held})
    known = {name: one for name, one in spec.attributes.items() if name in attributes}
    label = spec.label
    if label is None and OUTCOME in held:
        label = ColumnLabel(OUTCOME, TRUE_WORDS, FALSE_WORDS)
    if given is None:
        return replace(spec, attributes=known, label=label, time_zone="UTC")
    zone, simulated = given.time_zone, given.simulated
    return replace(spec, attributes=known, label=label, time_zone=zone, simulated=simulated)


def _with_known_attributes(spec: DatasetSpec, attributes: Mapping[str, str]) -> DatasetSpec:
    """``spec`` with the attributes that somebody reads, and as they are declared."""
    kept: dict[str, AttributeField] = {}
    for name, kind in attributes.items():
        one = spec.attributes.get(name)
        if one is None:
            continue
        if one.type != _TYPES[kind]:
            raise HistoryError(
                f"{spec.file}: attribute {name!r} is a {one.type} here and a {kind} in rule base "
                "or bundle; make them agree"
            )
        kept[name] = one
    return replace(spec, attributes=kept)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


__all__ = ["CHUNK", "History", "RawChunk", "open_history"]
