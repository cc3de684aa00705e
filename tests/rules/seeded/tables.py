"""Decisions drawn under each hit policy such that every rule has its own effect."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
from harken_rules.language import Condition, FactType, Hit, Interval, Missing, OneOf, Within

from .conditions import drawn, parts_of
from .model import (
    Characteristic,
    Decision,
    Fact,
    Rule,
    Value,
    every_rule_counts,
    mask_of_rule,
)

Yields = Callable[[str, str, int], tuple[Fact, tuple[Value, ...]]]
"""Result name, decision and number of rules to the result's fact and the values it may take."""

Drawn = tuple[list[Rule], bool]
"""Rules, and whether the decision says ``otherwise: missing``."""


def table(
    rng: random.Random,
    name: str,
    hit: Hit,
    primary: Fact,
    extras: Sequence[Fact],
    results: dict[str, Yields],
    *,
    all_named: bool = False,
) -> tuple[Decision, list[Fact]]:
    """A ``first`` or ``unique`` decision mainly on ``primary``; ``all_named``: on every value."""
    draw = _first if hit is Hit.FIRST else _unique
    while True:
        rules, otherwise = draw(rng, primary, extras, all_named)
        inputs = asked(rules, [primary, *extras])
        if len(rules) < 2 or not _ends_well(rules, inputs, otherwise):
            continue
        yielded = [make(result, name, len(rules)) for result, make in results.items()]
        for _ in range(5):
            for fact, values in yielded:
                _assign(rng, rules, fact.name, values)
            if every_rule_counts(hit, rules, inputs):
                facts = [fact for fact, _ in yielded]
                _settle(rules, inputs, facts, otherwise)
                return Decision(name, hit, tuple(results), rules, otherwise), facts


def asked(rules: Sequence[Rule], inputs: Sequence[Fact]) -> list[Fact]:
    """Those of ``inputs`` that some rule asks about."""
    names = {name for rule in rules for when in rule.alternatives for name in when}
    return [fact for fact in inputs if fact.name in names]


def _ends_well(rules: list[Rule], inputs: list[Fact], otherwise: bool) -> bool:
    """Whether inputs are left over where, and only where, the decision says so."""
    left = [_uncovered(rules, inputs, domain=domain) for domain in (False, True)]
    return left == [otherwise, otherwise]


def _uncovered(rules: list[Rule], inputs: list[Fact], *, domain: bool) -> bool:
    masks = [mask_of_rule(rule, inputs, domain=domain) for rule in rules]
    return not np.logical_or.reduce(masks).all()


def _main_parts(rng: random.Random, primary: Fact, all_named: bool) -> list[Condition]:
    """Parts of ``primary`` that leave something over, if only that it may be missing."""
    parts = parts_of(rng, primary)
    if None not in primary.reach or (not all_named and len(parts) > 2 and rng.random() < 0.3):
        parts.pop()
    return parts


def _first(rng: random.Random, primary: Fact, extras: Sequence[Fact], all_named: bool) -> Drawn:
    parts = _main_parts(rng, primary, all_named)
    rules = []
    for part in parts:
        if extras and rng.random() < 0.5:
            rules.append(_narrow(rng, {primary.name: part}, extras))
        rules.append(Rule({primary.name: part}))
    if extras and rng.random() < 0.2:
        rules.insert(0, _narrow(rng, {}, extras))
    if rng.random() < 0.5:
        return rules, True
    return [*rules, Rule({})], False


def _narrow(rng: random.Random, when: dict[str, Condition], extras: Sequence[Fact]) -> Rule:
    if len(extras) > 1 and rng.random() < 0.5:
        return Rule(when, [{fact.name: drawn(rng, fact)} for fact in rng.sample(extras, 2)])
    extra = rng.choice(extras)
    return Rule({**when, extra.name: drawn(rng, extra)})


def _unique(rng: random.Random, primary: Fact, extras: Sequence[Fact], all_named: bool) -> Drawn:
    parts = _main_parts(rng, primary, all_named)
    rules = []
    for part in parts:
        if not extras or rng.random() < 0.6:
            rules.append(Rule({primary.name: part}))
            continue
        extra = rng.choice(extras)
        condition = drawn(rng, extra)
        rules.append(Rule({primary.name: part, extra.name: condition}))
        if rng.random() < 0.7:
            rules.append(Rule({primary.name: part, extra.name: opposite(condition)}))
    if None in primary.reach and rng.random() < 0.4:
        rules.append(Rule({primary.name: Missing(True)}))
    rng.shuffle(rules)
    return rules, _uncovered(rules, asked(rules, [primary, *extras]), domain=True)


