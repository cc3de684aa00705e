"""The examples in docs/rules/language.md are one sound rule base that behaves as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harken_rules import RuleEngine, check_rule_base, default_base_path, load_rule_base
from harken_rules.cases import run_cases
from harken_rules.loader import read_rule_base
from harken_rules.printing import failures

PAGE = Path(__file__).parents[2] / "docs" / "rules" / "language.md"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The page's YAML blocks as files; each begins with a remark that names its file."""
    base = tmp_path / "my-rules"
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```$", text)
    assert len(blocks) == text.count("```yaml")
    for name, block in blocks:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    return base


def test_the_examples_are_sound(written: Path) -> None:
    assert [one.render() for one in check_rule_base(written)] == []


def test_the_examples_behave_as_their_cases_say(written: Path) -> None:
    loaded = read_rule_base(written)
    assert loaded.base is not None
    results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
    assert [one.case.name for one in results if not one.passed] == []
    assert {one.case.place.file for one in results} == {"cases/charges.yaml", "cases/urgency.yaml"}


def test_the_failure_shown_is_what_is_printed(
    written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written / "cases" / "charges.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("severity: 4.5 ", "severity: 4.4 "), encoding="utf-8")
    monkeypatch.chdir(written.parent)
    loaded = read_rule_base(written)
    assert loaded.base is not None
    results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
    failures([one for one in results if not one.passed], Path("my-rules"))
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("FAILED")
    assert f"```\n{printed}\n```" in PAGE.read_text(encoding="utf-8")


def test_the_shipped_base_is_sound_and_behaves_as_its_cases_say() -> None:
    loaded = read_rule_base(default_base_path())
    assert [one.render() for one in loaded.diagnostics] == []
    base = load_rule_base(default_base_path())
    assert [
        one.case.name for one in run_cases(base, loaded.cases, RuleEngine(base)) if not one.passed
    ] == []
