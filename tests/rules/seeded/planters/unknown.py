"""Names and codes that are not known, and facts from elsewhere than is said."""

from __future__ import annotations

from harken_rules.language import FactType, Hit

from ..base import Base
from ..model import Fact
from ..planting import Plant, at, pick, plants
from ..spelling import fact_tree
from ..spots import (
    cases,
    conditions,
    entries,
    misspelt,
    parts_of_cases,
    rules,
    texts_of,
    thens,
    tree_of,
)
from ..yaml_tree import Table, Text, node_of


@plants("unknown-fact")
def asked(base: Base) -> Plant:
    """A condition on a fact that is not declared."""
    key = pick(base.rng, conditions(base)).entry.key
    key.text = misspelt(base, key.text)
    return at(key)


@plants("unknown-fact")
def yielded(base: Base) -> Plant:
    """A result that is not declared."""
    decision = pick(base.rng, base.decisions)
    tree = tree_of(base, decision)
    if tree.has("result"):
        return at(tree.put("result", misspelt(base, decision.results[0])).value)
    node = base.rng.choice(texts_of(tree.get("results")))
    name = node.text
    node.text = misspelt(base, name)
    if len(decision.results) > 1:  # `then` says it as well
        for spot in rules(base):
            if spot.decision is decision:
                spot.tree.table("then").entry(name).key.text = node.text
    return at(tree.get("results"))


@plants("unknown-fact")
def given_or_expected(base: Base) -> Plant:
    """A case that names a fact that is not declared."""
    key = pick(base.rng, parts_of_cases(base, base.rng.choice(["given", "expect"])))[1].key
    key.text = misspelt(base, key.text)
    return at(key)


@plants("unknown-value")
def compared_with(base: Base) -> Plant:
    """A condition on a code that the fact does not have."""
    enums = (spot for spot in conditions(base) if spot.fact.type is FactType.ENUM)
    spot = pick(base.rng, enums)
    node = pick(
        base.rng, (each for each in texts_of(spot.entry.value) if each.text in spot.fact.values)
    )
    node.text = misspelt(base, node.text)
    return at(node)


@plants("unknown-value")
def answered(base: Base) -> Plant:
    """A rule that yields a code that the result does not have."""
    enums = ((table, key) for _, fact, table, key in thens(base) if fact.type is FactType.ENUM)
    table, key = pick(base.rng, enums)
    node = pick(base.rng, texts_of(table.get(key)))
    node.text = misspelt(base, node.text)
    return at(node)


@plants("unknown-value")
def said_in_a_case(base: Base) -> Plant:
    """A case with a code that the fact does not have."""
    part = base.rng.choice(["given", "expect"])
    nodes = [
        node
        for _, entry_, fact in parts_of_cases(base, part)
        if fact.type is FactType.ENUM and not fact.open
        for node in texts_of(entry_.value)
        if node.text in fact.values
    ]
    node = pick(base.rng, nodes)
    node.text = misspelt(base, node.text)
    return at(node)


@plants("unknown-value")
def word_of_the_language(base: Base) -> Plant:
    """A type, a hit policy, or what ``otherwise`` says."""
    fact = base.fact(base.rng.choice(list(base.facts)))
    tree = tree_of(base, pick(base.rng, (one for one in base.decisions if one.otherwise)))
    table, key = base.rng.choice([(fact, "type"), (tree, "hit"), (tree, "otherwise")])
    node = table.get(key)
    assert isinstance(node, Text)
    node.text = misspelt(base, node.text)
    return at(node)


@plants("unknown-value")
def catalogue_named(base: Base) -> Plant:
    """A fact whose values come from a catalogue that is not there."""
    fact = pick(base.rng, (one for one in base.facts.values() if one.values_from))
    return at(base.fact(fact.name).put("values_from", misspelt(base, fact.values_from or "")).value)


@plants("unknown-value")
def characteristic_named(base: Base) -> Plant:
    """A rule of a characteristic that the scorecard does not have."""
    spot = pick(base.rng, (one for one in rules(base, Hit.SUM) if one.rule.characteristic))
    name = misspelt(base, spot.rule.characteristic or "")
    return at(spot.tree.put("characteristic", name).value)


@plants("unknown-value")
def department_named(base: Base) -> Plant:
    """An escalation to a department that is not there."""
    chain = base.rng.choice(entries(base, "escalations").entries).value
    assert isinstance(chain, Table)
    node = pick(base.rng, texts_of(chain.get("departments")))
    node.text = misspelt(base, node.text)
    return at(node)


@plants("wrong-source")
def no_such_decision(base: Base) -> Plant:
    """A fact that comes from a decision that is not there."""
    fact = pick(base.rng, base.given())
    base.fact(fact.name).put("source", "nobody")
    return at(base.table("facts.yaml", "facts").entry(fact.name).key)


@plants("wrong-source")
def said_to_be_given(base: Base) -> Plant:
    """The result of a decision that is said to come from elsewhere."""
    decision = pick(base.rng, base.decisions)
    name = base.rng.choice(decision.results)
    others = [one.name for one in base.decisions if one is not decision]
    base.fact(name).put("source", base.rng.choice(["request", "model", "attribute", *others]))
    return at(base.table("facts.yaml", "facts").entry(name).key)


@plants("wrong-source")
def never_yielded(base: Base) -> Plant:
    """A fact said to come from a decision that does not yield it."""
    fact = Fact("extra", FactType.BOOLEAN, pick(base.rng, base.decisions).name)
    return at(base.table("facts.yaml", "facts").put("extra", fact_tree(base.rng, fact)).key)


@plants("wrong-source")
def result_given(base: Base) -> Plant:
    """A case that gives what is decided."""
    fact = pick(base.rng, (one for one in base.facts.values() if one not in base.given()))
    value = node_of(next(value for value in (*fact.reach, *fact.values) if value is not None))
    case = pick(base.rng, cases(base))
    return at(case.table("given").put(fact.name, value).key)


@plants("wrong-source")
def given_expected(base: Base) -> Plant:
    """A case that expects what is given."""
    fact = pick(base.rng, base.given())
    case = pick(base.rng, cases(base))
    return at(case.table("expect").put(fact.name, {"missing": False}).key)
