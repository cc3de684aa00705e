"""``harken rules impact`` and ``harken rules calibrate``: a rule base on a history of grumbles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from harken_rules import printing
from harken_rules.commands.shared import OK, UNUSABLE, Json, checked, read, refuse
from harken_rules.files import write_whole

if TYPE_CHECKING:
    from harken_rules import RuleBase

    from harken_server.history.source import History

from harken_server.rule_options import (
    BundleFolder,
    HistoryFile,
    Language,
    Probability,
    Processes,
    Spec,
    bundle_path,
    opened_history,
    progress_bar,
)


def add_to(rules: typer.Typer) -> None:
    """Add ``impact`` and ``calibrate`` to the group."""
    from harken_server.calibrate_command import calibrate

    rules.command()(impact)
    rules.command()(calibrate)


def impact(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The rule base as it is.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The rule base as changed.")],
    history: HistoryFile,
    spec: Spec = None,
    bundle: BundleFolder = None,
    probability: Probability = None,
    language: Language = "en",
    page: Annotated[
        Path | None, typer.Option("--html", help="Write the report as a page, with plots.")
    ] = None,
    processes: Processes = None,
    as_json: Json = False,
) -> None:
    """Show what a change of the rules would have done to a history of grumbles.

    Both rule bases decide on every grumble of HISTORY, a file as `harken data prepare` writes
    it (other files: --spec). Shown are: which levels become which, changes by segment, category
    and level, strategies and departments gained and lost, the quality specialists' work a day,
    and, where outcomes are known (column `label` or `complained`), how many complaints the
    warning line catches; then why: the decisions that differ first, and examples.

    **Example:** `harken rules impact rules/base build/mybase june.parquet --html impact.html`

    **Exit code:** 0 compared, 2 a rule base has errors or the history cannot be used.
    """
    from harken_rules import EngineError
    from rich.console import Console

    from harken_server.history import HistoryError
    from harken_server.impact.words import LANGUAGES, say

    if language not in LANGUAGES:
        refuse(f"--lang is {language!r}; it is en or zh", history, as_json)
    bases = both_sound(old, new, as_json)
    if not history.exists():
        refuse(f"{history}: no such file", history, as_json)
    if bases[0].digest == bases[1].digest:
        if as_json:
            printing.as_json({"identical": True, "digest": bases[0].digest})
        else:
            typer.echo(say(language, "identical", bases[0].digest))
        raise typer.Exit(OK)
    try:
        opened = opened_history(history, spec, bundle_path(bundle), bases, probability)
        found = _impact(bases, opened, bundle_path(bundle), language, processes)
        _some_compared(found, history)
    except (HistoryError, EngineError) as error:
        refuse(str(error), history, as_json)
    found = {
        "identical": False,
        "old": {"path": str(old), "digest": bases[0].digest},
        "new": {"path": str(new), "digest": bases[1].digest},
        "history": str(history),
        "simulated": opened.spec.simulated,
        "notes": list(opened.notes),
        **found,
    }
    if page is not None:
        from harken_server.impact.page import page_of

        _write(page, page_of(found, language), as_json)
    if as_json:
        printing.as_json(found)
    else:
        from harken_server.impact.text import print_impact

        print_impact(Console(highlight=False), found, language)
        if page is not None:
            typer.echo(str(page))
    raise typer.Exit(OK)


def both_sound(old: Path, new: Path, as_json: bool) -> list[RuleBase]:
    """Both rule bases; if either has errors, shows those of both and ends the command."""
    loaded = {path: read(path, as_json) for path in (old, new)}
    bases = [one.base for one in loaded.values() if one.base is not None]
    if len(bases) == len(loaded):
        return bases * (3 - len(bases))  # one folder compared with itself
    if as_json:
        unsound = [checked(path, one) for path, one in loaded.items() if one.base is None]
        printing.as_json({"error": "a rule base has errors", "rule_bases": unsound})
    else:
        for path, one in loaded.items():
            if one.base is None:
                printing.diagnostics(one.diagnostics, path)
                printing.checked(one, path)
    raise typer.Exit(UNUSABLE)


def _impact(
    bases: list[RuleBase],
    history: History,
    bundle: Path,
    language: str,
    processes: int | None,
) -> dict[str, Any]:
    from harken_server.impact.summary import Bases, summary_of
    from harken_server.impact.work import ImpactWork, impact_of

    old, new = bases
    work = ImpactWork(old, new, bundle, history)
    with progress_bar("comparing", history.rows) as progress:
        tally = impact_of(work, processes, progress)
    return summary_of(tally, Bases(old, new, language))


def _some_compared(found: dict[str, Any], history: Path) -> None:
    """Raises HistoryError where no row could be compared: nothing may pass for no change."""
    from harken_server.history import HistoryError

    if found["rows"]["compared"]:
        return
    read = found["rows"]["read"]
    faults = [fault for side in found["rows"]["refused"].values() for fault in side["first"]]
    first = "; the first: row {row}, {field}: {reason}".format(**faults[0]) if faults else ""
    words = f"none of its {read:,} rows can be used{first}" if read else "has no rows"
    raise HistoryError(f"{history}: {words}")


def _write(path: Path, text: str, as_json: bool) -> None:
    """Write so that nobody reads half of it."""
    if not path.name:
        refuse(f"--html is {str(path)!r}; give the name of a file", path, as_json)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        refuse(f"{path}: cannot be written: {error.strerror}", path, as_json)
