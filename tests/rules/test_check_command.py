"""``harken rules check``: explanations, files for code hosts, the engine's sample."""

from __future__ import annotations

import json
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import typer
from harken_rules import pages
from harken_rules.commands import check as command
from harken_rules.commands import register
from harken_rules.diagnostics import FindingId
from harken_rules.probe import Probe
from typer.testing import CliRunner, Result

Edit = Callable[[dict[str, tuple[str, str]]], Path]
IDS = get_args(FindingId)
PAGES = Path(__file__).parents[2] / "docs" / "checks"


def check(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # a second command, so that the group keeps its name
    arguments = ["rules", "check", *map(str, words)]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.fixture
def spoilt(edit: Edit) -> Path:
    """Two errors of one kind on one line, and a warning."""
    base = edit(
        {
            "decisions/level.yaml": (
                "vip_tier: [diamond, gold], severity",
                "vip_teir: 钻石, severty",
            ),
        }
    )
    (base / "备注 notes.yaml").write_text("a: 1", encoding="utf-8")
    return base


@pytest.mark.parametrize("finding", IDS)
def test_every_finding_is_explained_by_its_page(finding: str) -> None:
    done = check("--explain", finding)
    assert done.exit_code == 0
    assert done.output == (PAGES / f"{finding}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("finding", IDS)
def test_every_finding_is_explained_in_chinese(finding: str) -> None:
    done = check("--explain", finding, "--lang", "zh")
    assert done.exit_code == 0
    assert done.output.startswith(f"# {finding}\n")
    assert "## 怎样改" in done.output


def test_the_pages_stand_in_the_wheel_in_both_languages() -> None:
    member = Path(__file__).parents[2] / "rules"
    packed = tomllib.loads((member / "pyproject.toml").read_text("utf-8"))
    force = packed["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for language, (packaged, in_tree) in pages._FOLDERS.items():
        assert force[packaged] == f"harken_rules/{packaged}"
        assert (member / packaged).resolve() == (member.parent / in_tree).resolve()
        assert (member / packaged / "gap.md").resolve() == pages.page_path("gap", language)


def test_a_page_in_another_language_is_refused() -> None:
    done = check("--explain", "gap", "--lang", "fr")
    assert (done.exit_code, "one of: en, zh" in done.output) == (2, True)


def test_an_unknown_finding_is_refused() -> None:
    done = check("--explain", "gab")
    assert done.exit_code == 2
    assert "did you mean 'gap'?" in done.output


def test_the_pages_of_what_was_found_are_named(spoilt: Path) -> None:
    said = check(spoilt).output
    assert "explained in docs/checks/stray-file.md, docs/checks/unknown-fact.md\n" in said
    assert "harken rules check --explain stray-file\n" in said


def test_a_sound_base_names_no_pages(sample: Path) -> None:
    assert "explain" not in check(sample).output


def test_junit(spoilt: Path, tmp_path: Path) -> None:
    file = tmp_path / "check.xml"
    assert check(spoilt, "--junitxml", file).exit_code == 1
    cases = ET.parse(file).getroot().findall("./testsuite/testcase")
    failed = [one for one in cases if one.find("failure") is not None]
    places = [(one.get("file"), one.get("line")) for one in failed]
    assert places == [(f"{spoilt}/decisions/level.yaml", "10")] * 2
    assert "--> " in (failed[0].findtext("failure") or "")
    passed = {one.get("name", "") for one in cases if one not in failed}
    assert any(name.startswith("stray-file ") for name in passed)
    assert passed >= set(IDS) - {"stray-file", "unknown-fact"}
    check(spoilt, "--junitxml", file, "--fail-on", "warning")
    assert ET.parse(file).getroot().get("failures") == "3"


def test_sarif(spoilt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spoilt.parent)
    file = tmp_path / "check.sarif"
    assert check("base", "--sarif", file).exit_code == 1
    log = json.loads(file.read_text(encoding="utf-8"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == list(IDS)
    for rule in rules:
        assert rule["helpUri"].startswith("file:///")
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}\n")
        assert rule["shortDescription"]["text"]
    results = run["results"]
    assert [rules[one["ruleIndex"]]["id"] for one in results] == [one["ruleId"] for one in results]
    where = [one["locations"][0]["physicalLocation"] for one in results]
    assert [(one["artifactLocation"]["uri"], *one["region"].values()) for one in where] == [
        ("base/decisions/level.yaml", 10, 12),
        ("base/decisions/level.yaml", 10, 26),
        ("base/%E5%A4%87%E6%B3%A8%20notes.yaml", 1, 1),
    ]
    assert [one["level"] for one in results] == ["error", "error", "warning"]
    prints = [one["partialFingerprints"]["harkenFinding/v1"] for one in results]
    assert len(set(prints)) == 3
    assert run["invocations"] == [{"executionSuccessful": True}]
    path = spoilt / "decisions" / "level.yaml"
    path.write_text("# a remark\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    check("base", "--sarif", file)
    (run,) = json.loads(file.read_text(encoding="utf-8"))["runs"]
    assert [one["partialFingerprints"]["harkenFinding/v1"] for one in run["results"]] == prints
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 11


def test_a_file_that_cannot_be_written_ends_the_command(sample: Path, tmp_path: Path) -> None:
    for option in ("--sarif", "--junitxml"):
        done = check(sample, option, tmp_path / "nowhere" / "file")
        assert done.exit_code == 2
        assert "cannot be written" in done.output
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_is_not_right_fails(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "probe_rule_base", lambda *_, **__: Probe(False, "it hangs"))
    files = tmp_path / "check.sarif", tmp_path / "check.xml"
    done = check(sample, "--sarif", files[0], "--junitxml", files[1])
    assert done.exit_code == 1
    (run,) = json.loads(files[0].read_text(encoding="utf-8"))["runs"]
    assert not run["invocations"][0]["executionSuccessful"]
    assert "it hangs" in json.dumps(run["invocations"])
    assert ET.parse(files[1]).getroot().get("errors") == "1"
    assert check(sample, "--fail-on", "never").exit_code == 0


def test_the_sample_is_passed_on(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def told(path: Path, sample: int | None = 0) -> Probe:
        asked.append(sample)
        return Probe(True, "")

    monkeypatch.setattr(command, "probe_rule_base", told)
    check(sample, "--sample", "7")
    check(sample)
    assert asked == [7, None]
    assert check(sample, "--sample", "0").exit_code == 2


def test_a_small_sample_compares_fewer(sample: Path) -> None:
    done = check(sample, "--sample", "3", "--json")
    report = json.loads(done.output)["engine"]["report"]
    assert report.startswith("17 signatures of 6 decisions compared")
