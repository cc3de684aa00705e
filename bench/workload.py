"""What is scored: simulated grumbles, the same from the same seed, kept between runs.

The history is that of ``harken data simulate``; ``harken data prepare`` makes one flat file of
it. No two rows of it are alike. Half of a run's in-process requests warm the memos, the others
are timed: a grumble is never scored twice in real traffic either.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from demo import HARKEN, ROOT
from harken.v1 import scoring_pb2
from harken_client.requests import grumble_request
from harken_models.bundle import Bundle
from harken_models.simulator.run import GENERATOR

SEED = 20110101
SPEC = ROOT / "models" / "specs" / "simulated.yaml"


@dataclass(frozen=True)
class Workload:
    """Grumbles of ``customers`` simulated customers, in ``folder``."""

    folder: Path
    customers: int

    @cached_property
    def history(self) -> Path:
        """The simulated operator's tables."""
        return self._made("history", ["data", "simulate", "--customers", str(self.customers)])

    @cached_property
    def flat(self) -> Path:
        """One Parquet file of all grumbles with core names, in order of the tables."""
        words = ["data", "prepare", "--spec", str(SPEC), str(self.history)]
        return self._made("flat.parquet", words)

    @cached_property
    def rows(self) -> int:
        """How many grumbles there are."""
        return int(pq.read_metadata(self.flat).num_rows)

    def table(self, rows: int) -> pa.Table:
        """Some rows of the flat file, spread evenly over it and shuffled."""
        table = pq.read_table(self.flat).drop_columns(["label"])
        chosen = np.arange(0, table.num_rows, max(table.num_rows // rows, 1))[:rows]
        return table.take(pa.array(np.random.default_rng(SEED).permutation(chosen)))

    def requests(self, rows: int) -> list[scoring_pb2.ScoreRequest]:
        """The same as requests."""
        plain = self.table(rows).to_pylist()
        # None is missing, and left out.
        known = ({name: value for name, value in row.items() if value is not None} for row in plain)
        return [grumble_request(row) for row in known]

    def matrix(self, bundle: Bundle, frame: pd.DataFrame) -> np.ndarray:
        """The rows as the bundle's LightGBM model reads them."""
        columns = model_columns(frame)
        assessed = bundle.assess_columns(columns, len(frame))
        columns["segment"] = assessed.segment
        encoded = bundle.parts.features.encode_columns(columns, len(frame))
        boosted = bundle.parts.model.boosted
        assert boosted is not None
        return np.ascontiguousarray(boosted.prepare(encoded))

    def repeated(self, rows: int) -> Path:
        """A file of ``rows`` grumbles: the flat file over and over, each time with new ids and
        another customer's spend and age, so that hardly a row repeats an earlier one."""
        path = self.folder / f"{_stem(self.customers)}-{rows}.parquet"
        if not path.is_file():
            work = path.with_suffix(".part")
            table = pq.read_table(self.flat).drop_columns(["label"])
            with pq.ParquetWriter(work, table.schema) as writer:
                for piece in _over_and_over(table, rows):
                    writer.write_table(piece, row_group_size=100_000)
            work.rename(path)
        return path

    def piece(self, rows: int, skip: int = 0) -> Path:
        """So many ``rows`` of the flat file after the first ``skip``, as a file."""
        path = self.folder / f"{_stem(self.customers)}-{skip}-{skip + rows}.parquet"
        if not path.is_file():
            table = pq.read_table(self.flat).slice(skip, rows).drop_columns(["label"])
            if table.num_rows < rows:
                raise ValueError(f"there are only {self.rows:,} simulated grumbles")
            pq.write_table(table, path)
        return path

    def _made(self, name: str, words: list[str]) -> Path:
        path = self.folder / f"{_stem(self.customers)}-{name}"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            work = path.with_name(f"part-{path.name}")
            seed = ["--seed", str(SEED)] if words[1] == "simulate" else []
            command = [HARKEN, *words, *seed, "--out", str(work)]
            print("$ harken " + " ".join(command[1:]), file=sys.stderr, flush=True)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            work.rename(path)
        return path


def _stem(customers: int) -> str:
    return f"{customers}-seed{SEED}-v{GENERATOR}"


def _over_and_over(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """Pieces of ``table`` until there are ``rows`` rows."""
    done, times = 0, 0
    while done < rows:
        piece = table.slice(0, min(table.num_rows, rows - done))
        yield piece if times == 0 else _varied(piece, times)
        done, times = done + piece.num_rows, times + 1


def _varied(piece: pa.Table, times: int) -> pa.Table:
    ids = pc.binary_join_element_wise(piece["grumble_id"], str(times), "-")
    piece = piece.set_column(piece.column_names.index("grumble_id"), "grumble_id", ids)
    turn = np.roll(np.arange(piece.num_rows), 997 * times)
    for name in ("monthly_spend_yuan", "age_years"):
        other = piece[name].take(pa.array(turn))
        piece = piece.set_column(piece.column_names.index(name), name, other)
    return piece


def model_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """A flat file's frame as columns that a bundle assesses."""
    made: dict[str, np.ndarray] = {}
    for name in map(str, frame.columns):
        column = frame[name]
        if name in ("grumble_id", "customer_id", "label"):
            continue
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            whole = column.dt.tz_convert(dt.UTC).dt.tz_localize(None).to_numpy("datetime64[us]")
            made[f"{name}_us"] = whole.astype(np.int64)
        elif pd.api.types.is_numeric_dtype(column.dtype):
            made[name] = column.to_numpy(np.float64, na_value=np.nan)
        else:
            texts = np.array(column, dtype=object)
            texts[column.isna().to_numpy(dtype=bool)] = None
            made[name] = texts
    return made
