"""Defects in what rules decide together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harken_rules.language import FactType, Hit, Interval, Missing, OneOf, Within

from ..base import Base
from ..conditions import drawn
from ..model import Decision, Fact, Rule, Value, When
from ..planting import NoSpotError, Plant, at, pick, plants
from ..spelling import fact_tree
from ..spots import (
    RuleSpot,
    cases,
    entries,
    insert,
    numeric_given,
    other_values,
    rewrite_when,
    rules,
    tree_of,
    unasked,
)
from ..tables import opposite
from ..words import entry, label, labels
from ..yaml_tree import Items, Table, Text

ONE_DECIDES = (Hit.FIRST, Hit.UNIQUE)


def _narrower(base: Base, decision: Decision, rule: Rule) -> Rule:
    """The same rule with one condition more, on a fact that nothing of it depends on."""
    fact = pick(base.rng, unasked(base, decision))
    when = {**rule.when, fact.name: drawn(base.rng, fact)}
    return Rule(when, list(rule.any), dict(rule.then), characteristic=rule.characteristic)


def _another_then(base: Base, *rules: Rule) -> dict[str, tuple[Value, ...]]:
    """A ``then`` that differs from those of all ``rules`` in every result."""
    made: dict[str, tuple[Value, ...]] = {}
    for name in rules[0].then:
        taken = [rule.then[name][0] for rule in rules]
        made[name] = (pick(base.rng, other_values(base.facts[name], *taken)),)
    return made


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
    spot = pick(base.rng, rules(base, *ONE_DECIDES))
    keys = base.rng.sample(list(spot.rule.when), len(spot.rule.when))
    when = {name: spot.rule.when[name] for name in keys}
    again = Rule(when, spot.rule.any[::-1], _another_then(base, spot.rule))
    index = base.rng.randint(spot.index + 1, len(spot.decision.rules))
    return at(insert(base, spot.decision, index, again).get("id"))


@plants("unique-overlap")
def narrower_twin(base: Base) -> Plant:
    """A rule that matches only where another one does."""
    spot = pick(base.rng, rules(base, Hit.UNIQUE))
    again = _narrower(base, spot.decision, spot.rule)
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


@plants("shadowed-rule")
def hidden_by_two(base: Base) -> Plant:
    """A rule that asks for what two rules above it take together."""
    one, other, when = pick(base.rng, _joined(base))
    fact = pick(base.rng, unasked(base, one.decision))
    if base.rng.random() < 0.5:
        when = {**when, fact.name: drawn(base.rng, fact)}
    hidden = Rule(when, then=_another_then(base, one.rule, other.rule))
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
    hidden = _narrower(base, spot.decision, spot.rule)
    hidden.then = _another_then(base, spot.rule)
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
    again = _narrower(base, spot.decision, spot.rule)
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
    rule = _narrower(base, spot.decision, spot.rule)
    return at(insert(base, spot.decision, spot.index, rule).get("id"))


@plants("unused-entry")
def new_strategy(base: Base) -> Plant:
    """A strategy that no rule recommends."""
    strategy = entry(base.rng, steps=labels(base.rng, 1), script=label(base.rng))
    return at(entries(base, "strategies").put("strategy_never", strategy).key)


@plants("unused-entry")
def new_department(base: Base) -> Plant:
    """A department that nothing leads to."""
    return at(entries(base, "departments").put("nowhere", entry(base.rng)).key)


@plants("unused-entry")
def new_escalation(base: Base) -> Plant:
    """An escalation chain that no rule chooses."""
    named = [base.rng.choice(base.facts["owner"].values)]
    chain = entry(base.rng, departments=named)
    return at(entries(base, "escalations").put("never", chain).key)


@plants("unused-fact")
def new_fact(base: Base) -> Plant:
    """A fact that no rule asks about."""
    kind = base.rng.choice(list(FactType))
    source = base.rng.choice(["request", "model", "attribute"])
    fact = Fact("never_asked", kind, source, values=("a", "b") if kind is FactType.ENUM else ())
    declared = base.table("facts.yaml", "facts").put(fact.name, fact_tree(base.rng, fact))
    return at(declared.key)


@plants("failing-case")
def wrong_expectation(base: Base) -> Plant:
    """A case that expects what does not come."""
    case = pick(base.rng, cases(base))
    given = {
        entry.key.text: _value(base.facts[entry.key.text], entry.value)
        for entry in case.table("given").entries
    }
    name, got = pick(base.rng, sorted(base.decide(given).items()))
    case.table("expect").put(name, _wrong(base, name, got))
    return at(case.get("name"))


def _value(fact: Fact, node: object) -> Value:
    assert isinstance(node, Text)
    if fact.type is FactType.ENUM:
        return node.text
    return node.text == "true" if fact.type is FactType.BOOLEAN else Decimal(node.text.split()[0])


def _wrong(base: Base, name: str, got: object) -> object:
    fact = base.facts[name]
    if isinstance(got, tuple):
        absent = [code for code in fact.values if code not in got]
        wrong: list[object] = [{"absent": [code]} for code in got]
        wrong += [{"contains": [code]} for code in absent]
        wrong += [list(got[::-1])] if len(got) > 1 else []
        return base.rng.choice(wrong)
    if got is None:
        return base.rng.choice([{"missing": False}, base.rng.choice(other_values(fact))])
    assert isinstance(got, str | bool | Decimal)
    return base.rng.choice(
        [{"missing": True}, base.rng.choice(other_values(fact, got)), {"not": got}]
    )


@plants("cyclic-decision")
def asks_itself(base: Base) -> Plant:
    """A decision that asks about its own result."""
    spot = pick(base.rng, (one for one in rules(base) if one.decision.hit is not Hit.ALL))
    fact = base.facts[base.rng.choice(spot.decision.results)]
    condition = OneOf((pick(base.rng, other_values(fact)),))
    spot.rule.when[fact.name] = condition
    rewrite_when(base, spot)
    return at(spot.tree.table("when").entry(fact.name).key)


@plants("cyclic-decision")
def asks_back(base: Base) -> Plant:
    """A decision that asks about the result of one that asks about its own."""
    earlier, later = pick(base.rng, _chained(base))
    fact = base.facts[base.rng.choice(later.results)]
    spot = pick(base.rng, (one for one in rules(base) if one.decision is earlier))
    spot.rule.when[fact.name] = OneOf((pick(base.rng, other_values(fact)),))
    rewrite_when(base, spot)
    if earlier.name < later.name:
        return at(spot.tree.table("when").entry(fact.name).key)
    return at(_first_asking(tree_of(base, later).get("rules"), earlier.results))


def _chained(base: Base) -> Iterator[tuple[Decision, Decision]]:
    """Decisions, the second of which asks about a result of the first; lists cannot be asked."""
    for earlier in base.decisions:
        for later in base.decisions:
            asked = {name for rule in later.rules for when in rule.alternatives for name in when}
            if asked & set(earlier.results) and later.hit is not Hit.ALL:
                yield earlier, later


def _first_asking(rules: object, names: tuple[str, ...]) -> Text:
    """The first condition on one of ``names``."""
    assert isinstance(rules, Items)
    for rule in rules.items:
        assert isinstance(rule, Table)
        pending = [rule.get("when")] if rule.has("when") else []
        while pending:
            when = pending.pop(0)
            assert isinstance(when, Table)
            for each in when.entries:
                if each.key.text in names:
                    return each.key
                if isinstance(each.value, Items) and each.key.text == "any":
                    pending += each.value.items
    raise NoSpotError


@plants("missing-reason")
def silent_reason(base: Base) -> Plant:
    """A scorecard's rule that may become a reason and has nothing to say."""

    def counts(spot: RuleSpot) -> bool:
        part = spot.decision.characteristics.get(spot.rule.characteristic or "")
        score = spot.rule.then[spot.decision.results[0]][0]
        assert isinstance(score, Decimal)
        return bool(spot.decision.reasons) and score > (part.baseline if part else 0)

    spot = pick(base.rng, (one for one in rules(base, Hit.SUM) if counts(one)))
    spot.tree.drop("because")
    return at(spot.tree.get("id"))
