"""Where in a base a defect may be planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.language import FactType, Hit

from .base import Base
from .conditions import drawn
from .model import Decision, Fact, Rule, Value
from .planting import pick
from .spelling import fact_tree, rule_tree, when_tree
from .words import label
from .yaml_tree import Entry, Items, Node, Table, Text, node_of, walk


@dataclass(frozen=True, eq=False)
class RuleSpot:
    """A rule and its tree."""

    decision: Decision
    index: int
    rule: Rule
    tree: Table


@dataclass(frozen=True, eq=False)
class ConditionSpot:
    """A condition: the entry in its ``when``, and the fact it is on."""

    at: RuleSpot
    fact: Fact
    entry: Entry


def tree_of(base: Base, decision: Decision) -> Table:
    """A decision's file."""
    return base.table(decision.file)


def rules(base: Base, *hits: Hit) -> Iterator[RuleSpot]:
    """All rules of decisions with one of ``hits`` (of all if none is named)."""
    for decision in base.decisions:
        if not hits or decision.hit in hits:
            trees = tree_of(base, decision).items("rules")
            for index, (rule, tree) in enumerate(zip(decision.rules, trees, strict=True)):
                assert isinstance(tree, Table)
                yield RuleSpot(decision, index, rule, tree)


def conditions(base: Base) -> Iterator[ConditionSpot]:
    """All conditions, those in ``any`` as well."""
    for spot in rules(base):
        pending = [spot.tree.get("when")] if spot.tree.has("when") else []
        while pending:
            when = pending.pop(0)
            assert isinstance(when, Table)
            for entry in when.entries:
                if entry.key.text == "any":
                    assert isinstance(entry.value, Items)
                    pending += entry.value.items
                else:
                    yield ConditionSpot(spot, base.facts[entry.key.text], entry)


def texts_of(node: Node) -> list[Text]:
    """The values in a condition or a ``then``."""
    return [each for each in walk(node) if isinstance(each, Text)]


def thens(base: Base, *hits: Hit) -> Iterator[tuple[RuleSpot, Fact, Table, str]]:
    """Where a rule says a result: the fact, the mapping and the key that it stands under."""
    for spot in rules(base, *hits):
        for name in spot.rule.then:
            several = len(spot.rule.then) > 1
            table = spot.tree.table("then") if several else spot.tree
            yield spot, base.facts[name], table, name if several else "then"


def cases(base: Base) -> Iterator[Table]:
    """All plain cases."""
    for file in sorted(base.files):
        if file.startswith("cases/"):
            for case in base.table(file).items("cases"):
                assert isinstance(case, Table)
                if not case.has("rows"):
                    yield case


def parts_of_cases(base: Base, key: str) -> Iterator[tuple[Table, Entry, Fact]]:
    """The entries under ``given`` or ``expect`` of all cases."""
    for case in cases(base):
        for entry in case.table(key).entries:
            yield case, entry, base.facts[entry.key.text]


def files(base: Base, folder: str) -> list[str]:
    """The files in a folder, in the order in which they are read."""
    return sorted(file for file in base.files if file.startswith(folder))


def entries(base: Base, catalogue: str) -> Table:
    """The entries of a catalogue."""
    return base.table(f"catalogue/{catalogue}.yaml", "entries")


def every_label(base: Base) -> Iterator[Table]:
    """All texts in two languages."""
    for file in sorted(base.files):
        for node in walk(base.files[file]):
            if isinstance(node, Table) and {each.key.text for each in node.entries} == {"en", "zh"}:
                yield node


def numeric_given(base: Base) -> list[Fact]:
    """Given facts that are compared by size."""
    return [fact for fact in base.given() if fact.numeric]


def unasked(base: Base, decision: Decision) -> list[Fact]:
    """Given facts that neither ``decision`` nor what comes before it asks about."""
    asked = {name for rule in decision.rules for when in rule.alternatives for name in when}
    cone = frozenset().union(*(base.facts[name].cone for name in asked))
    return [fact for fact in base.given() if fact.name not in cone]


def insert(base: Base, decision: Decision, index: int, rule: Rule) -> Table:
    """Put a rule into a decision before rule ``index``."""
    rule.id = f"planted-{len(decision.rules)}"
    tree = rule_tree(base.rng, rule, decision, base.facts)
    if not tree.has("because"):
        tree.put("because", label(base.rng))
    decision.rules.insert(index, rule)
    tree_of(base, decision).items("rules").insert(index, tree)
    return tree


def rewrite_when(base: Base, spot: RuleSpot) -> None:
    """Write the conditions of a rule that was changed."""
    spot.tree.put("when", when_tree(base.rng, spot.rule, base.facts))


def other_values(fact: Fact, *values: Value) -> list[Value]:
    """Values that the fact may have, other than ``values`` and *missing*."""
    match fact.type:
        case FactType.BOOLEAN:
            possible: list[Value] = [True, False]
        case FactType.ENUM:
            possible = list(fact.values)
        case _:
            possible = [Decimal(number) for number in range(1, 6)]
    return [value for value in possible if value not in values]


def add_decision(base: Base, hit: str, results: list[str], then: object) -> Table:
    """A further decision, whose results are flags of its own."""
    for name in results:
        fact = Fact(name, FactType.BOOLEAN, "zz_extra")
        base.table("facts.yaml", "facts").put(name, fact_tree(base.rng, fact))
    named = {"result": results[0]} if len(results) == 1 else {"results": results}
    rule = {"id": "only", "then": then}
    made = {"decision": "zz_extra", "title": label(base.rng), "hit": hit, **named, "rules": [rule]}
    tree = node_of(made)
    assert isinstance(tree, Table)
    base.files["decisions/zz_extra.yaml"] = tree
    return tree


def narrower(base: Base, decision: Decision, rule: Rule) -> Rule:
    """The same rule with one condition more, on a fact that nothing of it depends on."""
    fact = pick(base.rng, unasked(base, decision))
    when = {**rule.when, fact.name: drawn(base.rng, fact)}
    return Rule(when, list(rule.any), dict(rule.then), characteristic=rule.characteristic)


def another_then(base: Base, *rules: Rule) -> dict[str, tuple[Value, ...]]:
    """A ``then`` that differs from those of all ``rules`` in every result."""
    made: dict[str, tuple[Value, ...]] = {}
    for name in rules[0].then:
        taken = [rule.then[name][0] for rule in rules]
        made[name] = (pick(base.rng, other_values(base.facts[name], *taken)),)
    return made


def misspelt(base: Base, name: str) -> str:
    """``name`` with a letter too many."""
    place = base.rng.randint(1, len(name))
    return f"{name[:place]}q{name[place:]}"
