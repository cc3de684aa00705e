"""``harken score`` and ``harken replay``: the options, and how each ends.

What the commands need is imported when they run, so that other commands start without grpc.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from harken_client.replay.run import Progress
    from harken_client.transport import Tls

SCORE_HELP = """Score one grumble, or a few, on a running service.

Say what is known in options; whatever is left out is taken as not known:

  harken score --category charges --point bill_inaccurate --voiced-hours-ago 30 \\
    --resolution unresolved --brand gotone --vip gold --language zh

or send the JSON form of a ScoreRequest (a list of them makes a batch):

  echo '{"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T08:00:00Z"}}' \\
    | harken score --json -

Exit codes: 0 scored, 1 the server is in trouble or away, 2 the request is wrong.
"""

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


class Output(StrEnum):
    """How ``score`` answers."""

    table = "table"
    json = "json"


class Via(StrEnum):
    """How ``replay`` sends rows to a service."""

    auto = "auto"
    stream = "stream"
    batch = "batch"


_WHERE = "Where the service is"
_OFFLINE = "Without a service"
_GRUMBLE = "The grumble"
_CUSTOMER = "The customer"


def _option(text: str, *names: str, panel: str | None = None, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


Target = Annotated[str, _option("host:port", "--target", panel=_WHERE, envvar="HARKEN_TARGET")]
UseTls = Annotated[bool, _option("Use TLS; implied by the options below.", "--tls", panel=_WHERE)]
CaFile = Annotated[
    Path | None,
    _option("Trust servers signed by these, PEM; else the system's.", "--ca", panel=_WHERE),
]
CertFile = Annotated[
    Path | None, _option("This client's certificate, PEM (mutual TLS).", "--cert", panel=_WHERE)
]
KeyFile = Annotated[Path | None, _option("Its private key, PEM.", "--key", panel=_WHERE)]
ServerName = Annotated[
    str | None,
    _option(
        "The name in the server's certificate, if not the target's.", "--server-name", panel=_WHERE
    ),
]
Language = Annotated[str, _option("Language of texts: en or zh.", "--language")]
Text = str | None
Flag = bool | None


def register(app: typer.Typer) -> None:
    """Add ``score`` and ``replay`` to the command line."""
    app.command("score", help=SCORE_HELP, no_args_is_help=True)(score)
    app.command("replay", help=REPLAY_HELP, no_args_is_help=True)(replay)


def score(
    grumble_id: Annotated[
        Text, _option("Your id; made up if absent.", "--id", panel=_GRUMBLE)
    ] = None,
    category: Annotated[
        Text, _option("Level-1 code: charges, basic_comms ...", panel=_GRUMBLE)
    ] = None,
    service: Annotated[Text, _option("Level-2 code (service item).", panel=_GRUMBLE)] = None,
    point: Annotated[Text, _option("Level-3 code: bill_inaccurate ...", panel=_GRUMBLE)] = None,
    channel: Annotated[Text, _option("hotline, hall, web, app ...", panel=_GRUMBLE)] = None,
    voiced_hours_ago: Annotated[
        float | None, _option("Hours before --observed. Default: just now.", panel=_GRUMBLE)
    ] = None,
    voiced: Annotated[
        Text, _option("Or when it was voiced, ISO 8601 with offset.", panel=_GRUMBLE)
    ] = None,
    observed: Annotated[
        Text, _option("Score as of this time. Default: now.", panel=_GRUMBLE)
    ] = None,
    resolution: Annotated[
        Text,
        _option(
            "unresolved, minor_part, major_part, all_dissatisfied, all_satisfied.", panel=_GRUMBLE
        ),
    ] = None,
    dissatisfied: Annotated[
        Flag, _option("Audibly dissatisfied?", "--dissatisfied/--calm", panel=_GRUMBLE)
    ] = None,
    company_responsible: Annotated[
        Flag,
        _option("Is the company responsible?", "--responsible/--not-responsible", panel=_GRUMBLE),
    ] = None,
    problem_exists: Annotated[
        Flag, _option("Does a problem exist?", "--problem/--no-problem", panel=_GRUMBLE)
    ] = None,
    customer_id: Annotated[Text, _option("Your id of the customer.", panel=_CUSTOMER)] = None,
    brand: Annotated[Text, _option("gotone, mzone, easyown.", panel=_CUSTOMER)] = None,
    age: Annotated[int | None, _option("Years.", panel=_CUSTOMER)] = None,
    tenure_months: Annotated[int | None, _option("Months on the network.", panel=_CUSTOMER)] = None,
    spend: Annotated[float | None, _option("Yuan a month.", panel=_CUSTOMER)] = None,
    vip: Annotated[Text, _option("none, ordinary, silver, gold, diamond.", panel=_CUSTOMER)] = None,
    credit_level: Annotated[int | None, _option("1 lowest to 5 highest.", panel=_CUSTOMER)] = None,
    segment: Annotated[
        Text, _option("If you know it; else from the profile.", panel=_CUSTOMER)
    ] = None,
    behaviour_type: Annotated[Text, _option("tariff_sensitive ...", panel=_CUSTOMER)] = None,
    fields: Annotated[
        list[str] | None,
        _option(
            "Any other core field, NAME=VALUE: grumble_count_30d=3", "--set", metavar="NAME=VALUE"
        ),
    ] = None,
    attributes: Annotated[
        list[str] | None,
        _option(
            "An operator's own field: plan=gold, score=3.5", "--attribute", metavar="NAME=VALUE"
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        _option("A ScoreRequest, or a list of them; - is stdin.", "--json", metavar="FILE"),
    ] = None,
    language: Language = "en",
    explain: Annotated[
        bool, _option("Also every fact, fired rule and contribution.", "--explain")
    ] = False,
    output: Annotated[Output, _option("How to answer.")] = Output.table,
    timeout: Annotated[float, _option("Seconds to wait.", panel=_WHERE)] = 10.0,
    target: Target = "127.0.0.1:50051",
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``SCORE_HELP``."""
    from harken_client import scoring

    given = {
        "grumble_id": grumble_id,
        "category": category,
        "service": service,
        "point": point,
        "channel": channel,
        "resolution_state": resolution,
        "dissatisfied": dissatisfied,
        "company_responsible": company_responsible,
        "problem_exists": problem_exists,
        "customer_id": customer_id,
        "brand": brand,
        "age_years": age,
        "tenure_months": tenure_months,
        "monthly_spend_yuan": spend,
        "vip_tier": vip,
        "credit_level": credit_level,
        "segment": segment,
        "behaviour_type": behaviour_type,
    }
    asked = scoring.Asked(
        fields=given,
        more_fields=fields or (),
        attributes=attributes or (),
        voiced_hours_ago=voiced_hours_ago,
        voiced=voiced,
        observed=observed,
        json_file=json_file,
        language=language,
        explain=explain,
    )
    code = scoring.run(
        asked,
        target=target,
        tls=_tls(tls, ca, cert, key, server_name),
        timeout=timeout,
        machine=output is Output.json,
    )
    raise typer.Exit(code)


