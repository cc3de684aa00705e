"""What was simulated, and the files it is written to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import yaml
from scipy.stats import rankdata

from harken_models.simulator.parameters import Parameters
from harken_models.simulator.streams import Flags, Floats

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it and out of how much."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Truth and outcome of the rows that count, for the summary."""

    probability: Floats
    label: Flags
    complained: Flags
    """Of every grumble of the period, scored or not: it became a complaint."""

    @classmethod
    def joined(cls, parts: list[Outcome]) -> Outcome:
        """The outcome of several blocks."""
        return cls(
            np.concatenate([part.probability for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.complained for part in parts]),
        )


def describe(
    generator: str,
    customers: int,
    seed: int,
    first: np.datetime64,
    end: np.datetime64,
    history_days: int,
    parameters: Parameters,
    tables: Mapping[str, pa.Table],
    outcome: Outcome,
) -> dict[str, object]:
    """What ``simulation.yaml`` says."""
    label, probability, complained = outcome.label, outcome.probability, outcome.complained
    return {
        "simulated": True,
        "about": "Simulated by harken data simulate: no real customer, grumble or complaint.",
        "generator": generator,
        "seed": seed,
        "customers": customers,
        "start": str(first),
        "end": str(end),
        "history_days": history_days,
        "horizon_days": parameters.horizon_days,
        "rows": {name: table.num_rows for name, table in tables.items()},
        "counted": {
            "grumbles": len(complained),
            "complaint_share": _share(complained),
            "scored": len(label),
            "label_rate": _share(label),
            "mean_true_probability": round(float(probability.mean()), 6) if len(label) else None,
            "auc_of_truth": _auc(probability, label),
        },
        "parameters": dataclasses.asdict(parameters),
    }


def _share(flags: Flags) -> float | None:
    return round(float(flags.mean()), 6) if len(flags) else None


def _auc(score: Floats, label: Flags) -> float | None:
    """Probability that a positive is ranked above a negative; nothing if one is absent."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(score)[label].sum()
    return round(float((ranks - positives * (positives + 1) / 2) / (positives * negatives)), 6)


def write_tables(
    out: Path,
    tables: Mapping[str, pa.Table],
    description: Mapping[str, object],
    csv: bool,
    progress: Progress,
) -> None:
    """Write every table as Parquet (and CSV) and ``simulation.yaml``. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    for done, (name, table) in enumerate(tables.items()):
        progress("writing", done, len(tables))
        pa_parquet.write_table(table, out / f"{name}.parquet", compression="zstd")
        if csv:
            pa_csv.write_csv(table, out / f"{name}.csv")
    text = yaml.safe_dump(_plain(dict(description)), sort_keys=False, allow_unicode=True, width=100)
    (out / "simulation.yaml").write_text(text, encoding="utf-8")
    progress("writing", len(tables), len(tables))


def _plain(value: object) -> object:
    """Tuples as lists, which YAML knows."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
