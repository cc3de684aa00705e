"""What a workbook holds, before it is written and after it is read: plain values, no library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harken_rules.language import Place

FORMAT = "harken-sheets/1"
MAX_ROWS = 10_000
MAX_COLUMNS = 400
MAX_CELL = 32_000
"""Characters: a spreadsheet's cell holds 32,767 at most."""

INDEX, FACTS, VALUES, CODES, TAXONOMY, STATE = (
    "index",
    "facts",
    "values",
    "codes",
    "taxonomy",
    "harken_state",
)
DECISION, CATALOGUE = "decision ", "catalogue "
"""What stands before a name where the index says what a sheet holds."""

OWN_SHEETS = (INDEX, FACTS, VALUES, CODES, TAXONOMY, STATE, "history")
"""Names that no decision's sheet may have; a spreadsheet keeps ``history`` for itself."""

_LONGEST_NAME = 31


class SheetsError(Exception):
    """A workbook cannot be written or read at all; the message is one clear sentence."""


@dataclass(slots=True)
class Sheet:
    """A sheet to be written: rows of texts, and how they look.

    ``headings``, ``hints`` and ``labels`` are row numbers from 1; ``notes`` and ``choices`` are by
    (row, column) and (first row, last row, column); a choice names the column of codes it offers.
    """

    name: str
    rows: list[list[str]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    titles: list[tuple[int, int]] = field(default_factory=list)
    frozen: tuple[int, int] | None = None
    widths: dict[int, int] = field(default_factory=dict)
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    choices: list[tuple[int, int, int, str]] = field(default_factory=list)
    links: dict[tuple[int, int], str] = field(default_factory=dict)
    filtered: bool = False
    hidden: bool = False

    def add(self, *texts: str) -> int:
        """Append a row; answers its number."""
        self.rows.append(list(texts))
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that was read and is not empty. ``number``: the sheet holds a number, not a text."""

    text: str
    number: bool = False


@dataclass(slots=True)
class Grid:
    """A sheet that was read: its cells by (row, column), both from 1."""

    name: str
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0

    def text(self, row: int, column: int) -> str:
        """The cell's text, empty if it is."""
        cell = self.cells.get((row, column))
        return cell.text if cell else ""

    def place(self, row: int, column: int) -> Place:
        """The cell as a place: the sheet's name for a file."""
        return Place(sheet_file(self.name), row, column)

    def row_is_empty(self, row: int) -> bool:
        """Whether no cell of the row holds anything but blanks."""
        return not any(self.text(row, column).strip() for column in range(1, self.columns + 1))


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something in a workbook that keeps it from being imported, or that should be known."""

    sheet: str
    row: int
    column: int
    message: str
    hint: str | None = None
    warning: bool = False

    def render(self) -> str:
        """``tolerance!D7: message; hint``, on one line."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"

    @property
    def where(self) -> str:
        """Sheet and cell as a spreadsheet writes them."""
        return f"{self.sheet}!{cell_name(self.row, self.column)}" if self.row else self.sheet

    def to_dict(self) -> dict[str, object]:
        """The finding for machines."""
        cell = cell_name(self.row, self.column) if self.row else None
        kind = "warning" if self.warning else "error"
        return {
            "severity": kind,
            "sheet": self.sheet,
            "cell": cell,
            "message": self.message,
            "hint": self.hint,
        }


def cell_name(row: int, column: int) -> str:
    """``D7`` for row 7, column 4."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def sheet_file(name: str) -> str:
    """A sheet's name as the file of a place; no file of a rule base is called so."""
    return f"{name}!"


def sheet_names(names: Iterable[str], taken: Iterable[str] = OWN_SHEETS) -> Mapping[str, str]:
    """A sheet name for each of ``names``: at most 31 characters, unlike any other in any case."""
    used = set(taken)
    found = {}
    for name in names:
        sheet, number = name[:_LONGEST_NAME], 1
        while sheet in used:
            number += 1
            ending = f"~{number}"
            sheet = name[: _LONGEST_NAME - len(ending)] + ending
        used.add(sheet)
        found[name] = sheet
    return found


def widths_of(rows: Sequence[Sequence[str]], least: int = 8, most: int = 44) -> dict[int, int]:
    """A width for each column by its longest line."""
    found: dict[int, int] = {}
    for row in rows:
        for column, text in enumerate(row, start=1):
            longest = max((len(line) for line in text[:400].split("\n")), default=0)
            found[column] = min(most, max(found.get(column, least), longest + 2))
    return found
