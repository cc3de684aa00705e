"""``harken train``."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    import numpy as np

    from harken_models.dataset import Dataset
    from harken_models.spec import DatasetSpec
    from harken_models.train import Options

INTERRUPTED = 130


def train_command(
    data: DataArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder of the bundle to write.")],
    spec: SpecOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Same data, same seed: same model.")] = 1,
    budget: Annotated[
        str,
        typer.Option(
            metavar="quick|standard|thorough|SECONDS",
            help="How many LightGBM settings to try: 6, 12, 48; or as many as fit into about "
            "half of so many seconds, which makes the result depend on the machine.",
        ),
    ] = "standard",
    trials: Annotated[
        int | None,
        typer.Option(min=1, max=500, help="So many settings instead.", show_default=False),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            help="Share rows out by the values of this column or field instead of by time.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: all the cores.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what an interrupted run had judged.")
    ] = False,
    test_out: Annotated[
        Path | None,
        typer.Option(
            help="Write the test's rows here (.parquet or .csv), as harken data prepare does.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a complaint-probability model and write its bundle.

    LightGBM, a logistic regression and their mean are compared on held-out time before the test;
    one is chosen, calibrated and written. All are measured on the last piece of time, which the
    choice never sees. Data without time is shared out by groups.

    What has been judged is kept beside the bundle until it is written: the same command goes on
    where it was interrupted.

    Exit codes: 0 done, 2 the specification, the data or the folder cannot be used.

    Example: harken train --spec models/specs/cfpb.yaml complaints.csv --out build/model
    """
    from harken_models.bundlefile import write_bundle
    from harken_models.card import cards
    from harken_models.progress_file import progress_path
    from harken_models.report import print_training, to_plain
    from harken_models.train import train

    began = time.monotonic()
    options = _options(seed, budget, trials, threads, progress_path(out))
    with user_errors(), progress_bar() as progress:
        _check_target(out)
        progress("reading", 0, 1)
        dataset = _load(data, spec, groups)
        report_bad_rows(dataset.bad_rows)
        if fresh:
            progress_path(out).unlink(missing_ok=True)
        try:
            training = train(dataset, options, progress)
        except KeyboardInterrupt:
            typer.echo("interrupted; the same command goes on from here", err=True)
            raise typer.Exit(INTERRUPTED) from None
        if test_out is not None:
            _write_test(dataset, training.test, test_out)
        progress("model card", 1, 1)
        pages = cards(training, dataset)
        bundle = write_bundle(out, training.parts, training.about, training.probes, pages)
        progress_path(out).unlink(missing_ok=True)
    seconds = time.monotonic() - began
    if as_json:
        plain = to_plain(training, bundle.digest, len(dataset.bad_rows), seconds)
        typer.echo(json.dumps(plain, indent=2))
    else:
        console = Console()
        print_training(console, training, seconds)
        console.print(f"{out}  {bundle.digest}", soft_wrap=True, highlight=False)


def _options(seed: int, budget: str, trials: int | None, threads: int, resume: Path) -> Options:
    from harken_models.train import TRIALS_OF, Options

    for name in TRIALS_OF:
        if budget == name:
            return Options(seed, trials, None, threads, name, resume=resume)
    try:
        seconds = float(budget)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < 1e9:
        raise typer.BadParameter(
            f"{budget!r} is neither quick, standard, thorough nor a number of seconds, 1 or more",
            param_hint="--budget",
        )
    return Options(seed, trials, seconds, threads, "thorough", resume=resume)


def _load(data: Path, spec: Path | None, groups: str | None) -> Dataset:
    """The data, typed; its raw tables are let go."""
    from harken_models.dataset import build_dataset, read_raw
    from harken_models.specreader import read_spec

    known = None if spec is None else _grouped(read_spec(spec), groups)
    raw = read_raw(known, data)
    return build_dataset(replace(raw, spec=_grouped(raw.spec, groups)))


def _grouped(spec: DatasetSpec, groups: str | None) -> DatasetSpec:
    """The specification with rows shared out by a column, which may be named by its field."""
    if groups is None:
        return spec
    column = groups
    if groups in spec.fields:
        column = spec.fields[groups].column
    elif groups in spec.attributes:
        column = spec.attributes[groups].source.column
    return replace(spec, split=replace(spec.split, groups=column))


def _check_target(out: Path) -> None:
    """Fail before the search, not after it, where a bundle could not be written."""
    from harken_models.bundlefile import refuse_foreign
    from harken_models.errors import BundleError

    if out.exists() and not out.is_dir():
        raise BundleError(f"{out}: is a file; a bundle is a folder")
    refuse_foreign(out)
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise BundleError(f"{out}: cannot be written: {above} is not a folder one may write to")


def _write_test(dataset: Dataset, rows: np.ndarray, path: Path) -> None:
    from harken_models.prepare import flat_frame
    from harken_models.tables import write_frame

    frame = dataset.frame.iloc[rows].reset_index(drop=True)
    write_frame(flat_frame(replace(dataset, frame=frame)), path)
