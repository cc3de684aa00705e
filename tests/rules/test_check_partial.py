"""What is read only in part is not judged: a rule that lost a condition hides nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harken_rules import check_rule_base

Edit = Callable[[dict[str, tuple[str, str]]], Path]
SAMPLE = Path(__file__).parent / "sample"
FILES = sorted(str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*.yaml"))
JUDGED = {
    "conflicting-rules",
    "failing-case",
    "gap",
    "idle-rule",
    "shadowed-rule",
    "subsumed-rule",
    "unique-overlap",
    "unreachable-rule",
    "unused-entry",
}
"""What is found by what the rules mean, not by how they are written."""


@pytest.mark.parametrize("name", FILES)
def test_a_line_taken_away_or_misspelt(name: str, copy: Path) -> None:
    path = copy / name
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    spoilt = 0
    for index, line in enumerate(lines):
        others = ["", line.replace(": ", "x: ", 1), line.replace("e", "ee")]
        lines[index] = others[index % 3]
        path.write_text("".join(lines), encoding="utf-8")
        lines[index] = line
        ids = {one.id for one in check_rule_base(copy)}
        if ids - JUDGED - {"missing-label", "missing-reason", "unused-fact"}:
            spoilt += 1
            assert not ids & JUDGED, index
    assert spoilt > len(lines) / 3 or name.startswith("cases/")


def test_what_does_not_depend_on_the_spoilt_part_is_judged(edit: Edit) -> None:
    base = edit(
        {
            "decisions/strategies.yaml": ("weak_signal", "weak_signall"),
            "decisions/handling.yaml": ("[4, 5]", "{above: 5}"),
            "decisions/escalation.yaml": ("otherwise: missing\n", ""),
        }
    )
    assert [(one.id, one.place.file) for one in check_rule_base(base)] == [
        ("gap", "decisions/escalation.yaml"),
        ("unreachable-rule", "decisions/handling.yaml"),
        ("unknown-value", "decisions/strategies.yaml"),
    ]


def test_one_slip_is_one_finding_and_not_one_in_each_decision_after_it(edit: Edit) -> None:
    base = edit({"decisions/duration_band.yaml": ("otherwise: missing\n", "")})
    severity = base / "decisions" / "severity.yaml"
    text = severity.read_text(encoding="utf-8").replace("duration_band: short", "open_hours: 1")
    severity.write_text(text, encoding="utf-8")
    level = base / "decisions" / "level.yaml"
    text = level.read_text(encoding="utf-8").replace(
        "  - id: otherwise\n", "  - id: otherwise\n    when: {duration_band: [short, long]}\n"
    )
    level.write_text(text, encoding="utf-8")
    assert [(one.id, one.place.file) for one in check_rule_base(base)] == [
        ("gap", "decisions/duration_band.yaml"),
    ]


def test_a_missing_label_leaves_no_doubt_about_the_rules(edit: Edit) -> None:
    base = edit(
        {
            "facts.yaml": ("{en: Category, zh: 投诉类别}", "{en: Category}"),
            "decisions/escalation.yaml": ("otherwise: missing\n", ""),
        }
    )
    assert [one.id for one in check_rule_base(base)] == ["gap", "missing-label"]
