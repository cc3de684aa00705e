"""``harken rules publish | status | activate | rollback | revisions | shadow | simulate``.

They join the group ``rules`` where harken_rules is installed, and make it where it is not. What
they need is imported when they run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from harken_client.options import (
    WHERE,
    CaFile,
    CertFile,
    KeyFile,
    ServerName,
    UseTls,
    option,
    tls_of,
)

if TYPE_CHECKING:
    from harken_client.rule_types import CheckedRuleBase, RuleBaseActivation, RuleBaseFile
    from harken_client.rulebases import RuleBaseClient

OK, FOUND, UNUSABLE = 0, 1, 2
"""Exit codes: done, refused for what the rule base says, unusable input or no server."""
GROUP_HELP = "Publish a rule base: the folder of YAML that says how grumbles are graded."
PANEL = "On a running server"
HEADER, SUFFIXES, MAX_FOLDERS_DEEP = "rulebase.yaml", (".yaml", ".yml"), 8

PUBLISH_HELP = """Check a rule base on a running server, keep it there, and serve it.

The server checks it as `harken rules check` does, with its own model bundle, and answers every
finding. A sound one is kept as a revision named by its digest; then all workers load it, and
swap once all have. If anything fails, they go on with what they served.

  harken rules publish my-rules --message "Cut-off of level 4 at 6.5, see ticket 311"

  harken rules publish my-rules --validate-only

Exit codes: 0 done, 1 errors found or refused, 2 unusable input, or no server.
"""
STATUS_HELP = """What a server serves: by which worker, since when, who published it and why.

Also what went wrong last, and how a shadow does.

  harken rules status --target 127.0.0.1:50052

Exit codes: 0 answered, 2 no server.
"""
ACTIVATE_HELP = """Serve a revision that the server keeps already.

One that was published with --no-activate, or any other of `harken rules revisions`.

  harken rules activate 3fa4c2d1 --message "Tried in the shadow for a week"

Exit codes: 0 done, 1 refused: it no longer loads; 2 unusable input, or no server.
"""
ROLLBACK_HELP = """Serve the revision that was active before the present one.

Done twice, it goes back twice.

  harken rules rollback --message "Too many level 5 since this morning"

Exit codes: 0 done, 1 refused: nothing was active before, or it no longer loads; 2 no server.
"""
REVISIONS_HELP = """The revisions that a server keeps, newest first.

  harken rules revisions --limit 20

Exit codes: 0 answered, 2 no server.
"""
SHADOW_HELP = """Score a share of the live traffic with a second revision too, unseen by callers.

`harken rules status` shows which levels it would have changed. --off ends it.

  harken rules publish my-rules --message "Try in the shadow" --no-activate

  harken rules shadow 3fa4c2d1 --share 0.2

Exit codes: 0 done, 1 refused, 2 unusable input, or no server.
"""
SIMULATE_HELP = """Score a sample with a revision and with the active one, and say what differs.

SAMPLE is JSON: a list of ScoreRequests, at most 1,000; or a .jsonl file, one a line; or the
first --rows of a flat history, .csv or .parquet, read as `harken replay` reads it.

  harken rules simulate 3fa4c2d1 sample.jsonl

  harken rules simulate 3fa4c2d1 june.parquet --rows 500

Exit codes: 0 answered, 1 refused, 2 unusable input, or no server.
"""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The rule base's folder.")]
Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="Its first 8 digits, or more.")]
Message = Annotated[str | None, option("Why; kept on record.", "--message", "-m")]
Author = Annotated[str | None, option("Who; the user of this machine unless told.")]
Json = Annotated[bool, option("Answer in JSON, for machines.", "--json")]
Target = Annotated[
    str,
    option(
        "host:port of its control port.", "--target", panel=WHERE, envvar="HARKEN_CONTROL_TARGET"
    ),
]
HERE = "127.0.0.1:50052"


@dataclass(frozen=True, slots=True)
class Place:
    """A server to call, and how to answer: ``as_json`` or in words."""

    command: str
    target: str
    tls: Any
    as_json: bool

    def ask(self, work: Callable[[RuleBaseClient], Any]) -> Any:
        """What ``work`` answers; ends the command where it fails."""
        from harken_client.errors import HarkenError, Refused
        from harken_client.rulebases import RuleBaseClient

        try:
            with RuleBaseClient(self.target, tls=self.tls) as client:
                return work(client)
        except HarkenError as error:
            self.refuse(error, FOUND if isinstance(error, Refused) else UNUSABLE)

    def refuse(self, error: Exception | str, code: int = UNUSABLE) -> NoReturn:
        """End the command: say why on stderr, and to a machine on stdout too."""
        from harken_client.errors import HarkenError
        from harken_client.rule_render import error_as_json, error_words

        known = error if isinstance(error, HarkenError) else HarkenError(str(error))
        if self.as_json:
            show_json(error_as_json(known))
        print(f"harken rules {self.command}: {error_words(known, self.target)}", file=sys.stderr)
        raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the commands to the group ``rules`` of ``app``, or to a new one if there is none."""
    groups = [one.typer_instance for one in app.registered_groups if one.name == "rules"]
    group = groups[-1] if groups else None
    if group is None:
        group = typer.Typer(help=GROUP_HELP, no_args_is_help=True, rich_markup_mode="markdown")
        app.add_typer(group, name="rules", rich_help_panel="Publish rules to a running service")
    add_to(group)


