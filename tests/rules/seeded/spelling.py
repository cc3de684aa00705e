"""Facts, decisions and conditions as YAML trees, spelt in one of the ways the language has."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal

from harken_rules.language import Condition, Hit, Interval, Missing, OneOf

from .model import Decision, Fact, Rule, Value, When
from .words import label, rule_id
from .yaml_tree import Node, Table, node_of


def facts_tree(rng: random.Random, facts: Mapping[str, Fact]) -> Node:
    """``facts.yaml``, in an order of its own."""
    names = rng.sample(sorted(facts), len(facts))
    return node_of({"facts": {name: fact_tree(rng, facts[name]) for name in names}})


def fact_tree(rng: random.Random, fact: Fact) -> Node:
    """One declaration."""
    made: dict[str, object] = {"type": fact.type.value, "source": fact.source, "title": label(rng)}
    if fact.values_from:
        made["values_from"] = fact.values_from
    elif fact.values:
        made["values"] = {code: label(rng) for code in fact.values}
    if fact.open:
        made["open"] = True
    if fact.unit:
        made["unit"] = fact.unit
    if fact.range:
        made["range"] = bounds(rng, fact.range, None)
    return node_of(dict(rng.sample(sorted(made.items()), len(made))))


def decision_tree(rng: random.Random, decision: Decision, facts: Mapping[str, Fact]) -> Node:
    """One decision's file; every rule gets its id."""
    made: dict[str, object] = {
        "decision": decision.name,
        "title": label(rng),
        "hit": decision.hit.value,
    }
    if len(decision.results) > 1 or rng.random() < 0.1:
        made["results"] = list(decision.results)
    else:
        made["result"] = decision.results[0]
    if decision.otherwise:
        made["otherwise"] = "missing"
    if decision.reasons:
        made["reasons"] = decision.reasons
    if decision.characteristics:
        made["characteristics"] = {
            name: {"title": label(rng), "weight": each.weight, "baseline": each.baseline}
            for name, each in decision.characteristics.items()
        }
    for number, rule in enumerate(decision.rules):
        rule.id = rule_id(rng, number)
    made["rules"] = [rule_tree(rng, rule, decision, facts) for rule in decision.rules]
    return node_of(made)


def rule_tree(
    rng: random.Random, rule: Rule, decision: Decision, facts: Mapping[str, Fact]
) -> Table:
    """One rule."""
    made: dict[str, object] = {"id": rule.id}
    if rule.when or rule.any:
        made["when"] = when_tree(rng, rule, facts)
    listed = decision.hit is Hit.ALL
    then = {name: _then(rng, facts[name], each, listed) for name, each in rule.then.items()}
    made["then"] = then if len(then) > 1 else next(iter(then.values()))
    if rule.characteristic:
        made["characteristic"] = rule.characteristic
    if decision.reasons or rng.random() < 0.15:
        made["because"] = label(rng)
    keys = list(made) if rng.random() < 0.8 else rng.sample(list(made), len(made))
    tree = node_of({key: made[key] for key in keys})
    assert isinstance(tree, Table)
    return tree


def when_tree(rng: random.Random, rule: Rule, facts: Mapping[str, Fact]) -> Node:
    """``when`` with its alternatives."""
    made: dict[str, object] = dict(_clauses(rng, rule.when, facts))
    if rule.any:
        made["any"] = [_clauses(rng, when, facts) for when in rule.any]
    return node_of(made)


def _clauses(rng: random.Random, when: When, facts: Mapping[str, Fact]) -> dict[str, object]:
    return {name: condition_tree(rng, each, facts[name]) for name, each in when.items()}


def condition_tree(rng: random.Random, condition: Condition, fact: Fact) -> Node:
    """A condition on ``fact``."""
    if isinstance(condition, Missing):
        return node_of({"missing": condition.wanted})
    if isinstance(condition, OneOf):
        spelt: list[object] = [constant(rng, value, fact) for value in condition.values]
        single = len(spelt) == 1 and rng.random() < 0.8
        values = spelt[0] if single else spelt
        return node_of({"not": values} if condition.negated else values)
    return bounds(rng, condition.interval, fact)


def bounds(rng: random.Random, span: Interval, fact: Fact | None) -> Node:
    """A range."""
    made = {}
    if span.low is not None:
        made["above" if span.low_open else "at_least"] = constant(rng, span.low, fact)
    if span.high is not None:
        made["below" if span.high_open else "at_most"] = constant(rng, span.high, fact)
    return node_of(made)


def constant(rng: random.Random, value: Value, fact: Fact | None) -> Node:
    """A value; a number sometimes with its unit."""
    node = node_of(value)
    if isinstance(value, Decimal) and fact and fact.unit and rng.random() < 0.3:
        return node_of(f"{getattr(node, 'text', '')} {fact.unit}")
    return node


def _then(rng: random.Random, fact: Fact, values: tuple[Value, ...], listed: bool) -> Node:
    spelt = [constant(rng, value, fact) for value in values]
    return node_of(spelt) if listed and (len(spelt) > 1 or rng.random() < 0.2) else spelt[0]
