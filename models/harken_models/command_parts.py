"""What the commands of this member share: options, errors said in a sentence, a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

UNUSABLE = 2

SpecOption = Annotated[
    Path | None,
    typer.Option(
        "--spec",
        help="Dataset specification (YAML): which column is which field. Without one the "
        "columns must carry the core names.",
        show_default=False,
    ),
]
DataArgument = Annotated[
    Path,
    typer.Argument(
        help="A CSV, Excel or Parquet file, a glob of them, or the folder of tables the spec names."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


@contextmanager
def user_errors() -> Iterator[None]:
    """Errors that a user can mend become one message and exit code 2."""
    from harken_models.errors import ModelsError

    try:
        yield
    except ModelsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(UNUSABLE) from None
    except OSError as error:
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(UNUSABLE) from None


def report_bad_rows(bad_rows: tuple[object, ...]) -> None:
    """The first bad rows and how many there are, on standard error."""
    if not bad_rows:
        return
    typer.echo(f"{len(bad_rows):,} faults; the rows were left out:", err=True)
    for bad in bad_rows[:10]:
        typer.echo(f"  {bad}", err=True)
    if len(bad_rows) > 10:
        typer.echo("  …", err=True)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error if that is a terminal, else nothing.

    What it gives is called with what is being done, how many steps are done and of how many.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _what, _done, _of: None
        return
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