def add_to(rules: typer.Typer) -> None:
    """Add the commands to the group, once."""
    there = {one.callback for one in rules.registered_commands}
    for command, text in (
        (publish, PUBLISH_HELP),
        (status, STATUS_HELP),
        (activate, ACTIVATE_HELP),
        (rollback, ROLLBACK_HELP),
        (revisions, REVISIONS_HELP),
        (shadow, SHADOW_HELP),
        (simulate, SIMULATE_HELP),
    ):
        if command not in there:
            rules.command(help=text, rich_help_panel=PANEL)(command)


def publish(
    folder: Folder,
    message: Message = None,
    author: Author = None,
    validate_only: Annotated[bool, option("Only check it.", "--validate-only")] = False,
    no_activate: Annotated[
        bool, option("Keep it, but go on serving what is served.", "--no-activate")
    ] = False,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``PUBLISH_HELP``."""
    from harken_client import rule_render

    place = Place("publish", target, tls_of(tls, ca, cert, key, server_name), as_json)
    files = files_of(folder, place)
    who = author or user()
    why = message if validate_only else said_why(message, place)

    def send(client: RuleBaseClient) -> CheckedRuleBase:
        return client.create_rule_base_revision(
            files, author=who, message=why or "", validate_only=validate_only
        )

    checked: CheckedRuleBase = place.ask(send)
    if not as_json:
        rule_render.print_findings(checked, folder)
    activation: RuleBaseActivation | None = None
    if checked.revision is not None and not no_activate:
        digest = checked.digest
        activation = place.ask(
            lambda client: client.activate_rule_base_revision(digest, author=who, message=why or "")
        )
    if as_json:
        show_json({**rule_render.as_json(checked), "activation": rule_render.as_json(activation)})
    else:
        rule_render.print_published(checked, activation, folder)
    raise typer.Exit(OK if checked.digest else FOUND)


def status(
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``STATUS_HELP``."""
    from harken_client import rule_render

    place = Place("status", target, tls_of(tls, ca, cert, key, server_name), as_json)
    state = place.ask(lambda client: client.get_serving_state())
    _show(state, as_json, rule_render.print_state)


def activate(
    digest: Digest,
    message: Message = None,
    author: Author = None,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``ACTIVATE_HELP``."""
    from harken_client import rule_render

    place = Place("activate", target, tls_of(tls, ca, cert, key, server_name), as_json)
    why, who = said_why(message, place), author or user()
    activation = place.ask(
        lambda client: client.activate_rule_base_revision(digest, author=who, message=why)
    )
    _show(activation, as_json, rule_render.print_activation)


def rollback(
    message: Message = None,
    author: Author = None,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``ROLLBACK_HELP``."""
    from harken_client import rule_render

    place = Place("rollback", target, tls_of(tls, ca, cert, key, server_name), as_json)
    why, who = said_why(message, place), author or user()
    activation = place.ask(lambda client: client.rollback_rule_base(author=who, message=why))
    _show(activation, as_json, rule_render.print_activation)


def revisions(
    limit: Annotated[int, option("At most so many.", min=1, max=1000)] = 20,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``REVISIONS_HELP``."""
    from harken_client import rule_render

    place = Place("revisions", target, tls_of(tls, ca, cert, key, server_name), as_json)
    page = place.ask(lambda client: client.list_rule_base_revisions(page_size=limit))
    _show(page, as_json, rule_render.print_revisions)


def shadow(
    digest: Annotated[
        str, typer.Argument(metavar="[DIGEST]", help="Its first 8 digits, or more.")
    ] = "",
    share: Annotated[float, option("Share of the traffic, above 0 up to 1.")] = 0.1,
    off: Annotated[bool, option("End the shadow.", "--off")] = False,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``SHADOW_HELP``."""
    from harken_client import rule_render

    place = Place("shadow", target, tls_of(tls, ca, cert, key, server_name), as_json)
    if off == bool(digest):
        place.refuse("give the DIGEST to score in the shadow, or --off to end it")
    if not 0 < share <= 1:
        place.refuse(f"--share is {share:g}; it must lie above 0 and not above 1")
    answer = place.ask(lambda client: client.set_shadow_rule_base(digest, sample_share=share))
    _show(answer, as_json, rule_render.print_shadow)


def simulate(
    digest: Digest,
    sample: Annotated[Path, typer.Argument(metavar="SAMPLE", help="JSON, or a history.")],
    former: Annotated[
        str, option("The revision to compare with; the active one unless told.", "--former")
    ] = "",
    rows: Annotated[int, option("Of a history, the first so many rows.", min=1, max=1000)] = 1000,
    spec: Annotated[
        Path | None, option("Which column of a history is what; else core names.", metavar="FILE")
    ] = None,
    as_json: Json = False,
    target: Target = HERE,
    tls: UseTls = False,
    ca: CaFile = None,
    cert: CertFile = None,
    key: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """See ``SIMULATE_HELP``."""
    from harken_client import rule_render
    from harken_client.errors import HarkenError
    from harken_client.rule_samples import read_sample

    place = Place("simulate", target, tls_of(tls, ca, cert, key, server_name), as_json)
    try:
        requests = read_sample(sample, spec, rows)
    except HarkenError as error:
        place.refuse(error)
    answer = place.ask(
        lambda client: client.simulate_rule_base(digest, requests, former_digest=former)
    )
    _show(answer, as_json, rule_render.print_simulation)


def files_of(folder: Path, place: Place) -> list[RuleBaseFile]:
    """The YAML files of ``folder`` as a server's reader takes them: hidden ones are left out,
    links are followed as long as they stay inside. Ends the command if it is no rule base."""
    from harken_client.rule_types import RuleBaseFile

    if not (folder / HEADER).is_file():
        what = f"has no {HEADER}" if folder.is_dir() else "is no folder"
        place.refuse(f"{folder} {what}; a rule base is a folder with {HEADER}, facts.yaml ...")
    try:
        home = folder.resolve()
        return [RuleBaseFile(name, (home / name).read_bytes()) for name in _names(home, place)]
    except typer.Exit:  # a RuntimeError, too
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        place.refuse(f"{getattr(error, 'filename', None) or folder} cannot be read: {why}")


def _names(home: Path, place: Place) -> list[str]:
    found: list[str] = []
    pending, seen = [""], {home}
    while pending:
        prefix = pending.pop()
        for entry in (home / prefix).iterdir():
            name, is_folder = prefix + entry.name, entry.is_dir()
            if entry.name.startswith(".") or not (is_folder or entry.suffix.lower() in SUFFIXES):
                continue
            if shown(name) != name:
                place.refuse(f"{shown(name)} is no UTF-8; rename it")
            real = entry.resolve()
            if not real.is_relative_to(home):
                words = f"{name} is a link that leads out of the folder; copy here what it leads to"
                place.refuse(words)
            if not is_folder:
                if not entry.is_file():
                    place.refuse(f"{name} is not a regular file")
                found.append(name)
            elif real not in seen and prefix.count("/") < MAX_FOLDERS_DEEP:
                pending.append(name + "/")
                seen.add(real)
    return sorted(found)


def shown(name: str) -> str:
    """A file's name as text; its bytes that are no UTF-8 are escaped."""
    return name.encode(errors="backslashreplace").decode()


def said_why(message: str | None, place: Place) -> str:
    """The message; ends the command where there is none."""
    if not (message or "").strip():
        place.refuse("say why with --message; it is kept on record")
    return message or ""


def user() -> str:
    """Who runs this, by the name that the machine knows."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def show_json(value: Any) -> None:
    """An answer for a machine."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _show(answer: Any, as_json: bool, in_words: Callable[[Any], None]) -> None:
    from harken_client import rule_render

    if as_json:
        show_json(rule_render.as_json(answer))
    else:
        in_words(answer)
