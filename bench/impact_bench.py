"""How fast a change of rules is compared on a long history, and cut-offs are calibrated on it.

python bench/impact_bench.py HISTORY [--rows N] [--processes N]

HISTORY is a flat file; its rows are repeated until there are as many as asked for. The new rule
base is the shipped one with a cut-off and a step changed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from harken_models import default_bundle_path
from harken_rules import default_base_path, load_rule_base
from harken_rules.cutoffs import find_scale
from harken_server.calibrating import BandingWork, banded_rows
from harken_server.history.source import open_history
from harken_server.impact.work import ImpactWork, impact_of

EDITS = (("base_level", "at_least: 3.60", "at_least: 3.50"), ("level_step", "least: 3", "least: 4"))


def measure(history: Path, rows: int = 1_000_000, processes: int | None = None) -> dict[str, float]:
    """The figures, in the units their names say. Time is from the file to the last figure,
    processes started and model and engines loaded in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.parquet"
        repeated(history, path, rows)
        new = Path(shutil.copytree(default_base_path(), Path(folder) / "new"))
        for name, old, other in EDITS:
            file = new / "decisions" / f"{name}.yaml"
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(old, other), encoding="utf-8")
        shutil.rmtree(new / "cases")
        bases = load_rule_base(default_base_path()), load_rule_base(new)
        opened, bundle = open_history(path), default_bundle_path()
        start, busy = time.perf_counter(), processor()
        tally = impact_of(ImpactWork(*bases, bundle, opened), processes)
        impact, cost = time.perf_counter() - start, processor() - busy
        work = BandingWork(bases[0], find_scale(bases[0], 5), Decimal("0.01"), bundle, opened)
        start = time.perf_counter()
        banded_rows(work, processes)
        calibrate = time.perf_counter() - start
    changed = sum(number for (old, new), number in tally.levels.items() if old != new)
    return {
        "rows": tally.rows,
        "changed": changed,
        "impact_seconds": impact,
        "impact_rows_per_second": tally.rows / impact,
        "impact_processor_us_per_row": cost / tally.rows * 1e6,
        "calibrate_rows_per_second": tally.rows / calibrate,
        "largest_process_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "load_average": os.getloadavg()[0],
    }


def processor() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def repeated(source: Path, out: Path, rows: int) -> None:
    """Write ``rows`` rows of ``source``, over and over where it has fewer."""
    table = pq.read_table(source)
    times, rest = divmod(rows, table.num_rows)
    pq.write_table(pa.concat_tables([*[table] * times, table.slice(0, rest)]), out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int)
    given = parser.parse_args()
    print(json.dumps(measure(given.history, given.rows, given.processes), indent=2))
