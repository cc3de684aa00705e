"""Workbooks made of rule bases, edited as a person would, and imported again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from harken_rules.loader import read_rule_base
from harken_rules.sheets import Imported, export_workbook, import_workbook
from harken_rules.sheets.book import Grid
from harken_rules.sheets.content import Content, grid_of, read_content
from harken_rules.sheets.exporting import document_sheets, views
from harken_rules.sheets.index import Index, Listed
from harken_rules.sheets.merging import merge
from harken_rules.sheets.sheet_reading import SheetsRead, read_sheets
from harken_rules.sheets.units import marks_of


def export(root: Path, to: Path, **options: Any) -> Path:
    loaded = read_rule_base(root)
    assert loaded.base is not None, loaded.diagnostics
    export_workbook(root, loaded.base, to, **options)
    return to


def bring_back(file: Path, root: Path, **options: Any) -> Imported:
    loaded = read_rule_base(root)
    assert loaded.base is not None, loaded.diagnostics
    return import_workbook(file, root, loaded, **options)


def edit(file: Path, change: Callable[[Any], object]) -> Path:
    """Open the workbook, let ``change`` do something to it, save it."""
    book = openpyxl.load_workbook(file)
    change(book)
    book.save(file)
    return file


def cell(sheet: Any, rule: str, heading: str) -> Any:
    """The cell of a rule's first row under a heading."""
    for row in sheet.iter_rows():
        if heading in [one.value for one in row]:
            column = next(one.column for one in row if one.value == heading)
            break
    else:
        raise AssertionError(f"no heading {heading!r}")
    row_of = next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == rule)
    return sheet.cell(row_of, column)


def files(root: Path) -> dict[str, bytes]:
    """Every YAML file's bytes by its name."""
    found = sorted(root.rglob("*.yaml"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


class InMemory:
    """A base's sheets as grids, to be edited and merged without a file in between."""

    def __init__(self, root: Path) -> None:
        loaded = read_rule_base(root)
        assert loaded.base is not None, loaded.diagnostics
        self.content: Content = read_content(root, loaded.base)
        names = [one.name for one in loaded.base.decisions]
        sheets = document_sheets(self.content, names, "en")
        self.grids: dict[str, Grid] = {one.name: grid_of(one) for one in sheets.values()}
        self.units = {key: marks_of(value) for key, value in views(self.content, names).items()}

    def read(self, document: str, grid: Grid) -> SheetsRead:
        """What the workbook says if it has only this sheet."""
        read = read_sheets({grid.name: grid}, self._index(document, grid), self.content, [])
        assert not read.broken, [one.render() for one in read.found]
        return read

    def merged(self, document: str, grid: Grid) -> dict[str, bytes]:
        """The files that change when only this sheet comes back."""
        index = self._index(document, grid)
        return merge(self.read(document, grid), self.content, index).files

    def _index(self, document: str, grid: Grid) -> Index:
        return Index(self.content.base.digest, [Listed(grid.name, document)], self.units)
