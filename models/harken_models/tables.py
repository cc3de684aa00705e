"""Reading DATA: one file or a glob of them, or a folder of tables joined on their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harken_models.columns import is_missing, read_text
from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.files import matching, read_file
from harken_models.numbertext import rewritten
from harken_models.spec import DatasetSpec, FileFormat, TableSpec

_KEY = "_joined_by"


@dataclass(frozen=True, slots=True)
class Tables:
    """The main table with its joined columns, and the tables that are not joined."""

    main: pd.DataFrame
    others: Mapping[str, pd.DataFrame]


def read_tables(spec: DatasetSpec | None, path: Path) -> Tables:
    """Read DATA; cells of text files stay text, Excel and Parquet keep their types.

    A text file's numbers are written as ``spec.format`` says, whatever the format of their own
    table. Raises DataError.
    """
    if spec is None or not spec.tables:
        return Tables(_read_data(path, FileFormat() if spec is None else spec.format), {})
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if not path.is_dir():
        raise DataError(f"{path}: is a file, but the specification names tables of a folder")
    main_spec = spec.main_table
    assert main_spec is not None, "the reader of specifications sees to that"
    main = _read_table(spec, path, main_spec)
    others: dict[str, pd.DataFrame] = {}
    for name, table in spec.tables.items():
        if table.main:
            continue
        frame = _read_table(spec, path, table)
        if table.key is None:
            others[name] = frame
        else:
            main = _join(main, frame, table, spec)
    return Tables(main, others)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as its suffix says, .parquet or .csv. Raises DataError."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        raise DataError(f"{path}: the name must end in .parquet or .csv")


def _read_data(path: Path, form: FileFormat) -> pd.DataFrame:
    if path.is_dir():
        raise DataError(f"{path}: is a folder, but the specification names no tables")
    files = matching(path)
    if not files:
        raise DataError(f"{path}: no such file or folder")
    return _read_all(files, form)


def _read_table(spec: DatasetSpec, folder: Path, table: TableSpec) -> pd.DataFrame:
    files = matching(folder, table.file)
    if not files:
        raise DataError(f"{folder}: has neither {table.file}.parquet nor {table.file}.csv")
    frame = _read_all(files, table.format or spec.format)
    if table.format is None:
        return frame
    for column in _number_columns(spec):
        if column in frame:
            frame[column] = rewritten(frame[column], table.format, spec.format)
    return frame


def _number_columns(spec: DatasetSpec) -> set[str]:
    """The columns that are read as numbers."""
    sources = {**spec.fields}
    sources |= {name: attribute.source for name, attribute in spec.attributes.items()}
    in_log = spec.events.values if spec.events else {}
    return {
        source.column
        for name, source in [*sources.items(), *in_log.items()]
        if _is_number(name, spec)
    }


def _is_number(name: str, spec: DatasetSpec) -> bool:
    if name in CORE_FIELDS:
        return CORE_FIELDS[name].type in ("number", "integer")
    attribute = spec.attributes.get(name)
    return attribute is not None and attribute.type == "number" and not attribute.days_since


def _read_all(files: tuple[Path, ...], form: FileFormat) -> pd.DataFrame:
    frames = [read_file(file, form) for file in files]
    for file, frame in zip(files[1:], frames[1:], strict=True):
        differing = sorted(set(map(str, frame.columns)) ^ set(map(str, frames[0].columns)))
        if differing:
            raise DataError(
                f"{file}: its columns are not those of {files[0].name}; they differ in "
                f"{', '.join(differing[:5])}"
            )
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def _join(
    main: pd.DataFrame, frame: pd.DataFrame, table: TableSpec, spec: DatasetSpec
) -> pd.DataFrame:
    key = table.key
    assert key is not None, "only tables with a key are joined"
    for side, where in ((main, "the main table"), (frame, table.file)):
        if key not in side:
            raise DataError(f"{where} has no column {key!r} to join {table.file} on")
    new = [column for column in frame if column not in main]
    if main[key].dtype != frame[key].dtype:  # text in one file, numbers in the other
        left, right = _as_texts(main[key], spec), _as_texts(frame[key], spec)
    else:
        left, right = main[key], frame[key]
    if right.duplicated().any():
        raise DataError(f"{table.file}: {key!r} is not unique, so it cannot be joined")
    other = frame[new].assign(**{_KEY: right})
    joined = main.assign(**{_KEY: left}).merge(other, on=_KEY, how="left", validate="many_to_one")
    return joined.drop(columns=_KEY)


def _as_texts(column: pd.Series, spec: DatasetSpec) -> pd.Series:
    return pd.Series(read_text(column, is_missing(column, spec.missing)).values, dtype=object)
