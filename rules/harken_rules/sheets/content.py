"""What the files of a rule base say, document by document, and the same as a sheet shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harken_rules.diagnostics import Report
from harken_rules.language import RuleBase
from harken_rules.reading.folder import FACTS, read_folder
from harken_rules.sheets.book import CATALOGUE, DECISION, TAXONOMY, Cell, Grid, Sheet
from harken_rules.sheets.book import FACTS as FACTS_SHEET
from harken_rules.sheets.decision_rows import DecisionContent
from harken_rules.sheets.decisiontext import end_remark, top_remark
from harken_rules.sheets.document import document_of
from harken_rules.sheets.plain import Plain, as_list, as_mapping, as_text, plain_of
from harken_rules.sheets.ruletext import rules_text
from harken_rules.source import Node


@dataclass(frozen=True, slots=True)
class File:
    """One file: its name in the folder, its bytes and what they say."""

    name: str
    data: bytes
    node: Node

    @property
    def plain(self) -> dict[str, Plain]:
        """What the file says."""
        return as_mapping(plain_of(self.node))


@dataclass(slots=True)
class Content:
    """A sound rule base with the files it was read from."""

    root: Path
    base: RuleBase
    decisions: dict[str, File] = field(default_factory=dict)
    catalogues: dict[str, File] = field(default_factory=dict)
    facts: File | None = None

    def documents(self) -> list[tuple[str, File]]:
        """Every document that sheets can hold, as the index calls it, with its file."""
        found = [(DECISION + name, file) for name, file in self.decisions.items()]
        found += self.catalogues.items()
        return [*found, (FACTS_SHEET, self.facts)] if self.facts else found

    def files(self) -> list[File]:
        """The files of all documents."""
        return [file for _, file in self.documents()]


def read_content(root: Path, base: RuleBase) -> Content:
    """The files of ``base``, which was read from ``root`` and is sound."""
    folder = read_folder(root, Report())
    content = Content(root, base)

    def file(name: str, node: Node | None) -> File | None:
        return None if node is None else File(name, (root / name).read_bytes(), node)

    for name, node in folder.decisions.items():
        one = file(name, node)
        if one is not None:
            content.decisions[as_text(one.plain.get("decision"))] = one
    for name, node in folder.catalogue.items():
        one = file(name, node)
        if one is not None:
            is_taxonomy = "taxonomy" in one.plain
            key = TAXONOMY if is_taxonomy else as_text(one.plain.get("catalogue"))
            content.catalogues[("" if is_taxonomy else CATALOGUE) + key] = one
    content.facts = file(FACTS, folder.facts)
    return content


def decision_content(file: File) -> DecisionContent:
    """A decision's file with its remarks."""
    plain, document = file.plain, document_of(file.data)
    text = rules_text(document)
    return DecisionContent(
        head={key: value for key, value in plain.items() if key != "rules"},
        rules=[as_mapping(rule) for rule in as_list(plain.get("rules"))],
        remark=top_remark(document),
        end_remark=end_remark(document),
        remarks={one.id: one.remark for one in text.rules} if text else {},
    )


def grid_of(sheet: Sheet) -> Grid:
    """A sheet as it is read back when nobody has changed it."""
    grid = Grid(sheet.name)
    for row, texts in enumerate(sheet.rows, start=1):
        for column, text in enumerate(texts, start=1):
            if text:
                grid.cells[row, column] = Cell(text.replace("\r\n", "\n").replace("\r", "\n"))
                grid.rows, grid.columns = row, max(grid.columns, column)
    return grid
