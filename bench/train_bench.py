"""How long a training takes and how much memory, on made-up data of any size.

python bench/train_bench.py [--rows 1000000] [--fields 40] [--format parquet|csv] [--budget quick]

Writes a table of numbers and categories, of which a dozen bear on the outcome, and a
specification, runs `harken train` on them in a process of its own, and prints seconds (of the
clock and of the processor) and the largest resident memory of that process as JSON. A third of
the fields are categories of 5 to 2,000 levels, a tenth of all values are missing, 8 % of outcomes
are positive.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

START_US = 1_300_000_000_000_000
YEAR_US = 365 * 86_400_000_000
LEVELS = (5, 12, 40, 150, 600, 2000)
INFORMATIVE = 6


def table(rows: int, fields: int, seed: int = 1) -> pd.DataFrame:
    """``rows`` grumbles of a year with so many ``fields`` and an outcome."""
    rng = np.random.default_rng(seed)
    voiced = START_US + np.sort(rng.integers(0, YEAR_US, rows))
    columns: dict[str, object] = {
        "id": np.arange(rows),
        "voiced": pd.to_datetime(voiced, unit="us", utc=True),
    }
    z = np.full(rows, -2.9)
    for place in range(fields // 3):
        levels = LEVELS[place % len(LEVELS)]
        codes = np.minimum(rng.exponential(levels / 4, rows).astype(int), levels - 1)
        if place < INFORMATIVE:
            z += rng.normal(0, 0.4, levels)[codes]
        names = np.array([f"c{place}_{level}" for level in range(levels)], dtype=object)
        columns[f"category_{place}"] = pd.Categorical.from_codes(
            np.where(rng.random(rows) < 0.1, -1, codes), names
        )
    for place in range(fields - fields // 3):
        values = rng.normal(size=rows)
        if place < INFORMATIVE:
            z += 0.3 * values
        values[rng.random(rows) < 0.1] = np.nan
        columns[f"number_{place}"] = np.round(values, 4)
    columns["outcome"] = np.where(rng.random(rows) < 1 / (1 + np.exp(-z)), "Yes", "No")
    return pd.DataFrame(columns)


def specification(frame: pd.DataFrame) -> str:
    """The dataset specification of such a table."""
    kinds = {"category": "category", "number": "number"}
    attributes = [
        f"  {name}: {kinds[name.split('_')[0]]}"
        for name in map(str, frame.columns)
        if name.split("_")[0] in kinds
    ]
    return "\n".join(
        [
            "dataset: made_up",
            "simulated: true",
            "horizon_days: 0",
            "fields: {grumble_id: {column: id}, voice_time: {column: voiced}}",
            "attributes:",
            *attributes,
            'label: {column: outcome, positive: ["Yes"], negative: ["No"]}',
            "split: {test_fraction: 0.2}",
            "",
        ]
    )


def main() -> None:
    """Make the data, train, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--budget", default="standard")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="harken-train-") as folder:
        data = Path(folder) / f"rows.{given.format}"
        frame = table(given.rows, given.fields)
        if given.format == "csv":
            frame.to_csv(data, index=False)
        else:
            frame.to_parquet(data)
        spec = Path(folder) / "spec.yaml"
        spec.write_text(specification(frame), encoding="utf-8")
        del frame
        words = [
            sys.executable, "-c", "from harken_client.main import main; main()", "train",
            "--spec", str(spec), str(data), "--out", str(Path(folder) / "bundle"),
            "--budget", given.budget, "--json",
        ]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout)
    print(
        json.dumps(
            {
                "rows": given.rows,
                "fields": given.fields,
                "format": given.format,
                "seconds": round(seconds, 1),
                "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
                "memory_gib": round(used.ru_maxrss / 2**20, 2),
                "chosen": found["chosen"],
                "auc": found["candidates"][found["chosen"]]["auc"],
                "search": found["search"],
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
