"""A decision's sheet, read: the decision as its YAML would say it, each part at its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Fact, FactType, Place
from harken_rules.sheets.book import Cell, Finding, Grid
from harken_rules.sheets.celltext import CellError, read_condition_text, read_values
from harken_rules.sheets.decision_rows import (
    ANY,
    CHARACTERISTIC,
    END_REMARK,
    LABELS,
    REMARK,
    RULE,
    THEN,
    WHEN,
    text_heading,
)
from harken_rules.sheets.document import LINE_BREAK
from harken_rules.sheets.tablegrid import TableGrid, entry
from harken_rules.source import Items, Node, Scalar, Table

_HEAD = ("decision", "hit", "result", "results", "otherwise", "reasons", REMARK, END_REMARK)


@dataclass(slots=True)
class DecisionGrid:
    """What a decision's sheet says. ``node`` is the whole decision as a file would hold it."""

    grid: Grid
    node: Table
    name: str
    remark: str = ""
    end_remark: str = ""
    remarks: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)


def is_decision(grid: Grid) -> bool:
    """Whether the sheet looks like a decision's."""
    return grid.text(1, 1).strip().casefold() == "decision"


def read_decision(
    grid: Grid, facts: Mapping[str, Fact], languages: Sequence[str], found: list[Finding]
) -> DecisionGrid | None:
    """The decision in ``grid``; None if it has no table. Problems go to ``found``."""
    heading = _heading(grid, RULE, THEN.strip())
    if heading is None:
        message = f"the sheet has no table: no row has both '{RULE}' and '{THEN}...'"
        found.append(Finding(grid.name, 1, 1, message, "export it again, or bring the row back"))
        return None
    characteristics = _heading(grid, CHARACTERISTIC, "weight", heading)
    result = DecisionGrid(grid, Table(grid.place(1, 1), ()), "")
    entries = _read_head(grid, (characteristics or heading) - 1, languages, result, found)
    if characteristics:
        entries.append(_read_characteristics(grid, characteristics, heading, languages, found))
    table = TableGrid(grid, heading, grid.rows, found)
    names = _results(entries)
    known = _Headings(facts, languages, names)
    required = [RULE, *(THEN + name for name in names)]
    if not table.read_headings(known.proper, known.all, required):
        return None
    result.columns = table.columns
    rules = _RuleReader(table, facts, languages, names).read(result)
    entries.append(entry(grid.place(heading, 1), "rules", rules))
    result.node = Table(grid.place(1, 1), tuple(entries))
    return result


def tidy(remark: str) -> str:
    """A remark's lines without blanks at their ends and without blank lines around them."""
    return "\n".join(line.rstrip() for line in LINE_BREAK.split(remark)).strip("\n")


def _heading(grid: Grid, first: str, beside: str, before: int | None = None) -> int | None:
    """The row in which both ``first`` and a cell that begins with ``beside`` stand."""
    for row in range(1, before or grid.rows + 1):
        cells = [grid.text(row, column).strip() for column in range(1, grid.columns + 1)]
        if first in cells and any(one.startswith(beside) for one in cells):
            return row
    return None


def _read_head(
    grid: Grid,
    last: int,
    languages: Sequence[str],
    result: DecisionGrid,
    found: list[Finding],
) -> list[tuple[Scalar, Node]]:
    entries: dict[str, tuple[Scalar, Node]] = {}
    title: list[tuple[Scalar, Node]] = []
    titles = {text_heading("title", language): language for language in languages}
    for row in range(1, last + 1):
        name, place = grid.text(row, 1).strip(), grid.place(row, 2)
        value = Scalar(place, grid.text(row, 2).strip(), True)
        if name in titles:
            text = Scalar(place, grid.text(row, 2), True)
            title.append((Scalar(place, titles[name], True), text))
        elif name == REMARK:
            result.remark = tidy(grid.text(row, 2))
        elif name == END_REMARK:
            result.end_remark = tidy(grid.text(row, 2))
        elif name in ("result", "results"):
            entries[name] = entry(place, name, _read_results(name, value, found))
        elif name in _HEAD:
            if value.text or name in ("decision", "hit"):
                entries[name] = entry(place, name, value)
        elif name and not name.startswith("#"):
            hint = did_you_mean(name, [*_HEAD, *titles])
            found.append(Finding(grid.name, row, 1, f"no line is called '{shown(name)}'", hint))
    _fold_results(entries)
    if title:
        entries["title"] = entry(title[0][0].place, "title", Table(title[0][0].place, tuple(title)))
    result.name = value_of(entries.get("decision"))
    order = ("decision", "title", "hit", "result", "results", "otherwise", "reasons")
    return [entries[key] for key in order if key in entries]


