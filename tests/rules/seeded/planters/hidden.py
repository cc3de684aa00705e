"""Rules that never decide anything, or make no difference."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harken_rules.language import Hit, Interval, Missing, OneOf, Within

from ..base import Base
from ..conditions import drawn
from ..model import Decision, Fact, Rule, When
from ..planting import Plant, at, pick, plants
from ..spots import (
    RuleSpot,
    another_then,
    insert,
    narrower,
    numeric_given,
    other_values,
    rules,
    unasked,
)
from ..tables import opposite


@plants("shadowed-rule")
def hidden_by_two(base: Base) -> Plant:
    """A rule that asks for what two rules above it take together."""
    one, other, when = pick(base.rng, _joined(base))
    fact = pick(base.rng, unasked(base, one.decision))
    if base.rng.random() < 0.5:
        when = {**when, fact.name: drawn(base.rng, fact)}
    hidden = Rule(when, then=another_then(base, one.rule, other.rule))
    last = len(one.decision.rules) - (not one.decision.otherwise)
    index = base.rng.randint(max(one.index, other.index) + 1, last)
    return at(insert(base, one.decision, index, hidden).get("id"))


def _joined(base: Base) -> Iterator[tuple[RuleSpot, RuleSpot, When]]:
    """Pairs of rules on one fact alone, and what holds where either does."""
    plain = [
        spot for spot in rules(base, Hit.FIRST) if len(spot.rule.when) == 1 and not spot.rule.any
    ]
    for one in plain:
        for other in plain:
            if one.decision is not other.decision or one.rule.when.keys() != other.rule.when.keys():
                continue
            ((name, left),), right = (
                one.rule.when.items(),
                other.rule.when[next(iter(one.rule.when))],
            )
            if isinstance(left, OneOf) and isinstance(right, OneOf) and one.index < other.index:
                if not left.negated and not right.negated:
                    yield one, other, {name: OneOf((*left.values, *right.values))}
            elif isinstance(left, Within) and isinstance(right, Within):
                low, high = left.interval, right.interval
                if low.high is not None and low.high == high.low:
                    span = Interval(low.low, high.high, low.low_open, high.high_open)
                    if span.low is not None or span.high is not None:
                        yield one, other, {name: Within(span)}


@plants("subsumed-rule")
def hidden_by_one(base: Base) -> Plant:
    """A rule that asks for more than one above it does."""
    spot = pick(base.rng, rules(base, Hit.FIRST))
    hidden = narrower(base, spot.decision, spot.rule)
    hidden.then = another_then(base, spot.rule)
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, hidden).get("id"))


@plants("subsumed-rule")
def same_thing_twice(base: Base) -> Plant:
    """A rule that stands there twice; where it leads to the level, the first is idle as well."""
    spot = pick(base.rng, rules(base, Hit.FIRST))
    again = Rule(spot.rule.when, spot.rule.any, spot.rule.then)
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, again).get("id"), along=["idle-rule"])


@plants("subsumed-rule")
def nothing_to_add(base: Base) -> Plant:
    """A rule of a list that names what another one names already."""
    spot = pick(base.rng, rules(base, Hit.ALL))
    ((name, values),) = spot.rule.then.items()
    again = narrower(base, spot.decision, spot.rule)
    again.then = {name: tuple(base.rng.sample(values, base.rng.randint(1, len(values))))}
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, again).get("id"))


@plants("unreachable-rule")
def at_odds_with_itself(base: Base) -> Plant:
    """A rule whose alternatives all contradict what it asks for besides."""
    decision = pick(base.rng, base.decisions)
    fact = pick(base.rng, base.given())
    condition = drawn(base.rng, fact)
    then = base.rng.choice(decision.rules).then
    impossible = Rule({fact.name: condition}, [{fact.name: opposite(condition)}], then)
    index = base.rng.randint(0, len(decision.rules))
    return at(insert(base, decision, index, impossible).get("id"))


@plants("unreachable-rule")
def never_yielded(base: Base) -> Plant:
    """A rule that asks for what no decision before it yields."""
    later, fact = pick(base.rng, _asked_after(base))
    wishes: list[When] = [] if None in fact.reach else [{fact.name: Missing(True)}]
    if fact.numeric and fact.range is None:
        most = max(value for value in fact.reach if isinstance(value, Decimal))
        wishes.append({fact.name: Within(Interval(most, None, True))})
    wishes += [{fact.name: OneOf((value,))} for value in other_values(fact, *fact.reach)]
    when = pick(base.rng, wishes)
    impossible = Rule(when, then=base.rng.choice(later.rules).then)
    index = base.rng.randint(0, len(later.rules))
    return at(insert(base, later, index, impossible).get("id"))


def _asked_after(base: Base) -> Iterator[tuple[Decision, Fact]]:
    """Decisions, with results of others that stand before them."""
    for place, later in enumerate(base.decisions):
        for earlier in base.decisions[:place]:
            if earlier.hit is not Hit.ALL:
                yield from ((later, base.facts[name]) for name in earlier.results)


@plants("unreachable-rule")
def outside_all_values(base: Base) -> Plant:
    """A rule that asks for a fact to be none of its values, or below the least."""
    decision = pick(base.rng, base.decisions)
    wishes: list[When] = [
        {fact.name: OneOf(fact.values, negated=True)}
        for fact in base.given()
        if fact.values and not fact.open
    ]
    wishes += [{fact.name: _below_all(fact)} for fact in numeric_given(base)]
    impossible = Rule(pick(base.rng, wishes), then=base.rng.choice(decision.rules).then)
    index = base.rng.randint(0, len(decision.rules))
    return at(insert(base, decision, index, impossible).get("id"))


def _below_all(fact: Fact) -> Within:
    assert fact.range is not None
    return Within(Interval(None, fact.range.low, False, True))


@plants("idle-rule")
def adds_nothing(base: Base) -> Plant:
    """A scorecard's rule that adds nought."""
    decision = next(one for one in base.decisions if one.hit is Hit.SUM)
    fact = pick(base.rng, base.given())
    nought = {decision.results[0]: (Decimal(0),)}
    part = base.rng.choice([None, *decision.characteristics])
    rule = Rule({fact.name: drawn(base.rng, fact)}, then=nought, characteristic=part)
    index = base.rng.randint(0, len(decision.rules))
    return at(insert(base, decision, index, rule).get("id"))


@plants("idle-rule")
def says_the_same(base: Base) -> Plant:
    """A rule on the way to the level above one that asks for less and says the same."""
    leading = ("duration_band", "level")
    spot = pick(base.rng, (one for one in rules(base, Hit.FIRST) if one.decision.name in leading))
    rule = narrower(base, spot.decision, spot.rule)
    return at(insert(base, spot.decision, spot.index, rule).get("id"))
