"""``harken evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from harken_models.command_parts import (
    DataArgument,
    JsonOption,
    SpecOption,
    progress_bar,
    report_bad_rows,
    user_errors,
)

BundleArgument = Annotated[Path, typer.Argument(help="The bundle's folder.")]


def evaluate_command(
    bundle: BundleArgument,
    data: DataArgument,
    spec: SpecOption = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Another bundle, compared on the same rows."),
    ] = None,
    capacity: Annotated[
        list[int] | None,
        typer.Option("--capacity", min=1, help="Calls a day; may be given several times."),
    ] = None,
    warning_line: Annotated[
        float | None,
        typer.Option("--warning-line", min=0, max=1, help="Warn from this probability up."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Judge rows from this time on, not from the test's start."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Judge all rows, the trained ones as well.")
    ] = False,
    block: Annotated[
        Literal["group", "week"],
        typer.Option("--block", help="What the intervals resample: customers (groups) or weeks."),
    ] = "group",
    resamples: Annotated[
        int, typer.Option(min=20, max=10_000, help="Drawings for the intervals.")
    ] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Same seed: same intervals.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write an HTML page as well; it needs no network."),
    ] = None,
    language: Annotated[
        Literal["en", "zh"], typer.Option("--language", help="Of the text and the page.")
    ] = "en",
    as_json: JsonOption = False,
) -> None:
    """Measure a bundle on an operator's data: figures with 95 % intervals, calls a day, slices.

    Judged are the rows from the start of the bundle's test on, which it has not learnt from.
    With --against both bundles are judged on the same rows, by a paired test.

    Example: harken evaluate my-bundle complaints.csv --spec cfpb.yaml --capacity 25 --out page.html
    """
    from harken_models.bundlefile import load_bundle
    from harken_models.dataset import load_dataset
    from harken_models.evaluation.report import EvaluateOptions, evaluate_bundle
    from harken_models.evaluation.text import print_evaluation
    from harken_models.specreader import read_spec

    with user_errors(), progress_bar() as progress:
        progress("reading", 0, 1)
        ours = load_bundle(bundle, threads=0)
        other = None if against is None else load_bundle(against, threads=0)
        dataset = load_dataset(None if spec is None else read_spec(spec), data)
        options = EvaluateOptions(
            tuple(capacity or ()), warning_line, since, every, block, resamples, seed
        )
        found = evaluate_bundle(ours, dataset, options, other, progress)
        if out is not None:
            from harken_models.evaluation.page import page_of

            out.write_text(page_of(found, language), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    report_bad_rows(dataset.bad_rows)
    print_evaluation(Console(highlight=False), found, language)
    if out is not None:
        typer.echo(str(out))
