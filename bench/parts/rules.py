"""The rule engine alone: what ``rules_bench.py`` measures, on simulated grumbles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import rules_bench
from figures import Figure
from setting import Setting

ROWS = (
    "rules-hit",
    "rules-hit-all",
    "rules-fresh",
    "rules-miss",
    "rules-column",
    "rules-column-first",
    "rules-size",
    "rules-build",
)
COLUMN_ROWS, FACTS = 1_000_000, 100_000


def measure(setting: Setting) -> Iterator[Figure]:
    """Processor time, the best of several runs: there is nothing to compare it with."""
    grumbles = setting.scaled(FACTS, 4000)
    facts = setting.workload.piece(grumbles)
    found = rules_bench.measure(rows=setting.scaled(COLUMN_ROWS, 20_000), facts=facts)
    _GROWTH.update(found)
    of = f"{found['decisions']} decisions, {found['rules']} rules"
    hit = f"what a Score reads of {of}; 1,000 different grumbles, just read, in turn"
    yield setting.figure("rules-hit", found["hit_us"], note=hit)
    yield setting.figure("rules-hit-all", found["hit_all_us"], note="every result of the base")
    fresh = f"after {rules_bench.SEEN:,} others; {found['fresh_misses_per_row']:.2f} decisions new"
    yield setting.figure("rules-fresh", found["fresh_us"], note=fresh)
    yield setting.figure(
        "rules-miss", found["miss_us"], note="every decision asked of durable-rules"
    )
    rows = f"{found['columns_rows']:,} rows of {grumbles:,} simulated grumbles, reasons included"
    yield setting.figure("rules-column", found["columns_us_per_row"], note=rows)
    asked = f"{found['questions_to_durable_rules']:,} questions to durable-rules"
    yield setting.figure("rules-column-first", found["columns_first_us_per_row"], note=asked)
    growth = growth_found()
    costs = ", ".join(f"{size} rules {cost:.2f} µs" for size, cost in growth["growth"].items())
    yield setting.figure("rules-size", growth["growth_ratio"], note=costs)
    yield setting.figure("rules-build", found["build_ms"])


_GROWTH: dict[str, Any] = {}


def growth_found() -> dict[str, Any]:
    """A remembered grumble with generated rule bases of 50, 500 and 5,000 rules: measured once."""
    if not _GROWTH:
        _GROWTH.update(rules_bench.measure_growth())
    return _GROWTH
