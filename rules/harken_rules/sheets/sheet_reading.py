"""All sheets of a workbook to the documents they hold, every problem named by its cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harken_rules.diagnostics import Diagnostic, Report, ReportFullError, Severity
from harken_rules.language import Decision, Fact, Hit, Place
from harken_rules.reading.catalogues import read_catalogues
from harken_rules.reading.decisions import read_decisions
from harken_rules.reading.facts import Facts, read_facts
from harken_rules.reading.shapes import Reading
from harken_rules.sheets.book import (
    CATALOGUE,
    CODES,
    DECISION,
    FACTS,
    INDEX,
    STATE,
    TAXONOMY,
    VALUES,
    Finding,
    Grid,
    cell_name,
)
from harken_rules.sheets.catalogue_sheets import read_catalogue_sheet, read_taxonomy_sheet
from harken_rules.sheets.content import Content
from harken_rules.sheets.decision_grid import DecisionGrid, is_decision, read_decision
from harken_rules.sheets.fact_sheets import read_fact_sheets
from harken_rules.sheets.index import Index
from harken_rules.source import Node, Table


@dataclass(slots=True)
class SheetsRead:
    """What a workbook says. ``nodes`` are by document; so are ``grids``, of decisions only."""

    found: list[Finding]
    nodes: dict[str, Node] = field(default_factory=dict)
    grids: dict[str, DecisionGrid] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)

    @property
    def broken(self) -> bool:
        """Whether anything keeps the workbook from being imported."""
        return any(not one.warning for one in self.found)


def read_sheets(
    grids: Mapping[str, Grid], index: Index, content: Content, found: list[Finding]
) -> SheetsRead:
    """Read every sheet that the index lists, and decisions that were added beside them."""
    read = SheetsRead(found)
    languages = content.base.languages
    listed = {one.sheet: one.holds for one in index.listed}
    _refuse_missing(listed, grids, found)
    documents = {sheet: holds for sheet, holds in listed.items() if sheet in grids}
    for sheet, grid in grids.items():
        if sheet not in listed and sheet not in (INDEX, STATE, CODES):
            _take_unlisted(sheet, grid, documents, found)
    for sheet, holds in documents.items():
        node: Node | None = None
        if holds == FACTS:
            node = read_fact_sheets(grids[sheet], grids.get(VALUES), languages, found)
        elif holds == TAXONOMY:
            node = read_taxonomy_sheet(grids[sheet], languages, found)
        elif holds.startswith(CATALOGUE):
            name = holds.removeprefix(CATALOGUE)
            node = read_catalogue_sheet(grids[sheet], name, languages, found)
        if node is not None:
            read.nodes[holds] = node
    report = Report()
    reading = Reading(report, languages)
    try:
        _read_facts(read, content, reading)
        known = {**content.base.facts, **read.facts.known}
        for sheet, holds in documents.items():
            if holds.startswith(DECISION):
                _read_decision(grids[sheet], holds.removeprefix(DECISION), known, read, languages)
        _read_decisions(read, content, reading)
    except ReportFullError:
        pass
    cells = {(one.sheet, one.row, one.column) for one in found}
    for one in findings_of(report.sorted()):
        if (one.sheet, one.row, one.column) not in cells:  # it says already why it cannot be read
            found.append(one)
    return read


def findings_of(diagnostics: Iterable[Diagnostic]) -> list[Finding]:
    """Those that stand in a sheet, as findings."""
    found = []
    for one in diagnostics:
        if one.place.file.endswith("!"):
            found.append(finding_at(one, one.place))
    return found


def finding_at(one: Diagnostic, place: Place) -> Finding:
    """A diagnostic as a finding in the cell at ``place``."""
    message = one.message
    for note, at in one.related:
        if at.file.endswith("!"):
            message += f" ({note}: {at.file}{cell_name(at.line, at.column)})"
    sheet, warning = place.file.removesuffix("!"), one.severity is Severity.WARNING
    return Finding(sheet, place.line, place.column, message, one.hint, warning)


def in_book_order(found: Iterable[Finding], grids: Iterable[str]) -> list[Finding]:
    """Findings by sheet as the sheets stand in the workbook, then by row and column, each once."""
    order = {name: number for number, name in enumerate(grids)}
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda one: (order.get(one.sheet, len(order)), one.row, one.column))


def _refuse_missing(
    listed: Mapping[str, str], grids: Mapping[str, Grid], found: list[Finding]
) -> None:
    hidden = {one.sheet for one in found if not one.row}
    for sheet, holds in listed.items():
        if sheet not in grids and sheet not in hidden and sheet != CODES:
            message = f"the sheet is missing; the index lists it for '{holds}'"
            hint = "bring it back; to remove a decision, delete its file"
            found.append(Finding(sheet, 0, 0, message, hint))


def _take_unlisted(sheet: str, grid: Grid, documents: dict[str, str], found: list[Finding]) -> None:
    name = grid.text(1, 2).strip()
    if is_decision(grid) and DECISION + name not in documents.values():
        documents[sheet] = DECISION + name
    elif is_decision(grid):
        message = f"decision '{name}' has a sheet already"
        found.append(Finding(sheet, 1, 2, message, "give the new decision a name of its own"))
    else:
        message = "the sheet is not one that was exported, and is not read"
        found.append(Finding(sheet, 0, 0, message, None, True))


def _read_facts(read: SheetsRead, content: Content, reading: Reading) -> None:
    """The facts as the sheets have them, or as the folder has them where no sheet does."""
    catalogues: dict[str, Node | None] = {
        document: read.nodes.get(document, file.node)
        for document, file in content.catalogues.items()
    }
    known = read_catalogues(catalogues, reading)
    node = read.nodes.get(FACTS, content.facts.node if content.facts else None)
    read.facts = read_facts(node, known, reading)


def _read_decision(
    grid: Grid, name: str, facts: Mapping[str, Fact], read: SheetsRead, languages: tuple[str, ...]
) -> None:
    if not is_decision(grid):
        message = "the sheet does not begin with 'decision' and the decision's name"
        read.found.append(Finding(grid.name, 1, 1, message, "bring its first lines back"))
        return
    decision = read_decision(grid, facts, languages, read.found)
    if decision is None:
        return
    if decision.name != name:
        message = f"this is the sheet of decision '{name}', not of '{decision.name}'"
        hint = "a decision is renamed in its file; for a new one copy the sheet"
        read.found.append(Finding(grid.name, 1, 2, message, hint))
    read.grids[DECISION + name] = decision
    read.nodes[DECISION + name] = decision.node


def _read_decisions(read: SheetsRead, content: Content, reading: Reading) -> None:
    """The decisions in sheets; of those that yield lists elsewhere only the head is needed."""
    nodes: dict[str, Node | None] = {
        DECISION + name: _head_of(file.node)
        for name, file in content.decisions.items()
        if DECISION + name not in read.nodes and file.plain.get("hit") == Hit.ALL
    }
    nodes |= {name: node for name, node in read.nodes.items() if name.startswith(DECISION)}
    read.decisions = read_decisions(nodes, read.facts, reading).known


def _head_of(node: Node) -> Node:
    if not isinstance(node, Table):
        return node
    return Table(node.place, tuple(one for one in node.entries if one[0].text != "rules"))
