"""Sheets to a workbook file: every cell a text, so that no code becomes a number or a formula."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from harken_rules.files import write_whole
from harken_rules.sheets.book import CODES, MAX_CELL, MAX_ROWS, Sheet, SheetsError, cell_name

_ESCAPE = re.compile(r"_(x[0-9A-Fa-f]{4}_)")
_NOT_IN_A_CELL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADING, _LABEL, _TITLE = "FFD9E2F3", "FFF2F2F2", "FF1F3864"


def write_workbook(
    path: Path, sheets: Sequence[Sheet], codes: Mapping[str, tuple[int, int]]
) -> None:
    """Write ``sheets`` to ``path`` at once or not at all.

    ``codes``: for each fact the column of its codes in the sheet of codes, and the last row.
    Raises SheetsError where a text or a table is larger than a spreadsheet can hold.
    """
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in sheets:
        if len(sheet.rows) > MAX_ROWS:
            message = f"sheet '{sheet.name}' would have {len(sheet.rows):,} rows"
            raise SheetsError(f"{message}; {MAX_ROWS:,} is the most")
        _write_sheet(book.create_sheet(sheet.name), sheet, codes)
    book.active = 0
    written = io.BytesIO()
    book.save(written)
    try:
        write_whole(path, written.getvalue())
    except OSError as error:
        raise SheetsError(f"{path}: cannot be written: {error.strerror or error}") from None


def _write_sheet(out: Any, sheet: Sheet, codes: Mapping[str, tuple[int, int]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    styles = _styles(out)
    looks = dict.fromkeys(sheet.headings, "heading") | dict.fromkeys(sheet.labels, "label")
    titles = set(sheet.titles)
    for row, texts in enumerate(sheet.rows, start=1):
        for column, text in enumerate(texts, start=1):
            if text or row in looks:
                cell = out.cell(row=row, column=column)
                look = "title" if (row, column) in titles else "plain"
                cell._style = copy(styles[looks.get(row, look)])
                _set_text(cell, text, sheet.name)
    for (row, column), name in sheet.links.items():
        out.cell(row=row, column=column).hyperlink = f"#'{name}'!A1"
        out.cell(row=row, column=column).font = Font(underline="single", color="FF0563C1")
    columns = max((len(row) for row in sheet.rows), default=0)
    for column in range(1, columns + 1):
        dimension = out.column_dimensions[get_column_letter(column)]
        dimension.width = sheet.widths.get(column, 12)
        dimension.number_format = "@"
    if sheet.frozen:
        out.freeze_panes = cell_name(*sheet.frozen)
    if sheet.filtered:
        out.auto_filter.ref = f"A1:{cell_name(max(len(sheet.rows), 1), max(columns, 1))}"
    if sheet.hidden:
        out.sheet_state = "veryHidden"
    _write_notes(out, sheet)
    _write_choices(out, sheet, codes)


def _styles(out: Any) -> dict[str, Any]:
    """How cells look, as text cells all; made once a sheet, since making one takes long."""
    from openpyxl.cell import Cell
    from openpyxl.styles import Alignment, Font, PatternFill

    looks = {
        "plain": (Font(), PatternFill()),
        "title": (Font(bold=True, color=_TITLE), PatternFill()),
        "heading": (Font(bold=True), PatternFill("solid", _HEADING)),
        "label": (Font(italic=True), PatternFill("solid", _LABEL)),
    }
    styles = {}
    for name, (font, fill) in looks.items():
        cell = Cell(out, row=1, column=1)
        cell.font, cell.fill, cell.number_format = font, fill, "@"
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        styles[name] = cell._style
    return styles


def _set_text(cell: Any, text: str, sheet: str) -> None:
    if len(text) > MAX_CELL:
        where = f"{sheet}!{cell.coordinate}"
        message = f"{where} would hold {len(text):,} characters; {MAX_CELL:,} is the most"
        raise SheetsError(f"{message} a spreadsheet can keep")
    if not text:
        return
    # an underscore-x-digits text is an escape in the file format; control characters are refused
    cell.value = _NOT_IN_A_CELL.sub("\ufffd", _ESCAPE.sub(r"_x005F_\1", text))
    cell.data_type = "s"
    if text[0] in "=+-@'":
        cell.quotePrefix = True


def _write_notes(out: Any, sheet: Sheet) -> None:
    from openpyxl.comments import Comment

    for (row, column), text in sheet.notes.items():
        height = 18 * min(len(text.split("\n")) + 1, 24)
        out.cell(row=row, column=column).comment = Comment(
            _NOT_IN_A_CELL.sub("\ufffd", text), "harken", width=320, height=height
        )


def _write_choices(out: Any, sheet: Sheet, codes: Mapping[str, tuple[int, int]]) -> None:
    """Drop-downs that offer codes and forbid nothing: a cell may also hold a list or a ``not``."""
    from openpyxl.worksheet.datavalidation import DataValidation

    for first, last, column, what in sheet.choices:
        if what.startswith("="):
            formula = f'"{what[1:]}"'
        elif what in codes:
            at, end = codes[what]
            letters = cell_name(1, at)[:-1]
            formula = f"{CODES}!${letters}$2:${letters}${end}"
        else:
            continue
        choice = DataValidation(type="list", formula1=formula, allow_blank=True)
        choice.showErrorMessage = False
        choice.add(f"{cell_name(first, column)}:{cell_name(last, column)}")
        out.add_data_validation(choice)
