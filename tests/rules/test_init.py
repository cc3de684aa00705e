"""``harken rules init``: what it makes is sound, and nothing is overwritten."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import typer
from harken_rules import load_rule_base
from harken_rules.cases import run_cases
from harken_rules.commands import register
from harken_rules.coverage import coverage_of
from harken_rules.engine import RuleEngine
from harken_rules.formatting import format_folder
from harken_rules.loader import default_base_path, read_rule_base
from harken_rules.starting import TEMPLATE
from typer.testing import CliRunner, Result


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.mark.parametrize("lang", ["both", "en", "zh"])
def test_the_small_one_is_sound_and_tested(lang: str, tmp_path: Path) -> None:
    folder = tmp_path / "my-rules"
    done = harken("rules", "init", folder, "--lang", lang)
    assert done.exit_code == 0
    loaded = read_rule_base(folder)
    assert [one.render() for one in loaded.diagnostics] == []
    assert loaded.base is not None
    assert loaded.base.languages == (("en", "zh") if lang == "both" else (lang,))
    assert loaded.base.name == "my-rules"
    results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
    assert len(results) >= 8
    assert [one.case.name for one in results if not one.passed] == []
    assert not any(one.changed for one in format_folder(folder))
    reached = coverage_of(loaded.base, results)
    assert (reached.covered, reached.expected) == (reached.all, reached.all)


def test_its_cases_show_every_decision() -> None:
    loaded = read_rule_base(TEMPLATE)
    assert loaded.base is not None
    engine = RuleEngine(loaded.base)
    fired = {one.decision for case in loaded.cases for one in engine.decide(case.given).fired}
    assert fired == {one.name for one in loaded.base.decisions}


def test_comments_are_in_the_language_of_the_labels(tmp_path: Path) -> None:
    for lang, wanted, other in (("en", "A scorecard:", "评分卡"), ("zh", "评分卡", "A scorecard:")):
        harken("rules", "init", tmp_path / lang, "--lang", lang)
        text = (tmp_path / lang / "decisions" / "severity.yaml").read_text("utf-8")
        assert wanted in text
        assert other not in text
    both = (TEMPLATE / "decisions" / "severity.yaml").read_text("utf-8")
    assert "A scorecard:" in both
    assert "评分卡" in both


def test_the_full_one_is_the_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    done = harken("rules", "init", folder, "--full", "--json")
    assert (done.exit_code, json.loads(done.output)["languages"]) == (0, ["en", "zh"])
    shipped = default_base_path()
    names = sorted(one.relative_to(shipped).as_posix() for one in shipped.rglob("*.yaml"))
    assert json.loads(done.output)["files"] == names
    for name in names:
        assert (folder / name).read_bytes() == (shipped / name).read_bytes()


def test_the_full_one_in_one_language(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    assert harken("rules", "init", folder, "--full", "--lang", "zh").exit_code == 0
    base = load_rule_base(folder)
    assert base.languages == ("zh",)
    assert set(base.facts["category"].title) == {"zh"}


def test_an_empty_folder_will_do_and_hidden_files_stay(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert harken("rules", "init", tmp_path).exit_code == 0
    assert (tmp_path / ".git").is_dir()
    assert load_rule_base(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith(".")) == [".git"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("mine", "utf-8")
    for options in ((), ("--full",)):
        done = harken("rules", "init", tmp_path, *options)
        assert (done.exit_code, "not empty" in done.output) == (2, True)
    assert [one.name for one in tmp_path.iterdir()] == ["note.txt"]
    done = harken("rules", "init", note, "--json")
    assert (done.exit_code, "not a folder" in json.loads(done.output)["error"]) == (2, True)


def test_what_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    done = harken("rules", "init", tmp_path / "new")
    assert (done.exit_code, "No space left" in done.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_moved_is_moved_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def stubborn(path: Path, target: Path) -> Path:
        if path.name == "facts.yaml":
            raise OSError(18, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    done = harken("rules", "init", tmp_path)
    assert (done.exit_code, "cross-device" in done.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled_without_touching_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    mkdtemp = tempfile.mkdtemp
    monkeypatch.setattr(
        tempfile, "mkdtemp", lambda **how: made.append(how["dir"]) or mkdtemp(**how)
    )
    (tmp_path / "mounted").mkdir()
    assert harken("rules", "init", tmp_path / "mounted").exit_code == 0
    assert made == [tmp_path / "mounted"]


def test_what_to_type_next_can_be_typed(tmp_path: Path) -> None:
    done = harken("rules", "init", tmp_path / "my rules")
    assert f"harken rules check '{tmp_path}/my rules'" in done.output


@pytest.mark.parametrize(("folder", "name"), [("规则", "规则"), ("a: b", "a: b"), ("12", "12")])
def test_odd_folder_names(folder: str, name: str, tmp_path: Path) -> None:
    assert harken("rules", "init", tmp_path / "deep" / folder).exit_code == 0
    assert load_rule_base(tmp_path / "deep" / folder).name == name


def test_another_language_is_refused(tmp_path: Path) -> None:
    done = harken("rules", "init", tmp_path / "new", "--lang", "fr")
    assert (done.exit_code, "en, zh, both" in done.output) == (2, True)
    assert not (tmp_path / "new").exists()


def test_help_teaches() -> None:
    done = harken("rules", "init", "--help")
    for words in ("harken rules init my-rules", "--full", "--lang", "Exit code"):
        assert words in done.output
