"""Every page about writing rules stands in English and in Chinese, and both show the same."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import yaml
from harken_client.main import build_app
from harken_rules import RuleEngine, check_rule_base, default_base_path, load_rule_base
from harken_rules.cases import run_cases
from harken_rules.loader import read_rule_base
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "rules"
CHECKS = ROOT / "docs" / "checks"
ZH = RULES / "zh"
BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
IN_CHINESE = " --lang zh"


def twins() -> list[tuple[Path, Path]]:
    """Each English page and where its Chinese one belongs."""
    return [
        *((page, ZH / page.name) for page in sorted(RULES.glob("*.md"))),
        *((page, ZH / "checks" / page.name) for page in sorted(CHECKS.glob("*.md"))),
    ]


TWINS = pytest.mark.parametrize(("english", "chinese"), twins(), ids=lambda page: page.stem)


def test_no_page_is_without_its_twin() -> None:
    wanted = {chinese for _, chinese in twins()}
    assert len(wanted) > 35
    assert set(ZH.rglob("*.md")) == wanted


@TWINS
def test_both_pages_are_made_alike(english: Path, chinese: Path) -> None:
    shapes = []
    for page in (english, chinese):
        prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
        headings = re.findall(r"^(#+) ", prose, re.MULTILINE)
        tables = re.findall(r"^\|.*\|$", prose, re.MULTILINE)
        shapes.append((headings, len(tables), [row.count("|") for row in tables]))
    assert shapes[0] == shapes[1]


@TWINS
def test_both_pages_show_the_same_examples(english: Path, chinese: Path) -> None:
    ours = BLOCK.findall(english.read_text(encoding="utf-8"))
    theirs = BLOCK.findall(chinese.read_text(encoding="utf-8"))
    assert [language for language, _ in ours] == [language for language, _ in theirs]
    for (language, one), (_, other) in zip(ours, theirs, strict=True):
        assert shows_the_same(language, one, other), f"{one}\n{other}"


def shows_the_same(language: str, english: str, chinese: str) -> bool:
    """Remarks may be in Chinese, and what a program says in Chinese when it is asked to."""
    if language == "yaml":
        return without_remarks(english) == without_remarks(chinese)
    if language == "console" and IN_CHINESE in chinese:
        return commands_of(english) == commands_of(chinese)
    # A drawing or a folder with words beside it: the words are translated, the lines stay.
    if set(CHINESE.findall(chinese)) - set(CHINESE.findall(english)):
        return len(english.splitlines()) == len(chinese.splitlines())
    return english == chinese


def without_remarks(text: str) -> list[str]:
    return [bare for line in text.splitlines() if (bare := re.sub(r"(^|\s+)#.*", "", line))]


def commands_of(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.startswith("$")]
    return [line.replace(IN_CHINESE, "") for line in lines]


@pytest.mark.parametrize("page", [page for pair in twins() for page in pair], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath(page.parent / path)) if path else page
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The names under which code hosts let one link to headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def write_base(page: Path, folder: Path) -> Path:
    """The YAML blocks of a page about the language; each begins with its file's name."""
    blocks = re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8"))
    for name, block in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    return folder


def test_the_chinese_examples_are_the_same_rule_base(tmp_path: Path) -> None:
    ours = write_base(RULES / "language.md", tmp_path / "en")
    theirs = write_base(ZH / "language.md", tmp_path / "zh")
    assert [one.render() for one in check_rule_base(theirs)] == []
    assert load_rule_base(theirs).digest == load_rule_base(ours).digest
    loaded = read_rule_base(theirs)
    assert loaded.base is not None
    results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
    assert len(results) == 5
    assert all(one.passed for one in results)


def test_what_is_said_in_chinese_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ZH / "language.md").read_text(encoding="utf-8")
    write_base(ZH / "language.md", tmp_path / "my-rules")
    (grumble,) = re.findall(r"(?ms)^```json\n(.*?)^```$", page)
    (tmp_path / "grumble.json").write_text(grumble, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = "rules explain grumble.json --rules my-rules --why-not severity>=3 --lang zh"
    assert f"```\n{run(words)}```" in page


def run(command: str) -> str:
    done = CliRunner().invoke(build_app(), shlex.split(command), env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_first_steps_can_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (console,) = re.findall(r"(?ms)^```console\n(.*?)^```$", (RULES / "README.md").read_text())
    for line in console.splitlines():
        run(line.removeprefix("$ harken "))
    assert (tmp_path / "my-first-rules" / "rulebase.yaml").is_file()


@pytest.mark.parametrize("page", [RULES / "README.md", ZH / "README.md"], ids=["en", "zh"])
def test_the_guide_names_every_command_and_no_other(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    rules = typer.main.get_command(build_app()).commands["rules"]  # type: ignore[attr-defined]
    named = re.findall(r"^\| `harken rules ([a-z-]+)", text, re.MULTILINE)
    assert sorted(named) == sorted(rules.commands)


@pytest.mark.parametrize("page", [RULES / "README.md", ZH / "README.md"], ids=["en", "zh"])
def test_the_guide_takes_an_hour_and_shows_a_shipped_decision(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert sum(int(minutes) for minutes in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)) == 60
    (shown,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", text)
    shipped = (default_base_path() / "decisions" / "warning_line.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(shown) == yaml.safe_load(shipped)


@pytest.mark.parametrize("page", sorted((ZH / "checks").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_of_a_finding_has_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parts: Callable[[str], bool] = text.__contains__
    if page.stem != "README":
        assert text.startswith(f"# {page.stem}\n")
        assert all(map(parts, ("\n## 含义\n", "\n## 例子\n", "\n意思是：", "\n## 怎样改\n")))
    english = (CHECKS / page.name).read_text(encoding="utf-8")
    assert text.count("（警告）") == english.count("(Warning)")
