"""Every example in docs/rules/conditions.md, and in its Chinese twin, holds as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from harken_rules import RuleEngine, load_rule_base

DOCS = Path(__file__).parents[2] / "docs" / "rules"
PAGES = {"en": DOCS / "conditions.md", "zh": DOCS / "zh" / "conditions.md"}
ANSWERS = {"yes": True, "no": False, "成立": True, "不成立": False}
NOTHING = ("nothing", "什么都不知道")
HEAD = """decision: example
title: {en: Example, zh: 示例}
hit: first
result: example
otherwise: missing
rules:
  - id: it
    then: true
"""
FACT = "  example: {type: boolean, source: example, title: {en: Example, zh: 示例}}\n"

Example = tuple[str, str, list[tuple[dict[str, object], bool]]]


def examples(page: Path) -> list[Example]:
    """Of each section: its heading, its `when` block, and its table."""
    found = []
    for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        block = re.search(r"```yaml\n(when:\n.*?)```", rest, re.DOTALL)
        if block is None:
            continue
        rows = re.findall(r"^\| (?:`(.+?)`|(.+?)) \| (\S+) \|$", rest, re.MULTILINE)
        table = []
        for facts, words, holds in rows:
            if holds not in ANSWERS:  # the table's head
                continue
            assert facts or words in NOTHING
            table.append((yaml.safe_load("{" + facts + "}") if facts else {}, ANSWERS[holds]))
        found.append((title, block[1], table))
    return found


def write_base(folder: Path, when: str) -> Path:
    """The example base of docs/rules/language.md with one decision more."""
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    for name, block in re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```$", text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block + (FACT if name == "facts.yaml" else ""), encoding="utf-8")
    rule = "".join(f"    {line}\n" for line in when.splitlines())
    path = folder / "decisions" / "example.yaml"
    path.write_text(HEAD.replace("    then:", rule + "    then:"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", PAGES)
def test_each_condition_holds_as_its_table_says(language: str, tmp_path: Path) -> None:
    found = examples(PAGES[language])
    assert len(found) >= 19
    for number, (title, when, table) in enumerate(found):
        engine = RuleEngine(load_rule_base(write_base(tmp_path / str(number), when)))
        assert {holds for _, holds in table} == {True, False}, title
        for facts, holds in table:
            assert (engine.decide(facts).results["example"] is True) == holds, (title, facts)
        engine.close()


def test_both_pages_show_the_same_examples() -> None:
    shown = [[(when, table) for _, when, table in examples(page)] for page in PAGES.values()]
    assert shown[0] == shown[1]
