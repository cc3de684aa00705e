"""What an edited workbook does to a folder: odd layouts, new things, two sides, all or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harken_rules.loader import load_rule_base
from harken_rules.sheets import SheetsError

from .workbooks import bring_back, cell, edit, export, files

ODD = """\
# Head, with an odd   space.
#
# Second paragraph.

decision: level   # its name
title: {en: Level, zh: 抱怨级别}
hit: first # the first counts
result: level
rules:   # from the top down

  # --- The worst
  # come first.

  - id: five
    # why 3.9: it was measured
    when: {severity: {at_least: 3.9}}   # inclusive
    then: 5
  -
    id: "nested"
    when:
      vip_tier: [diamond,   gold]   # two of them
      any:
        # either
        - severity: {above: 1,
                     below: 3.9}
        - any:
            - {dissatisfied: true}
            - open_hours: {missing: true}   # nobody wrote it down
          behaviour_type: {missing: false}
    then: 4
    because:
      en: |
        Two lines,
        kept.
      zh: >-
        两行
  # Ordinary.
  - {id: three, when: {severity: {above: 1}}, then: 3}

  - id: otherwise
    then: 1
# The end.

  # Really.
"""


@pytest.fixture
def odd(copy: Path) -> Path:
    """A base with a decision laid out as oddly as YAML allows."""
    (copy / "decisions/level.yaml").write_text(ODD, encoding="utf-8")
    load_rule_base(copy)
    return copy


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"(?m)(?:^|\s)#\s?(.*?)\s*$", text))


def level(root: Path) -> str:
    return (root / "decisions/level.yaml").read_bytes().decode()


def try_edit(
    root: Path,
    tmp_path: Path,
    change: Callable[[Any], object],
    only: tuple[str, ...] = (),
    **options: Any,
) -> Any:
    file = export(root, tmp_path / "rules.xlsx", decisions=only)
    return bring_back(edit(file, change), root, **options)


def test_an_odd_layout_comes_back_unchanged(odd: Path, tmp_path: Path) -> None:
    before = files(odd)
    done = bring_back(export(odd, tmp_path / "rules.xlsx"), odd)
    assert (done.findings, done.changes) == ((), ())
    assert files(odd) == before


def test_remarks_stand_in_the_sheet(odd: Path, tmp_path: Path) -> None:
    seen = {}

    def look(book: Any) -> None:
        sheet = book["level"]
        heads = {sheet.cell(row, 1).value: sheet.cell(row, 2).value for row in range(1, 12)}
        seen.update(heads)
        for rule in ("five", "nested", "three", "otherwise"):
            seen[rule] = cell(sheet, rule, "remark").value

    edit(export(odd, tmp_path / "rules.xlsx", decisions=["level"]), look)
    assert seen["remark"] == "Head, with an odd   space.\n\nSecond paragraph."
    assert seen["remark at the end"] == "The end.\n\nReally."
    assert seen["five"] == "--- The worst\ncome first."
    assert (seen["nested"], seen["three"], seen["otherwise"]) == (None, "Ordinary.", None)


def test_alternatives_stand_in_rows_of_their_own(odd: Path, tmp_path: Path) -> None:
    rows: list[Any] = []

    def look(book: Any) -> None:
        rows.extend(row[:6] for row in book["level"].iter_rows(values_only=True))

    edit(export(odd, tmp_path / "rules.xlsx", decisions=["level"]), look)
    start = next(index for index, row in enumerate(rows) if row[0] == "nested")
    table = ("rule", "any", "when: severity", "when: vip_tier", "when: behaviour_type")
    assert any(row[:5] == table for row in rows)
    assert [row[1:5] for row in rows[start : start + 5]] == [
        (None, None, "diamond, gold", None),
        ("or", "> 1 and < 3.9", None, None),
        ("or", None, None, "known"),
        ("or 2", None, None, None),
        ("or 2", None, None, None),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_change_in_an_odd_layout_touches_its_own_lines(
    odd: Path, tmp_path: Path, newline: str
) -> None:
    path = odd / "decisions/level.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + ODD.replace("\n", newline).encode())

    def change(book: Any) -> None:
        sheet = book["level"]
        cell(sheet, "nested", "then: level").value = "5"
        cell(sheet, "nested", "when: vip_tier").value = "gold"
        cell(sheet, "five", "remark").value = "New remark"

    done = try_edit(odd, tmp_path, change, ("level",))
    assert done.written, done
    wanted = ODD.replace("[diamond,   gold]", "gold").replace("    then: 4", "    then: 5")
    wanted = wanted.replace("  # --- The worst\n  # come first.\n", "  # New remark\n")
    assert path.read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", newline).encode()


def test_no_comment_is_lost_when_a_part_is_written_anew(odd: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["level"]
        cell(sheet, "five", "when: severity").value = None
        cell(sheet, "five", "when: vip_tier").value = "gold"
        at = cell(sheet, "nested", "any")
        assert sheet.cell(at.row + 1, 2).value == "or"
        sheet.delete_rows(at.row + 1)  # its first alternative
        cell(sheet, "three", "because (en)").value = "So"
        cell(sheet, "three", "because (zh)").value = "如此"

    before = level(odd)
    done = try_edit(odd, tmp_path, change, ("level",))
    assert done.written, [one.render() for one in done.findings]
    after = level(odd)
    assert comments(after) == comments(before)
    assert "    when: {vip_tier: gold}" in after
    assert "below: 3.9" not in after


def test_rules_are_added_removed_and_moved(odd: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["level"]
        row = cell(sheet, "three", "rule").row
        values = [one.value for one in sheet[row]]
        sheet.delete_rows(row)
        first = cell(sheet, "five", "rule").row
        sheet.insert_rows(first)
        for column, value in enumerate(values, start=1):
            sheet.cell(first, column).value = value
        last = sheet.max_row + 1
        new = {"rule": "brand-new", "when: severity": "[0.5, 1]", "then: level": 2, "remark": "Own"}
        headings = [one.value for one in sheet[first - 2]]
        for heading, value in new.items():
            sheet.cell(last, headings.index(heading) + 1).value = value

    done = try_edit(odd, tmp_path, change, ("level",))
    assert done.written, [one.render() for one in done.findings]
    (changed,) = done.changes
    assert (changed.added, changed.removed, changed.moved) == (("rule brand-new",), (), True)
    (decision,) = [one for one in load_rule_base(odd).decisions if one.name == "level"]
    assert [rule.id for rule in decision.rules] == [
        "three",
        "five",
        "nested",
        "otherwise",
        "brand-new",
    ]
    text = level(odd)
    assert "  # Ordinary.\n  - {id: three, when: {severity: {above: 1}}, then: 3}\n" in text
    when = "    when: {severity: {at_least: 0.5, at_most: 1}}\n"
    assert f"  # Own\n  - id: brand-new\n{when}    then: 2\n" in text


def test_a_renamed_rule_keeps_its_lines(odd: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["level"]
        first = cell(sheet, "nested", "rule").row
        for row in range(first, first + 5):
            sheet.cell(row, 1).value = "renamed"

    assert try_edit(odd, tmp_path, change, ("level",)).written
    assert level(odd) == ODD.replace('"nested"', "renamed")


def test_a_new_decision_becomes_a_new_file(copy: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        facts, values = book["facts"], book["values"]
        row = facts.max_row + 1
        for column, value in enumerate(("mood", "enum", "mood", "Mood", "情绪"), start=1):
            facts.cell(row, column).value = value
        for code, en, zh in (("good", "Good", "好"), ("bad", "Bad", "坏")):
            values.append(["mood", code, en, zh])
        sheet = book.copy_worksheet(book["escalation"])
        sheet.title = "mood"
        sheet["B1"], sheet["B2"], sheet["B3"], sheet["B5"] = "mood", "Mood", "情绪", "mood"
        heading = cell(sheet, "high", "then: escalation").row - 2
        sheet.cell(heading, 4).value = "then: mood"
        cell(sheet, "high", "then: mood").value = "bad"

    done = try_edit(copy, tmp_path, change)
    assert done.written, [one.render() for one in done.findings] + list(done.diagnostics)
    assert (copy / "decisions/mood.yaml").read_text(encoding="utf-8") == (
        "decision: mood\ntitle: {en: Mood, zh: 情绪}\nhit: first\nresult: mood\n"
        "otherwise: missing\nrules:\n"
        "  - id: high\n    when: {level: {at_least: 4}}\n    then: bad\n"
    )
    fact = load_rule_base(copy).facts["mood"]
    assert dict(fact.values or {})["bad"] == {"en": "Bad", "zh": "坏"}


def test_catalogues_and_taxonomy_come_back(copy: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["catalogue_strategies"]
        rows = [one for one in sheet.iter_rows() if one[0].value == "explain_bill"]
        assert [one[1].value for one in rows] == [
            "title",
            "steps[]",
            "steps[]",
            "script",
            "expectation",
        ]
        rows[3][3].value = "Let me: read it"
        sheet.insert_rows(rows[2][0].row + 1)
        for column, value in enumerate(("explain_bill", "steps[]", None, "Third", "三"), start=1):
            sheet.cell(rows[2][0].row + 1, column).value = value
        tree = book["taxonomy"]
        tree.append(["charges", "billing", "new_point", "New point", "新点"])
        book["catalogue_departments"]["D2"] = "Customers"

    before = files(copy)
    done = try_edit(copy, tmp_path, change)
    assert done.written, [one.render() for one in done.findings]
    after = files(copy)
    strategies = before["catalogue/strategies.yaml"].decode()
    strategies = strategies.replace(
        "{en: Let me go through your bill with you.,", '{en: "Let me: read it",'
    )
    line = "      - {en: Send the itemised bill, zh: 发送详单}\n"
    strategies = strategies.replace(line, line + "      - {en: Third, zh: 三}\n")
    assert after["catalogue/strategies.yaml"].decode() == strategies
    tree = before["catalogue/taxonomy.yaml"].decode()
    line = "          charges_opaque: {title: {en: Charges opaque, zh: 收费不透明}}\n"
    tree = tree.replace(line, line + "          new_point: {title: {en: New point, zh: 新点}}\n")
    assert after["catalogue/taxonomy.yaml"].decode() == tree
    departments = before["catalogue/departments.yaml"].decode()
    departments = departments.replace("en: Customer service", "en: Customers", 1)
    assert after["catalogue/departments.yaml"].decode() == departments


def test_the_head_and_characteristics_come_back(copy: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["severity"]
        sheet["B2"] = "Severity, new"
        sheet["B6"] = 3
        heading = next(one.row for one in sheet["A"] if one.value == "characteristic")
        sheet.cell(heading + 1, 2).value = 0.45
        first = book["level"]
        assert first["A6"].value == "otherwise"

    path = copy / "decisions/severity.yaml"
    before = path.read_text(encoding="utf-8")
    assert try_edit(copy, tmp_path, change).written
    after = before.replace("title: {en: Severity,", 'title: {en: "Severity, new",')
    after = after.replace("reasons: 2", "reasons: 3").replace("weight: 0.4,", "weight: 0.45,")
    assert path.read_text(encoding="utf-8") == after


def in_both(book: Any) -> None:
    cell(book["level"], "five", "then: level").value = "4"
    cell(book["strategies"], "bill", "then: strategies").value = "explain_bill"


def test_a_folder_that_changed_since_is_not_overwritten(copy: Path, tmp_path: Path) -> None:
    file = edit(export(copy, tmp_path / "rules.xlsx"), in_both)
    path = copy / "decisions/level.yaml"
    theirs = path.read_text(encoding="utf-8").replace("above: 1}}", "above: 1.5}}")
    theirs = theirs.replace(
        "  - id: otherwise",
        "  - id: extra\n    when: {severity: 1.2}\n    then: 2\n  - id: otherwise",
    )
    path.write_text(theirs, encoding="utf-8")
    before = files(copy)

    done = bring_back(file, copy)
    assert (done.sound, done.refused, done.written) == (False, True, False)
    assert done.theirs == (("decision level", ("rule three", "rule extra")),)
    assert done.ours == (
        ("decision level", ("rule five",)),
        ("decision strategies", ("rule bill",)),
    )
    assert files(copy) == before

    assert bring_back(file, copy, force=True).written
    assert path.read_text(encoding="utf-8") == theirs.replace("then: 5", "then: 4")


def test_without_its_hidden_sheet_a_workbook_counts_as_it_stands(
    copy: Path, tmp_path: Path
) -> None:
    def change(book: Any) -> None:
        in_both(book)
        del book["harken_state"]

    file = edit(export(copy, tmp_path / "rules.xlsx"), change)
    assert not bring_back(file, copy, write=False).refused
    path = copy / "decisions/handling.yaml"
    text = path.read_text(encoding="utf-8").replace("policy_soothing", "quality_specialist")
    path.write_text(text, encoding="utf-8")
    assert bring_back(file, copy).refused


def test_all_files_are_written_or_none(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = edit(export(copy, tmp_path / "rules.xlsx"), in_both)
    before, replaced = files(copy), []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        replaced.append(target.name)
        if len(replaced) == 2:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(SheetsError, match=r"nothing was changed: No space left"):
        bring_back(file, copy)
    assert len(replaced) == 2
    assert files(copy) == before
    assert not [one for one in copy.rglob(".*") if one.is_file()]


def test_texts_that_spreadsheets_take_for_something_else(copy: Path, tmp_path: Path) -> None:
    codes = ["007", "7up", "1-2", "TRUE", "missing", "a, b", "not: x", "=1+1", "+4", "-", "@x"]
    codes += ["_x0041_", "#N/A", "1e5", '"q"', "[1, 2)", "2024-01-02", "甲，乙", "3.60", "'t"]
    listed = "".join(f"      {code!r}: {{en: {code!r}, zh: {code!r}}}\n" for code in codes)
    listed = listed.replace('"\'t"', '"\'t"')
    facts = copy / "facts.yaml"
    text = "  oddity:\n    type: enum\n    source: request\n    title: {en: Oddity, zh: 怪}\n"
    facts.write_text(
        facts.read_text(encoding="utf-8") + text + f"    values:\n{listed}", encoding="utf-8"
    )
    path = copy / "decisions/level.yaml"
    rules = "".join(
        f"  - id: odd-{n}\n    when: {{oddity: {code!r}}}\n    then: 3\n"
        f"    because: {{en: {code!r}, zh: {code!r}}}\n"
        for n, code in enumerate(codes)
    )
    odd = path.read_text(encoding="utf-8").replace("  - id: five", rules + "  - id: five")
    path.write_text(odd, encoding="utf-8")
    before = files(copy)
    kinds = set()

    def look(book: Any) -> None:
        kinds.update(one.data_type for row in book["level"].iter_rows() for one in row if one.value)
        cell(book["level"], "five", "then: level").value = "4"

    done = try_edit(copy, tmp_path, look)
    assert kinds == {"s"}
    assert [one.file for one in done.changes] == ["decisions/level.yaml"]
    assert files(copy) == {
        **before,
        "decisions/level.yaml": odd.replace("then: 5", "then: 4").encode(),
    }


def test_the_result_is_checked_before_it_is_written(copy: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["duration_band"]
        cell(sheet, "short-for-the-impatient", "when: open_hours").value = "< 30"

    before = files(copy)
    done = try_edit(copy, tmp_path, change)
    assert files(copy) == before
    assert not done.sound
    (found,) = [one for one in done.findings if not one.warning]
    assert found.render().startswith("duration_band!A")
    assert "long-for-the-impatient" in found.render()


FLOW = """# Head
{decision: escalation, title: {en: Escalation, zh: 升级}, hit: first, result: escalation,
 otherwise: missing, # one pair of braces
 rules: [{id: high, when: {level: {at_least: 4}}, then: usual}]}
