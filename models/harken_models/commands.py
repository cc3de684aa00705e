"""``harken train``, ``harken data prepare | simulate`` and ``harken model compile``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from harken_models.compile_command import compile_command

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
    Path, typer.Argument(help="A CSV or Parquet file, or the folder of tables the spec names.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


class _DataCommands(TyperGroup):
    """``harken data``. The simulator is loaded when somebody asks for it, as it takes a second."""

    # typer carries a click of its own in some versions and not in others, hence Any.
    def list_commands(self, ctx: Any) -> list[str]:
        return sorted([*super().list_commands(ctx), "simulate"])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name != "simulate":
            return super().get_command(ctx, cmd_name)
        from harken_models.simulator.command import simulate

        app = typer.Typer()
        app.command("simulate")(simulate)
        return typer.main.get_command(app)


def register(app: typer.Typer) -> None:
    """Add the commands of this member to the ``harken`` command."""
    app.command("train")(train_command)
    data = typer.Typer(cls=_DataCommands, no_args_is_help=True)
    data.callback()(data_command)
    data.command("prepare")(prepare_command)
    app.add_typer(data, name="data")
    model = typer.Typer(no_args_is_help=True)
    model.callback()(model_command)
    model.command("compile")(compile_command)
    app.add_typer(model, name="model")


def data_command() -> None:
    """Simulate data, or prepare an operator's own."""


def model_command() -> None:
    """Make a model ready."""


def train_command(
    data: DataArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder of the bundle to write.")],
    spec: SpecOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Same data, same seed: same model.")] = 1,
    trials: Annotated[
        int, typer.Option(min=1, max=6, help="How many LightGBM settings to try.")
    ] = 4,
    budget: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds after which no further setting is tried (about)."),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: all the cores.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a complaint-probability model and write its bundle.

    LightGBM, a logistic regression and the mean of both are compared on held-out time; the best
    is calibrated and written. All of them are measured on the last piece of time, which the
    choice never sees.

    Example: harken train --spec models/specs/cfpb.yaml complaints.csv --out build/model
    """
    from harken_models.bundlefile import write_bundle
    from harken_models.dataset import load_dataset
    from harken_models.report import print_training, to_plain
    from harken_models.specreader import read_spec
    from harken_models.train import Options, train

    began = time.monotonic()
    with user_errors(), _progress() as progress:
        progress("reading", 0, 1)
        dataset = load_dataset(None if spec is None else read_spec(spec), data)
        _report_bad_rows(dataset.bad_rows)
        training = train(dataset, Options(seed, trials, budget, threads), progress)
        bundle = write_bundle(out, training.parts, training.about, training.probes)
    seconds = time.monotonic() - began
    if as_json:
        plain = to_plain(training, bundle.digest, len(dataset.bad_rows), seconds)
        typer.echo(json.dumps(plain, indent=2))
    else:
        console = Console()
        print_training(console, training, seconds)
        console.print(f"{out}  {bundle.digest}", soft_wrap=True, highlight=False)


def prepare_command(
    data: DataArgument,
    out: Annotated[Path, typer.Option("--out", help="File to write, .parquet or .csv.")],
    spec: SpecOption = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only grumbles observed at or after this time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Only grumbles observed before this time.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write an operator's data as one flat file with core names, ready for harken replay.

    History counts are computed as of each grumble from the whole data, then rows are cut to
    --from and --until (2014-10-01 or 2014-10-01T08:00:00, in the specification's time zone).
    The column label holds the outcome where it is known and counts.

    Example: harken data prepare --spec models/specs/simulated.yaml build/simulated
    --out build/june.parquet --from 2011-06-01
    """
    from harken_models.dataset import load_dataset
    from harken_models.prepare import between, flat_frame
    from harken_models.specreader import read_spec
    from harken_models.tables import write_frame

    with user_errors():
        dataset = load_dataset(None if spec is None else read_spec(spec), data)
        _report_bad_rows(dataset.bad_rows)
        flat = flat_frame(between(dataset, since, until))
        write_frame(flat, out)
    labelled = int(flat["label"].notna().sum())
    summary = {"rows": len(flat), "labelled": labelled, "bad_rows": len(dataset.bad_rows)}
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(f"{out}: {len(flat):,} grumbles, the outcome of {labelled:,} is known")


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


def _report_bad_rows(bad_rows: tuple[object, ...]) -> None:
    """The first bad rows and how many there are, on standard error."""
    if not bad_rows:
        return
    typer.echo(f"{len(bad_rows):,} faults; the rows were left out:", err=True)
    for bad in bad_rows[:10]:
        typer.echo(f"  {bad}", err=True)
    if len(bad_rows) > 10:
        typer.echo("  …", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error if that is a terminal, else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _what, _done, _of: None
        return
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
