"""Reading one file of an operator: CSV of any convention, Excel, Parquet, gzip; globs of them.

A file is read as its ``FileFormat`` declares. What contradicts the declaration is an error whose
sentence says what the file looks like instead; nothing is tried in its place.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa

from harken_models.detection import guess_delimiter, guess_encoding
from harken_models.errors import DataError
from harken_models.spec import FileFormat

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".xlsx", "")
"""How a file named without its suffix may end; the first that is there is taken."""

_GZIP = b"\x1f\x8b"
_MARK_SKIPPING = {"utf-8": "utf-8-sig", "UTF-8": "utf-8-sig"}
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_KINDS = (
    (b"PAR1", "Parquet", "name it .parquet"),
    (b"PK\x03\x04", "Excel or zip", "name it .xlsx if it is Excel's, else unpack it"),
    (b"\xd0\xcf\x11\xe0", "old Excel", "save it as .xlsx or CSV"),
)
_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def read_file(
    path: Path,
    form: FileFormat,
    columns: Collection[str] | None = None,
    rows: int | None = None,
) -> pd.DataFrame:
    """One file as a frame, or only its ``columns`` (those that it has) and first ``rows``.

    Cells of a text file stay text, with the spaces around them; Excel and Parquet keep their
    types. The suffix says what a file is (``.parquet``, ``.xlsx``, else text); gzip is seen by its
    first bytes. Raises DataError: one sentence.
    """
    kind = _kind(path)
    try:
        if kind == "parquet":
            frame = _read_parquet(path, columns)
        elif kind == "excel":
            frame = _read_excel(path, form, columns, rows)
        else:
            frame = _read_text(path, form, columns, rows)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read: {reason}") from None
    except (EOFError, zlib.error):
        raise DataError(f"{path}: cannot be read: the gzip file is cut short or damaged") from None
    return frame if rows is None else frame.head(rows)


def matching(path: Path, name: str = "") -> tuple[Path, ...]:
    """The files that ``path`` means, or ``name`` in the folder ``path``; sorted, () if none.

    Both may be patterns (``surveys-*.csv.gz``). ``name`` may lack its suffix.
    """
    if not name:
        if path.is_file():
            return (path,)
        folder, patterns = path.parent, [path.name]
    else:
        folder, patterns = path, [f"{name}{suffix}" for suffix in SUFFIXES]
    for pattern in patterns:
        if (folder / pattern).is_file():
            return (folder / pattern,)
        try:
            found = tuple(sorted(one for one in folder.glob(pattern) if one.is_file()))
        except (ValueError, NotImplementedError):  # no pattern of a place below the folder
            return ()
        if found:
            return found
    return ()


def open_text(path: Path, form: FileFormat) -> IO[str]:
    """A text file, unpacked and decoded, its byte-order mark skipped; lines end as they do."""
    encoding = _MARK_SKIPPING.get(form.encoding, form.encoding)
    if encoding.startswith("utf-16") and unpacked_bytes(path, 2) in _WIDE_MARKS:
        encoding = "utf-16"
    if first_bytes(path, 2) == _GZIP:
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a file as it lies on the disk."""
    with path.open("rb") as file:
        return file.read(count)


def unpacked_bytes(path: Path, count: int) -> bytes:
    """The first bytes of what a file holds, gzip unpacked; fewer where it is cut short."""
    if first_bytes(path, 2) != _GZIP:
        return first_bytes(path, count)
    try:
        with gzip.open(path) as file:
            return file.read(count)
    except (EOFError, zlib.error, OSError):
        return b""


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return "parquet"
    if suffix in (".xlsx", ".xlsm"):
        return "excel"
    if suffix in (".xls", ".xlsb", ".ods", ".zip"):
        raise DataError(f"{path}: {suffix} files are not read; save it as .xlsx, CSV or Parquet")
    return "text"


