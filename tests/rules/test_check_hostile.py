"""Poisoned rule bases end in findings, in little memory; large sound ones are checked."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harken_rules import Severity, check_rule_base
from harken_rules.loader import read_rule_base
from harken_rules.reading import folder

SAMPLE = Path(__file__).parent / "sample"
HEAD = "decision: escalation\ntitle: {en: E, zh: 升级}\nhit: first\nresult: escalation\n"
MEMORY = 1_500_000_000
"""Bytes of address space that a child may take; the libraries alone take a third of it."""


def decision(rules: list[str], otherwise: bool = True) -> bytes:
    """The sample's last decision, with these conditions."""
    text = HEAD + ("otherwise: missing\n" if otherwise else "") + "rules:\n"
    for index, when in enumerate(rules):
        text += f"  - id: r{index}\n    when: {{{when}}}\n    then: usual\n"
    return text.encode()


def alias_bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines).encode()


POISON: dict[str, tuple[Callable[[], bytes], str]] = {
    "alias bomb": (alias_bomb, "yaml-feature"),
    "lists 20,000 deep": (lambda: b"rules: " + b"[" * 20_000 + b"]" * 20_000, "too-large"),
    "tables 20,000 deep": (lambda: b"{a: " * 20_000 + b"1" + b"}" * 20_000, "too-large"),
    "indented 20,000 deep": (lambda: b"- " * 20_000 + b"x", "too-large"),
    "5,000 rules": (
        lambda: decision([f"open_hours: {n}" for n in range(5_000)]),
        "too-large",
    ),
    "600 alternatives": (
        lambda: decision(["any: [" + ", ".join(f"{{open_hours: {n}}}" for n in range(600)) + "]"]),
        "too-large",
    ),
    "10 MB": (lambda: b"# a remark\n" * 1_000_000, "too-large"),
    "not UTF-8": (lambda: HEAD.encode("gb18030"), "yaml-syntax"),
    "numbers by the thousand": (
        lambda: decision(
            [
                "any: ["
                + ", ".join(f"{{open_hours: {{above: {n}, below: {n + 1}}}}}" for n in some)
                + "]"
                for some in (range(at, at + 400) for at in range(0, 10_400, 400))
            ]
        ),
        "too-large",
    ),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_an_error(name: str, copy: Path) -> None:
    make, finding = POISON[name]
    (copy / "decisions" / "escalation.yaml").write_bytes(make())
    found = check_rule_base(copy)
    assert {one.id for one in found if one.severity is Severity.ERROR} == {finding}
    assert {one.place.file for one in found} == {"decisions/escalation.yaml"}


def intricate() -> bytes:
    """Rules of which nobody can say quickly whether they cover everything."""
    rng = random.Random(5)
    facts = {
        "category": ("charges", "basic_comms"),
        "dissatisfied": ("true", "false"),
        "vip_tier": ("none", "gold", "diamond"),
        "behaviour_type": ("tariff_sensitive", "limited_patience"),
        "open_hours": tuple(f"{{at_least: {n}, below: {n + 12}}}" for n in range(60)),
        "grumble_count_30d": tuple(f"{{at_least: {n}, below: {n + 12}}}" for n in range(60)),
        "probability": tuple(f"{{above: 0.{n}, below: 0.{n + 5}}}" for n in range(10, 60)),
    }
    rules = []
    for _ in range(1_500):
        asked = rng.sample(sorted(facts), 3)
        rules.append(", ".join(f"{name}: {rng.choice(facts[name])}" for name in asked))
    return decision(rules, otherwise=False)


LARGE: dict[str, Callable[[], bytes]] = {
    "2,000 cut-offs": lambda: decision(
        [f"open_hours: {{at_least: {2_000 - n}}}" for n in range(2_000)]
    ),
    "2,000 bands": lambda: decision(
        [f"open_hours: {{at_least: {n}, below: {n + 1}}}" for n in range(2_000)]
    ),
    "500 alternatives": lambda: decision(
        [
            "any: [" + ", ".join(f"{{open_hours: {n}, vip_tier: gold}}" for n in range(500)) + "]",
            "open_hours: {above: 3}",
        ]
    ),
    "intricate": intricate,
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_large_is_checked(name: str, copy: Path) -> None:
    (copy / "decisions" / "escalation.yaml").write_bytes(LARGE[name]())
    loaded = read_rule_base(copy)
    if name == "intricate":
        ids = {one.id for one in loaded.diagnostics}
        assert ids & {"gap", "too-large"}
    else:
        assert loaded.base is not None


def read_all(path: str) -> None:
    """In a child: read the sample with each poisoned file, in bounded memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    base = Path(path) / "base"
    for name, (make, _) in POISON.items():
        shutil.rmtree(base, ignore_errors=True)
        shutil.copytree(SAMPLE, base)
        (base / "decisions" / "escalation.yaml").write_bytes(make())
        read_rule_base(base)
        print(name)


def test_memory_is_bounded(tmp_path: Path) -> None:
    script = (
        "import sys; from tests.rules.test_check_hostile import read_all; read_all(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout.split("\n")[:-1] == [*POISON]


def test_links_within_the_folder_are_followed(copy: Path) -> None:
    level = copy / "decisions" / "level.yaml"
    hidden = copy / ".held"
    hidden.mkdir()
    level.rename(hidden / "level.yaml")
    level.symlink_to("../.held/level.yaml")
    assert check_rule_base(copy) == []
    outer = copy.parent / "linked"
    outer.symlink_to(copy, target_is_directory=True)
    assert check_rule_base(outer) == []


@pytest.mark.parametrize("what", ["file", "folder", "chain"])
def test_links_out_of_the_folder_are_not_followed(what: str, copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("decision: secret\n", encoding="utf-8")
    target = outside if what == "folder" else outside / "secret.yaml"
    if what == "chain":
        (copy / ".hop").symlink_to(outside, target_is_directory=True)
        target = Path("../.hop/secret.yaml")
    name = "decisions/more" if what == "folder" else "decisions/more.yaml"
    (copy / name).symlink_to(target)
    (found,) = check_rule_base(copy)
    assert (found.id, found.place.file, found.severity) == ("outside-folder", name, "error")
    assert "secret" not in found.render()


def test_other_files_that_are_links_are_nobodys_business(copy: Path) -> None:
    (copy / "README.md").symlink_to(os.devnull)
    assert check_rule_base(copy) == []


@pytest.mark.parametrize("moment", ["before listing", "before reading", "while reading"])
def test_a_folder_that_disappears(moment: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "list_files" if moment == "before listing" else "read_bytes"
    real, calls = getattr(folder, name), []

    def gone(*given: object) -> object:
        calls.append(given)
        if len(calls) == (3 if moment == "while reading" else 1):
            shutil.rmtree(copy)
        return real(*given)

    monkeypatch.setattr(folder, name, gone)
    found = check_rule_base(copy)
    unreadable = [one.place.file for one in found if one.id == "unreadable"]
    assert unreadable
    if moment != "before listing":
        assert "decisions/level.yaml" in unreadable
    assert all(one.render() for one in found)


def test_a_file_that_disappears(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = folder.list_files

    def listed(*given: object) -> object:
        names = real(*given)  # type: ignore[arg-type]
        (copy / "decisions" / "level.yaml").unlink()
        return names

    monkeypatch.setattr(folder, "list_files", listed)
    first = check_rule_base(copy)[0]
    assert (first.id, first.place.file) == ("unreadable", "decisions/level.yaml")
    assert "not there any more" in first.message
