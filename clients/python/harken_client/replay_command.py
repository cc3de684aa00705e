"""``harken replay``: the options, and how it ends.

What the command needs is imported when it runs, so that other commands start without grpc.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harken_client.options import (
    CaFile,
    CertFile,
    KeyFile,
    Language,
    ServerName,
    Target,
    UseTls,
    option,
    tls_of,
)

if TYPE_CHECKING:
    from harken_client.replay.run import Progress

REPLAY_HELP = """Score a whole file of grumbles: IN.{csv,parquet} to OUT.{csv,parquet}.

Columns carry the core names (grumble_id, voice_time, category ...; an operator's own fields
attr_NAME; the outcome label), or --spec says which column is what. Rows that cannot be scored
go to OUT's rejects file with their number, field and reason; every other row is in OUT.

  harken replay march.csv scored.csv

  harken replay cfpb.csv scored.parquet --spec models/specs/cfpb.yaml --json summary.json

  harken replay year.parquet scored.parquet --offline

Rows go to the service in columns where pyarrow is installed, else in batches; with --offline
they are scored by this machine's own cores, where the server is installed too.

Interrupted? The same command goes on where it was. Nothing is lost or scored twice.

Exit codes: 0 all rows scored, 1 some rejected, 2 no OUT (unusable input, or the server is
lost), 130 interrupted.
"""


class Via(StrEnum):
    """How ``replay`` sends rows to a service."""

    auto = "auto"
    stream = "stream"
    batch = "batch"


_OFFLINE = "Without a service"
_OF_OFFLINE = ("rules", "bundle", "compiled", "processes")
_OF_A_SERVICE = (
    *("via", "in_flight", "patience"),
    *("target", "tls", "ca", "cert", "key", "server_name"),
)


def replay(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="IN", help="Grumbles, .csv or .parquet.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Their scores, .csv or .parquet.")],
    spec: Annotated[Path | None, option("Dataset specification of IN.")] = None,
    limit: Annotated[int | None, option("Only the first rows.", min=1)] = None,
    restart: Annotated[
        bool, option("Forget an unfinished replay to OUT, begin anew.", "--restart")
    ] = False,
    summary_file: Annotated[
        str | None, option("Write the summary as JSON; - is stdout.", "--json", metavar="FILE")
    ] = None,
    via: Annotated[
        Via,
        option("stream: columns, by ReplayScores; batch: rows, by BatchScore; auto: what can be."),
    ] = Via.auto,
    in_flight: Annotated[
        int | None,
        option("Streams (4) or batches of 500 rows (8) under way at once.", min=1, max=64),
    ] = None,
    patience: Annotated[
        float, option("Seconds to wait for a server that went away.", min=0)
    ] = 60.0,
    language: Language = "en",
    offline: Annotated[
        bool, option("Score on this machine, on all its cores.", "--offline", panel=_OFFLINE)
    ] = False,
    rules: Annotated[
        Path | None, option("Rule base. Default: the shipped one.", panel=_OFFLINE)
    ] = None,
    bundle: Annotated[
        Path | None, option("Model bundle. Default: the shipped one.", panel=_OFFLINE)
    ] = None,
    compiled: Annotated[
        bool, option("Compile the model first: faster.", "--compiled", panel=_OFFLINE)
    ] = False,
    processes: Annotated[
        int | None, option("Default: one on every core.", min=1, panel=_OFFLINE)
    ] = None,
    target: Target = "127.0.0.1:50051",
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``REPLAY_HELP``."""
    from harken_client.client import Client
    from harken_client.errors import HarkenError
    from harken_client.replay.errors import Interrupted
    from harken_client.replay.offline import Offline
    from harken_client.replay.run import Replay

    alone = Offline(rules, bundle, compiled, processes)
    try:
        _check_options(context, offline)
        _check_summary(summary_file)
        job = Replay(
            source, out, spec, language, limit, restart=restart, in_flight=in_flight,
            patience=patience, via=via.value, offline=alone if offline else None, say=_say,
        )  # fmt: skip
        if offline:
            summary = _with_progress(lambda progress: job.run(None, progress))
        else:
            channels = in_flight or 8
            with Client(
                target, channels=channels, tls=tls_of(tls, ca, cert, key, server_name)
            ) as it:
                summary = _with_progress(lambda progress: job.run(it, progress))
        _tell(summary, job, summary_file)
    except KeyboardInterrupt:
        typer.echo("\nharken replay: interrupted; the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    except (HarkenError, OSError) as error:
        typer.echo(f"harken replay: {error}", err=True)
        by_hand = isinstance(error, Interrupted) and error.by_hand
        raise typer.Exit(130 if by_hand else 2) from None
    raise typer.Exit(1 if summary.rejects else 0)


def _check_options(context: typer.Context, offline: bool) -> None:
    """A replay has a service or none; options of the other kind would go unheard."""
    from harken_client.replay.errors import ReplayError

    said = _said(context, _OF_A_SERVICE if offline else _OF_OFFLINE)
    if said and offline:
        raise ReplayError(f"{said}: not together with --offline, which needs no service")
    if said:
        raise ReplayError(f"{said}: only together with --offline")


def _said(context: typer.Context, names: Iterable[str]) -> str:
    """Those of the options that stand in the command itself; the environment is no choice."""
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    return ", ".join(f"--{name.replace('_', '-')}" for name in given)


def _check_summary(summary_file: str | None) -> None:
    from harken_client.replay.errors import ReplayError

    if summary_file not in (None, "-") and not Path(summary_file).absolute().parent.is_dir():
        raise ReplayError(f"--json {summary_file}: there is no such folder to write to")


def _say(words: str) -> None:
    typer.echo(f"harken replay: {words}", err=True)


def _with_progress(run: Callable[[Progress], Any]) -> Any:
    """Run under a progress bar on stderr; without a terminal, silently."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f}% {task.fields[rows]:,} rows {task.fields[pace]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None, rows=0, pace="")
        resumed_at: list[int] = []

        def progress(rows: int, done: int, total: int) -> None:
            resumed_at[:] = resumed_at or [rows]
            elapsed = bar.tasks[0].elapsed or 0.0
            pace = f"{(rows - resumed_at[0]) / elapsed:,.0f}/s" if elapsed > 1 else ""
            bar.update(task, completed=done, total=total, rows=rows, pace=pace)

        return run(progress)


def _tell(summary: Any, job: Any, summary_file: str | None) -> None:
    from rich.console import Console

    from harken_client.replay.journal import rejects_path
    from harken_client.replay.summary import print_summary

    text = json.dumps(summary.as_json(), indent=2)
    if summary_file == "-":
        sys.stdout.write(text + "\n")
        return
    print_summary(Console(), summary, job.out, rejects_path(job.out))
    if summary_file:
        Path(summary_file).write_text(text + "\n", encoding="utf-8")
