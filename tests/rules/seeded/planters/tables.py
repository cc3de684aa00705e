"""Tables with gaps, contradictions and overlaps."""

from __future__ import annotations

from collections.abc import Iterator

from harken_rules.language import Hit, Interval, Within

from ..base import Base
from ..conditions import drawn
from ..model import Rule
from ..planting import Plant, at, pick, plants
from ..spots import (
    RuleSpot,
    another_then,
    insert,
    narrower,
    rewrite_when,
    rules,
    tree_of,
    unasked,
)


@plants("gap")
def no_otherwise(base: Base) -> Plant:
    """A decision no longer says that its result may be missing."""
    decision = pick(base.rng, (one for one in base.decisions if one.otherwise))
    tree_of(base, decision).drop("otherwise")
    return at(tree_of(base, decision).get("decision"))


@plants("gap")
def catch_all_narrowed(base: Base) -> Plant:
    """The last rule, which caught everything, asks for something."""
    whole = (spot for spot in rules(base, Hit.FIRST) if not spot.rule.when and not spot.rule.any)
    spot = pick(base.rng, whole)
    fact = pick(base.rng, unasked(base, spot.decision))
    spot.rule.when = {fact.name: drawn(base.rng, fact)}
    rewrite_when(base, spot)
    return at(tree_of(base, spot.decision).get("decision"))


@plants("gap")
def unique_rule_narrowed(base: Base) -> Plant:
    """One of the rules that covered everything together asks for more."""
    complete = (spot for spot in rules(base, Hit.UNIQUE) if not spot.decision.otherwise)
    spot = pick(base.rng, complete)
    fact = pick(base.rng, unasked(base, spot.decision))
    spot.rule.when[fact.name] = drawn(base.rng, fact)
    rewrite_when(base, spot)
    return at(tree_of(base, spot.decision).get("decision"))


@plants("conflicting-rules")
def another_answer(base: Base) -> Plant:
    """A rule's conditions come again, and another answer with them."""
    spot = pick(base.rng, rules(base, Hit.FIRST, Hit.UNIQUE))
    keys = base.rng.sample(list(spot.rule.when), len(spot.rule.when))
    when = {name: spot.rule.when[name] for name in keys}
    again = Rule(when, spot.rule.any[::-1], another_then(base, spot.rule))
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, again).get("id"))


@plants("unique-overlap")
def narrower_twin(base: Base) -> Plant:
    """A rule that matches only where another one does."""
    spot = pick(base.rng, rules(base, Hit.UNIQUE))
    again = narrower(base, spot.decision, spot.rule)
    index = base.rng.randint(0, len(spot.decision.rules))
    tree = insert(base, spot.decision, index, again)
    return at((spot.tree if index <= spot.index else tree).get("id"))


@plants("unique-overlap")
def same_again(base: Base) -> Plant:
    """A rule that stands there twice."""
    spot = pick(base.rng, rules(base, Hit.UNIQUE))
    again = Rule(spot.rule.when, spot.rule.any, spot.rule.then)
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, again).get("id"))


@plants("unique-overlap")
def shared_cut(base: Base) -> Plant:
    """Two bands both claim the cut between them."""
    lower, upper = pick(base.rng, _neighbours(base))
    low, high = _span(lower), _span(upper)
    name = next(iter(lower.rule.when))
    if low.high_open:
        lower.rule.when = {name: Within(Interval(low.low, low.high, low.low_open, False))}
        rewrite_when(base, lower)
    else:
        upper.rule.when = {name: Within(Interval(high.low, high.high, False, high.high_open))}
        rewrite_when(base, upper)
    return at(max(lower, upper, key=lambda each: each.index).tree.get("id"))


def _span(spot: RuleSpot) -> Interval:
    (condition,) = spot.rule.when.values()
    assert isinstance(condition, Within)
    return condition.interval


def _neighbours(base: Base) -> Iterator[tuple[RuleSpot, RuleSpot]]:
    """Bands of a ``unique`` decision that meet at a cut which no other rule ends or begins at."""
    for decision in base.decisions:
        bands = [
            spot
            for spot in rules(base, Hit.UNIQUE)
            if spot.decision is decision
            for condition in spot.rule.when.values()
            if isinstance(condition, Within) and len(spot.rule.when) == 1
        ]
        asked = [each for rule in decision.rules for each in rule.when.values()]
        for lower in bands:
            for upper in bands:
                cut = _span(lower).high
                uses = [
                    each
                    for each in asked
                    if isinstance(each, Within) and cut in (each.interval.low, each.interval.high)
                ]
                if cut is not None and cut == _span(upper).low and len(uses) == 2:
                    yield lower, upper
