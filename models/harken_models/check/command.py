"""``harken data check``."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harken_models.command_parts import UNUSABLE, DataArgument, user_errors


def check_command(
    spec: Annotated[
        Path,
        typer.Argument(help="Dataset specification (YAML): which column is which field."),
    ],
    data: DataArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    language: Annotated[
        str, typer.Option("--language", "--lang", metavar="LANG", help="Report in en or zh.")
    ] = "en",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="ID[:COLUMN]",
            help="A finding that you know of and accept, of one column or of all; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Look through data for what would spoil a model, before one is trained.

    Prints the rows, the span, the rate of positives by week, then what was found, each with its
    mend: values that cannot be read, two ways of writing dates, columns that are constant, mixed
    or stamped after the moment of scoring, duplicates, fields that know the outcome, outcomes not
    known yet, drift. docs/data-check.md explains every id.

    Exit codes: 0 nothing found (notes do not count), 1 findings, 2 the specification or the data
    cannot be used.

    Example: harken data check models/specs/cfpb.yaml complaints.csv --allow drift-field:Company
    """
    from harken_models.check.report import to_plain, to_text
    from harken_models.check.run import IDS, check_data
    from harken_models.check.words import LANGUAGES
    from harken_models.dataset import read_raw
    from harken_models.specreader import read_spec

    allowed = allow or []
    spoken = next((one for one in LANGUAGES if one == language), None)
    if spoken is None:
        _refuse(f"--language is {language!r}; it is en or zh")
    for one in allowed:
        name = one.partition(":")[0]
        if name not in IDS:
            near = difflib.get_close_matches(name, IDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"they are {', '.join(IDS)}"
            _refuse(f"--allow {one}: no finding has the id {name!r}; {hint}")
    with user_errors():
        report = check_data(read_raw(read_spec(spec), data), allowed)
    if as_json:
        typer.echo(json.dumps(to_plain(report, spoken), indent=2, ensure_ascii=False))
    else:
        typer.echo(to_text(report, spoken))
    if not report.passed:
        raise typer.Exit(1)


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(UNUSABLE)
