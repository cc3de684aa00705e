"""docs/rules/commands.md has every command, and its examples can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from harken_client.main import build_app

PAGE = (Path(__file__).parents[2] / "docs" / "rules" / "commands.md").read_text(encoding="utf-8")
PARTS = [part.partition("\n") for part in re.split(r"^(?=##)", PAGE, flags=re.MULTILINE)]
SECTIONS = {head[4:]: text for head, _, text in PARTS if head.startswith("### ")}


def commands() -> dict[str, Any]:
    app: Any = typer.main.get_command(build_app())
    return dict(app.commands["rules"].commands)


def test_every_command_has_its_section() -> None:
    assert sorted(SECTIONS) == sorted(commands())


@pytest.mark.parametrize("name", SECTIONS)
def test_the_example_can_be_typed(name: str) -> None:
    command, section = commands()[name], SECTIONS[name]
    (line,) = re.findall(r"^\$ harken rules (.*)$", section, flags=re.MULTILINE)
    first, *words = shlex.split(line)
    assert first == name
    command.make_context(name, words)
    known = {each for one in command.params for each in one.opts}
    section = re.sub(r"```.*?```", "", section, flags=re.DOTALL)
    assert set(re.findall(r"`(--[a-z-]+)", section)) <= known
    assert "Exit code: 0 " in section
