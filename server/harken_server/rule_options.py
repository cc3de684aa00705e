"""What the commands that read a history have in common: options, opening, a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harken_rules import RuleBase

    from harken_server.history.source import History

Spec = Annotated[
    Path | None,
    typer.Option(
        "--spec",
        help="Dataset specification (YAML): which column is which field. Without one the "
        "columns must carry the core names.",
        show_default=False,
    ),
]
BundleFolder = Annotated[
    Path | None,
    typer.Option("--bundle", help="Model bundle folder. Default: the shipped one."),
]
Probability = Annotated[
    str | None,
    typer.Option(
        "--probability-column",
        help="Take the probability from this column of a history that was scored before.",
    ),
]
Language = Annotated[str, typer.Option("--lang", help="Language of the report: en or zh.")]
Processes = Annotated[
    int | None, typer.Option("--processes", min=1, help="Processes; one a core unless told.")
]
HistoryFile = Annotated[
    Path, typer.Argument(metavar="HISTORY", help="Grumbles: a flat .csv or .parquet file.")
]


def bundle_path(given: Path | None) -> Path:
    """The bundle asked for, or the shipped one."""
    from harken_models import default_bundle_path

    return default_bundle_path() if given is None else given


def opened_history(
    path: Path,
    spec: Path | None,
    bundle: Path,
    bases: list[RuleBase],
    probability: str | None,
) -> History:
    """HISTORY with every attribute that the bundle or a base reads. Raises HistoryError."""
    from harken_models import BundleError, load_bundle

    from harken_server.attributes import Attributes
    from harken_server.history import HistoryError
    from harken_server.history.source import open_history

    try:
        loaded = load_bundle(bundle)
    except BundleError as error:
        raise HistoryError(f"bundle: {error}") from None
    kinds: dict[str, str] = {}
    for base in bases:
        declared = Attributes(base, loaded)
        problems = [*declared.conflicts, *lacking(base)]
        if problems:
            raise HistoryError("\n".join(problems))
        for name, kind in declared.kinds.items():
            if kinds.setdefault(name, kind) != kind:
                raise HistoryError(
                    f"attribute '{name}' is a {kinds[name]} in one rule base and a {kind} in the "
                    "other; make them agree"
                )
    return open_history(path, spec, kinds, probability)


def lacking(base: RuleBase) -> list[str]:
    """Why a base says nothing of a grumble's level."""
    if any("level" in decision.results for decision in base.decisions):
        return []
    return [f"no decision of the rule base '{base.name}' has the result 'level'"]


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal, told how many rows more are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _rows: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda rows: bar.advance(task, rows)
