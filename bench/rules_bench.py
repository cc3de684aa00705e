"""How fast the rule engine is: a hit, a miss, columns, and rule bases of any size.

python bench/rules_bench.py [DIR] [--facts PARQUET] [--rows N]

Facts are drawn with the concentration that real ones have, few values often and many seldom, or
taken from a file that `harken data prepare` made. Times are processor time of the best of several
runs, in microseconds.

    hit_us          a row all of whose decisions are remembered, though not together: the rows are
                    varied, and hardly one is like another in all its facts
    hit_all_us      the same, with every result of the base in the verdict
    repeat_us       the same row again and again
    fresh_us        rows never seen before, when many others have been: what is not remembered yet
                    is put together or asked
    miss_us         nothing is remembered: every decision is asked of durable-rules
    columns_us_per_row         a column of rows, with the results that a score reads and reasons
    columns_first_us_per_row   the same with an engine that knows nothing yet
    growth          hit_us for generated bases of 50, 500 and 5,000 rules, by number of rules
    growth_ratio, growth_exponent   of these: the greatest by the least; cost goes with the rules
                    to the power of the exponent
    growth_repeat, growth_repeat_ratio, growth_repeat_exponent   the same for repeat_us
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from harken_rules import RuleBase, RuleEngine, default_base_path, load_rule_base
from harken_rules.boxes import codes_in
from harken_rules.column_cells import Coded
from harken_rules.language import (
    Clause,
    Decision,
    Fact,
    FactType,
    Hit,
    Interval,
    OneOf,
    Place,
    Rule,
    Within,
)

SCORE_READS = (
    "level",
    "severity",
    "tolerance",
    "treatment",
    "contact_policy",
    "strategies",
    "owner",
    "supporting_departments",
    "escalation",
    "reply_hours",
    "resolve_hours",
    "warnings",
)
VARIED, SEEN, FRESH = 1_000, 50_000, 5_000
TOGETHER = 12
PLACE = Place("decisions/any.yaml", 1, 1)
NUMBERS = (FactType.NUMBER, FactType.INTEGER)
Row = tuple[object, ...]
Columns = dict[str, Any]


def drawn(engine: RuleEngine, rows: int, seed: int = 7) -> Columns:
    """Columns of the given facts. Facts that are declared side by side go together, four by four,
    in ``TOGETHER`` ways of which each has less weight than the one before; so some ways are seen
    all the time, and yet hardly a row is like another."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, TOGETHER + 1) ** 1.2
    made: Columns = {}
    for place, name in enumerate(engine.given):
        if place % 4 == 0:
            ways = rng.choice(TOGETHER, size=rows, p=weights / weights.sum())
        cells = engine.cells[name]
        values = [cells.example(code) for code in codes_in(cells.reachable & ~1)]
        codes = rng.integers(-1 if place % 3 == 0 else 0, len(values), size=TOGETHER)[ways]
        if engine.base.facts[name].type in NUMBERS:
            made[name] = np.array([*map(float, values), np.nan])[codes]  # type: ignore[arg-type]
        else:
            made[name] = Coded(codes.astype(np.int32), tuple(values))
    return made


def prepared(engine: RuleEngine, path: Path, rows: int, seed: int = 7) -> Columns:
    """Columns of a prepared file, its rows drawn as often as it takes; what only the model knows
    is drawn as well."""
    import pandas as pd

    frame, rng = pd.read_parquet(path), np.random.default_rng(seed)
    frame["open_hours"] = (frame["observe_time"] - frame["voice_time"]).dt.total_seconds() / 3600
    drawn_rows = rng.permutation(np.arange(rows) % len(frame))
    made: Columns = {}
    for name in engine.given:
        if name not in frame:
            continue
        if engine.base.facts[name].type in NUMBERS:
            made[name] = frame[name].to_numpy(np.float64, na_value=np.nan)[drawn_rows]
        else:
            codes, values = pd.factorize(frame[name].astype(object))
            plain = tuple([value if isinstance(value, str) else bool(value) for value in values])
            made[name] = Coded(codes.astype(np.int32)[drawn_rows], plain)
    return {**made, "association": rng.beta(2, 5, rows), "probability": rng.beta(1, 12, rows)}


