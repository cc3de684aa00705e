"""``harken rules init``: a rule base to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import OK, Json, refuse
from harken_rules.starting import LANGUAGES, NotEmptyError, start

New = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A folder to make, or an empty one.", show_default=False),
]
Lang = Annotated[
    str, typer.Option("--lang", metavar="LANG", help="Language of the labels: en, zh or both.")
]
Full = Annotated[
    bool,
    typer.Option(
        "--full/--minimal",
        help="The whole shipped rule base, or a small one that explains itself.",
    ),
]


def add_to(rules: typer.Typer) -> None:
    """Add ``init`` to the group."""
    rules.command(name="init")(run)


def run(folder: New, lang: Lang = "both", full: Full = False, as_json: Json = False) -> None:
    """Make a rule base to start from: sound, with cases, and complete enough to be served.

    The small one (--minimal) has a comment on every part and takes a quarter of an hour to read.
    With --full the shipped rule base is copied, to be changed into your own.

    **Example:** `harken rules init my-rules`, then `harken rules check my-rules`

    **Exit code:** 0 made, 2 the folder is not empty or cannot be written.
    """
    if lang not in (*LANGUAGES, "both"):
        refuse(f"'{lang}' is no language of the labels; one of: en, zh, both", folder, as_json)
    languages = LANGUAGES if lang == "both" else (lang,)
    if folder.exists() and not folder.is_dir():
        refuse(f"{folder}: is not a folder", folder, as_json)
    try:
        names = start(folder, full=full, languages=languages)
    except NotEmptyError:
        message = f"{folder}: the folder is not empty; name a new one, nothing is overwritten"
        refuse(message, folder, as_json)
    except OSError as error:
        refuse(f"{folder}: cannot be written: {error.strerror or error}", folder, as_json)
    if as_json:
        printing.as_json({"path": str(folder), "languages": [*languages], "files": names})
        raise typer.Exit(OK)
    for name in names:
        printing.say((f"{printing.prefix(folder)}{name}\n", ""))
    named = shlex.quote(str(folder))
    printing.say(
        (f"{folder}: {printing.count(len(names), 'file')}\n", "bold green"),
        (f"Next: harken rules check {named}, harken rules test {named}\n", ""),
    )
