"""The page about the client names every option, error and column; its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import harken_client
import pytest
import typer
from harken_client import commands
from harken_client.replay.outcome import COLUMNS, REJECT_COLUMNS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/client.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["score", "replay"])
def test_every_option_is_described(name: str) -> None:
    app = typer.Typer()
    commands.register(app)
    command: Any = typer.main.get_command(app)
    options = [
        flag
        for parameter in command.commands[name].params
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("--") and flag != "--help"
    ]
    assert len(options) > 10
    assert [flag for flag in options if f"`{flag}" not in PAGE] == []


def test_every_error_and_column_is_described() -> None:
    errors = {name for name in harken_client.__all__ if _is_error(name)}
    assert [name for name in sorted(errors) if f"`{name}" not in PAGE] == []
    assert [name for name in (*COLUMNS, *REJECT_COLUMNS) if f"`{name}`" not in PAGE] == []


def _is_error(name: str) -> bool:
    value = getattr(harken_client, name)
    return isinstance(value, type) and issubclass(value, Exception)


@pytest.mark.parametrize("page", ["docs/client.md", "clients/python/README.md"])
def test_the_examples_run(fake: Any, page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example.replace("127.0.0.1:50051", fake.target), page, "exec"), {})
    assert "Open for a long time" in capsys.readouterr().out