def rows_of(engine: RuleEngine, columns: Columns, rows: int) -> list[Row]:
    """The first rows of columns, as requests bring them."""
    made: list[list[object]] = []
    for name in engine.given:
        column = columns.get(name)
        if isinstance(column, Coded):
            held = [*column.values, None]
            made.append([held[code] for code in column.codes[:rows].tolist()])
        elif column is None:
            made.append([None] * rows)
        else:
            plain = int if engine.base.facts[name].type is FactType.INTEGER else float
            values = column[:rows].tolist()
            made.append([None if value != value else plain(value) for value in values])
    return list(zip(*made, strict=True))


def best(work: Callable[[], object], runs: int) -> float:
    """Seconds of processor time of the best run."""
    least = math.inf
    for _ in range(runs):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return least


def per_row(
    asked: dict[Any, tuple[Callable[[Row], object], Sequence[Row]]], runs: int = 40
) -> dict[Any, float]:
    """Microseconds a row, of several deciders in turn, so that all meet the same disturbances.
    Each row is looked at first, as it has been where a request was just read, and the time that
    takes alone is taken off."""

    def look(rows: Sequence[Row]) -> None:
        for row in rows:
            list(map(type, row))

    def look_and_decide(decide: Callable[[Row], object], rows: Sequence[Row]) -> None:
        for row in rows:
            list(map(type, row))
            decide(row)

    least: dict[Any, tuple[float, float]] = dict.fromkeys(asked, (math.inf, math.inf))
    for _ in range(runs):
        for name, (decide, rows) in asked.items():
            both = best(lambda: look_and_decide(decide, rows), 1)  # noqa: B023
            alone = best(lambda: look(rows), 1)  # noqa: B023
            least[name] = min(least[name][0], both), min(least[name][1], alone)
    return {
        name: (both - alone) / len(asked[name][1]) * 1e6 for name, (both, alone) in least.items()
    }


def measure(
    base: RuleBase | None = None, rows: int = 1_000_000, facts: Path | None = None
) -> dict[str, Any]:
    """The figures of the module's heading. Without ``base`` the shipped one; ``facts`` is a
    prepared parquet file, without it facts are drawn."""
    base = base or load_rule_base(default_base_path())
    engine = RuleEngine(base)
    given, wanted = engine.given, [name for name in SCORE_READS if name in yielded(base)]
    columns = prepared(engine, facts, rows) if facts else drawn(engine, rows)
    sample = rows_of(engine, columns, SEEN + FRESH)
    seen, fresh, varied = sample[:-FRESH], sample[-FRESH:], sample[:VARIED]
    decide, decide_all = engine.decider(given, wanted), engine.decider(given)
    for row in seen:
        decide(row)
    misses = engine.stats().misses
    fresh_us = best(lambda: [decide(row) for row in fresh], 1) / len(fresh) * 1e6
    missed = engine.stats().misses - misses
    for row in varied:
        decide_all(row)
    figures: dict[str, Any] = {
        "decisions": len(base.decisions),
        "rules": sum(len(decision.rules) for decision in base.decisions),
        "groups": len(engine.chain(wanted).groups),
        "build_ms": best(lambda: RuleEngine(base).close(), 3) * 1e3,
        "decider_ms": best(lambda: RuleEngine(base).decider(given, wanted), 3) * 1e3,
        **per_row(
            {
                "hit_us": (decide, varied),
                "hit_all_us": (decide_all, varied),
                "repeat_us": (decide, varied[:1] * VARIED),
            }
        ),
        "fresh_us": fresh_us,
        "fresh_misses_per_row": missed / len(fresh),
        "miss_us": missed_row(engine, decide, varied[:300]),
    }
    figures |= measure_columns(base, columns, rows, wanted)
    return figures | measure_growth()


