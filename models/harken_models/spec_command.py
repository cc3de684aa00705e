"""``harken data spec``: a specification drafted from a file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from harken_models.command_parts import UNUSABLE, JsonOption, user_errors


def spec_command(
    data: Annotated[
        Path, typer.Argument(help="A CSV, Excel or Parquet file, perhaps gzipped, or a glob.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the draft here instead of printing it.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column that holds the outcome.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", help="The column of the time; of a log: of the event.")
    ] = None,
    case: Annotated[
        str | None, typer.Option("--case", help="The column that names the grumble.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a specification that is there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Draft a dataset specification from a file of data.

    Encoding, delimiter, decimal sign, date formats and the kinds of the columns are detected, and
    written down as declarations with a comment at each guess. Nothing is guessed when data is
    read: read the draft, mend it, then run harken data check.

    Example: harken data spec complaints.csv --label "Consumer disputed?" --out my-spec.yaml
    """
    from harken_models.draft import draft_spec
    from harken_models.sniffing import sniff

    with user_errors():
        if out is not None and out.exists() and not force:
            typer.echo(f"error: {out}: is there already; --force writes over it", err=True)
            raise typer.Exit(UNUSABLE)
        sniffed = sniff(data)
        text = draft_spec(sniffed, _name(data), label, time, case)
        if out is not None:
            out.write_text(text, encoding="utf-8")
    if as_json:
        plain = _plain(sniffed) | {"spec": text}
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{out}: {len(sniffed.columns)} columns; read it, then: harken data check {out}")


def _name(data: Path) -> str:
    """A name for the data set: the file's, without what a name of it is not made of."""
    stem = data.name.split(".")[0]
    return re.sub(r"\W+", "_", stem).strip("_").lower() or "data"


def _plain(sniffed: Any) -> dict[str, Any]:
    form = sniffed.format
    return {
        "file": sniffed.file,
        "rows": sniffed.rows,
        "format": {name: getattr(form, name) for name in form.__dataclass_fields__},
        "columns": [
            {name: getattr(one, name) for name in one.__dataclass_fields__}
            for one in sniffed.columns
        ],
        "notes": list(sniffed.notes),
    }
