"""A table in a sheet that was read: columns found by their headings, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Place
from harken_rules.sheets.book import Finding, Grid, cell_name
from harken_rules.source import Node, Scalar, Table

IGNORED = "#"
"""A column whose heading begins so is the reader's own and is left alone."""


class TableGrid:
    """The rows below a heading row, ``last`` included; cells are asked for by heading."""

    def __init__(self, grid: Grid, heading: int, last: int, found: list[Finding]) -> None:
        self.grid, self.heading, self.last = grid, heading, last
        self.found = found
        self.columns: dict[str, int] = {}

    def read_headings(
        self,
        known: Callable[[str], str | None],
        all_known: Callable[[], Collection[str]],
        required: Sequence[str],
    ) -> bool:
        """Find the columns; False if a required one is not there.

        ``known`` answers a heading's proper spelling, or None if there is no such column.
        """
        for column in range(1, self.grid.columns + 1):
            written = self.grid.text(self.heading, column).strip()
            if written.startswith(IGNORED):
                continue
            heading = known(written) if written else None
            if not written:
                self._refuse_content(column)
            elif heading is None:
                hint = did_you_mean(written, all_known())
                self.error(self.heading, column, f"no column is called '{shown(written)}'", hint)
            elif heading in self.columns:
                first = cell_name(self.heading, self.columns[heading])
                message = f"the column '{heading}' stands here a second time (first in {first})"
                self.error(self.heading, column, message, "remove one of the two")
            else:
                self.columns[heading] = column
        missing = [one for one in required if one not in self.columns]
        for one in missing:
            message = f"the table has no column '{one}'"
            self.error(self.heading, 1, message, f"write '{one}' in the heading row")
        return not missing

    def rows(self) -> Iterator[int]:
        """The rows that hold anything."""
        for row in range(self.heading + 1, self.last + 1):
            if not self.grid.row_is_empty(row):
                yield row

    def text(self, row: int, heading: str) -> str:
        """A cell's text without blanks around it; empty if there is no such column."""
        column = self.columns.get(heading)
        return self.grid.text(row, column).strip() if column else ""

    def place(self, row: int, heading: str) -> Place:
        """The cell, or the row's first one if there is no such column."""
        return self.grid.place(row, self.columns.get(heading, 1))

    def scalar(self, row: int, heading: str, *, strip: bool = True) -> Scalar:
        """The cell as a YAML value."""
        column = self.columns.get(heading)
        text = self.grid.text(row, column) if column else ""
        return Scalar(self.place(row, heading), text.strip() if strip else text, True)

    def texts(self, row: int, word: str, languages: Sequence[str]) -> Table | None:
        """``word (en)``, ``word (zh)`` ... as labels; None if all of them are empty."""
        pairs: list[tuple[Scalar, Node]] = []
        for language in languages:
            value = self.scalar(row, f"{word} ({language})", strip=False)
            pairs.append((Scalar(value.place, language, True), value))
        if not any(isinstance(value, Scalar) and value.text.strip() for _, value in pairs):
            return None
        return Table(pairs[0][1].place, tuple(pairs))

    def error(self, row: int, column: int, message: str, hint: str | None = None) -> None:
        """Note what is wrong with a cell."""
        self.found.append(Finding(self.grid.name, row, column, message, hint))

    def _refuse_content(self, column: int) -> None:
        for row in range(self.heading + 1, self.last + 1):
            if self.grid.text(row, column).strip():
                message = "this column has no heading"
                hint = f"name it in {cell_name(self.heading, column)}; '# notes' is left alone"
                self.error(row, column, message, hint)
                return


def entry(place: Place, key: str, value: Node) -> tuple[Scalar, Node]:
    """An entry of a mapping."""
    return Scalar(place, key, True), value


def heading_row(grid: Grid, first: str, start: int = 1) -> int | None:
    """The first row from ``start`` on whose heading ``first`` stands in any column."""
    for row in range(start, grid.rows + 1):
        if any(grid.text(row, column).strip() == first for column in range(1, grid.columns + 1)):
            return row
    return None
