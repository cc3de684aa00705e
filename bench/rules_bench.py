"""How fast the rule engine is on a rule base: building, a hit, a miss, a column.

python bench/rules_bench.py [DIR] [--rows N]
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable

import numpy as np
from harken_rules import RuleBase, RuleEngine, default_base_path, load_rule_base
from harken_rules.boxes import codes_in


def random_rows(engine: RuleEngine, rows: int, seed: int = 7) -> list[dict[str, object]]:
    """Facts drawn evenly from the cells that the base's constants cut."""
    rng = random.Random(seed)
    choices = {}
    for name in engine.given:
        cells = engine.cells[name]
        values = [cells.example(code) for code in codes_in(cells.reachable)]
        choices[name] = [v if isinstance(v, str | bool | None) else float(v) for v in values]
    return [{name: rng.choice(values) for name, values in choices.items()} for _ in range(rows)]


def columns_of(engine: RuleEngine, rows: list[dict[str, object]]) -> dict[str, np.ndarray]:
    """The rows as columns: float64 where a fact is a number, objects otherwise."""
    made = {}
    for name in engine.given:
        values = [row[name] for row in rows]
        numeric = engine.base.facts[name].type in ("number", "integer")
        made[name] = np.array(values, dtype=np.float64 if numeric else object)
    return made


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Processor time of the best of three runs, per time."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, time.process_time() - start)
    return best / times


def measure(base: RuleBase, rows: int = 200_000) -> dict[str, float]:
    """The figures, in the units their names say."""
    engine = RuleEngine(base)
    sample = random_rows(engine, 2000)
    decisions = len(base.decisions)
    tiny = RuleEngine(base, memo_size=1)
    columns = columns_of(engine, random_rows(engine, rows))
    start = time.process_time()
    engine.decide_columns(columns, rows)
    cold = time.process_time() - start
    one = sample[0]
    return {
        "decisions": decisions,
        "rules": sum(len(decision.rules) for decision in base.decisions),
        "build_ms": seconds(lambda: RuleEngine(base).close()) * 1e3,
        "decide_hit_us": seconds(lambda: engine.decide(one), 2000) * 1e6,
        "decide_miss_us": seconds(lambda: [tiny.decide(row) for row in sample[:300]]) / 300 * 1e6,
        "columns_cold_us_per_row_and_decision": cold / rows / decisions * 1e6,
        "columns_warm_us_per_row_and_decision": seconds(
            lambda: engine.decide_columns(columns, rows)
        )
        / (rows * decisions)
        * 1e6,
        "outcomes_made": engine.stats().misses,
        "questions_to_durable_rules": engine.questions(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", default=default_base_path())
    parser.add_argument("--rows", type=int, default=200_000)
    given = parser.parse_args()
    print(json.dumps(measure(load_rule_base(given.path), given.rows), indent=2))
