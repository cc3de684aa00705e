"""Full-width characters where plain ones belong are named at their place; in texts they are meant.

Each mark « stands behind the character that is to be named, and is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from harken_rules import Diagnostic, check_rule_base

SEVERITY = "decisions/severity.yaml"


def found_in(copy: Path, file: str, old: str, marked: str) -> tuple[list[Diagnostic], int, int]:
    """What is found after the change, and line and column of the marked character."""
    path = copy / file
    text = path.read_text("utf-8")
    assert old in text
    text = text.replace(old, marked, 1)
    before, mark, after = text.partition("«")
    path.write_text(before + after, "utf-8")
    line = before.count("\n") + 1
    column = len(before.rpartition("\n")[2])
    return check_rule_base(copy), line, column if mark else 0


@pytest.mark.parametrize(
    ("old", "marked", "plain"),
    [
        ("when: {duration_band: long}", "when：«{duration_band: long}", ":"),
        ("then: 5", "then：«5", ":"),
        ("- id: emotion", "- id：«emotion", ":"),
        ("title: {en: Sev", "title：«{en: Sev", ":"),
        ("{at_least: 0.15}", "{at_least：«0.15}", ":"),
        ("{probability: {at_least", "{probability：«{at_least", ":"),
        ("{probability: {at_least: 0.15}}", "｛«probability: {at_least: 0.15}｝", "{"),
        ("{probability: {at_least: 0.15}}", "{probability: ｛«at_least: 0.15｝}", "{"),
        ("{duration_band: long}", "{duration_band: long｝«", "}"),
        ("{duration_band: long}", "{duration_band: ［«long]}", "["),
        ("{duration_band: long}", "{duration_band: [long］«}", "]"),
        ("{duration_band: long}", "{duration_band: [long、«short]}", ","),
        ("{duration_band: long}", "{duration_band: “«long”}", '"'),
        ("{duration_band: long}", "{“«duration_band”: long}", '"'),
        ("{duration_band: long}", "{duration_band: ｌｏｎｇ«}", "long"),
        ("weight: 0.4,", "weight: 0.4，«", ","),
        ("then: 5", "then: ５«", "5"),
        ("at_least: 0.15", "at_least: 0．１５«", ".15"),
        ("    then: 5", "　«　　　then: 5", "a space"),
        ("then: 5", "then:　«5", "a space"),
        ("{en: Open for long, zh: 抱怨时间长}", "{en: Open for long，«zh: 抱怨时间长}", ","),
        ("zh: 抱怨时间长}", "zh：«抱怨时间长}", ":"),
    ],
)
def test_it_is_named_at_its_place(old: str, marked: str, plain: str, copy: Path) -> None:
    found, line, column = found_in(copy, SEVERITY, old, marked)
    named = [one for one in found if "full-width" in (one.hint or "") and one.place.line == line]
    assert named, "\n".join(one.render() for one in found)
    length = 1 if plain == "a space" else len(plain)
    assert column - length + 1 in {one.place.column for one in named}
    wanted = plain if plain == "a space" else f"'{plain}'"
    assert any((one.hint or "").endswith(f"; write {wanted}") for one in named)


def test_a_label_that_swallows_the_next_one(copy: Path) -> None:
    old = "{en: Open for long, zh: 抱怨时间长}"
    found, line, _ = found_in(copy, SEVERITY, old, "{«en: Open for long，zh：抱怨时间长}")
    (one,) = found
    assert (one.id, one.place.line) == ("missing-label", line)
    assert one.hint == "there is a full-width '，' before 'zh'; write ','"


@pytest.mark.parametrize(
    ("edits", "finding"),
    [
        ({SEVERITY: ("zh: 抱怨时间长}", "zh: 已超时：“很长”，请处理［急］　４８小时}")}, None),
        (
            {SEVERITY: ("title: {en: Severity, zh: 严重程度}", "title: 严重：程度")},
            "wrong-shape",
        ),
        ({SEVERITY: ("zh: 抱怨时间长}", "zh: 抱怨：时间，长}}")}, "yaml-syntax"),
        ({SEVERITY: ("zh: 抱怨时间长}", "zh: '抱怨，zh：时间'}}")}, "yaml-syntax"),
        ({SEVERITY: ("zh: 抱怨时间长}", "zh: 抱怨}} # when：｛a：１｝")}, "yaml-syntax"),
        ({SEVERITY: ("zh: 抱怨时间长}", "zh: 抱怨，时间}\n    remark: 一：二，三")}, "unknown-key"),
        ({SEVERITY: ("duration_band: long", "duration_band: 长，很长")}, "unknown-value"),
    ],
)
def test_in_texts_they_are_meant(
    edits: Mapping[str, tuple[str, str]], finding: str | None, edit: object
) -> None:
    found = check_rule_base(edit(edits))  # type: ignore[operator]
    assert {one.id for one in found} == ({finding} if finding else set())
    assert not any("full-width" in (one.hint or "") for one in found)