"""
FLOW_RULES = """decision: escalation
title: {en: Escalation, zh: 升级}
hit: first
result: escalation
otherwise: missing
rules: [ # in brackets
  {id: high, when: {level: {at_least: 4}}, then: usual}, # high
]
"""


@pytest.mark.parametrize("text", [FLOW, FLOW_RULES])
def test_rules_in_braces_and_brackets(text: str, copy: Path, tmp_path: Path) -> None:
    path = copy / "decisions/escalation.yaml"
    path.write_text(text, encoding="utf-8")
    file = export(copy, tmp_path / "rules.xlsx")
    assert bring_back(file, copy).changes == ()

    def change(book: Any) -> None:
        cell(book["escalation"], "high", "when: level").value = ">= 3"
        book["escalation"]["B2"] = "Chain"

    assert bring_back(edit(file, change), copy).written
    new = path.read_text(encoding="utf-8")
    assert comments(new) == comments(text)
    assert "  - id: high\n    when: {level: {at_least: 3}}\n    then: usual\n" in new
    assert "en: Chain, zh: 升级" in new


def test_a_decision_whose_file_is_gone(copy: Path, tmp_path: Path) -> None:
    def change(book: Any) -> None:
        cell(book["escalation"], "high", "when: level").value = ">= 3"

    path = copy / "decisions/escalation.yaml"
    untouched = export(copy, tmp_path / "untouched.xlsx")
    file = edit(export(copy, tmp_path / "rules.xlsx"), change)
    path.unlink()
    (copy / "cases/levels.yaml").unlink()  # they expect its result
    facts = (copy / "facts.yaml").read_text(encoding="utf-8")
    (copy / "facts.yaml").write_text(
        facts.replace("source: escalation", "source: attribute"), encoding="utf-8"
    )
    assert bring_back(file, copy).refused
    kept = bring_back(untouched, copy, force=True)
    assert (kept.sound, kept.changes) == (True, ())
    back = bring_back(file, copy, force=True, write=False)
    assert [one.file for one in back.changes] == ["decisions/escalation.yaml"]
    assert "+    when: {level: {at_least: 3}}" in back.diff
    (found,) = [one for one in back.findings if not one.warning]
    assert (found.sheet, found.message[:17]) == ("facts", "fact 'escalation'")
