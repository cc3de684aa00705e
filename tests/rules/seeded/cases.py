"""Cases of a generated base, with what it decides by its own reckoning."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.language import Interval

from .base import Base
from .model import ANOTHER, Value
from .spelling import bounds
from .yaml_tree import Node, node_of


def add_cases(base: Base) -> None:
    """One or two files with two or three cases each."""
    rng = base.rng
    for number in range(rng.randint(1, 2)):
        cases = [_case(base, f'case {number}.{k}: "late"') for k in range(rng.randint(2, 3))]
        base.files[f"cases/{rng.choice(['', 'more/'])}file_{number}.yaml"] = node_of(
            {"cases": cases}
        )


def _case(base: Base, name: str) -> Node:
    rng = base.rng
    drawn = {fact.name: rng.choice(fact.reach) for fact in base.given() if rng.random() < 0.8}
    given = {name: value for name, value in drawn.items() if value is not None}
    results = base.decide(given)
    chosen = rng.sample(sorted(results), rng.randint(1, 5))
    expect = {result: _expected(base, result, results[result]) for result in chosen}
    return node_of({"name": name, "given": given, "expect": expect})


def _expected(base: Base, result: str, value: object) -> Node:
    """A condition that holds for ``value``, exact or wide."""
    rng, fact = base.rng, base.facts[result]
    if value is None:
        return node_of({"missing": True})
    if rng.random() < 0.1 and not isinstance(value, tuple):
        return node_of({"missing": False})
    if isinstance(value, tuple):
        absent = [code for code in fact.values if code not in value]
        partial = {"contains": list(value), "absent": absent}
        kept = {key: codes for key, codes in partial.items() if codes}
        return node_of(kept if kept and rng.random() < 0.4 else list(value))
    if isinstance(value, Decimal) and rng.random() < 0.3:
        return bounds(
            rng, Interval(value, None) if rng.random() < 0.5 else Interval(None, value), fact
        )
    others: list[Value] = [each for each in fact.reach if each not in (value, None, ANOTHER)]
    if others and rng.random() < 0.3:
        other = rng.choice(others)
        return node_of(rng.choice([{"not": other}, [value, other]]))
    return node_of(value)
