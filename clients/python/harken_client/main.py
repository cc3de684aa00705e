"""The ``harken`` command: every installed member's sub-commands under one roof.

Each member registers its own through an entry point of the group ``harken.commands``, a
function ``register(app)``; so a thin install shows thin commands. A member that cannot
be loaded costs one line on stderr, not the others.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Annotated, Any

import typer

from harken_client import rule_commands

GROUP = "harken.commands"
PANELS = {
    "client": "Score grumbles on a running service",
    "server": "Run the service",
    "rules": "Write rules",
    "models": "Prepare data, train models",
}
"""Headings of ``--help`` by entry point, in this order; others follow under their own name."""

HELP = """Harken hears a grumble before it becomes a complaint.

Score one grumble of a running service:

  harken score --category charges --point bill_inaccurate --voiced-hours-ago 30

Replay a file of them: harken replay last_month.csv scored.csv

Every command explains itself: harken score --help
"""


def main() -> None:
    """Run the command line; the exit code is the command's."""
    build_app(asked=sys.argv[1] if len(sys.argv) > 1 else None)()


def build_app(asked: str | None = None) -> typer.Typer:
    """The application with the commands of every member that is installed.

    Once there is the command ``asked`` for, members that come later are not imported: that takes
    longer than most commands do. Groups are shared, so ``rules`` needs them all.
    """
    app = typer.Typer(
        name="harken",
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_show_locals=False,  # locals may hold a customer's data
    )
    app.callback()(_root)
    order = list(PANELS)
    found = sorted(
        entry_points(group=GROUP),
        key=lambda point: (order.index(point.name) if point.name in order else 99, point.name),
    )
    for point in found:
        if asked is not None and asked in {command.name for command in app.registered_commands}:
            break
        _register(app, point)
    rule_commands.register(app)  # last, for they join a group that harken_rules may have brought
    return app


def _register(app: typer.Typer, point: EntryPoint) -> None:
    commands, groups = len(app.registered_commands), len(app.registered_groups)
    try:
        point.load()(app)
    except Exception as error:
        # Whatever is wrong with one member, the others' commands must remain usable.
        words = " ".join(str(error).split())
        print(
            f"harken: the commands of {point.name!r} ({point.value}) cannot be loaded: "
            f"{type(error).__name__}: {words}",
            file=sys.stderr,
        )
    added: list[Any] = [*app.registered_commands[commands:], *app.registered_groups[groups:]]
    for item in added:
        if not isinstance(item.rich_help_panel, str):
            item.rich_help_panel = PANELS.get(point.name, f"Added by {point.name}")


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    for name in ("client", "protos", "rules", "models", "server"):
        try:
            typer.echo(f"harken-{name} {version(f'harken-{name}')}")
        except PackageNotFoundError:
            continue
    raise typer.Exit


def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version of every member that is installed.",
        ),
    ] = False,
) -> None:
    pass
