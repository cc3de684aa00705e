"""Trying a rule base in a process of its own before anything serves from it.

The child loads and compiles the base and compares durable-rules with the boxes on every
signature of each decision, or on a sample where there are too many. If durable-rules hangs,
crashes or is wrong there, the parent hears of it and goes on.

    python -m harken_rules.probe DIR        exit 0 sound, 1 the engine is wrong, 2 unusable base
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harken_rules.boxes import Signature, codes_in
from harken_rules.durable_engine import BoxEvaluator
from harken_rules.engine import EngineError, RuleEngine
from harken_rules.language import RuleBase
from harken_rules.tables import Table

SAMPLE = 2_000
"""Signatures compared per decision, unless asked for more."""

TOTAL = 15_000
"""Signatures compared in all, unless asked for more: a few seconds' work."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A signature on which durable-rules and the boxes name different rules."""

    decision: str
    signature: Signature
    engine: tuple[str, ...]
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """How a rule base did; ``report`` says what was compared or what went wrong.

    ``loads`` is false where the loader already refuses it, so that the engine had no turn.
    """

    sound: bool
    report: str
    loads: bool = True


def probe_rule_base(path: str | Path, timeout: float = 60.0, sample: int | None = None) -> Probe:
    """Loads, compiles and checks the base in ``path`` in a child process.

    ``timeout`` is in seconds; for ``sample`` see ``compare``. Raises nothing for an unusable or a
    dangerous base.
    """
    command = [sys.executable, "-m", "harken_rules.probe", str(path)]
    command += [] if sample is None else ["--sample", str(sample)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, encoding="utf-8"
        )
    except subprocess.TimeoutExpired:
        return Probe(False, f"the rule engine did not finish within {timeout:g} seconds")
    if done.returncode < 0:
        return Probe(False, f"the rule engine crashed (signal {-done.returncode})")
    said = (done.stdout if done.returncode in (0, 1) else done.stderr).strip()
    said = said or f"the probe ended with {done.returncode}"
    return Probe(done.returncode == 0, said, loads=done.returncode != 2)


def compare(base: RuleBase, sample: int | None = None) -> tuple[int, list[Difference]]:
    """How many signatures were compared, and where the engine and the boxes differ.

    Of a decision all are compared, or ``sample`` of them; without ``sample`` at most ``SAMPLE``,
    and so many that there are no more than about ``TOTAL`` in the whole base.
    """
    engine, compared, differences = RuleEngine(base), 0, []
    if sample is None:
        sample = _fair_share([math.prod(table.sizes) for table in engine.tables])
    boxes = BoxEvaluator(engine.tables)
    try:
        for index, table in enumerate(engine.tables):
            names = [rule.id for rule in table.decision.rules]
            for signature in signatures(table, sample):
                compared += 1
                found = engine.matching(index, signature)
                wanted = boxes.matching(index, signature)
                if found != wanted:
                    differences.append(
                        Difference(
                            table.decision.name,
                            signature,
                            tuple(names[rule] for rule in found),
                            tuple(names[rule] for rule in wanted),
                        )
                    )
    finally:
        engine.close()
    return compared, differences


def _fair_share(sizes: list[int]) -> int:
    """The greatest sample with which decisions of these many signatures come to ``TOTAL``."""
    left = TOTAL
    for place, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - place)
        if size > share:
            return min(SAMPLE, max(share, 1))
        left -= size
    return SAMPLE


def signatures(table: Table, sample: int) -> Iterator[Signature]:
    """All signatures of a decision, or ``sample`` of them, the same in every process.

    A sample begins with one signature out of each box, so that every rule has its turn; the
    rest are drawn evenly.
    """
    if math.prod(table.sizes) <= sample:
        yield from itertools.product(*map(range, table.sizes))
        return
    rng = random.Random(table.decision.name)
    boxes = [box for rule in table.rules for box in rule]
    chosen = boxes if len(boxes) <= sample // 2 else rng.sample(boxes, sample // 2)
    for box in chosen:
        yield tuple(rng.choice(list(codes_in(mask))) for mask in box)
    for _ in range(sample - len(chosen)):
        yield tuple(rng.randrange(size) for size in table.sizes)


def main(arguments: list[str] | None = None) -> int:
    """The child's side; see the module."""
    from harken_rules.loader import RuleBaseError, load_rule_base

    parser = argparse.ArgumentParser(prog="python -m harken_rules.probe", description=__doc__)
    parser.add_argument("path", help="folder of the rule base")
    parser.add_argument("--sample", type=int, default=None, help="signatures per decision")
    given = parser.parse_args(arguments)
    try:
        base = load_rule_base(given.path)
        compared, differences = compare(base, given.sample)
    except RuleBaseError as error:
        print(error, file=sys.stderr)
        return 2
    except EngineError as error:
        print(error)
        return 1
    for each in differences[:10]:
        print(f"{each.decision} {each.signature}: engine {each.engine}, boxes {each.boxes}")
    print(
        f"{compared} signatures of {len(base.decisions)} decisions compared, "
        f"{len(differences)} differences"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
