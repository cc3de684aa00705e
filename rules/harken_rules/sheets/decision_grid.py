"""A decision's sheet, read: the decision as its YAML would say it, each part at its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Fact
from harken_rules.sheets.book import Finding, Grid
from harken_rules.sheets.celltext import CellError, read_values
from harken_rules.sheets.decision_rows import (
    ANY,
    CHARACTERISTIC,
    END_REMARK,
    REMARK,
    RULE,
    THEN,
    WHEN,
    text_heading,
)
from harken_rules.sheets.document import LINE_BREAK
from harken_rules.sheets.rule_grid import RuleReader
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
    rules = RuleReader(table, facts, languages, names)
    node = rules.read()
    result.remarks = {rule: tidy(remark) for rule, remark in rules.remarks.items()}
    entries.append(entry(grid.place(heading, 1), "rules", node))
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


def _note(sheet: str, value: Scalar, error: CellError, found: list[Finding]) -> None:
    name = sheet.removesuffix("!")
    place = value.place
    found.append(Finding(name, place.line, place.column, error.message, error.hint))
