"""The commands of this member: ``harken train``, ``evaluate``, ``data …`` and ``model …``.

Each is a function in a module of its own. Those of a group are imported when somebody asks for
them: the simulator alone takes a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from harken_models.command_parts import (
    UNUSABLE,
    DataArgument,
    JsonOption,
    SpecOption,
    progress_bar,
    report_bad_rows,
    user_errors,
)

__all__ = [
    "UNUSABLE", "DataArgument", "JsonOption", "SpecOption", "progress_bar", "register",
    "report_bad_rows", "user_errors",
]  # fmt: skip

Table = Mapping[str, str]
"""The name of a command, and the module (of this package) and function that it is."""

TOP: Table = {
    "train": "train_command:train_command",
    "evaluate": "evaluate_command:evaluate_command",
}


class _LazyGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    table: ClassVar[Table] = {}

    # typer carries a click of its own in some versions and not in others, hence Any.
    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.table:
            return None
        app = typer.Typer()
        app.command(cmd_name)(_function(self.table[cmd_name]))
        return typer.main.get_command(app)


class _DataCommands(_LazyGroup):
    table: ClassVar[Table] = {
        "check": "check.command:check_command",
        "prepare": "prepare_command:prepare_command",
        "simulate": "simulator.command:simulate",
        "spec": "spec_command:spec_command",
    }


class _ModelCommands(_LazyGroup):
    table: ClassVar[Table] = {
        "card": "card_command:card_command",
        "compile": "compile_command:compile_command",
    }


def register(app: typer.Typer) -> None:
    """Add the commands of this member to the ``harken`` command."""
    for name, place in TOP.items():
        app.command(name)(_function(place))
    data = typer.Typer(cls=_DataCommands, no_args_is_help=True)
    data.callback()(data_command)
    app.add_typer(data, name="data")
    model = typer.Typer(cls=_ModelCommands, no_args_is_help=True)
    model.callback()(model_command)
    app.add_typer(model, name="model")


def data_command() -> None:
    """Look through an operator's data, draft its specification, simulate or prepare some."""


def model_command() -> None:
    """Make a model ready, or read what is known of it."""


def _function(place: str) -> Callable[..., None]:
    module, _, name = place.partition(":")
    found: Callable[..., None] = getattr(import_module(f"harken_models.{module}"), name)
    return found
