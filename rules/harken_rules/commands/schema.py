"""``harken rules schema``: JSON Schema of a rule base's files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import (
    OK,
    UNUSABLE,
    Folder,
    Json,
    document,
    must_name,
    need_folder,
    path_of,
    refuse,
)
from harken_rules.files import write_whole
from harken_rules.schemas.editors import FOLDER, KINDS, text_of, wire, write_schemas
from harken_rules.schemas.vocabulary import Vocabulary, read_vocabulary

Kind = Annotated[
    str, typer.Option("--kind", metavar="KIND", help=f"Which files: {', '.join(KINDS)}.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the schema into this file.")
]
Write = Annotated[
    bool, typer.Option("--write", help=f"Write all schemas into the folder's own {FOLDER}/.")
]
Modeline = Annotated[
    bool,
    typer.Option(
        "--modeline",
        help="As --write, and make the first line of every file tell an editor its schema.",
    ),
]


def add_to(rules: typer.Typer) -> None:
    """Add ``schema`` to the group."""
    rules.command(name="schema")(run)


def run(
    folder: Folder = None,
    kind: Kind = KINDS[0],
    out: Out = None,
    write: Write = False,
    modeline: Modeline = False,
    as_json: Json = False,
) -> None:
    """JSON Schema of a rule base's files: an editor then offers names and values as you type.

    Fact names, codes with their labels, units and ranges are those of this rule base, so write
    the schemas anew when facts or catalogues change. With `--modeline` any editor that knows the
    YAML language server finds them. What the rules say, and their digest, stay as they are. To
    write into a folder, name it.

    **Example:** `harken rules schema my-rules --modeline`

    **Exit code:** 0 done, 2 no such folder, its facts or catalogues have errors, or it cannot be
    written.
    """
    path = path_of(folder)
    if kind not in KINDS:
        refuse(f"'{kind}' is no kind of file; one of: {', '.join(KINDS)}", path, as_json)
    if out is not None and (write or modeline):
        refuse("--out takes one schema; --write and --modeline write all of them", path, as_json)
    if write or modeline:
        must_name(folder, as_json)
    words = _vocabulary(path, as_json)
    if not (write or modeline or out):
        document(text_of(kind, words))
        return
    written: tuple[str, ...]
    changed: tuple[str, ...] = ()
    try:
        if out is not None:
            write_whole(out, text_of(kind, words).encode())
            written = (str(out),)
        else:
            written = write_schemas(path, words)
            changed = wire(path) if modeline else ()
    except OSError as error:
        refuse(f"{error.filename or path}: cannot be written: {error.strerror}", path, as_json)
    if as_json:
        printing.as_json({"path": str(path), "written": [*written], "changed": [*changed]})
        raise typer.Exit(OK)
    before = "" if out else printing.prefix(path)
    for name in written:
        printing.say((f"{before}{name}\n", "bold green"))
    if modeline:
        printing.say((f"{path}: first line set in {printing.count(len(changed), 'file')}\n", ""))


def _vocabulary(path: Path, as_json: bool) -> Vocabulary:
    need_folder(path, as_json)
    words, found = read_vocabulary(path)
    if words is not None:
        return words
    if as_json:
        answer = [one.to_dict() for one in found]
        printing.as_json({"path": str(path), "written": [], "changed": [], "diagnostics": answer})
    else:
        printing.diagnostics(found, path)
        printing.say((f"{path}: mend facts and catalogues first\n", "bold red"))
    raise typer.Exit(UNUSABLE)
