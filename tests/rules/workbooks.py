"""Workbooks made of rule bases, edited as a person would, and imported again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from harken_rules.loader import read_rule_base
from harken_rules.sheets import Imported, export_workbook, import_workbook
from harken_rules.sheets.book import VALUES, Grid
from harken_rules.sheets.content import Content, grid_of, read_content
from harken_rules.sheets.exporting import document_sheets, views
from harken_rules.sheets.fact_sheets import value_sheet
from harken_rules.sheets.index import Index, Listed
from harken_rules.sheets.merging import merge
from harken_rules.sheets.plain import as_mapping
from harken_rules.sheets.sheet_reading import SheetsRead, in_book_order, read_sheets
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
        if {"rule", heading} <= {one.value for one in row}:
            top, column = next((one.row, one.column) for one in row if one.value == heading)
            break
    else:
        raise AssertionError(f"no heading {heading!r}")
    rows = range(top, sheet.max_row + 1)
    return sheet.cell(next(row for row in rows if sheet.cell(row, 1).value == rule), column)


def files(root: Path) -> dict[str, bytes]:
    """Every YAML file's bytes by its name."""
    found = sorted(root.rglob("*.yaml"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


class InMemory:
    """A base's sheets as grids, to be edited and read or merged without a file in between."""

    def __init__(self, root: Path) -> None:
        loaded = read_rule_base(root)
        assert loaded.base is not None, loaded.diagnostics
        base = loaded.base
        self.content: Content = read_content(root, base)
        names = [one.name for one in base.decisions]
        sheets = document_sheets(self.content, names, "en")
        self.units = {key: marks_of(value) for key, value in views(self.content, names).items()}
        self.listed = [Listed(one.name, document) for document, one in sheets.items()]
        self.listed.append(Listed(VALUES, VALUES))
        assert self.content.facts is not None
        values = value_sheet(as_mapping(self.content.facts.plain["facts"]), base.languages)
        self._grids = {one.name: grid_of(one) for one in (*sheets.values(), values)}

    def grids(self) -> dict[str, Grid]:
        """All sheets as they are read back, to be edited."""
        return {
            name: Grid(name, dict(one.cells), one.rows, one.columns)
            for name, one in self._grids.items()
        }

    def findings(self, grids: dict[str, Grid]) -> list[str]:
        """What is wrong with an edited workbook."""
        index = Index(self.content.base.digest, self.listed, self.units)
        read = read_sheets(grids, index, self.content, [])
        return [one.render() for one in in_book_order(read.found, grids)]

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
