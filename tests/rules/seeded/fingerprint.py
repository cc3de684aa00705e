"""What a rule base says: its digest, and its verdicts on given facts, without files and lines.

python fingerprint.py FACTS.json DIR...     one line of JSON for each folder

``FACTS.json`` holds a list of sets of facts for each folder.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from harken_rules import Fired, RuleBase, RuleEngine, load_rule_base
from harken_rules.boxes import codes_in
from harken_rules.language import FactType

Facts = Mapping[str, object]


def random_rows(base: RuleBase, rows: int) -> list[dict[str, object]]:
    """Facts drawn evenly from the cells that the base's constants cut; JSON can hold them."""
    rng, engine = random.Random(base.digest), RuleEngine(base, evaluator="boxes")
    choices = {}
    for name in sorted(engine.given):
        cells, whole = engine.cells[name], base.facts[name].type is FactType.INTEGER
        values = [cells.example(code) for code in codes_in(cells.reachable)]
        choices[name] = [_plain(value, whole) for value in values]
    return [{name: rng.choice(values) for name, values in choices.items()} for _ in range(rows)]


def _plain(value: object, whole: bool) -> object:
    if isinstance(value, Decimal):
        return int(value) if whole else float(value)
    return value


def fingerprint(folder: Path, facts: Iterable[Facts]) -> list[object]:
    """Digest and verdicts, as JSON has them."""
    base = load_rule_base(folder)
    engine = RuleEngine(base)
    said: list[object] = [base.digest]
    for row in facts:
        verdict = engine.decide(row)
        results = {name: str(value) for name, value in verdict.results.items()}
        said.append([results, _rules(verdict.fired), _rules(verdict.reasons)])
    engine.close()
    return said


def _rules(rules: Iterable[Fired]) -> list[list[object]]:
    return [
        [one.decision, one.rule_id, str(one.partial), one.characteristic, dict(one.because)]
        for one in rules
    ]


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for place, rows in zip(sys.argv[2:], given, strict=True):
        print(json.dumps(fingerprint(Path(place), rows), ensure_ascii=True))
