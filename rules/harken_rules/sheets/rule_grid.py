"""The rules of a decision's sheet, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from harken_rules.hints import shown
from harken_rules.language import Fact, FactType, Place
from harken_rules.sheets.book import Cell
from harken_rules.sheets.celltext import CellError, read_condition_text, read_values
from harken_rules.sheets.decision_rows import (
    ANY,
    CHARACTERISTIC,
    LABELS,
    REMARK,
    RULE,
    THEN,
    WHEN,
)
from harken_rules.sheets.tablegrid import TableGrid, entry
from harken_rules.source import Items, Node, Scalar, Table


class RuleReader:
    """The rules of one table; a rule reaches over the ``or`` rows below it."""

    def __init__(
        self,
        table: TableGrid,
        facts: Mapping[str, Fact],
        languages: Sequence[str],
        results: Sequence[str],
    ) -> None:
        self._table, self._facts = table, facts
        self._languages, self._results = languages, results
        self.remarks: dict[str, str] = {}

    def read(self) -> Items:
        """All rules in the order of their rows; ``remarks`` has what stands beside them."""
        rules: list[Table] = []
        rows = [row for row in self._table.rows() if self._table.text(row, RULE) != LABELS]
        index = 0
        while index < len(rows):
            first = rows[index]
            below = index + 1
            while below < len(rows) and self._table.text(rows[below], ANY):
                below += 1
            rule_id = self._table.text(first, RULE)
            if self._table.text(first, ANY):
                message = "an alternative stands here without a rule above it"
                self._error(first, ANY, message, "empty the cell in the rule's first row")
            elif not rule_id:
                hint = f"write one that no other rule has, for example rule-{len(rules) + 1}"
                self._error(first, RULE, "the rule has no id", hint)
            else:
                rules.append(self._rule(first, rows[index + 1 : below]))
                self.remarks[rule_id] = self._grid_text(first, REMARK)
            index = below
        return Items(self._table.grid.place(self._table.heading, 1), tuple(rules))

    def _rule(self, first: int, others: Sequence[int]) -> Table:
        table = self._table
        entries = [entry(table.place(first, RULE), "id", table.scalar(first, RULE))]
        if table.text(first, CHARACTERISTIC):
            node = table.scalar(first, CHARACTERISTIC)
            entries.append(entry(node.place, CHARACTERISTIC, node))
        when = self._when(first, others)
        if when.entries:
            entries.append(entry(when.place, "when", when))
        entries.append(self._then(first))
        because = table.texts(first, "because", self._languages)
        if because is not None:
            entries.append(entry(because.place, "because", because))
        for row in others:
            self._refuse_second(first, row)
        return Table(table.place(first, RULE), tuple(entries))

    def _when(self, first: int, others: Sequence[int]) -> Table:
        """The conditions of the first row, and under ``any`` what the ``or`` rows hold."""
        top = _When(self._conditions(first))
        path = [top]
        for row in others:
            depth = self._depth(row)
            if depth is None or depth > len(path):
                message = f"'{self._table.text(row, ANY)}' has no alternative above to belong to"
                hint = "write or; or 2 for an alternative inside the one above"
                self._error(row, ANY, message, hint)
                continue
            one = _When(self._conditions(row))
            del path[depth:]
            path[-1].alternatives.append((self._table.place(row, ANY), one))
            path.append(one)
        return top.node(self._table.place(first, RULE))

    def _depth(self, row: int) -> int | None:
        words = self._table.text(row, ANY).casefold().split()
        if words == ["or"]:
            return 1
        if len(words) == 2 and words[0] == "or" and words[1].isdecimal():
            return int(words[1][:3]) or None
        return None

    def _conditions(self, row: int) -> list[tuple[Scalar, Node]]:
        found = []
        for heading in self._table.columns:
            name = heading.removeprefix(WHEN)
            if not heading.startswith(WHEN) or not self._table.text(row, heading):
                continue
            node = self._cell(row, heading, self._facts[name], condition=True)
            if node is not None:
                found.append(entry(node.place, name, node))
        return found

    def _then(self, row: int) -> tuple[Scalar, Node]:
        values: list[tuple[Scalar, Node]] = []
        for name in self._results:
            heading = THEN + name
            node = self._cell(row, heading, self._facts.get(name), condition=False)
            if node is not None:
                values.append(entry(node.place, name, node))
        place = self._table.place(row, THEN + self._results[0] if self._results else RULE)
        if len(self._results) == 1 and values:
            return entry(place, "then", values[0][1])
        return entry(place, "then", Table(place, tuple(values)))

    def _cell(self, row: int, heading: str, fact: Fact | None, *, condition: bool) -> Node | None:
        """A condition or a value; None if it cannot be read (noted)."""
        node = self._table.scalar(row, heading)
        column = self._table.columns[heading]
        cell = self._table.grid.cells.get((row, column))
        numeric = fact is not None and fact.type in (FactType.NUMBER, FactType.INTEGER)
        try:
            if cell is not None and cell.number:
                return Scalar(node.place, number_as_text(cell, fact), True)
            if not node.text:
                return node
            read = read_condition_text if condition else read_values
            return read(node.text, node.place, numeric=numeric)
        except CellError as error:
            self._table.error(row, column, error.message, error.hint)
            return None

    def _refuse_second(self, first: int, row: int) -> None:
        """An alternative's row says nothing that belongs to the rule as a whole."""
        rule_id = self._table.text(first, RULE)
        other = self._table.text(row, RULE)
        if other not in ("", rule_id):
            message = f"an alternative of rule '{rule_id}' cannot be called '{shown(other)}'"
            self._error(row, RULE, message, f"write {rule_id}, or empty the cell in '{ANY}'")
        for heading in self._table.columns:
            if heading in (RULE, ANY) or heading.startswith(WHEN):
                continue
            if self._table.text(row, heading):
                message = f"this belongs into the first row of rule '{rule_id}'"
                self._error(row, heading, message, f"move it to row {first}")

    def _grid_text(self, row: int, heading: str) -> str:
        column = self._table.columns.get(heading)
        return self._table.grid.text(row, column) if column else ""

    def _error(self, row: int, heading: str, message: str, hint: str | None = None) -> None:
        self._table.error(row, self._table.columns.get(heading, 1), message, hint)


class _When:
    """Conditions and the alternatives under them, while rows are read."""

    def __init__(self, conditions: list[tuple[Scalar, Node]]) -> None:
        self.conditions = conditions
        self.alternatives: list[tuple[Place, _When]] = []

    def node(self, place: Place) -> Table:
        """The ``when`` of it."""
        entries = list(self.conditions)
        if self.alternatives:
            at = self.alternatives[0][0]
            items = tuple(one.node(where) for where, one in self.alternatives)
            entries.append(entry(at, "any", Items(at, items)))
        return Table(place, tuple(entries))


def number_as_text(cell: Cell, fact: Fact | None) -> str:
    """The text that a number in a cell stands for; raises CellError where that is not sure.

    A spreadsheet makes 7 of ``007``: for an enum it is the one code that is this number.
    """
    if fact is None or fact.type is not FactType.ENUM:
        return cell.text
    number = Decimal(cell.text)
    codes = [code for code in fact.values or {} if _number(code) == number]
    if len(codes) > 1:
        raise CellError(
            f"the cell holds the number {cell.text}, which may mean {' or '.join(codes)}",
            "format the cell as text and type the code again",
        )
    return codes[0] if codes else cell.text


def _number(code: str) -> Decimal | None:
    try:
        return Decimal(code) if code.replace(".", "", 1).lstrip("+-").isdecimal() else None
    except InvalidOperation:
        return None
