"""Commands for rule authors: a large rule base checked, a change compared on a long history."""

from __future__ import annotations

from collections.abc import Iterator

import check_bench
import impact_bench
from figures import Figure
from setting import Setting

ROWS = ("rules-check", "rules-check-command", "impact-million", "impact-rows", "calibrate-rows")


def measure(setting: Setting) -> Iterator[Figure]:
    """Once each: they take long, and nothing is compared with them."""
    rules, decisions = setting.scaled(2000, 200), setting.scaled(60, 12)
    found = check_bench.measure(rules=rules, decisions=decisions)
    note = f"{rules:,} rules over {decisions} decisions, {found['findings']} warnings found"
    yield setting.figure("rules-check", found["seconds"], note=note)
    yield setting.figure("rules-check-command", found["command_seconds"], note=note)
    rows = setting.scaled(150_000, 20_000)
    found = impact_bench.measure(setting.workload.flat, rows=rows)
    note = f"{found['rows']:,} rows, {found['changed']:,} levels changed, {setting.cores} cores"
    million = 1e6 / found["impact_rows_per_second"]
    yield setting.figure("impact-million", million, note=note)
    yield setting.figure("impact-rows", found["impact_rows_per_second"], note=note)
    yield setting.figure("calibrate-rows", found["calibrate_rows_per_second"])
