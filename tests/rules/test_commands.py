"""``harken rules check`` and ``harken rules test``: what they print, and their exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import harken_rules
import pytest
import typer
from harken_rules.commands import register
from harken_rules.loader import default_base_path
from typer.testing import CliRunner, Result

Edit = Callable[[dict[str, tuple[str, str]]], Path]


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # a second command, so that the group keeps its name
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_a_sound_base(sample: Path) -> None:
    done = harken("rules", "check", sample)
    assert done.exit_code == 0
    assert "15 facts, 6 decisions, 20 rules, 3 cases; 0 errors, 0 warnings" in done.output
    assert harken_rules.load_rule_base(sample).digest in done.output


def test_problems_are_shown_and_counted(
    edit: Edit, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = edit(
        {
            "decisions/level.yaml": ("vip_tier:", "vip_teir:"),
            "decisions/severity.yaml": ("    because: {en: Open for long, zh: 抱怨时间长}\n", ""),
        }
    )
    monkeypatch.chdir(base.parent)
    done = harken("rules", "check", base.name)
    assert done.exit_code == 1
    golden("command-check.out", done.output)


def test_check_in_json(edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    done = harken("rules", "check", base, "--json")
    assert done.exit_code == 1
    answer = json.loads(done.output)
    assert (answer["errors"], answer["warnings"], answer["digest"]) == (1, 0, None)
    assert answer["diagnostics"] == [
        {
            "id": "unknown-fact",
            "severity": "error",
            "message": "no fact is called 'vip_teir'",
            "file": "decisions/level.yaml",
            "line": 10,
            "column": 12,
            "page": "docs/checks/unknown-fact.md",
            "hint": "did you mean 'vip_tier'?",
            "related": [],
        }
    ]


def test_check_in_json_of_a_sound_base(sample: Path) -> None:
    done = harken("rules", "check", sample, "--json")
    assert done.exit_code == 0
    answer = json.loads(done.output)
    assert answer["digest"] == harken_rules.load_rule_base(sample).digest
    assert answer["diagnostics"] == []


def test_what_fails_is_said_by_fail_on(copy: Path) -> None:
    (copy / "notes.yaml").touch()
    assert harken("rules", "check", copy).exit_code == 1  # an empty YAML file is an error
    assert harken("rules", "check", copy, "--fail-on", "never").exit_code == 0
    (copy / "notes.yaml").write_text("a: 1", encoding="utf-8")
    assert harken("rules", "check", copy).exit_code == 0
    assert harken("rules", "check", copy, "--fail-on", "error").exit_code == 0
    assert harken("rules", "check", copy, "--fail-on", "warning").exit_code == 1
    assert harken("rules", "check", copy, "--fail-on", "warnings").exit_code == 2


def test_cases_that_pass(sample: Path) -> None:
    done = harken("rules", "test", sample)
    assert done.exit_code == 0
    assert "3 cases, all as expected" in done.output
    answer = json.loads(harken("rules", "test", sample, "--json").output)
    assert (answer["cases"], answer["passed"], answer["failed"]) == (3, 3, 0)


def test_cases_that_fail(
    edit: Edit, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = edit({"decisions/level.yaml": ("at_least: 3.9", "at_least: 5.9")})
    monkeypatch.chdir(base.parent)
    done = harken("rules", "test", base.name)
    assert done.exit_code == 1
    golden("command-test.out", done.output)
    done = harken("rules", "test", base.name, "--json")
    assert done.exit_code == 1
    answer = json.loads(done.output)
    assert (answer["cases"], answer["passed"], answer["failed"]) == (3, 2, 1)
    (failure,) = answer["failures"]
    assert (failure["file"], failure["line"], failure["error"]) == ("cases/levels.yaml", 2, None)
    level = next(one for one in failure["mismatches"] if one["result"] == "level")
    assert (level["expected"], level["got"]) == ("5", "3")
    assert level["fired"][-1] == {
        "decision": "level",
        "rule": "three",
        "file": "decisions/level.yaml",
        "line": 12,
    }


def test_coverage_is_told_and_may_be_demanded(
    sample: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.parent)
    done = harken("rules", "test", sample.name, "--coverage", "--filter", "five")
    assert done.exit_code == 0
    golden("command-test-coverage.out", done.output)
    done = harken("rules", "test", sample.name, "--min-coverage", "99")
    assert done.exit_code == 1
    assert "that is below the 99 % wanted" in done.output
    answer = json.loads(harken("rules", "test", sample.name, "--json").output)
    share = answer["coverage"]["percent"]
    assert answer["coverage"]["decisions"]["level"]["uncovered"][0]["line"] == 12
    assert harken("rules", "test", sample.name, "--min-coverage", str(share)).exit_code == 0
    assert harken("rules", "test", sample.name, "--min-coverage", "101").exit_code == 2


def test_only_some_cases(sample: Path) -> None:
    for text, count in [("NOTHING known", 1), ("cases/levels", 3), ("is a", 2)]:
        done = harken("rules", "test", sample, "--filter", text, "--json")
        assert (done.exit_code, json.loads(done.output)["cases"]) == (0, count)
    done = harken("rules", "test", sample, "--filter", "nowhere")
    assert done.exit_code == 2
    assert "none of 3 cases contains 'nowhere'" in done.output


def test_results_as_junit_xml(edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = edit({"decisions/level.yaml": ("at_least: 3.9", "at_least: 5.9")})
    monkeypatch.chdir(base.parent)
    report = tmp_path / "report.xml"
    done = harken("rules", "test", base.name, "--junitxml", report)
    assert done.exit_code == 1
    (suite,) = ElementTree.parse(report).getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "1")
    first, second, _ = suite
    assert (first.attrib["file"], first.attrib["line"]) == ("base/cases/levels.yaml", "2")
    assert "level: expected 5, got 3" in first[0].attrib["message"]
    assert "base/decisions/level.yaml:12" in (first[0].text or "")
    assert len(second) == 0
    done = harken("rules", "test", base.name, "--junitxml", tmp_path / "nowhere" / "report.xml")
    assert done.exit_code == 2
    assert "cannot be written: No such file or directory" in done.output


def test_junit_xml_of_a_base_with_errors(edit: Edit, tmp_path: Path) -> None:
    base = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    done = harken("rules", "test", base, "--junitxml", tmp_path / "report.xml")
    assert done.exit_code == 2
    ((item,),) = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert item[0].tag == "error"
    assert "no fact is called 'vip_teir'" in item[0].attrib["message"]


def test_watching_runs_again_and_survives_a_broken_base(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = copy / "decisions" / "level.yaml"
    text = level.read_text(encoding="utf-8")

    def changes(_: Path) -> Iterator[tuple[str, ...]]:
        yield ("facts.yaml",)
        level.write_text(text.replace("vip_tier:", "vip_teir:"), encoding="utf-8")
        yield ("decisions/level.yaml",)
        level.write_text(text.replace("at_least: 3.9", "at_least: 5.9"), encoding="utf-8")
        yield ("a.yaml", "b.yaml", "c.yaml", "d.yaml")
        raise KeyboardInterrupt

    monkeypatch.setattr("harken_rules.watch.changes", changes)
    done = harken("rules", "test", copy, "--watch")
    assert done.exit_code == 1
    told = [
        "3 cases, all as expected",
        "--- decisions/level.yaml",
        "no fact is called 'vip_teir'",
        "--- a.yaml, b.yaml, c.yaml, ...",
        "1 of 3 cases failed",
    ]
    places = [done.output.index(each) for each in told]
    assert places == sorted(places)
    done = harken("rules", "test", copy, "--watch", "--json")
    assert done.exit_code == 2
    assert "leave --json or --watch out" in json.loads(done.output)["error"]


def test_watching_ends_on_an_interrupt(copy: Path) -> None:
    code = (
        "import sys, typer; from harken_rules.commands import register;"
        "app = typer.Typer(); register(app); app(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "rules", "test", str(copy), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert b"3 cases, all as expected" in process.stdout.readline()
            assert b"watching" in process.stdout.readline()
            case = copy / "cases" / "levels.yaml"
            text = case.read_text(encoding="utf-8")
            case.write_text(text.replace("level: 5", "level: 4"), encoding="utf-8")
            for wanted in (b"1 of 3 cases failed", b"watching"):
                while wanted not in process.stdout.readline():
                    assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 1
            assert process.stderr.read() == b""
        finally:
            process.kill()


def test_no_cases_is_said(copy: Path) -> None:
    (copy / "cases" / "levels.yaml").unlink()
    done = harken("rules", "test", copy)
    assert done.exit_code == 0
    assert "there are no cases" in done.output


def test_a_base_with_errors_cannot_be_tested(edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    done = harken("rules", "test", base)
    assert done.exit_code == 2
    assert "no fact is called 'vip_teir'" in done.output
    answer = harken("rules", "test", base, "--json")
    assert answer.exit_code == 2
    assert json.loads(answer.output)["errors"] == 1


@pytest.mark.parametrize("command", ["check", "test"])
def test_what_is_no_folder(command: str, tmp_path: Path) -> None:
    done = harken("rules", command, tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "no such folder" in done.output
    file = tmp_path / "file.yaml"
    file.touch()
    done = harken("rules", command, file, "--json")
    assert done.exit_code == 2
    assert "not a folder" in json.loads(done.output)["error"]


@pytest.mark.parametrize("command", ["check", "test"])
def test_help_teaches(command: str) -> None:
    done = harken("rules", command, "--help")
    assert done.exit_code == 0
    assert f"harken rules {command} rules/base" in done.output
    for words in ("Exit code", "--json", "[DIR]"):
        assert words in done.output


def test_without_a_folder_the_shipped_base_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(default_base_path().parent)
    done = harken("rules", "check", "--json")
    assert json.loads(done.output)["path"] == "base"


def test_no_colour_unless_on_a_terminal(edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    assert "\x1b" not in harken("rules", "check", base).output


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_terminal_without_chinese_is_no_reason_to_fail(options: tuple[str], edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("[diamond, gold]", "钻石")})
    code = (
        "import sys, typer; from harken_rules.commands import register;"
        "app = typer.Typer(); register(app); app(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "rules", "check", str(base), *options],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    if options:
        (one,) = json.loads(done.stdout)["diagnostics"]
        assert one["message"] == "'vip_tier' has no value '钻石'"
    else:
        assert b"'vip_tier' has no value '??'" in done.stdout


def test_all_is_what_is_exported() -> None:
    for name in harken_rules.__all__:
        assert getattr(harken_rules, name).__module__.startswith("harken_rules.")
    assert len(set(harken_rules.__all__)) == len(harken_rules.__all__)
