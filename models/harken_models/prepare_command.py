"""``harken data prepare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from harken_models.command_parts import (
    DataArgument,
    JsonOption,
    SpecOption,
    report_bad_rows,
    user_errors,
)


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
        report_bad_rows(dataset.bad_rows)
        flat = flat_frame(between(dataset, since, until))
        write_frame(flat, out)
    labelled = int(flat["label"].notna().sum())
    summary = {"rows": len(flat), "labelled": labelled, "bad_rows": len(dataset.bad_rows)}
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(f"{out}: {len(flat):,} grumbles, the outcome of {labelled:,} is known")
