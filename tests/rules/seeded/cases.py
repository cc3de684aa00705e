"""Cases of a generated base, with what it decides by its own reckoning."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from harken_rules.language import Interval

from .base import Base
from .model import ANOTHER, Fact, Value
from .spelling import bounds
from .yaml_tree import Node, node_of


def add_cases(base: Base) -> None:
    """One or two files with two or three cases each."""
    rng = base.rng
    for number in range(rng.choice([1, 1, 2])):
        cases = [_case(base, f'case {number}.{k}: "late"') for k in range(rng.randint(2, 3))]
        if rng.random() < 0.5:
            cases.append(_table(base, f"table {number}"))
        file = f"cases/{rng.choice(['', 'more/'])}file_{number}.yaml"
        base.files[file] = node_of({"cases": cases})


def _case(base: Base, name: str) -> Node:
    given = _drawn(base, base.given())
    return node_of({"name": name, "given": given, "expect": _expect(base, given)})


def _table(base: Base, name: str) -> Node:
    """A case with rows: what they share, and for each what else is given and what is expected."""
    rng, facts = base.rng, base.given()
    rng.shuffle(facts)
    fact = next(one for one in facts if len(one.reach) > 2)
    shared = _drawn(base, [one for one in facts if one is not fact])
    rows = []
    for value in rng.sample([each for each in fact.reach if each is not None], 2):
        expect = _expect(base, {**shared, fact.name: value})
        named = {"name": f"{fact.name} is {value}"} if rng.random() < 0.5 else {}
        rows.append({**named, "given": {fact.name: value}, "expect": expect})
    return node_of({"name": name, "given": shared, "rows": rows})


def _drawn(base: Base, facts: Sequence[Fact]) -> dict[str, Value]:
    drawn = {one.name: base.rng.choice(one.reach) for one in facts if base.rng.random() < 0.8}
    return {name: value for name, value in drawn.items() if value is not None}


def _expect(base: Base, given: dict[str, Value]) -> dict[str, Node]:
    results = base.decide(given)
    chosen = base.rng.sample(sorted(results), base.rng.randint(1, 5))
    return {result: _expected(base, result, results[result]) for result in chosen}


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
        span = Interval(value, None) if rng.random() < 0.5 else Interval(None, value)
        return bounds(rng, span, fact)
    others: list[Value] = [each for each in fact.reach if each not in (value, None, ANOTHER)]
    if others and rng.random() < 0.3:
        other = rng.choice(others)
        return node_of(rng.choice([{"not": other}, [value, other]]))
    return node_of(value)
