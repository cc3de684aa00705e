"""``harken rules check``: everything that is wrong with a rule base."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import FOUND, OK, Folder, Json, checked, path_of, read
from harken_rules.diagnostics import Severity
from harken_rules.probe import probe_rule_base

Strict = Annotated[bool, typer.Option("--strict", help="Warnings count as findings too.")]


def add_to(rules: typer.Typer) -> None:
    """Add ``check`` to the group."""
    rules.command()(check)


def check(folder: Folder = None, as_json: Json = False, strict: Strict = False) -> None:
    """Report every problem of a rule base: where it is, and how to mend it.

    Each problem names file, line and column, shows the line, and suggests the fix. What an id
    such as `unknown-fact` means stands in docs/checks/. A base with errors cannot be served;
    warnings do not keep it from being served. A sound base is then compiled in a process of
    its own, and the engine's answers are compared with those of the rules as they are written.

    **Example:** `harken rules check rules/base`

    **Exit code:** 0 sound, 1 errors found (with --strict: or warnings), 2 no such folder.
    """
    path = path_of(folder)
    loaded = read(path, as_json)
    probe = None if loaded.base is None else probe_rule_base(path)
    if as_json:
        answer = checked(path, loaded)
        printing.as_json(answer if probe is None else {**answer, "engine": asdict(probe)})
    else:
        printing.diagnostics(loaded.diagnostics, path)
        printing.checked(loaded, path)
        if probe is not None:
            printing.probed(probe, path)
    found = [one for one in loaded.diagnostics if strict or one.severity is Severity.ERROR]
    raise typer.Exit(FOUND if found or (probe is not None and not probe.sound) else OK)
