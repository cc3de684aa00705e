"""The page about sheets: what it says about cells is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from harken_rules.language import Place
from harken_rules.sheets.book import MAX_CELL, MAX_COLUMNS, MAX_ROWS
from harken_rules.sheets.celltext import read_condition_text
from harken_rules.sheets.patch import read_plain
from harken_rules.sheets.plain import plain_of

PAGE = Path(__file__).parents[2] / "docs" / "rules" / "sheets.md"
TEXT = PAGE.read_text(encoding="utf-8")
_, _, SECTION = TEXT.partition("## Conditions in a cell")
ROWS = re.findall(r"(?m)^\| `(.*?)` \| `(.*?)` \|$", SECTION.partition("\n## ")[0])


def test_the_table_is_found() -> None:
    assert len(ROWS) == 16


@pytest.mark.parametrize(("cell", "condition"), ROWS)
def test_a_row_of_the_table(cell: str, condition: str) -> None:
    numeric = any(character.isdigit() for character in cell)
    read = plain_of(read_condition_text(cell, Place("sheet!", 1, 1), numeric=numeric))
    assert read == read_plain(yaml.compose(condition, Loader=yaml.CSafeLoader))


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (f"{MAX_CELL:,} characters", f"{MAX_ROWS:,} rows", f"{MAX_COLUMNS} columns"):
        assert limit in TEXT
