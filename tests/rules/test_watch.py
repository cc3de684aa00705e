"""Following a folder: what counts as a change, and that none is missed."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
from harken_rules import watch
from harken_rules.watch import changes, state_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "QUIET_MS", 20)
    monkeypatch.setattr(watch, "LOOK_MS", 50)


def test_first_what_is_there_then_what_changes(copy: Path) -> None:
    seen = changes(copy)
    first = next(seen)
    assert "rulebase.yaml" in first
    assert "cases/levels.yaml" in first
    assert list(first) == sorted(first)
    with (copy / "cases" / "levels.yaml").open("a", encoding="utf-8") as file:
        file.write("# a remark\n")
    assert next(seen) == ("cases/levels.yaml",)
    (copy / "decisions" / "new.yaml").touch()
    (copy / "cases" / "levels.yaml").unlink()
    names = set(next(seen))
    if names != {"cases/levels.yaml", "decisions/new.yaml"}:  # told one after the other
        names |= set(next(seen))
    assert names == {"cases/levels.yaml", "decisions/new.yaml"}


def test_a_change_while_nobody_watches_is_seen(copy: Path) -> None:
    seen = changes(copy)
    next(seen)
    (copy / "notes.txt").touch()  # no rule file
    shutil.rmtree(copy / "cases")
    assert next(seen) == ("cases/levels.yaml",)


def test_a_file_counts_however_its_ending_is_written(copy: Path) -> None:
    (copy / "cases" / "levels.yaml").rename(copy / "cases" / "LEVELS.YAML")
    assert "cases/LEVELS.YAML" in state_of(copy)


def test_a_folder_that_goes_and_comes_again(copy: Path) -> None:
    seen = changes(copy)
    everything = next(seen)
    aside = copy.rename(copy.with_name("aside"))
    assert next(seen) == everything
    aside.rename(copy)
    assert next(seen) == everything


def test_a_folder_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = changes(tmp_path / "base")
    assert next(seen) == ()
    waits = itertools.count()

    def make(_: float) -> None:
        next(waits)
        (tmp_path / "base").mkdir(exist_ok=True)
        (tmp_path / "base" / "facts.yaml").touch()

    monkeypatch.setattr(watch.time, "sleep", make)
    assert next(seen) == ("facts.yaml",)
    assert next(waits) == 1


def test_links_are_not_followed(copy: Path) -> None:
    (copy / "round").symlink_to(copy)
    (copy / "elsewhere.yaml").symlink_to(copy / "facts.yaml")
    names = set(state_of(copy))
    assert "elsewhere.yaml" in names
    assert not any(name.startswith("round") for name in names)