def missed_row(engine: RuleEngine, decide: Callable[[Row], object], rows: Sequence[Row]) -> float:
    """Microseconds for a row of which nothing is remembered; the median."""
    taken = []
    for row in rows:
        engine.forget()
        start = time.process_time()
        decide(row)
        taken.append(time.process_time() - start)
    return sorted(taken)[len(taken) // 2] * 1e6


def yielded(base: RuleBase) -> set[str]:
    """All results of a base."""
    return {name for decision in base.decisions for name in decision.results}


def measure_columns(
    base: RuleBase, columns: Columns, rows: int, wanted: Sequence[str]
) -> dict[str, Any]:
    """Columns, first by an engine that knows nothing."""
    engine = RuleEngine(base)

    def decide() -> None:
        verdicts = engine.decide_columns(columns, rows)
        for name in wanted:
            verdicts.coded(name)
        verdicts.reasons()

    return {
        "columns_rows": rows,
        "columns_first_us_per_row": best(decide, 1) / rows * 1e6,
        "columns_us_per_row": best(decide, 3) / rows * 1e6,
        "questions_to_durable_rules": engine.questions(),
    }


def measure_growth(sizes: Sequence[int] = (50, 500, 5_000)) -> dict[str, Any]:
    """Hits by number of rules."""
    asked = {}
    for size in sizes:
        engine = RuleEngine(generated_base(size))
        decide = engine.decider(engine.given)
        rows = rows_of(engine, drawn(engine, VARIED // 4), VARIED // 4)
        for row in rows:
            decide(row)
        asked[size, "varied"], asked[size, "repeat"] = (
            (decide, rows),
            (decide, rows[:1] * len(rows)),
        )
    figures = per_row(asked, runs=100)
    found: dict[str, Any] = {}
    for kind, prefix in (("varied", "growth"), ("repeat", "growth_repeat")):
        growth = [figures[size, kind] for size in sizes]
        found |= {
            prefix: dict(zip(map(str, sizes), growth, strict=True)),
            f"{prefix}_ratio": max(growth) / min(growth),
            f"{prefix}_exponent": math.log(growth[-1] / growth[0], sizes[-1] / sizes[0]),
        }
    return found


def generated_base(rules: int, seed: int = 5) -> RuleBase:
    """A base of ten decisions, in two rows of which the second reads the first, with as many
    ``rules`` in all. Authors write round numbers: days, hours, tens of yuan."""
    rng = random.Random(seed)
    codes = {f"code{place}": {} for place in range(12)}
    facts = {
        **{f"n{i}": Fact(f"n{i}", FactType.NUMBER, "request", {}, PLACE) for i in range(5)},
        **{f"i{i}": Fact(f"i{i}", FactType.INTEGER, "request", {}, PLACE) for i in range(5)},
        **{
            f"e{i}": Fact(f"e{i}", FactType.ENUM, "request", {}, PLACE, values=codes)
            for i in range(10)
        },
    }
    decisions = []
    for index in range(10):
        name, given = f"d{index}", [f"n{index % 5}", f"i{(index + index // 5) % 5}", f"e{index}"]
        read = given if index < 5 else [*given, f"d{index - 5}"]
        made = []
        for place in range(max(rules // 10, 1)):
            clauses = tuple([clause(rng, facts[fact]) for fact in read])
            then = {name: (rng.choice(list(codes)),)}
            made.append(Rule(f"r{place}", PLACE, (clauses,), then))
        facts[name] = Fact(name, FactType.ENUM, name, {}, PLACE, values=codes)
        decisions.append(Decision(name, {}, Hit.FIRST, (name,), tuple(made), tuple(read), PLACE))
    return RuleBase("generated", {}, ("en",), facts, tuple(decisions), {}, f"sha256:{rules}")


def clause(rng: random.Random, fact: Fact) -> Clause:
    """A condition on a fact: some of its values, or a range of numbers."""
    if fact.values is not None:
        return Clause(fact.name, OneOf(tuple(rng.sample(list(fact.values), 3))), PLACE)
    low = Decimal(rng.randint(0, 20) * 10)
    return Clause(fact.name, Within(Interval(low, low + rng.randint(1, 8) * 10)), PLACE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How fast the rule engine is.")
    parser.add_argument("path", nargs="?", default=default_base_path())
    parser.add_argument("--facts", type=Path, help="a file that `harken data prepare` made")
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    print(json.dumps(measure(load_rule_base(asked.path), asked.rows, asked.facts), indent=2))