def _read_parquet(path: Path, columns: Collection[str] | None) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowException, ValueError) as error:
        why = str(error).splitlines()[0]
        raise DataError(
            f"{path}: cannot be read: it is no whole Parquet file, perhaps cut short ({why})"
        ) from None
    frame.columns = frame.columns.map(str)
    return frame if columns is None else frame[[c for c in frame if c in columns]]


def _read_excel(
    path: Path, form: FileFormat, columns: Collection[str] | None, rows: int | None
) -> pd.DataFrame:
    try:
        import openpyxl  # noqa: F401  here only to say what is missing
    except ImportError:
        raise DataError(
            f"{path}: Excel files are read with openpyxl: pip install 'harken-models[excel]'"
        ) from None
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            names = [str(name) for name in book.sheet_names]
            if form.sheet is not None and form.sheet not in names:
                raise DataError(f"{path}: has no sheet {form.sheet!r}; it has {', '.join(names)}")
            frame = pd.read_excel(
                book,
                sheet_name=0 if form.sheet is None else form.sheet,
                skiprows=form.skip_rows,
                nrows=rows,
                keep_default_na=False,
                na_values=[""],
            )
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise DataError(
            f"{path}: cannot be read: it is no whole Excel file, perhaps cut short ({why})"
        ) from None
    frame.columns = frame.columns.map(str)
    return frame if columns is None else frame[[c for c in frame if c in columns]]


def _read_text(
    path: Path, form: FileFormat, columns: Collection[str] | None, rows: int | None
) -> pd.DataFrame:
    _refuse_other_kinds(path)
    try:
        with open_text(path, form) as file:
            frame = pd.read_csv(
                file,
                sep=form.delimiter,
                quotechar=form.quote or '"',
                quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
                skiprows=form.skip_rows,
                nrows=rows,
                dtype=str,
                keep_default_na=False,
                usecols=None if columns is None else (lambda name: name in columns),
            )
    except UnicodeError as error:
        raise DataError(_not_encoded(path, form, error)) from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}: is empty: it has no line of column names") from None
    except (ValueError, csv.Error) as error:  # pandas' parser errors are ValueErrors
        raise DataError(f"{path}: cannot be read: {_misread(str(error))}") from None
    _check_header(path, form, frame)
    return frame


def _refuse_other_kinds(path: Path) -> None:
    head = first_bytes(path, 4)
    for magic, kind, mend in _OTHER_KINDS:
        if head.startswith(magic):
            raise DataError(f"{path}: is {kind} by its content; {mend}")


def _check_header(path: Path, form: FileFormat, frame: pd.DataFrame) -> None:
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes the surplus for row names
        raise DataError(f"{path}: its rows have more cells than the line of column names")
    names = [str(name) for name in frame.columns]
    if any("\0" in name for name in names):
        raise DataError(_not_encoded(path, form, None))
    if len(names) == 1:
        other = guess_delimiter(names[0] + "\n")
        if other is not None and other != form.delimiter:
            raise DataError(
                f"{path}: is one column wide when read with the delimiter {form.delimiter!r}; "
                f'it looks like {other!r}: write format: {{delimiter: "{shown(other)}"}}'
            )


def _not_encoded(path: Path, form: FileFormat, error: UnicodeError | None) -> str:
    where = ""
    if isinstance(error, UnicodeDecodeError):
        where = f" (byte 0x{error.object[error.start]:02x})" if error.object else ""
    found = guess_encoding(unpacked_bytes(path, 1 << 20))
    mend = "write its encoding as format: {encoding: …}"
    if found is not None and found != form.encoding:
        mend = f"it looks like {found}: write format: {{encoding: {found}}}"
    return f"{path}: cannot be read: it is not {form.encoding} text{where}; {mend}"


def _misread(message: str) -> str:
    found = _RAGGED.search(message)
    if found:
        wide, line, cells = found.groups()
        return f"line {line} has {cells} cells, the lines before it {wide}"
    return message.splitlines()[0]


def shown(delimiter: str) -> str:
    """A delimiter as a specification writes it."""
    return "\\t" if delimiter == "\t" else delimiter
