"""Reading DATA: one CSV or Parquet file, or a folder of tables joined on their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from harken_models.errors import DataError
from harken_models.spec import DatasetSpec, TableSpec


@dataclass(frozen=True, slots=True)
class Tables:
    """The main table with its joined columns, and the tables that are not joined."""

    main: pd.DataFrame
    others: Mapping[str, pd.DataFrame]


def read_tables(spec: DatasetSpec | None, path: Path) -> Tables:
    """Read DATA; CSV cells stay text, Parquet keeps its types. Raises DataError."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if spec is None or not spec.tables:
        if path.is_dir():
            raise DataError(f"{path}: is a folder, but the specification names no tables")
        return Tables(_read_file(path), {})
    if not path.is_dir():
        raise DataError(f"{path}: is a file, but the specification names tables of a folder")
    main_spec = spec.main_table
    assert main_spec is not None, "the reader of specifications sees to that"
    main = _read_table(path, main_spec)
    others: dict[str, pd.DataFrame] = {}
    for name, table in spec.tables.items():
        if table.main:
            continue
        frame = _read_table(path, table)
        if table.key is None:
            others[name] = frame
        else:
            main = _join(main, frame, table)
    return Tables(main, others)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as its suffix says, .parquet or .csv. Raises DataError."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        raise DataError(f"{path}: the name must end in .parquet or .csv")


def _join(main: pd.DataFrame, frame: pd.DataFrame, table: TableSpec) -> pd.DataFrame:
    key = table.key
    for side, where in ((main, "the main table"), (frame, table.file)):
        if key not in side:
            raise DataError(f"{where} has no column {key!r} to join {table.file} on")
    if frame[key].duplicated().any():
        raise DataError(f"{table.file}: {key!r} is not unique, so it cannot be joined")
    new = [key, *(column for column in frame if column not in main)]
    return main.merge(frame[new], on=key, how="left", validate="many_to_one")


def _read_table(folder: Path, table: TableSpec) -> pd.DataFrame:
    for suffix in (".parquet", ".csv", ""):
        path = folder / f"{table.file}{suffix}"
        if path.is_file():
            return _read_file(path)
    raise DataError(f"{folder}: has neither {table.file}.parquet nor {table.file}.csv")


def _read_file(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError, pa.ArrowException) as error:
        # pandas' parser errors and undecodable bytes are ValueErrors
        raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