def value_of(pair: tuple[Scalar, Node] | None) -> str:
    """The text of an entry's single value, empty if it has none."""
    return pair[1].text if pair and isinstance(pair[1], Scalar) else ""


def _read_results(name: str, value: Scalar, found: list[Finding]) -> Node:
    if not value.text:
        return value
    try:
        node = read_values(value.text, value.place)
    except CellError as error:
        _note(value.place.file, value, error, found)
        return value
    return Items(value.place, (node,)) if name == "results" and isinstance(node, Scalar) else node


def _fold_results(entries: dict[str, tuple[Scalar, Node]]) -> None:
    """A list under ``result`` is meant as ``results``."""
    pair = entries.get("result")
    if pair and isinstance(pair[1], Items) and "results" not in entries:
        entries["results"] = entry(pair[0].place, "results", entries.pop("result")[1])


def _results(entries: Sequence[tuple[Scalar, Node]]) -> list[str]:
    for key, node in entries:
        if key.text in ("result", "results"):
            items = node.items if isinstance(node, Items) else (node,)
            return [one.text for one in items if isinstance(one, Scalar) and one.text]
    return []


def _read_characteristics(
    grid: Grid, heading: int, end: int, languages: Sequence[str], found: list[Finding]
) -> tuple[Scalar, Node]:
    table = TableGrid(grid, heading, end - 1, found)
    headings = [CHARACTERISTIC, "weight", "baseline"]
    headings += [text_heading("title", language) for language in languages]
    table.read_headings(lambda one: one if one in headings else None, lambda: headings, ())
    place = grid.place(heading, 1)
    entries: dict[str, tuple[Scalar, Node]] = {}
    for row in table.rows():
        name = table.scalar(row, CHARACTERISTIC)
        if name.text in entries:
            message = f"characteristic '{shown(name.text)}' stands here a second time"
            table.error(row, name.place.column, message, "remove one of the two rows")
        parts = []
        title = table.texts(row, "title", languages)
        if title is not None:
            parts.append(entry(title.place, "title", title))
        for key in ("weight", "baseline"):
            if table.text(row, key):
                parts.append(entry(table.place(row, key), key, table.scalar(row, key)))
        entries[name.text] = (name, Table(name.place, tuple(parts)))
    return entry(place, "characteristics", Table(place, tuple(entries.values())))


class _Headings:
    """Which headings a decision's table may have."""

    def __init__(
        self, facts: Mapping[str, Fact], languages: Sequence[str], results: Sequence[str]
    ) -> None:
        because = [text_heading("because", language) for language in languages]
        self._fixed = [RULE, ANY, CHARACTERISTIC, REMARK, *because]
        self._fixed += [THEN + name for name in results]
        self._facts = facts

    def proper(self, written: str) -> str | None:
        """The heading that is meant; a bare fact's name means a condition on it."""
        if written in self._fixed:
            return written
        for prefix in (WHEN, ""):
            start, _, name = written.rpartition(":") if prefix else ("", "", written)
            if start.strip() == prefix.strip(": ") and name.strip() in self._facts:
                return WHEN + name.strip()
        return None

    def all(self) -> list[str]:
        """Every heading, for suggestions."""
        return [*self._fixed, *(WHEN + name for name in self._facts)]


class _RuleReader:
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

    def read(self, result: DecisionGrid) -> Items:
        """All rules; their remarks and rows go to ``result``."""
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
                result.remarks[rule_id] = tidy(self._grid_text(first, REMARK))
                result.rows[rule_id] = first
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


def _note(sheet: str, value: Scalar, error: CellError, found: list[Finding]) -> None:
    name = sheet.removesuffix("!")
    place = value.place
    found.append(Finding(name, place.line, place.column, error.message, error.hint))
