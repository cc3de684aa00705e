"""``harken rules docs``: a rule base as a page that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import OK, Folder, Json, document, path_of, refuse, sound
from harken_rules.files import write_whole

FORMATS = ("html", "markdown")

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the page into this file.")
]
Lang = Annotated[
    str, typer.Option("--lang", metavar="LANG", help="en, zh, or both: a page with a switch.")
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="html or markdown.")]


def add_to(rules: typer.Typer) -> None:
    """Add ``docs`` to the group."""
    rules.command(name="docs")(run)


def run(
    folder: Folder = None,
    out: Out = None,
    lang: Lang = "both",
    form: Format = FORMATS[0],
    as_json: Json = False,
) -> None:
    """Write the whole rule base as one readable page: facts, decisions, catalogues.

    Decisions stand as tables in words, with the labels that people know; a drawing shows which
    decision builds on which. The HTML page needs no network and prints well. Without --out the
    page is printed.

    **Example:** `harken rules docs my-rules --out rules.html`

    **Exit code:** 0 done, 2 the rule base has errors, or the page cannot be written.
    """
    from harken_rules.handbook import as_html, as_markdown, book_of
    from harken_rules.handbook.speech import said

    path = path_of(folder)
    if form not in FORMATS:
        refuse(f"'{form}' is no format of a page; one of: {', '.join(FORMATS)}", path, as_json)
    if as_json and out is None:
        refuse("--json says what was written, so it goes with --out", path, as_json)
    base, loaded = sound(path, as_json)
    if lang != "both" and lang not in base.languages:
        known = ", ".join([*base.languages, "both"])
        refuse(f"'{lang}' is no language of this rule base; one of: {known}", path, as_json)
    languages = base.languages if lang == "both" else (lang,)
    book = book_of(base, loaded.cases, languages)
    contents = said("contents", languages)
    if form == "html":
        page = as_html(book, contents, said("both", languages))
    else:
        page = as_markdown(book, contents)
    if out is None:
        document(page)
        raise typer.Exit(OK)
    try:
        write_whole(out, page.encode())
    except OSError as error:
        refuse(f"{out}: cannot be written: {error.strerror or error}", path, as_json)
    if as_json:
        printing.as_json({"path": str(path), "digest": base.digest, "written": str(out)})
    else:
        printing.say((f"{out}\n", "bold green"))
