"""Keys that are missing, unknown or there twice, texts that are missing, shapes that are wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from harken_rules.language import FactType, Hit

from ..base import Base
from ..planting import Plant, at, pick, plants
from ..spots import (
    add_decision,
    cases,
    conditions,
    entries,
    every_label,
    rules,
    thens,
    tree_of,
)
from ..words import label
from ..yaml_tree import Node, Table, node_of, walk


def _tables(base: Base) -> Iterator[tuple[Table, tuple[str, ...]]]:
    """Mappings whose keys are fixed, each with those that it must have."""
    yield base.table("rulebase.yaml"), ("name", "title", "languages")
    yield base.table("facts.yaml"), ("facts",)
    for name in base.facts:
        yield base.fact(name), ("type", "source", "title")
    for decision in base.decisions:
        tree = tree_of(base, decision)
        result = "result" if tree.has("result") else "results"
        yield tree, ("decision", "title", "hit", "rules", result)
        for name in decision.characteristics:
            yield tree.table("characteristics", name), ("title",)
    for spot in rules(base):
        yield spot.tree, ("id", "then")
        if len(spot.rule.then) > 1:
            yield spot.tree.table("then"), tuple(spot.rule.then)
    for case in cases(base):
        yield case, ("name", "given", "expect")
    for each in base.table("catalogue/taxonomy.yaml", "taxonomy").entries:
        assert isinstance(each.value, Table)
        yield each.value, ("title",)
    kinds = {"strategies": ("title", "steps", "script"), "departments": ("title",)}
    for catalogue, required in {**kinds, "escalations": ("title", "departments")}.items():
        yield base.table(f"catalogue/{catalogue}.yaml"), ("catalogue", "entries")
        for each in entries(base, catalogue).entries:
            assert isinstance(each.value, Table)
            yield each.value, required


@plants("missing-key")
def needed(base: Base) -> Plant:
    """A mapping without a key that it must have."""
    table, required = pick(base.rng, _tables(base))
    table.drop(base.rng.choice(required))
    return at(table)


@plants("missing-key")
def values_of_an_enum(base: Base) -> Plant:
    """An enum without values; found at the first thing that is said of it."""
    fact = pick(base.rng, (one for one in base.facts.values() if one.type is FactType.ENUM))
    table = base.fact(fact.name)
    table.drop("values_from" if fact.values_from else "values")
    return at(table.entries[0].value)


@plants("unknown-key")
def new_key(base: Base) -> Plant:
    """A key that means nothing there."""
    table, _ = pick(base.rng, _tables(base))
    word = base.rng.choice(["remark", "becuase", "owner_of", "Whne", "备注"])
    return at(table.put(word, base.rng.choice(["text", "5", ["a"], {"en": "b"}])).key)


@plants("unknown-key")
def bound(base: Base) -> Plant:
    """A range with a bound that does not exist."""
    ranges = [
        spot.entry.value
        for spot in conditions(base)
        if spot.fact.numeric and isinstance(spot.entry.value, Table)
    ]
    bounds = {"at_least": "atleast", "above": ">", "at_most": "max", "below": "under"}
    table = pick(base.rng, (one for one in ranges if one.entries[0].key.text in bounds))
    key = base.rng.choice(table.entries).key
    key.text = bounds[key.text]
    return at(key)


@plants("unknown-key")
def language(base: Base) -> Plant:
    """A text in a language that the rule base does not have."""
    table = pick(base.rng, every_label(base))
    return at(table.put(base.rng.choice(["fr", "EN", "zh_CN"]), "Texte").key)


@plants("unknown-key")
def of_another_type(base: Base) -> Plant:
    """A key that belongs to another type of fact."""
    fact = base.rng.choice(list(base.facts.values()))
    value: object = {"at_least": 0}
    key = "range"
    if fact.numeric or (fact.type is FactType.BOOLEAN and base.rng.random() < 0.5):
        key, value = base.rng.choice([("open", True), ("values", {"a": label(base.rng)})])
    return at(base.fact(fact.name).put(key, value).value)


@plants("unknown-key")
def of_another_hit(base: Base) -> Plant:
    """A key that belongs to another hit policy."""
    decision = base.rng.choice(base.decisions)
    tree = tree_of(base, decision)
    if decision.hit in (Hit.ALL, Hit.SUM) and base.rng.random() < 0.7:
        return at(tree.put("otherwise", "missing").value)
    spot = pick(base.rng, rules(base, Hit.FIRST, Hit.UNIQUE, Hit.ALL))
    if base.rng.random() < 0.5:
        return at(spot.tree.put("characteristic", "by_risk").value)
    return at(tree_of(base, spot.decision).put("reasons", 2).value)


@plants("duplicate-key")
def twice(base: Base) -> Plant:
    """Any key of any mapping, a second time."""
    tables = [
        node
        for file in sorted(base.files)
        for node in walk(base.files[file])
        if isinstance(node, Table) and node.entries
    ]
    table = pick(base.rng, tables)
    index = base.rng.randrange(len(table.entries))
    again = copy.deepcopy(table.entries[index])
    table.entries.insert(base.rng.randint(index + 1, len(table.entries)), again)
    return at(again.key)


@plants("missing-label")
def language_left_out(base: Base) -> Plant:
    """A text that is there in one language only."""
    table = pick(base.rng, every_label(base))
    table.drop(base.rng.choice(["en", "zh"]))
    return at(table)


@plants("missing-label")
def empty_text(base: Base) -> Plant:
    """A text that is empty in one language."""
    table = pick(base.rng, every_label(base))
    return at(table.put(base.rng.choice(["en", "zh"]), base.rng.choice(["", "  "])).value)


@plants("wrong-shape")
def list_for_one_value(base: Base) -> Plant:
    """A list where a rule says one value."""
    _, _, table, key = pick(base.rng, thens(base, Hit.FIRST, Hit.UNIQUE))
    return at(table.put(key, [table.get(key)]).value)


@plants("wrong-shape")
def text_for_texts(base: Base) -> Plant:
    """One text where each language has its own."""
    table, _ = pick(base.rng, (each for each in _tables(base) if "title" in each[1]))
    return at(table.put("title", "Billing").value)


@plants("wrong-shape")
def another_kind_of_node(base: Base) -> Plant:
    """A mapping for a list, or a list or a single value for a mapping."""
    spot = pick(base.rng, (one for one in rules(base) if one.tree.has("when")))
    tree, case = tree_of(base, spot.decision), pick(base.rng, cases(base))
    places: list[tuple[Table, str, object]] = [
        (spot.tree, "when", [spot.tree.get("when")]),
        (spot.tree, "when", {"any": {"a": "b"}}),
        (tree, "rules", {"first": "x"}),
        (case, "given", ["x"]),
        (case, "expect", "x"),
        (base.table("rulebase.yaml"), "languages", "en"),
        (base.table("facts.yaml"), "facts", ["x"]),
        (base.table("catalogue/strategies.yaml"), "entries", ["x"]),
    ]
    table, key, value = base.rng.choice(places)
    node = table.put(key, value).value
    alternatives = isinstance(node, Table) and node.has("any")
    spoilt = node.get("any") if isinstance(node, Table) and alternatives else node
    return at(spoilt)


@plants("wrong-shape")
def nothing_in_it(base: Base) -> Plant:
    """A list or a mapping with nothing in it."""
    spot = pick(base.rng, conditions(base))
    tree, case = tree_of(base, spot.at.decision), pick(base.rng, cases(base))
    places: list[tuple[Table, str, object]] = [
        (spot.at.tree, "when", {"any": []}),
        (spot.at.tree, "when", {spot.fact.name: []}),
        (spot.at.tree, "when", {spot.fact.name: {}}),
        (tree, "rules", []),
        (case, "expect", {}),
        (base.table("rulebase.yaml"), "languages", []),
        (spot.at.tree, "id", ""),
    ]
    table, key, value = base.rng.choice(places)
    node = table.put(key, value).value
    inside = isinstance(node, Table) and key == "when"
    empty = node.entries[0].value if inside and isinstance(node, Table) else node
    return at(empty)


@plants("wrong-shape")
def two_at_once(base: Base) -> Plant:
    """Two things of which only one can be said."""
    spot = pick(base.rng, conditions(base))
    decision = pick(base.rng, (one for one in base.decisions if tree_of(base, one).has("result")))
    tree = tree_of(base, decision)
    enum = pick(base.rng, (one for one in base.facts.values() if one.values_from))
    condition: Node = node_of({"missing": True, "not": "x"})
    number = pick(base.rng, (one for one in conditions(base) if one.fact.numeric))
    bounds = node_of({"at_least": 3, "above": 3})
    choice = base.rng.randrange(5)
    if choice == 0:
        spot.entry.value = condition
        return at(condition)
    if choice == 1:
        assert isinstance(bounds, Table)
        number.entry.value = bounds
        return at(bounds.get("above"))
    if choice == 2:
        return at(tree.put("results", [decision.results[0]]).value)
    if choice == 3:
        values = base.fact(enum.name)
        values.put("values", {"a": label(base.rng)})
        return at(values.get("values_from"))
    listed = add_decision(base, "all", ["extra", "further"], {"extra": True, "further": True})
    return at(listed.get("results"))