def replay(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Grumbles, .csv or .parquet.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Their scores, .csv or .parquet.")],
    spec: Annotated[Path | None, _option("Dataset specification of IN.")] = None,
    limit: Annotated[int | None, _option("Only the first rows.", min=1)] = None,
    restart: Annotated[
        bool, _option("Forget an unfinished replay to OUT, begin anew.", "--restart")
    ] = False,
    summary_file: Annotated[
        str | None, _option("Write the summary as JSON; - is stdout.", "--json", metavar="FILE")
    ] = None,
    via: Annotated[
        Via,
        _option("stream: columns, by ReplayScores; batch: rows, by BatchScore; auto: what can be."),
    ] = Via.auto,
    in_flight: Annotated[
        int | None,
        _option("Streams (4) or batches of 500 rows (8) under way at once.", min=1, max=64),
    ] = None,
    patience: Annotated[
        float, _option("Seconds to wait for a server that went away.", min=0)
    ] = 60.0,
    language: Language = "en",
    offline: Annotated[
        bool, _option("Score on this machine, on all its cores.", "--offline", panel=_OFFLINE)
    ] = False,
    rules: Annotated[
        Path | None, _option("Rule base. Default: the shipped one.", panel=_OFFLINE)
    ] = None,
    bundle: Annotated[
        Path | None, _option("Model bundle. Default: the shipped one.", panel=_OFFLINE)
    ] = None,
    compiled: Annotated[
        bool, _option("Compile the model first: faster.", "--compiled", panel=_OFFLINE)
    ] = False,
    processes: Annotated[
        int | None, _option("Default: one on every core.", min=1, panel=_OFFLINE)
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
        _check_offline(offline, alone != Offline(), via)
        job = Replay(
            source, out, spec, language, limit, restart=restart, in_flight=in_flight,
            patience=patience, via=via.value, offline=alone if offline else None, say=_say,
        )  # fmt: skip
        if offline:
            summary = _with_progress(lambda progress: job.run(None, progress))
        else:
            channels = in_flight or 8
            with Client(target, channels=channels, tls=_tls(tls, ca, cert, key, server_name)) as it:
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


def _check_offline(offline: bool, of_offline: bool, via: Via) -> None:
    from harken_client.replay.errors import ReplayError

    if of_offline and not offline:
        raise ReplayError("--rules, --bundle, --compiled and --processes go with --offline")
    if offline and via is not Via.auto:
        raise ReplayError("--via says how rows go to a service; --offline needs none")


def _say(words: str) -> None:
    typer.echo(f"harken replay: {words}", err=True)


def _tls(
    wanted: bool, ca: Path | None, cert: Path | None, key: Path | None, server_name: str | None
) -> Tls | None:
    from harken_client.transport import Tls

    if not (wanted or ca or cert or key):
        return None
    return Tls(ca=ca, certificate=cert, key=key, server_name=server_name)


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
