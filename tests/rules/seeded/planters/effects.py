"""Entries, facts and cases that go astray, circles, and reasons without words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harken_rules.language import FactType, Hit, OneOf

from ..base import Base
from ..model import Decision, Fact, Value
from ..planting import NoSpotError, Plant, at, pick, plants
from ..spelling import fact_tree
from ..spots import (
    RuleSpot,
    cases,
    entries,
    other_values,
    rewrite_when,
    rules,
    tree_of,
)
from ..words import entry, label, labels
from ..yaml_tree import Items, Table, Text


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
