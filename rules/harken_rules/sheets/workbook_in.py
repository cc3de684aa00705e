"""A workbook file to grids of texts, within bounds, and nothing taken for what it is not.

A cell may hold a text, a number or a truth value. A date is refused, since it was a code or a
number before the spreadsheet took it for a date; so are formulas and merged cells.
"""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from harken_rules.hints import shown
from harken_rules.sheets.book import (
    CODES,
    MAX_COLUMNS,
    MAX_ROWS,
    STATE,
    Cell,
    Finding,
    Grid,
    SheetsError,
)

MAX_FILE_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 100_000_000
MAX_PARTS = 5_000
MAX_CELLS = 2_000_000

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z0-9:$]+)[\"']")
_FAR = re.compile(  # a cell with content beyond column ZZ, or from row 10000 on
    rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*[\"']"
    rb"(?:([A-Z]{3,})[0-9]+|[A-Z]+([0-9]{5,}))[\"'][^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)\b"
)
_LAST_COLUMN = 702
_OLE = b"\xd0\xcf\x11\xe0"
_MACROS = (b"macroEnabled", b"vbaProject")


@dataclass(frozen=True, slots=True)
class Part:
    """What the archive shows of a sheet: its merged cells, and whether it is far too large."""

    merged: tuple[str, ...]
    too_many: str | None


def read_workbook(path: Path, found: list[Finding]) -> dict[str, Grid]:
    """Every visible sheet by its name, in order; what is wrong with cells goes to ``found``.

    Raises SheetsError for a file that is no .xlsx workbook or too large.
    """
    parts = _inspect(path)
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on parts that nobody here reads
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=False)
        except Exception as error:  # the library raises whatever a broken part makes happen
            raise SheetsError(_broken(path, error)) from None
        try:
            return _read_sheets(book, parts, path, found)
        finally:
            book.close()


def _read_sheets(
    book: Any, parts: dict[str, Part], path: Path, found: list[Finding]
) -> dict[str, Grid]:
    grids: dict[str, Grid] = {}
    budget = MAX_CELLS
    for sheet in book.worksheets:
        name = str(sheet.title)
        if name == CODES:
            continue
        if sheet.sheet_state != "visible" and name != STATE:
            message = "the sheet is hidden, so that nobody sees what it says"
            found.append(Finding(name, 0, 0, message, "show it, or delete it"))
            continue
        part = parts.get(str(getattr(sheet, "_worksheet_path", "")).lstrip("/"))
        if part is not None and part.too_many:
            raise _too_many(name, part.too_many)
        try:
            grids[name] = _read_sheet(sheet, name, found, budget)
        except SheetsError:
            raise
        except Exception as error:
            raise SheetsError(_broken(path, error)) from None
        budget -= len(grids[name].cells)
        for cells in part.merged if part else ():
            message = f"the cells {cells} are merged"
            hint = "split them, and fill each cell on its own"
            found.append(Finding(name, *_first_of(cells), message, hint))
    return grids


def _read_sheet(sheet: Any, name: str, found: list[Finding], budget: int) -> Grid:
    grid = Grid(name)
    for row in sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=_LAST_COLUMN):
        for cell in row:
            if cell.value is None:
                continue
            where = (int(cell.row), int(cell.column))
            if where[0] > MAX_ROWS:
                raise _too_many(name, "rows")
            if where[1] > MAX_COLUMNS:
                raise _too_many(name, "columns")
            read = _cell(cell, Finding(name, *where, ""), found)
            if read is not None:
                grid.cells[where] = read
                grid.rows = max(grid.rows, where[0])
                grid.columns = max(grid.columns, where[1])
        if len(grid.cells) > budget:
            raise SheetsError(f"the workbook has more than {MAX_CELLS:,} cells")
    return grid


def _too_many(sheet: str, what: str) -> SheetsError:
    most = MAX_ROWS if what == "rows" else MAX_COLUMNS
    message = f"sheet '{sheet}' has more than {most:,} {what}"
    return SheetsError(f"{message}; delete the {what} that are not needed")


def _cell(cell: Any, at: Finding, found: list[Finding]) -> Cell | None:
    """The cell's content as text; None if it cannot be read, which is noted."""
    value, refused = cell.value, None
    if cell.data_type == "f":
        formula = shown(str(getattr(value, "text", value)))
        refused = f"the cell holds a formula, {formula}", "write the value instead"
    elif cell.data_type == "e":
        refused = f"the cell holds an error, {value}", "write the value instead"
    elif isinstance(value, bool):
        return Cell("true" if value else "false")
    elif isinstance(value, int | float):
        return Cell(_number_text(value), number=True)
    elif isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        message = f"the spreadsheet has made a date or a time of this cell, {value}"
        refused = message, "format the cell as text and type it again"
    if refused is not None:
        found.append(Finding(at.sheet, at.row, at.column, *refused))
        return None
    from openpyxl.utils.escape import unescape

    text = unescape(str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return Cell(text) if text else None


def _number_text(value: float) -> str:
    """The shortest decimal that the number is read from, without an exponent."""
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _inspect(path: Path) -> dict[str, Part]:
    """What the archive shows of each sheet; raises SheetsError unless it is an .xlsx in bounds."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SheetsError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes")
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise SheetsError(f"{path}: cannot be read: {error.strerror or error}") from None
    if start == _OLE:
        message = "an old .xls workbook, or one with a password"
        raise SheetsError(f"{path}: {message}; save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(path) as archive:
            return _inspect_parts(archive, path)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        message = "no workbook; save the sheets as .xlsx (Excel workbook)"
        raise SheetsError(f"{path}: {message}") from None


def _inspect_parts(archive: zipfile.ZipFile, path: Path) -> dict[str, Part]:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise SheetsError(f"{path}: unpacks to more than a workbook of rules can hold")
    if "mimetype" in names and "content.xml" in names:
        raise SheetsError(f"{path}: an OpenDocument sheet; save it as .xlsx (Excel workbook)")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise SheetsError(f"{path}: no workbook; save the sheets as .xlsx (Excel workbook)")
    types = archive.read("[Content_Types].xml")
    if any(word in types for word in _MACROS) or path.suffix.lower() == ".xlsm":
        raise SheetsError(f"{path}: a workbook with macros; save it as .xlsx without macros")
    found = {}
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            content = archive.read(part)
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
                raise SheetsError(f"{path}: declares entities, which no spreadsheet writes")
            if part.filename == "xl/sharedStrings.xml" and content.count(b"<si") > MAX_CELLS:
                raise SheetsError(f"{path}: holds more than {MAX_CELLS:,} texts")
            if part.filename.startswith("xl/worksheets/"):
                merged = tuple(one.decode() for one in _MERGED.findall(content))
                found[part.filename] = Part(merged, _far(content))
    return found


def _far(content: bytes) -> str | None:
    """``columns`` or ``rows`` if a cell with content lies too far out."""
    for cell in _FAR.finditer(content):
        if cell[1]:
            return "columns"
        if int(cell[2]) > MAX_ROWS:
            return "rows"
    return None


def _first_of(cells: str) -> tuple[int, int]:
    letters, digits = re.match(r"\$?([A-Z]+)\$?([0-9]+)", cells).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(digits), column


def _broken(path: Path, error: Exception) -> str:
    reason = shown(str(error)) or type(error).__name__
    return f"{path}: the workbook is damaged ({reason}); open it, and save it as .xlsx again"
