"""Export and import without and with edits: what is kept, to the last character."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from harken_rules.diagnostics import Report
from harken_rules.language import Fact
from harken_rules.loader import default_base_path, load_rule_base
from harken_rules.sheets.book import DECISION, Cell, Grid
from harken_rules.sheets.content import File, decision_content, grid_of
from harken_rules.sheets.decision_rows import decision_sheet
from harken_rules.sheets.decisiontext import changed_decision
from harken_rules.sheets.document import document_of
from harken_rules.sheets.meaning import head_meaning, meaning
from harken_rules.sheets.ruletext import WantedRule, rules_text
from harken_rules.sheets.sheet_reading import SheetsRead
from harken_rules.source import read_source

from .workbooks import InMemory, bring_back, cell, edit, export, files

SHIPPED = default_base_path()


def test_the_shipped_base_comes_back_unchanged(tmp_path: Path) -> None:
    root = Path(shutil.copytree(SHIPPED, tmp_path / "base"))
    before, digest = files(root), load_rule_base(root).digest
    done = bring_back(export(root, tmp_path / "rules.xlsx"), root)
    assert (done.findings, done.changes, done.theirs, done.written) == ((), (), (), False)
    assert files(root) == before
    assert done.new == done.old == digest


def test_one_cell_changes_one_rule(copy: Path, tmp_path: Path) -> None:
    file, before = export(copy, tmp_path / "rules.xlsx"), files(copy)

    def change(book: Any) -> None:
        cell(book["level"], "three", "when: severity").value = "> 1.10 and < 4"

    assert bring_back(edit(file, change), copy).written
    after = files(copy)
    assert [name for name in before if before[name] != after[name]] == ["decisions/level.yaml"]
    assert different_lines(before["decisions/level.yaml"], after["decisions/level.yaml"]) == [
        (
            "    when: {severity: {above: 1}}",
            "    when: {severity: {above: 1.10, below: 4}}",
        )
    ]


def different_lines(before: bytes, after: bytes) -> list[tuple[str, str]]:
    lines = zip(before.decode().splitlines(), after.decode().splitlines(), strict=True)
    return [(old, new) for old, new in lines if old != new]


def test_writing_every_rule_again_changes_no_character(memory: InMemory) -> None:
    assert len(memory.content.decisions) == 38
    for file in memory.content.decisions.values():
        content = decision_content(file)
        rules = []
        for rule in content.rules:
            rule_id = str(rule["id"])
            rules.append(WantedRule(rule_id, rule_id, rule, (content.remarks or {})[rule_id]))
        again = changed_decision(file.data, content.head, content.remark, content.end_remark, rules)
        assert again == file.data, file.name


def test_another_spelling_of_the_same_is_no_change(copy: Path, tmp_path: Path) -> None:
    file = export(copy, tmp_path / "rules.xlsx")

    def change(book: dict[str, Any]) -> None:
        cell(book["level"], "five", "when: severity").value = ">=3.90"
        cell(book["level"], "three", "then: level").value = 3
        cell(book["level"], "diamond", "when: vip_tier").value = "gold，diamond"
        assert book["severity"]["A6"].value == "reasons"
        book["severity"]["B6"].value = "2.0"

    before = files(copy)
    done = bring_back(edit(file, change), copy)
    assert (done.changes, done.findings) == ((), ())
    assert files(copy) == before


class Editor:
    """Random edits of one decision's sheet, such that it can still be read."""

    def __init__(self, grid: Grid, facts: Mapping[str, Fact], chance: random.Random) -> None:
        self.grid, self.chance, self.facts = grid, chance, facts
        self.heading = next(r for r in range(1, 60) if self.grid.text(r, 1) == "rule")
        self.columns = {self.grid.text(self.heading, c): c for c in range(1, self.grid.columns + 1)}

    def blocks(self) -> list[list[dict[int, Cell]]]:
        """The rules as lists of rows."""
        found: list[list[dict[int, Cell]]] = []
        for row in range(self.heading + 2, self.grid.rows + 1):
            cells = {c: one for (r, c), one in self.grid.cells.items() if r == row}
            if self.columns["any"] in cells:
                found[-1].append(cells)
            else:
                found.append([cells])
        return found

    def put(self, blocks: list[list[dict[int, Cell]]]) -> None:
        for where in [one for one in self.grid.cells if one[0] > self.heading + 1]:
            del self.grid.cells[where]
        row = self.heading + 2
        for block in blocks:
            for cells in block:
                self.grid.cells.update({(row, c): one for c, one in cells.items()})
                row += 1
        self.grid.rows = row - 1

    def edit(self) -> set[str]:
        """Change the sheet; answers the ids of the rules touched."""
        blocks, chance = self.blocks(), self.chance
        index = chance.randrange(len(blocks))
        rule = blocks[index][0][1].text
        kind = chance.choice(("swap", "delete", "copy", "remark", "because", "value", "or"))
        if kind == "swap":
            other = chance.randrange(len(blocks))
            blocks[index], blocks[other] = blocks[other], blocks[index]
            self.put(blocks)
            return set()
        if kind == "delete" and len(blocks) > 1:
            del blocks[index]
        elif kind == "copy":
            new = Cell(f"new-{chance.randrange(10**6)}")
            copied = [{**cells, 1: new} for cells in blocks[index]]
            blocks.insert(chance.randrange(len(blocks) + 1), copied)
            rule = copied[0][1].text
        elif kind == "remark":
            text = chance.choice(("", "why: this", "# odd\n\n  two lines", "理由：如此"))
            self._set(blocks[index][0], "remark", text)
        elif kind == "because":
            for language in ("en", "zh"):
                text = chance.choice(
                    ("A, b: c # d", " 甲：“乙” ", "it's {so}", "two\nlines", "- x")
                )
                self._set(blocks[index][0], f"because ({language})", text)
        elif kind == "or":
            copied = dict(blocks[index][-1])
            depth = 1 if len(blocks[index]) == 1 else chance.choice((1, 1, 2))
            self._set(copied, "any", "or" if depth == 1 else "or 2")
            for heading, column in self.columns.items():
                if not heading.startswith("when: ") and heading not in ("any", "rule"):
                    copied.pop(column, None)
            blocks[index].append(copied)
        else:
            self._value(blocks[index])
        self.put(blocks)
        return {rule}

    def _value(self, block: list[dict[int, Cell]]) -> None:
        heading = self.chance.choice([one for one in self.columns if one.startswith("when: ")])
        fact = self.facts[heading.removeprefix("when: ")]
        if fact.values:
            codes = self.chance.sample(list(fact.values), min(2, len(fact.values)))
            text = self.chance.choice((codes[0], ", ".join(codes), f"not: {codes[0]}", "missing"))
        elif fact.type == "boolean":
            text = self.chance.choice(("true", "false", "known"))
        else:
            low = int(fact.range.low or 0)
            text = self.chance.choice((f">= {low}", f"[{low}, {low + 1})", str(low), ""))
        self._set(self.chance.choice(block), heading, text)

    def _set(self, cells: dict[int, Cell], heading: str, text: str) -> None:
        column = self.columns[heading]
        if text:
            cells[column] = Cell(text)
        else:
            cells.pop(column, None)


