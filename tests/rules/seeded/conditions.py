"""Facts that are given, and conditions drawn on any fact."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from harken_rules.language import Condition, FactType, Interval, Missing, OneOf, Within
from harken_rules.reading.facts import GIVEN_SOURCES

from .. import oracle
from .model import ANOTHER, Fact, Value

C = TypeVar("C", str, Decimal)


def given_enum(
    name: str,
    source: str,
    values: Sequence[str],
    *,
    catalogue: str | None = None,
    is_open: bool = False,
) -> Fact:
    """An enum that comes from outside."""
    reach = (*values, *((ANOTHER,) if is_open else ()), None)
    fact = Fact(name, FactType.ENUM, source, reach, reach, frozenset([name]), tuple(values))
    fact.values_from, fact.open = catalogue, is_open
    return fact


def given_flag(name: str, source: str) -> Fact:
    """A boolean that comes from outside."""
    reach = (True, False, None)
    return Fact(name, FactType.BOOLEAN, source, reach, reach, frozenset([name]))


def given_number(rng: random.Random, name: str, source: str, unit: str | None) -> Fact:
    """A number with a range (mostly) that comes from outside, and the cuts rules may make."""
    if source == "model":
        low, high, cuts = Decimal(0), Decimal(1), ["0.05", "0.15", "0.3", "0.55", "0.8"]
    else:
        low, high = Decimal(0), Decimal(1000) if rng.random() < 0.5 else None
        cuts = ["0.5", "4", "12.25", "24", "48", "99.9", "240"]
    chosen = sorted(Decimal(cut) for cut in rng.sample(cuts, rng.randint(2, 3)))
    return _number(name, FactType.NUMBER, source, unit, Interval(low, high), chosen)


def given_integer(rng: random.Random, name: str, source: str, unit: str | None) -> Fact:
    """A whole number with a range that comes from outside."""
    low, high = Decimal(rng.choice([0, 1])), Decimal(rng.choice([50, 200]))
    chosen = sorted(Decimal(cut) for cut in rng.sample([4, 8, 12, 20, 30], rng.randint(2, 3)))
    return _number(name, FactType.INTEGER, source, unit, Interval(low, high), chosen)


def _number(
    name: str,
    kind: FactType,
    source: str,
    unit: str | None,
    limits: Interval,
    cuts: list[Decimal],
) -> Fact:
    assert limits.low is not None
    top = limits.high if limits.high is not None else cuts[-1] + 7
    edges = [limits.low, *cuts, top]
    reach: list[Value] = [limits.low]
    for below, cut in itertools.pairwise(edges):
        middle = (below + cut) / 2
        whole = middle.to_integral_value() if kind is FactType.INTEGER else middle
        reach += [whole, cut]
    return Fact(
        name,
        kind,
        source,
        (*reach, None),
        (*reach, None),
        frozenset([name]),
        unit=unit,
        range=limits,
        cuts=tuple(cuts),
    )


def parts_of(rng: random.Random, fact: Fact, most: int = 3) -> list[Condition]:
    """Conditions that exclude each other and name every listed value, cut or flag."""
    if fact.type is FactType.BOOLEAN:
        flags: list[Condition] = [OneOf((True,)), OneOf((False,))]
        return flags if rng.random() < 0.5 else flags[::-1]
    if fact.type is FactType.ENUM:
        codes = [value for value in fact.values if value in fact.reach]
        return [OneOf(tuple(group)) for group in _groups(rng, codes, most)]
    if fact.type is FactType.INTEGER and fact.source not in GIVEN_SOURCES:
        levels = [value for value in fact.reach if isinstance(value, Decimal)]
        return [OneOf(tuple(group)) for group in _groups(rng, levels, most)]
    spans: list[Condition] = []
    low, low_open = None, False
    for cut in fact.cuts[: most - 1]:
        mine = rng.random() < 0.3  # the cut belongs to what lies below it
        spans.append(Within(Interval(low, cut, low_open, not mine)))
        low, low_open = cut, mine
    spans.append(Within(Interval(low, None, low_open)))
    return spans if rng.random() < 0.5 else spans[::-1]


def _groups(rng: random.Random, codes: list[C], most: int) -> list[list[C]]:
    rng.shuffle(codes)
    count = min(len(codes), rng.randint(2, most))
    groups = [[code] for code in codes[:count]]
    for code in codes[count:]:
        rng.choice(groups).append(code)
    return groups


def drawn(rng: random.Random, fact: Fact) -> Condition:
    """A condition that holds for some of what ``fact`` can be, and not for all."""
    while True:
        condition = _any_condition(rng, fact)
        holds = [oracle.holds(condition, value) for value in fact.reach]
        if any(holds) and not all(holds):
            return condition


def _any_condition(rng: random.Random, fact: Fact) -> Condition:
    if None in fact.reach and rng.random() < 0.15:
        return Missing(rng.random() < 0.6)
    if fact.type is FactType.BOOLEAN:
        return OneOf((rng.random() < 0.5,))
    if fact.type is FactType.ENUM:
        codes = [value for value in fact.values if value in fact.reach]
        count = rng.randint(1, max(1, len(codes) - 1))
        return OneOf(tuple(rng.sample(codes, count)), rng.random() < 0.3)
    if rng.random() < 0.15:
        known = [value for value in fact.reach if isinstance(value, Decimal)]
        return OneOf((rng.choice(known),), rng.random() < 0.2)
    one, other = sorted(rng.choices(fact.cuts, k=2))
    beside = fact.type is FactType.NUMBER and rng.random() < 0.3  # `above`, `at_most`
    if one == other:
        bounds = (one, None) if rng.random() < 0.5 else (None, one)
        return Within(Interval(*bounds, beside, not beside))
    return Within(Interval(one, other, beside, not beside))
