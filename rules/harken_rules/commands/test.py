"""``harken rules test``: the author's own cases."""

from __future__ import annotations

import typer

from harken_rules import printing
from harken_rules.cases import run_cases
from harken_rules.commands.shared import FOUND, OK, Folder, Json, path_of, refuse, sound
from harken_rules.engine import EngineError, RuleEngine


def add_to(rules: typer.Typer) -> None:
    """Add ``test`` to the group."""
    rules.command(name="test")(run)


def run(folder: Folder = None, as_json: Json = False) -> None:
    """Run the cases in a rule base's `cases/` folder: facts given, results expected.

    A failed case shows what was expected, what came out, and which rules made it so.

    **Example:** `harken rules test rules/base`

    **Exit code:** 0 all as expected, 1 cases failed, 2 the rule base itself has errors.
    """
    path = path_of(folder)
    base, loaded = sound(path, as_json)
    try:
        results = run_cases(base, loaded.cases, RuleEngine(base))
    except EngineError as error:
        refuse(f"{path}: {error}", path, as_json)
    failures = [one for one in results if not one.passed]
    if as_json:
        summary = {
            "path": str(path),
            "digest": base.digest,
            "cases": len(results),
            "passed": len(results) - len(failures),
            "failed": len(failures),
            "failures": [printing.failure_as_dict(one) for one in failures],
        }
        printing.as_json(summary)
    else:
        printing.failures(failures, path)
        printing.tested(results, path)
    raise typer.Exit(FOUND if failures else OK)