def opposite(condition: Condition) -> Condition:
    """A condition that never holds together with ``condition``."""
    if isinstance(condition, Missing):
        return Missing(not condition.wanted)
    if isinstance(condition, OneOf):
        return OneOf(condition.values, not condition.negated)
    span = condition.interval
    if span.low is not None:
        return Within(Interval(None, span.low, False, not span.low_open))
    return Within(Interval(span.high, None, not span.high_open, False))


def _assign(rng: random.Random, rules: list[Rule], name: str, values: tuple[Value, ...]) -> None:
    """Give each rule a value, such that every value is given by some rule."""
    chosen = [values[index % len(values)] for index in range(len(rules))]
    rng.shuffle(chosen)
    for rule, value in zip(rules, chosen, strict=True):
        rule.then[name] = (value,)


def _settle(rules: list[Rule], inputs: list[Fact], facts: list[Fact], otherwise: bool) -> None:
    """Say of the results what they can be and which given facts they come from."""
    for fact in facts:
        values = dict.fromkeys(rule.then[fact.name][0] for rule in rules)
        known = [value for value in values if value is not None]
        fact.reach = (*known, *((None,) if otherwise else ()))
        fact.domain = (*dict.fromkeys((*known, *fact.values)), None)
        fact.cone = frozenset().union(*(each.cone for each in inputs))
        if fact.numeric:
            fact.cuts = tuple(sorted(value for value in known if isinstance(value, Decimal)))[1:]


def listing(
    rng: random.Random, name: str, inputs: Sequence[Fact], codes: Sequence[str], result: Fact
) -> Decision:
    """An ``all`` decision whose rules name each of ``codes``."""
    while True:
        rules = [Rule({fact.name: part}) for fact in inputs for part in parts_of(rng, fact)]
        rng.shuffle(rules)
        rules = rules[: len(codes)]
        if len(inputs) > 1 and rng.random() < 0.5:
            rules[0] = Rule({}, [{fact.name: drawn(rng, fact)} for fact in inputs])
        dealt = [list(codes[index :: len(rules)]) for index in range(len(rules))]
        if rng.random() < 0.4 and len(rules) > 1:
            dealt[0].append(dealt[1][0])
        for rule, values in zip(rules, dealt, strict=True):
            rule.then = {result.name: tuple(values)}
        if every_rule_counts(Hit.ALL, rules, asked(rules, inputs)):
            return Decision(name, Hit.ALL, (result.name,), rules)


def scorecard(
    rng: random.Random, name: str, inputs: Sequence[Fact], alone: Fact | None, result: Fact
) -> Decision:
    """A ``sum`` decision: a characteristic each of ``inputs``, and a rule ``alone`` without one."""
    whole = result.type is FactType.INTEGER
    decision = Decision(name, Hit.SUM, (result.name,), [], reasons=rng.choice([0, 2, 3]))
    scores = ["1", "2", "3", "4", "5"] if whole else ["0.5", "1", "2.25", "3", "4.5", "-1"]
    for fact in inputs:
        weight = rng.choice(["1", "2"] if whole else ["0.25", "0.4", "1"])
        part = Characteristic(Decimal(weight), Decimal(rng.choice(["0", "1"])))
        decision.characteristics[f"by_{fact.name}"] = part
        conditions = parts_of(rng, fact, rng.randint(2, 3))
        for condition, score in zip(conditions, rng.sample(scores, len(conditions)), strict=True):
            then = {result.name: (Decimal(score),)}
            when = {fact.name: condition}
            decision.rules.append(Rule(when, then=then, characteristic=f"by_{fact.name}"))
    if alone is not None:
        then = {result.name: (Decimal(rng.choice(scores)),)}
        decision.rules.append(Rule({alone.name: drawn(rng, alone)}, then=then))
    facts = [*inputs, *([alone] if alone else [])]
    choices = [{_added(decision, fact.name, value) for value in fact.reach} for fact in facts]
    sums = sorted({sum(each, Decimal(0)) for each in itertools.product(*choices)})
    result.reach = tuple(sums)
    result.domain = (sums[0] - 1, *sums, sums[-1] + 1, None)
    result.cuts = tuple(sorted(rng.sample(sums[1:], min(len(sums) - 1, rng.randint(2, 4)))))
    result.cone = frozenset().union(*(each.cone for each in facts))
    return decision


def _added(decision: Decision, name: str, value: Value) -> Decimal:
    """What the rules on one fact add for one value of it."""
    rules = [rule for rule in decision.rules if name in rule.when]
    part = Decision("", Hit.SUM, decision.results, rules, characteristics=decision.characteristics)
    total = part.decide({name: value})[decision.results[0]]
    assert isinstance(total, Decimal)
    return total
