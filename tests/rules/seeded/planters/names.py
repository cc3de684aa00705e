"""Names that are malformed or given twice."""

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
    rules,
    texts_of,
    tree_of,
)
from ..words import entry, label
from ..yaml_tree import Items, Text, walk

BAD_NAMES = ("Level", "due to", "7days", "a-b", "_x", "名", "x" * 65, "a.b")
BAD_CODES = (" padded", "padded ", "c" * 129, "two\u2028lines", "bell\u0085")


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
