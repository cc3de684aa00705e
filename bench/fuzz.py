"""durable-rules against the boxes: random facts on random rule bases, until enough are compared.

python bench/fuzz.py [--evaluations N] [--seed N]

Every rule base of ``tests/rules/random_bases.py`` has a seed of its own, from ``--seed`` upwards,
and is asked with a memo of one answer, so that durable-rules itself answers nearly every time. An
evaluation is one decision on one set of facts. Any difference ends the run with exit code 1, and
with what reproduces it: the seed of the rule base and the facts. Writes ``build/fuzz.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harken_rules import EngineError, RuleBase, RuleEngine
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "rules"))

from random_bases import random_base, random_facts  # noqa: E402 - found by the line above

EVALUATIONS = 1_000_000
ROWS = 250
"""Sets of facts for each rule base."""

SIZES = (4, 12, 30, 90, 300)
"""At most so many rules a decision, in turn."""


@dataclass(frozen=True)
class Difference:
    """Facts on which the two do not say the same, or on which the engine fails."""

    seed: int
    rules: int
    facts: Mapping[str, object]
    durable: str
    boxes: str

    def text(self) -> str:
        """What was said, and how to see it again."""
        return (
            f"random_base({self.seed}, rules={self.rules})\n"
            f"facts = {dict(self.facts)!r}\n"
            f"durable-rules: {self.durable}\nboxes:         {self.boxes}\n"
        )


@dataclass
class Tally:
    """What has been compared so far."""

    bases: int = 0
    evaluations: int = 0
    questions: int = 0


def fuzz(seed: int, evaluations: int) -> Iterator[tuple[Tally, Difference | None]]:
    """Compare rule base after rule base; what was compared so far, and a difference if any."""
    tally = Tally()
    while tally.evaluations < evaluations:
        rules = SIZES[tally.bases % len(SIZES)]
        base = random_base(seed + tally.bases, rules=rules)
        asked, difference = _compare(base, seed + tally.bases, rules)
        tally.bases += 1
        tally.questions += asked
        tally.evaluations += ROWS * len(base.decisions)
        yield tally, difference
        if difference:
            return


def _compare(base: RuleBase, seed: int, rules: int) -> tuple[int, Difference | None]:
    """How many questions durable-rules was asked, and the first difference."""
    rng = random.Random(seed)
    engine, boxes = RuleEngine(base, memo_size=1), RuleEngine(base, evaluator="boxes")
    try:
        for _ in range(ROWS):
            facts = random_facts(rng, base)
            said, wanted = _said(engine, facts), _said(boxes, facts)
            if said != wanted:
                return engine.questions(), Difference(seed, rules, facts, str(said), str(wanted))
        return engine.questions(), None
    finally:
        engine.close()


def _said(engine: RuleEngine, facts: Mapping[str, object]) -> object:
    try:
        return engine.decide(facts)
    except EngineError as error:
        return error


def summary(
    seed: int, tally: Tally, seconds: float, difference: Difference | None
) -> dict[str, object]:
    """The run for machines."""
    return {
        "seed": seed,
        "rule_bases": tally.bases,
        "evaluations": tally.evaluations,
        "durable_rules_questions": tally.questions,
        "seconds": round(seconds, 1),
        "difference": difference and difference.text(),
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; exit code 0 if no difference was found, 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, metavar="N")
    parser.add_argument("--seed", type=int, default=1, help="of the first rule base", metavar="N")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz.json")
    given = parser.parse_args(arguments)
    console, start = Console(), time.perf_counter()
    console.print(f"seeds from {given.seed:,}, {given.evaluations:,} evaluations")
    tally, difference = Tally(), None
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("evaluations", total=given.evaluations)
        for tally, difference in fuzz(given.seed, given.evaluations):  # noqa: B007 - the last counts
            done = min(tally.evaluations, given.evaluations)
            bar.update(task, completed=done, description=f"seed {given.seed + tally.bases - 1}")
    seconds = time.perf_counter() - start
    given.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary(given.seed, tally, seconds, difference), indent=2)
    given.out.write_text(text + "\n", encoding="utf-8")
    console.print(
        f"{tally.evaluations:,} evaluations on {tally.bases:,} rule bases in {seconds:,.0f} s; "
        f"durable-rules was asked {tally.questions:,} questions"
    )
    if difference:
        console.print(f"a difference:\n{difference.text()}", style="bold red", markup=False)
        return 1
    console.print("no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
