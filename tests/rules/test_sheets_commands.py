"""``harken rules export`` and ``harken rules import``: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from harken_rules.commands import register
from harken_rules.loader import load_rule_base
from typer.testing import CliRunner, Result

from .workbooks import cell, edit, files


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # a second command, so that the group keeps its name
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.fixture
def workbook(copy: Path, tmp_path: Path) -> Path:
    file = tmp_path / "rules.xlsx"
    done = harken("rules", "export", copy, "--xlsx", file)
    assert done.exit_code == 0, done.output
    assert f"{file}: written; 6 decisions, 20 rules\n" in done.output
    return file


def new_level(book: Any) -> None:
    cell(book["level"], "five", "then: level").value = "4"


def test_an_edit_is_shown_and_then_made(workbook: Path, copy: Path) -> None:
    before = files(copy)
    edit(workbook, new_level)
    shown = harken("rules", "import", workbook, "--into", copy, "--diff")
    assert shown.exit_code == 0
    assert "-    then: 5\n+    then: 4\n" in shown.output
    assert f"{copy}: 1 file would change\n" in shown.output
    dry = harken("rules", "import", workbook, "--into", copy, "--dry-run")
    assert (dry.exit_code, files(copy)) == (0, before)
    assert "  decisions/level.yaml\n    change: rule five\n" in dry.output

    done = harken("rules", "import", workbook, "--into", copy)
    assert done.exit_code == 0
    assert f"{copy}: 1 file changed\n{load_rule_base(copy).digest}\n" in done.output
    again = harken("rules", "import", workbook, "--into", copy)
    assert (again.exit_code, again.output) == (0, f"{workbook}: nothing to change in {copy}\n")


def test_a_mistake_is_shown(workbook: Path, copy: Path) -> None:
    def change(book: Any) -> None:
        cell(book["handling"], "high", "then: owner").value = "custmer_service"

    edit(workbook, change)
    done = harken("rules", "import", workbook, "--into", copy)
    assert done.exit_code == 1
    assert done.output == (
        "handling!F13: 'owner' has no value 'custmer_service'; did you mean 'customer_service'?\n"
        f"{workbook}: 1 finding; nothing was written\n"
    )


def test_two_sides(workbook: Path, copy: Path) -> None:
    edit(workbook, new_level)
    path = copy / "decisions/handling.yaml"
    theirs = path.read_text(encoding="utf-8").replace("policy_soothing", "quality_specialist")
    path.write_text(theirs, encoding="utf-8")
    done = harken("rules", "import", workbook, "--into", copy)
    assert done.exit_code == 1
    both = (
        "the folder has changed since the workbook was exported\n"
        "  in the folder: decision handling: rule otherwise\n"
        "  in the sheets: decision level: rule five\n"
    )
    assert both in done.output
    assert done.output.endswith("the folder has changed; nothing was written\n")
    assert harken("rules", "import", workbook, "--into", copy, "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") == theirs
    assert "then: 4" in (copy / "decisions/level.yaml").read_text(encoding="utf-8")


def test_json(workbook: Path, copy: Path) -> None:
    edit(workbook, new_level)
    old = load_rule_base(copy).digest
    answer = json.loads(harken("rules", "import", workbook, "--into", copy, "--json").output)
    assert (answer["written"], answer["refused"], answer["findings"]) == (True, False, [])
    assert answer["changes"] == [
        {
            "document": "decision level",
            "file": "decisions/level.yaml",
            "added": [],
            "changed": ["rule five"],
            "removed": [],
            "moved": False,
        }
    ]
    digests = (answer["digest_before"], answer["digest_after"])
    assert digests == (old, load_rule_base(copy).digest)

    edit(workbook, lambda book: setattr(cell(book["level"], "five", "then: level"), "value", "x"))
    answer = json.loads(harken("rules", "import", workbook, "--into", copy, "--json").output)
    (found,) = answer["findings"]
    assert (found["sheet"], found["cell"], found["severity"]) == ("level", "E12", "error")


def test_only_some_decisions(copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.xlsx"
    words = ("rules", "export", copy, "--xlsx", file, "--decision", "level", "--lang", "zh")
    assert harken(*words).exit_code == 0
    book = openpyxl.load_workbook(file)
    assert {"level", "index", "facts"} < set(book.sheetnames)
    assert "handling" not in book.sheetnames
    assert "抱怨级别" in [one.value for row in book["level"].iter_rows() for one in row]
    assert book["level"].freeze_panes == "B12"
    (notes,) = [one.comment for one in book["level"][10] if one.value == "when: vip_tier"]
    assert "\ndiamond = " in notes.text
    edit(file, new_level)
    assert harken("rules", "import", file, "--into", copy).exit_code == 0


def test_what_cannot_be_exported(workbook: Path, copy: Path, tmp_path: Path) -> None:
    there = harken("rules", "export", copy, "--xlsx", workbook)
    assert (there.exit_code, "is there already" in there.output) == (2, True)
    assert harken("rules", "export", copy, "--xlsx", workbook, "--force").exit_code == 0
    other = tmp_path / "other.xlsx"
    for words, message in [
        (("--xlsx", tmp_path / "rules.csv"), "name it .xlsx"),
        (("--xlsx", other, "--lang", "fr"), "the rule base has en, zh"),
        (("--xlsx", other, "--decision", "levl"), "no decision is called 'levl'; did you mean"),
        (("--xlsx", tmp_path / "none" / "r.xlsx"), "cannot be written: No such file"),
    ]:
        done = harken("rules", "export", copy, *words)
        assert done.exit_code == 2
        assert message in done.output
    (copy / "facts.yaml").write_text("facts: [", encoding="utf-8")
    assert harken("rules", "export", copy, "--xlsx", other).exit_code == 2
    assert harken("rules", "import", workbook, "--into", copy).exit_code == 2
    assert not other.exists()


def test_what_is_no_workbook(copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.xlsx"
    file.write_text("rule,then\n", encoding="utf-8")
    done = harken("rules", "import", file, "--into", copy, "--json")
    assert done.exit_code == 2
    message = "no workbook; save the sheets as .xlsx (Excel workbook)"
    assert json.loads(done.output) == {"path": str(copy), "error": f"{file}: {message}"}
