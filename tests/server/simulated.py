"""A small simulated history, as ``harken data prepare`` writes it, and rows made of it."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pandas as pd
import typer
from harken_models.commands import register
from harken_models.dataset import load_dataset
from harken_server.grumble import Grumble
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "models" / "specs" / "simulated.yaml"
ROWS = 900
_folder = tempfile.TemporaryDirectory()


@functools.cache
def simulated_history() -> Path:
    """900 simulated grumbles of which most have a known outcome; .parquet, and .csv beside it."""
    app = typer.Typer()
    register(app)
    folder = Path(_folder.name)
    tables, flat = folder / "tables", folder / "history.parquet"
    for words in (
        ["data", "simulate", "--customers", "300", "--seed", "5", "--out", str(tables)],
        ["data", "prepare", "--spec", str(SPEC), str(tables), "--out", str(flat)],
    ):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    frame = pd.read_parquet(flat)
    frame = frame[frame["label"].notna()].iloc[:ROWS].reset_index(drop=True)
    frame.loc[::7, "label"] = pd.NA
    frame.to_parquet(flat, index=False)
    frame.to_csv(flat.with_suffix(".csv"), index=False)
    return flat


def grumbles_of(path: Path) -> Iterator[Grumble]:
    """The rows one by one, as the scorer takes them."""
    frame = load_dataset(None, path).frame
    whole = {f.name for f in fields(Grumble) if str(f.type).startswith("int")}
    flags = {f.name for f in fields(Grumble) if str(f.type).startswith("bool")}
    for row in frame.to_dict("records"):
        given = {}
        for name, value in row.items():
            if name not in Grumble.__slots__ or value is None or value != value:
                continue
            given[name] = int(value) if name in whole else value
            if name in flags:
                given[name] = bool(value)
        yield Grumble(**given)
