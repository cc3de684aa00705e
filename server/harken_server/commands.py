"""``harken serve``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

HELP = """Serve the rule base and the model over gRPC.

Without options: the shipped ones, on 127.0.0.1:50051, one worker a core; rule bases are
published through 127.0.0.1:50052, metrics are at 127.0.0.1:50053/metrics. Every option can
also be set in the environment (--max-in-flight as HARKEN_MAX_IN_FLIGHT) or in a file
(--config harken.toml: max_in_flight = 64); an option beats the environment, the environment
beats the file.

With --watch a sound change of the rule base folder is served at once, by every worker; an
unsound one is not, and the log says why. --watch-bundle does the same for the model bundle.
With --revisions what was published outlives the server. See also: harken rules publish,
status, rollback.

Stop it with Ctrl-C or SIGTERM: it refuses new calls and finishes those in flight.

Exit codes: 0 stopped as asked, 1 the workers could not start, 2 unusable rule base,
bundle or settings.

  harken serve --rules rules/base --bundle models/default --port 50051

  harken serve --rules my-rules --watch

  harken serve --bundle my-bundle --watch-bundle

  harken serve --revisions /var/lib/harken/revisions

  harken serve --host 0.0.0.0 --tls-cert server.pem --tls-key server.key

  harken serve --transport native
"""


def register(app: typer.Typer) -> None:
    """Add ``serve`` to the command line, and what needs a model to the group ``rules``."""
    from harken_rules.commands import rules

    from harken_server import rule_commands

    app.command("serve", help=HELP)(serve)
    rule_commands.add_to(rules)


def serve(
    rules: Annotated[Path | None, typer.Option(help="Rule base folder.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Model bundle folder.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless told.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.")] = None,
    watch: Annotated[
        bool | None,
        typer.Option("--watch", help="Serve what becomes of --rules.", show_default=False),
    ] = None,
    watch_bundle: Annotated[
        bool | None,
        typer.Option("--watch-bundle", help="Serve what becomes of --bundle.", show_default=False),
    ] = None,
    revisions: Annotated[
        Path | None,
        typer.Option(help="Keep rule-base revisions here; the active one is served again."),
    ] = None,
    shadow: Annotated[
        Path | None, typer.Option(help="Rule base folder to score beside, unseen by callers.")
    ] = None,
    shadow_share: Annotated[
        float | None, typer.Option(help="Share of the grumbles for the shadow; 0.1 unless told.")
    ] = None,
    control_host: Annotated[
        str | None, typer.Option(help="Address of the control and metrics ports.")
    ] = None,
    control_port: Annotated[
        int | None, typer.Option(help="Port for publishing rule bases; 0 picks a free one.")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics and /healthz; 0 picks a free one.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes; one a core unless told.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads a worker.")] = None,
    max_in_flight: Annotated[
        int | None, typer.Option(help="Calls a worker takes on; more are refused at once.")
    ] = None,
    replay_streams: Annotated[
        int | None, typer.Option(help="Replays a worker takes on at a time.")
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="Seconds that calls in flight get when stopping.")
    ] = None,
    memo_size: Annotated[
        int | None, typer.Option(help="Decisions that a worker remembers.")
    ] = None,
    pin: Annotated[bool | None, typer.Option(help="Pin each worker to a core.")] = None,
    compiled: Annotated[
        bool | None,
        typer.Option(help="Run the model as machine code; made once, at the first start."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="Ask clients for certificates signed by these, PEM.")
    ] = None,
    transport: Annotated[
        str | None,
        typer.Option(help="grpcio, or native: faster, without TLS, experimental."),
    ] = None,
    insecure: Annotated[
        bool | None,
        typer.Option(
            "--insecure", help="Allow plain text beyond this machine.", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; harken.toml or harken.yaml if there.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write port and digests here as JSON once serving.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, console or json.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what is served, or why not, as a line of JSON.")
    ] = False,
) -> None:
    """See ``HELP``."""
    flags = {name: value for name, value in locals().items() if name not in ("config", "as_json")}
    # Imported here, so that `harken --help` does not load LightGBM.
    from harken_rules.files import write_whole

    from harken_server import control_plane
    from harken_server.errors import SettingsError, SnapshotError
    from harken_server.logs import set_up_logs
    from harken_server.settings import load_settings

    def announce(serving: control_plane.Serving) -> None:
        _announce(serving, as_json)
        if settings.ready_file is not None:
            try:
                write_whole(settings.ready_file, (json.dumps(asdict(serving)) + "\n").encode())
            except OSError as error:
                why = f"cannot write the ready file {settings.ready_file}: {error.strerror}"
                raise control_plane.ServeError(why) from None

    try:
        settings = load_settings(flags, config)
        set_up_logs(settings.log_level, settings.log_format)
        with _ready(settings.ready_file):
            raise typer.Exit(control_plane.serve(settings, announce))
    except SettingsError as error:
        _refuse("settings", [str(error)], as_json, 2)
    except SnapshotError as error:
        _refuse("nothing is served", error.problems, as_json, 2)
    except control_plane.ServeError as error:
        _refuse("nothing is served", [str(error)], as_json, 1)


def _announce(serving: object, as_json: bool) -> None:
    said = asdict(serving)  # type: ignore[call-overload]
    if as_json:
        typer.echo(json.dumps(said))
        return
    console = Console(highlight=False)
    tls = {"none": "plain text", "tls": "TLS", "mutual": "mutual TLS"}[said["tls"]]
    console.print(f"[bold]Harken serves[/] {said['host']}:{said['port']} ({tls})", soft_wrap=True)
    rows = {
        "rule base": f"{said['rule_base']}  {said['rule_base_digest']}",
        "model": said["model_digest"],
        "workers": said["workers"],
        "control": f"{said['control_host']}:{said['control_port']}",
        "metrics": f"http://{said['control_host']}:{said['metrics_port']}/metrics",
        "revisions": said["revisions"] or "gone when the server stops (keep them: --revisions)",
        **({"watched": said["watched"]} if said["watched"] else {}),
        **({"watched too": said["watched_bundle"]} if said["watched_bundle"] else {}),
        **({"transport": "native (experimental)"} if said["transport"] == "native" else {}),
        "process": f"{said['pid']} (stop with Ctrl-C or SIGTERM)",
    }
    for name, value in rows.items():
        console.print(f"  {name:10} {value}", soft_wrap=True)


def _refuse(what: str, why: tuple[str, ...] | list[str], as_json: bool, code: int) -> None:
    if as_json:
        typer.echo(json.dumps({"error": what, "problems": list(why)}))
    else:
        for line in why:
            typer.echo(line, err=True)
        typer.echo(f"harken serve: {what}", err=True)
    raise typer.Exit(code)


@contextmanager
def _ready(file: Path | None) -> Iterator[None]:
    """See that the ready file is there only while the server is ready."""
    from harken_server.errors import SettingsError

    if file is None:
        yield
        return
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        why = f"ready_file: {file} is there and cannot be removed: {error.strerror}"
        raise SettingsError(why) from None
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
