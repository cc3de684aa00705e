"""``harken rules``: what a rule author does with a rule base, one command a module.

Other members add commands of their own to the group ``rules``.
"""

from __future__ import annotations

import typer

from harken_rules import printing
from harken_rules.commands import check, docs, explain, fmt, init, schema, sheets, test

rules = typer.Typer(
    help="Write a rule base: the folder of YAML that says how grumbles are graded.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def register(app: typer.Typer) -> None:
    """Add the ``rules`` group to ``harken``."""
    app.add_typer(rules, name="rules")


@rules.callback()
def prepare() -> None:
    """Before any of the commands: a terminal that cannot show Chinese is no reason to fail."""
    printing.tolerate_any_terminal()


for module in (check, docs, explain, fmt, init, schema, sheets, test):
    module.add_to(rules)
