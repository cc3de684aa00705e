"""What a rule base says, straight from its text: no cells, no boxes, no engine, no memo."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal

from harken_rules.language import Condition, Decision, FactType, Hit, Missing, OneOf, Rule, RuleBase

Answer = tuple[dict[str, object], list[tuple[str, str]], list[tuple[str, str]]]
"""Results; (decision, rule) of those that fired; (decision, rule) of the reasons."""

WIDE = Context(prec=400)
"""Sums and products of the constants in use are exact in so many digits."""


def decide(base: RuleBase, facts: Mapping[str, object]) -> Answer:
    """The verdict on ``facts``, all of them acceptable."""
    known = {name: exact(value) for name, value in facts.items() if value is not None}
    results: dict[str, object] = {}
    fired, reasons = [], []
    for decision in base.decisions:
        matched = [rule for rule in decision.rules if matches(rule, known)]
        if decision.hit in (Hit.FIRST, Hit.UNIQUE):
            matched = matched[:1]
        fired += [(decision.name, rule.id) for rule in matched]
        reasons += ranked(decision, matched)
        for name in decision.results:
            value = result(decision, name, matched)
            integer = base.facts[name].type is FactType.INTEGER
            if isinstance(value, tuple):
                results[name] = tuple(int(v) for v in value) if integer else value
                continue
            results[name] = int(value) if integer and isinstance(value, Decimal) else value
            if value is not None:
                known[name] = value
    reasons.sort(key=lambda each: each[0], reverse=True)
    return results, fired, [name for _, name in reasons]


def exact(value: object) -> object:
    """A float is its shortest decimal; other numbers are themselves."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) > 10**400:
        value = 10**400 if value > 0 else -(10**400)  # beyond every constant, quicker to convert
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)  # type: ignore[arg-type]


def matches(rule: Rule, known: Mapping[str, object]) -> bool:
    """Whether all clauses of any alternative hold."""
    for alternative in rule.alternatives:
        for clause in alternative:
            if not holds(clause.condition, known.get(clause.fact)):
                break
        else:
            return True
    return False


def holds(condition: Condition, value: object) -> bool:
    """Whether a condition holds for a value, ``None`` being missing."""
    if isinstance(condition, Missing):
        return (value is None) == condition.wanted
    if value is None:
        return False
    if isinstance(condition, OneOf):
        return (value in condition.values) != condition.negated
    span = condition.interval
    assert isinstance(value, Decimal)
    above = span.low is None or (value > span.low if span.low_open else value >= span.low)
    below = span.high is None or (value < span.high if span.high_open else value <= span.high)
    return above and below


def result(decision: Decision, name: str, matched: list[Rule]) -> object:
    """The value of one result."""
    if decision.hit is Hit.SUM:
        total = Decimal(0)
        for rule in matched:
            total = WIDE.add(total, WIDE.multiply(weight(decision, rule), rule.then[name][0]))
        return total
    if decision.hit is Hit.ALL:
        seen: list[object] = []
        for rule in matched:
            seen += [value for value in rule.then[name] if value not in seen]
        return tuple(dict.fromkeys(seen))
    return matched[0].then[name][0] if matched else None


def ranked(decision: Decision, matched: list[Rule]) -> list[tuple[float, tuple[str, str]]]:
    """The decision's heaviest rules above their baselines, at most ``reasons`` of them, each
    with its share of the most that the scorecard can rise above them."""
    if not decision.reasons:
        return []
    most: dict[object, Decimal] = {}
    for rule in decision.rules:
        part = rule.characteristic or ("alone", rule.id)
        most[part] = max(most.get(part, Decimal(0)), excess(decision, rule))
    reach = float(sum(most.values()))
    above = [(excess(decision, rule), (decision.name, rule.id)) for rule in matched]
    shares = [(float(points) / reach, name) for points, name in above if points > 0]
    return sorted(shares, key=lambda each: each[0], reverse=True)[: decision.reasons]


def excess(decision: Decision, rule: Rule) -> Decimal:
    """By how much a scorecard's rule lies above its characteristic's baseline, weighted."""
    base = Decimal(0)
    if rule.characteristic:
        base = decision.characteristics[rule.characteristic].baseline
    above = WIDE.subtract(rule.then[decision.results[0]][0], base)
    return WIDE.multiply(weight(decision, rule), above)


def weight(decision: Decision, rule: Rule) -> Decimal:
    """The weight of a scorecard's rule."""
    return (
        decision.characteristics[rule.characteristic].weight if rule.characteristic else Decimal(1)
    )
