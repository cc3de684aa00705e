"""The ``harken`` command: what is installed shows, what is broken does not hurt."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import typer
from harken_client import main
from typer.testing import CliRunner

THIN = EntryPoint("client", "harken_client.commands:register", main.GROUP)


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, main.GROUP)


def app_with(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> typer.Typer:
    monkeypatch.setattr(main, "entry_points", lambda group: list(points))
    return main.build_app()


def names(app: typer.Typer) -> set[str | None]:
    return {command.name for command in app.registered_commands}


def test_a_thin_install_shows_thin_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_with(monkeypatch, THIN)
    assert names(app) == {"score", "replay"}
    said = CliRunner().invoke(app, ["--help"]).output
    assert "Score grumbles on a running service" in said
    assert "harken score --category charges" in said


@pytest.mark.parametrize(
    "broken", ["no_such_module_anywhere:register", "harken_client.main:no_such_name", "json:loads"]
)
def test_a_broken_plug_in_costs_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    app = app_with(monkeypatch, entry("models", broken), THIN)
    assert names(app) == {"score", "replay"}
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "harken: the commands of 'models'" in said
    assert broken in said


def test_others_stand_under_their_own_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    def register(app: typer.Typer) -> None:
        app.command("extra")(lambda: None)

    monkeypatch.setattr(main, "registered_here", register, raising=False)
    app = app_with(monkeypatch, entry("ours", "harken_client.main:registered_here"), THIN)
    assert "Added by ours" in CliRunner().invoke(app, ["--help"]).output


def test_version_names_what_is_installed() -> None:
    said = CliRunner().invoke(main.build_app(), ["--version"]).output.splitlines()
    assert "harken-client 0.1.0" in said
    assert "harken-protos 0.1.0" in said


def test_help_starts_without_grpc() -> None:
    code = (
        "import sys; from harken_client import main, commands; import typer;"
        "commands.register(typer.Typer()); sys.exit('grpc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_option_explains_itself() -> None:
    app: Any = typer.main.get_command(main.build_app())
    for name in ("score", "replay"):
        for option in app.commands[name].params:
            if option.name != "help":
                assert getattr(option, "help", None), f"{name} {option.name}"


def test_members_that_a_command_does_not_need_are_not_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [THIN, entry("models", "no_such_module_anywhere:register")]
    monkeypatch.setattr(main, "entry_points", lambda group: found)
    assert names(main.build_app("replay")) == {"score", "replay"}
    assert capsys.readouterr().err == ""
    for asked in ("rules", "data", "--help", "no-such-command"):
        main.build_app(asked)
        assert "the commands of 'models'" in capsys.readouterr().err
