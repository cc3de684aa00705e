"""Random rule bases and random facts for them, the same for the same seed.

Numbers are drawn from around the constants that a base compares them with: on a cut, the
nearest float and a hair's breadth on either side of it, far away, and missing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal

from harken_rules.language import (
    Characteristic,
    Clause,
    Condition,
    Constant,
    Decision,
    Fact,
    FactType,
    Hit,
    Interval,
    Missing,
    OneOf,
    Place,
    Rule,
    RuleBase,
    Within,
)

CODES = ("red", "green", "blue", "white", "black", "grey", "brown", "pink")
CUTS = [Decimal(-(10**15)), Decimal("-2.5"), Decimal("-0.1"), Decimal(0), Decimal("1e-300")]
CUTS += [Decimal(1).scaleb(-6), Decimal("0.1"), Decimal("0.3"), Decimal("0.7"), Decimal(1)]
CUTS += [Decimal("1.5"), Decimal(2), Decimal(3), Decimal("3.9"), Decimal(4), Decimal("4.35")]
CUTS += [Decimal(5), Decimal(7), Decimal(10), Decimal(48), Decimal("99.99"), Decimal("1234.56789")]
CUTS += [Decimal(2**53 + 1), Decimal("123456789.012345"), Decimal("1e15"), Decimal("1e300")]
PLACE = Place("decisions/any.yaml", 1, 1)


def random_base(
    seed: int, rules: int = 12, decisions: int = 5, least: int = 0, hit: Hit | None = None
) -> RuleBase:
    """A base of up to ``decisions`` chained decisions with ``least`` to ``rules`` rules each.

    With ``hit`` all decisions have that hit policy.
    """
    rng = random.Random(seed)
    facts = {fact.name: fact for fact in _request_facts(rng)}
    readable = list(facts)
    made = []
    for index in range(rng.randint(1, decisions)):
        policy = hit or rng.choice(list(Hit))
        count = rng.randint(least, rules)
        decision, results = _decision(rng, f"d{index}", policy, facts, readable, count)
        facts |= {fact.name: fact for fact in results}
        if decision.hit is not Hit.ALL:
            readable += [fact.name for fact in results]
        made.append(decision)
    return RuleBase(f"base {seed}", {}, ("en",), facts, tuple(made), {}, f"sha256:{seed}")


def random_facts(rng: random.Random, base: RuleBase) -> dict[str, object]:
    """Acceptable values for the request facts of ``base``; some are left out, some ``None``."""
    given: dict[str, object] = {}
    for fact in base.facts.values():
        if fact.source != "request" or rng.random() < 0.1:
            continue
        given[fact.name] = None if rng.random() < 0.05 else _value(rng, fact)
    return given


def _request_facts(rng: random.Random) -> list[Fact]:
    made = []
    for index in range(rng.randint(1, 3)):
        wide = rng.random() < 0.7
        limits = Interval() if wide else Interval(Decimal(0), Decimal(50), rng.random() < 0.5)
        made.append(Fact(f"n{index}", FactType.NUMBER, "request", {}, PLACE, range=limits))
    for index in range(rng.randint(1, 2)):
        limits = Interval() if rng.random() < 0.5 else Interval(Decimal(1), Decimal(5))
        made.append(Fact(f"i{index}", FactType.INTEGER, "request", {}, PLACE, range=limits))
    for index in range(rng.randint(1, 3)):
        values = {code: {} for code in CODES[: rng.randint(1, len(CODES))]}
        is_open = rng.random() < 0.4
        made.append(
            Fact(f"e{index}", FactType.ENUM, "request", {}, PLACE, values=values, open=is_open)
        )
    made.append(Fact("b0", FactType.BOOLEAN, "request", {}, PLACE))
    return made


def _decision(
    rng: random.Random,
    name: str,
    hit: Hit,
    facts: dict[str, Fact],
    readable: Sequence[str],
    rules: int,
) -> tuple[Decision, list[Fact]]:
    several = hit in (Hit.FIRST, Hit.UNIQUE) and rng.random() < 0.3
    results = [_result(rng, name, f"{name}_{k}", hit) for k in range(2 if several else 1)]
    characteristics = {}
    if hit is Hit.SUM:
        for k in range(rng.randint(0, 3)):
            weight, baseline = rng.choice(CUTS[8:14]), rng.choice(CUTS[1:12])
            characteristics[f"c{k}"] = Characteristic(f"c{k}", {}, weight, baseline, PLACE)
    made = []
    for k in range(rules):
        alternatives = tuple(
            _clauses(rng, facts, readable) for _ in range(rng.choice([1, 1, 1, 2, 3]))
        )
        made.append(
            Rule(
                f"r{k}",
                Place(f"decisions/{name}.yaml", k + 1, 1),
                alternatives,
                {fact.name: _then(rng, fact, hit) for fact in results},
                characteristic=rng.choice([None, *characteristics]),
            )
        )
    read = {clause.fact for rule in made for a in rule.alternatives for clause in a}
    return (
        Decision(
            name,
            {},
            hit,
            tuple(fact.name for fact in results),
            tuple(made),
            tuple(fact for fact in facts if fact in read),
            PLACE,
            characteristics,
            rng.choice([0, 2, 5]) if hit is Hit.SUM else 0,
        ),
        results,
    )


def _result(rng: random.Random, decision: str, name: str, hit: Hit) -> Fact:
    kind = FactType.NUMBER if hit is Hit.SUM else rng.choice(list(FactType))
    values = {code: {} for code in CODES[:4]} if kind is FactType.ENUM else None
    return Fact(name, kind, decision, {}, PLACE, values=values)


def _then(rng: random.Random, fact: Fact, hit: Hit) -> tuple[Constant, ...]:
    if hit is Hit.SUM:
        return (rng.choice([Decimal(0), *CUTS[1:3], *CUTS[6:20]]),)
    count = rng.randint(1, 3) if hit is Hit.ALL else 1
    return tuple(_constant(rng, fact) for _ in range(count))


def _constant(rng: random.Random, fact: Fact) -> Constant:
    match fact.type:
        case FactType.ENUM:
            return rng.choice(list(fact.values or {}))
        case FactType.BOOLEAN:
            return rng.random() < 0.5
        case FactType.INTEGER:
            return Decimal(rng.randint(0, 7))
        case FactType.NUMBER:
            return rng.choice(CUTS)


def _clauses(
    rng: random.Random, facts: dict[str, Fact], readable: Sequence[str]
) -> tuple[Clause, ...]:
    count = rng.choice([0, 1, 1, 1, 2, 2, 3, 4]) if rng.random() < 0.3 else rng.randint(1, 3)
    # The same fact may be named twice, and latest results are read as often as all the rest.
    names = [rng.choice(rng.choice([readable, readable[-3:]])) for _ in range(count)]
    return tuple(Clause(name, _condition(rng, facts[name]), PLACE) for name in names)


def _condition(rng: random.Random, fact: Fact) -> Condition:
    if rng.random() < 0.12:
        return Missing(rng.random() < 0.5)
    numeric = fact.type in (FactType.NUMBER, FactType.INTEGER)
    if numeric and rng.random() < 0.7:
        low = None if rng.random() < 0.3 else rng.choice(CUTS[1:22])
        high = None if rng.random() < 0.3 else rng.choice(CUTS[1:22])
        return Within(Interval(low, high, rng.random() < 0.5, rng.random() < 0.5))
    values = {_constant(rng, fact): None for _ in range(rng.choice([1, 1, 2, 3]))}
    return OneOf(tuple(values), rng.random() < 0.3)


def _value(rng: random.Random, fact: Fact) -> object:
    if fact.type is FactType.BOOLEAN:
        return rng.random() < 0.5
    if fact.type is FactType.ENUM:
        if fact.open and rng.random() < 0.2:
            return rng.choice(["", "Red", "violet", "红"])
        return rng.choice(list(fact.values or {}))
    if fact.type is FactType.INTEGER:
        if fact.range.low is not None:
            return rng.randint(1, 5)
        return rng.choice([rng.randint(-3, 8), 48, float(rng.randint(0, 6)), Decimal(3), 10**30])
    value = around(rng, rng.choice(CUTS))
    if fact.range.low is None:
        return value
    inside = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return value if 0 < inside <= 50 else rng.choice([0.1, 50, 50.0, Decimal("49.99"), 7])


def around(rng: random.Random, cut: Decimal) -> object:
    """A number on the cut, just beside it, or well away."""
    nearest = float(cut)
    hair = Decimal((0, (1,), cut.adjusted() - 25))
    return rng.choice(
        [
            nearest,
            math.nextafter(nearest, math.inf),
            math.nextafter(nearest, -math.inf),
            cut,
            cut.next_plus() if cut else hair,
            cut.next_minus() if cut else -hair,
            int(cut) if abs(cut) < 10**20 else 10**30,
            nearest + rng.choice([-1.0, 1.0, 0.05]),
        ]
    )