@pytest.fixture(scope="module")
def memory() -> InMemory:
    return InMemory(SHIPPED)


@pytest.mark.parametrize(
    "name", ["strategies", "severity", "tolerance", "warnings", "care_target", "duration_band"]
)
def test_random_edits_come_back_and_leave_the_rest_alone(name: str, memory: InMemory) -> None:
    chance = random.Random(name)
    file = memory.content.decisions[name]
    facts = memory.content.base.facts
    old = rules_text(document_of(file.data))
    assert old is not None
    before = {one.id: one for one in old.rules}
    for _ in range(4):
        grid = memory.grids()[name]
        editor, touched = Editor(grid, facts, chance), set[str]()
        for _ in range(chance.randrange(1, 5)):
            touched |= editor.edit()
        data = memory.merged(DECISION + name, grid).get(file.name, file.data)
        new = rules_text(document_of(data))
        assert new is not None
        assert all(rule == before[rule.id] for rule in new.rules if rule.id not in touched)
        node = read_source(data, file.name, Report())
        assert node is not None
        content = decision_content(File(file.name, data, node))
        back = grid_of(decision_sheet(name, content, memory.content.base, "en"))
        assert says(memory.read(DECISION + name, back)) == says(memory.read(DECISION + name, grid))


def says(read: SheetsRead) -> object:
    """What the sheet of a single decision says, whatever the spelling."""
    ((name, decision),) = [(one, read.decisions[one.removeprefix(DECISION)]) for one in read.grids]
    grid = read.grids[name]
    rules = [(meaning(rule), grid.remarks[rule.id]) for rule in decision.rules]
    return head_meaning(decision), rules, grid.remark, grid.end_remark
