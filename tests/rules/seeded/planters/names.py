"""Names that are malformed, given twice or not known."""

from __future__ import annotations

import copy

from harken_rules.language import FactType, Hit

from ..base import Base
from ..model import Fact
from ..planting import Plant, at, pick, plants
from ..spelling import fact_tree
from ..spots import (
    cases,
    conditions,
    entries,
    files,
    parts_of_cases,
    rules,
    texts_of,
    thens,
    tree_of,
)
from ..words import entry, label
from ..yaml_tree import Items, Table, Text, node_of, walk

BAD_NAMES = ("Level", "due to", "7days", "a-b", "_x", "名", "x" * 65, "a.b")
BAD_CODES = (" padded", "padded ", "c" * 129, "two\u2028lines", "bell\u0085")


def misspelt(base: Base, name: str) -> str:
    """``name`` with a letter too many."""
    place = base.rng.randint(1, len(name))
    return f"{name[:place]}q{name[place:]}"


@plants("bad-name")
def rule_id(base: Base) -> Plant:
    """A rule's id."""
    node = pick(base.rng, rules(base)).tree.get("id")
    assert isinstance(node, Text)
    node.text = base.rng.choice(["Level 5!", "-first", "Ä", "i" * 101, "one.two"])
    return at(node)


@plants("bad-name")
def fact_name(base: Base) -> Plant:
    """A fact's name."""
    fact = Fact("new", FactType.BOOLEAN, "request")
    name = base.rng.choice(BAD_NAMES)
    return at(base.table("facts.yaml", "facts").put(name, fact_tree(base.rng, fact)).key)


@plants("bad-name")
def decision_name(base: Base) -> Plant:
    """A decision's name, malformed or reserved."""
    tree = tree_of(base, pick(base.rng, base.decisions))
    name = base.rng.choice([*BAD_NAMES, "request", "model", "attribute"])
    return at(tree.put("decision", name).value)


@plants("bad-name")
def result_name(base: Base) -> Plant:
    """A result's name."""
    tree = tree_of(base, pick(base.rng, base.decisions))
    node = pick(base.rng, texts_of(tree.get("result" if tree.has("result") else "results")))
    node.text = base.rng.choice(BAD_NAMES)
    return at(node)


@plants("bad-name")
def characteristic_name(base: Base) -> Plant:
    """A characteristic's name."""
    decision = next(one for one in base.decisions if one.hit is Hit.SUM)
    table = tree_of(base, decision).table("characteristics")
    return at(table.put(base.rng.choice(BAD_NAMES), {"title": label(base.rng)}).key)


@plants("bad-name")
def entry_id(base: Base) -> Plant:
    """An entry's id."""
    catalogue = base.rng.choice(["strategies", "departments", "escalations"])
    table = entries(base, catalogue)
    new = copy.deepcopy(table.entries[0].value)
    return at(table.put(base.rng.choice(BAD_CODES[:3]), new).key)


@plants("bad-name")
def enum_code(base: Base) -> Plant:
    """A value of an enum."""
    fact = pick(
        base.rng, (one for one in base.facts.values() if one.values and not one.values_from)
    )
    table = base.fact(fact.name).table("values")
    return at(table.put(base.rng.choice(BAD_CODES[:3]), label(base.rng)).key)


@plants("duplicate-id")
def rule_twice(base: Base) -> Plant:
    """Two rules of a decision with the same id."""
    decision = pick(base.rng, base.decisions)
    spots = [spot for spot in rules(base) if spot.decision is decision]
    one, other = sorted(base.rng.sample(range(len(spots)), 2))
    return at(spots[other].tree.put("id", spots[one].rule.id).value)


@plants("duplicate-id")
def decision_twice(base: Base) -> Plant:
    """A copy of a decision's file."""
    decision = pick(base.rng, base.decisions)
    tree = copy.deepcopy(tree_of(base, decision))
    base.files["decisions/zz_copy.yaml"] = tree
    return at(tree.get("decision"))


@plants("duplicate-id")
def result_twice(base: Base) -> Plant:
    """Another decision with the result of one."""
    decision = pick(base.rng, base.decisions)
    tree = copy.deepcopy(tree_of(base, decision))
    base.files["decisions/zz_another.yaml"] = tree
    return at(tree.put("decision", "zz_another").value)


@plants("duplicate-id")
def catalogue_twice(base: Base) -> Plant:
    """A copy of a catalogue's file."""
    tree = copy.deepcopy(base.table(pick(base.rng, files(base, "catalogue/"))))
    base.files["catalogue/zz_copy.yaml"] = tree
    if tree.has("catalogue"):
        return at(tree.get("catalogue"))
    return at(tree.get("taxonomy"))


@plants("duplicate-id")
def service_twice(base: Base) -> Plant:
    """A service that stands under two categories."""
    taxonomy = base.table("catalogue/taxonomy.yaml", "taxonomy")
    *before, last = [taxonomy.table(each.key.text) for each in taxonomy.entries]
    services = pick(base.rng, (one.table("services") for one in before if one.has("services")))
    name = base.rng.choice(services.entries).key.text
    if not last.has("services"):
        last.put("services", {})
    return at(last.table("services").put(name, entry(base.rng)).key)


@plants("duplicate-id")
def case_twice(base: Base) -> Plant:
    """Two cases of the same name."""
    one, other = sorted(base.rng.sample(range(len(list(cases(base)))), 2))
    known = list(cases(base))
    name = known[one].get("name")
    assert isinstance(name, Text)
    return at(known[other].put("name", name.text).value)


@plants("duplicate-id")
def value_twice(base: Base) -> Plant:
    """A value that stands twice in the list of a condition."""
    lists = [
        node
        for spot in conditions(base)
        for node in walk(spot.entry.value)
        if isinstance(node, Items)
    ]
    chosen = pick(base.rng, lists)
    again = copy.deepcopy(base.rng.choice(chosen.items))
    chosen.items.append(again)
    return at(again)


@plants("duplicate-id")
def listed_result_twice(base: Base) -> Plant:
    """A result that a decision names twice."""
    decision = pick(base.rng, (one for one in base.decisions if len(one.results) > 1))
    names = tree_of(base, decision).items("results")
    first = base.rng.choice(names)
    again = copy.deepcopy(first)
    names.append(again)
    return at(first, again)


@plants("duplicate-id")
def language_twice(base: Base) -> Plant:
    """A language that stands in the list twice."""
    languages = base.table("rulebase.yaml").items("languages")
    languages.append(copy.deepcopy(languages[base.rng.randrange(2)]))
    return at(languages[-1])


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
