"""What a file looks like: how it is written, and what its columns seem to hold.

All of it is for drafting a specification, which a person confirms. Reading never asks here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from harken_models.columnkinds import FLAG_WORDS, MOSTLY, Kind, kind_of
from harken_models.columns import as_text
from harken_models.detection import guess_delimiter, guess_encoding, records
from harken_models.errors import DataError
from harken_models.files import matching, read_file, unpacked_bytes
from harken_models.numbertext import plain_number
from harken_models.spec import FileFormat
from harken_models.timeshapes import formats_of, swapped, time_shapes
from harken_models.timetext import NOT_A_TIME, times_us

__all__ = ["FLAG_WORDS", "Sniffed", "SniffedColumn", "formats_of", "sniff", "sniff_frame"]

SAMPLE_BYTES = 1 << 24
"""Of a file's beginning, for its encoding; the delimiter takes the first 64 KiB of it."""
DISTINCT = 2_000
"""Distinct texts of a column that are looked at, evenly spread."""
MISSING_WORDS = ("?", "N/A", "n/a", "#N/A", "NULL", "null", "\\N", "NaN", "nan", "未知", "不详")
"""Nobody's category."""
PERHAPS_MISSING = ("NA", "-", "--", "None", "none", ".", "unknown", "Unknown", "无")
"""Missing where they stand among numbers or times; by themselves they may be a category."""
_Way = tuple[Literal[".", ","], str]
_NUMBERS_BY_DELIMITER: dict[str, tuple[_Way, ...]] = {
    ",": ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'")),
    "": ((".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", " "), (".", "'")),
}


@dataclass(frozen=True, slots=True)
class SniffedColumn:
    """What a column seems to hold.

    ``formats``: of times, the commonest first; () also for times that the file holds as such.
    ``missing_words``: texts that seem to mean that nothing is known. ``odd``: texts that do not
    fit the kind. ``confirm``: what could as well be otherwise, in words.
    """

    name: str
    kind: Kind
    formats: tuple[str, ...]
    distinct: int
    missing: int
    missing_words: tuple[str, ...]
    examples: tuple[str, ...]
    odd: tuple[str, ...]
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A file as it seems to be. ``rows``: how many were looked at; ``frame`` holds them."""

    format: FileFormat
    columns: tuple[SniffedColumn, ...]
    rows: int
    notes: tuple[str, ...]
    file: str = ""
    frame: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)

    def column(self, name: str) -> SniffedColumn:
        """The column of a name. Raises DataError."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise DataError(f"{self.file}: has no column {name!r}; it has {known}")


def sniff(path: Path, rows: int = 200_000) -> Sniffed:
    """Look at a file, or at the first of a glob. Raises DataError."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name one of its files, and link the tables by hand")
    files = matching(path)
    if not files:
        raise DataError(f"{path}: no such file")
    form, notes = _guess_format(files[0])
    frame = read_file(files[0], form, rows=rows)
    if len(files) > 1:
        notes.append(f"{len(files)} files match; the first was looked at")
    if len(frame) == rows:
        notes.append(f"the first {rows:,} rows were looked at")
    sniffed = sniff_frame(frame, form, str(files[0]))
    return replace(sniffed, notes=(*notes, *sniffed.notes))


def sniff_frame(frame: pd.DataFrame, form: FileFormat, file: str = "") -> Sniffed:
    """The same of a frame that has been read as ``form`` says, its way of writing numbers aside."""
    if frame.empty:
        raise DataError(f"{file}: has no rows beneath its column names")
    texts = {str(name): _distinct_texts(frame[name]) for name in frame}
    form = _with_numbers(form, texts)
    words = _missing_words(texts, form)
    columns = [_look(str(name), frame[name], form, words) for name in frame]
    columns = _with_order(columns, frame)
    notes = [f"{one.name}: {one.confirm}" for one in columns if one.confirm]
    return Sniffed(form, tuple(columns), len(frame), tuple(notes), file, frame)


def _guess_format(path: Path) -> tuple[FileFormat, list[str]]:
    if path.suffix.lower() in (".parquet", ".pq", ".xlsx", ".xlsm"):
        return FileFormat(), []
    sample = unpacked_bytes(path, SAMPLE_BYTES)
    encoding = guess_encoding(sample) if sample else "utf-8"
    if encoding is None:
        raise DataError(f"{path}: is no text, as far as its first bytes show")
    notes = []
    if encoding in ("cp1252", "latin-1"):
        notes.append(
            f"encoding: {encoding} is a guess: one-byte encodings cannot be told apart; "
            "look at accented letters"
        )
    text = sample.decode(encoding, errors="ignore").lstrip("\ufeff")[:65_536]
    delimiter = guess_delimiter(text) or ","
    skipped = _title_lines(text, delimiter)
    if skipped:
        notes.append(f"skip_rows: the column names seem to stand in line {skipped + 1}")
    return FileFormat(encoding=encoding, delimiter=delimiter, skip_rows=skipped), notes


def _title_lines(text: str, delimiter: str) -> int:
    """Lines before the column names: those narrower than what follows."""
    rows = records(text, delimiter)
    wide = max((len(row) for row in rows[-20:]), default=1)
    first = next((i for i, row in enumerate(rows) if len(row) == wide), 0)
    if not 0 < first <= 20 or any(len(row) * 2 > wide for row in rows[:first]):
        return 0
    # Records may run over lines and blank lines are none, so the header's own line is sought.
    head = delimiter.join(rows[first])[:20]
    lines = text.splitlines()
    return next((i for i, line in enumerate(lines) if line.replace('"', "")[:20] == head), first)


def _distinct_texts(column: pd.Series) -> list[str]:
    """Distinct texts, stripped, evenly spread over the column; none of numbers and times."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(
        column.dtype
    ):
        return []
    values = np.asarray(pd.unique(column.dropna()), dtype=object)
    if len(values) > DISTINCT:
        values = values[np.linspace(0, len(values) - 1, DISTINCT).astype(np.int64)]
    return list(dict.fromkeys(str(value).strip() for value in values))


def _with_numbers(form: FileFormat, texts: dict[str, list[str]]) -> FileFormat:
    """The way of writing numbers under which the most columns are numbers; first come, if equal."""
    ways = _NUMBERS_BY_DELIMITER.get(form.delimiter, _NUMBERS_BY_DELIMITER[""])
    skipped = {*MISSING_WORDS, *PERHAPS_MISSING, ""}
    best, most = form, -1
    for decimal, thousands in ways:
        tried = replace(form, decimal=decimal, thousands=thousands)
        count = 0
        for column in texts.values():
            told = [text for text in column if text not in skipped]
            good = sum(plain_number(text, tried) is not None for text in told)
            count += bool(told) and good >= MOSTLY * len(told)
        if count > most:
            best, most = tried, count
    return best


def _missing_words(texts: dict[str, list[str]], form: FileFormat) -> frozenset[str]:
    """Of the whole file, as a specification has one list for all columns."""
    found: set[str] = set()
    for column in texts.values():
        there = [text for text in column if text]
        found |= {text for text in there if text in MISSING_WORDS}
        doubtful = [text for text in there if text in PERHAPS_MISSING]
        told = [t for t in there if t not in MISSING_WORDS and t not in PERHAPS_MISSING]
        if doubtful and told and (_share_numbers(told, form) >= MOSTLY or _share_times(told)):
            found |= set(doubtful)
    return frozenset(found)


def _share_numbers(texts: Sequence[str], form: FileFormat) -> float:
    return sum(plain_number(text, form) is not None for text in texts) / max(len(texts), 1)


def _share_times(texts: Sequence[str]) -> bool:
    return time_shapes(texts).other <= (1 - MOSTLY) * len(texts)


def _look(name: str, column: pd.Series, form: FileFormat, words: frozenset[str]) -> SniffedColumn:
    stripped = column.map(lambda v: v.strip() if isinstance(v, str) else v)
    empty = stripped.isna() | stripped.isin(["", *words])
    known = stripped[~empty]
    counts = known.value_counts()
    texts = [as_text(value) for value in counts.index]
    if len(texts) > DISTINCT:
        texts = texts[:: len(texts) // DISTINCT]
    kind, formats, odd = kind_of(name, known, texts, len(column), len(counts), form)
    confirm = f"{odd[0]!r} is no {kind}" if odd else ""
    return SniffedColumn(
        name=name,
        kind=kind,
        formats=formats,
        distinct=len(counts),
        missing=int(empty.sum()),
        missing_words=tuple(sorted(words & set(map(str, stripped[empty].dropna().unique())))),
        examples=tuple(texts[:5]),
        odd=odd[:5],
        confirm=confirm,
    )


def _with_order(columns: list[SniffedColumn], frame: pd.DataFrame) -> list[SniffedColumn]:
    """Day and month in the order that the file's rows show, where the texts do not."""
    result = []
    for column in columns:
        if column.kind == "time" and column.formats:
            texts = frame[column.name].dropna().astype(str).str.strip()
            shapes = time_shapes(pd.unique(texts))
            if shapes.unsettled and set(shapes.unsettled) == set(column.formats):
                column = _ordered(column, texts)
        result.append(column)
    return result


def _ordered(column: SniffedColumn, texts: pd.Series) -> SniffedColumn:
    """Rows mostly stand in order of time, rising or falling: the steadier reading is taken."""
    other = tuple(swapped(form) for form in column.formats)
    steady = []
    for formats in (column.formats, other):
        times = times_us(texts, formats, "UTC")
        steps = np.diff(times[times != NOT_A_TIME])
        steady.append(abs(int((steps > 0).sum()) - int((steps < 0).sum())))
    chosen = column.formats if steady[0] >= steady[1] else other
    words = "day or month first? No text shows it; this order has the rows in order of time"
    if steady[0] == steady[1]:
        words = "day or month first? Nothing shows it"
    return replace(column, formats=chosen, confirm=words)
