"""Values that are malformed, of the wrong type, in the wrong unit or out of range."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harken_rules.language import FactType, Hit

from ..base import Base
from ..model import Fact
from ..planting import Plant, at, pick, plants
from ..spots import (
    add_decision,
    conditions,
    numeric_given,
    parts_of_cases,
    rules,
    texts_of,
    thens,
    tree_of,
)
from ..yaml_tree import Table, Text, node_of

MALFORMED = ("1e3", "1_000", "1,000", ".5", "0.1234567890123456", "1234567890123456.5", "1E-2")


def _numbers(base: Base) -> Iterator[tuple[Text, Fact | None]]:
    """Where numbers stand, with the fact whose value each is."""
    for spot in conditions(base):
        if spot.fact.numeric:
            yield from ((t, spot.fact) for t in texts_of(spot.entry.value) if _is_number(t))
    for _, fact, table, key in thens(base):
        if fact.numeric:
            yield from ((text, fact) for text in texts_of(table.get(key)))
    for part in ("given", "expect"):
        for _, entry, fact in parts_of_cases(base, part):
            if fact.numeric:
                yield from ((text, fact) for text in texts_of(entry.value) if _is_number(text))
    for decision in base.decisions:
        for name in decision.characteristics:
            table = tree_of(base, decision).table("characteristics", name)
            yield from ((text, None) for text in texts_of(table) if _is_number(text))


def _is_number(node: Text) -> bool:
    return node.text.lstrip("-")[:1].isdigit() and not node.text.lstrip("-").isalpha()


@plants("bad-number")
def malformed(base: Base) -> Plant:
    """A number that is not written in plain digits."""
    node, _ = pick(base.rng, _numbers(base))
    node.text = base.rng.choice(MALFORMED)
    return at(node)


@plants("bad-number")
def malformed_range(base: Base) -> Plant:
    """A fact's range that is not written in plain digits."""
    fact = pick(base.rng, numeric_given(base))
    node = base.rng.choice(texts_of(base.fact(fact.name).get("range")))
    node.text = base.rng.choice(MALFORMED)
    return at(node)


@plants("unit-mismatch")
def foreign_unit(base: Base) -> Plant:
    """A number in another unit, or in one where there is none."""
    node, _ = pick(base.rng, _numbers(base))
    unit = base.rng.choice(["days", "yuan", "day", "kg", "度"])
    node.text = f"{node.text.split()[0]}{base.rng.choice(['', ' '])}{unit}"
    return at(node)


@plants("type-mismatch")
def word_for_a_number(base: Base) -> Plant:
    """A word where a number is wanted."""
    node, _ = pick(base.rng, _numbers(base))
    node.text = base.rng.choice(["many", "-", "一"])
    return at(node)


@plants("type-mismatch")
def fraction(base: Base) -> Plant:
    """A fraction where a whole number is wanted."""
    whole = (n for n, fact in _numbers(base) if fact and fact.type is FactType.INTEGER)
    node = pick(base.rng, whole)
    node.text = f"{node.text.split()[0]}.3"  # no weight makes that whole
    return at(node)


@plants("type-mismatch")
def word_for_a_flag(base: Base) -> Plant:
    """Something else than true or false."""
    nodes = [
        text
        for spot in conditions(base)
        if spot.fact.type is FactType.BOOLEAN
        for text in texts_of(spot.entry.value)
    ]
    nodes += [
        text
        for _, fact, table, key in thens(base)
        if fact.type is FactType.BOOLEAN
        for text in texts_of(table.get(key))
    ]
    nodes += [text for fact in base.facts.values() for text in _open(base, fact)]
    node = pick(base.rng, nodes)
    node.text = base.rng.choice(["yes", "no", "True", "1", "maybe"])
    return at(node)


def _open(base: Base, fact: Fact) -> list[Text]:
    declared = base.fact(fact.name)
    return texts_of(declared.get("open")) if declared.has("open") else []


@plants("type-mismatch")
def range_of_codes(base: Base) -> Plant:
    """A range where codes or flags are wanted."""
    unordered = (one for one in conditions(base) if not one.fact.numeric)
    spot = pick(base.rng, unordered)
    table = node_of({base.rng.choice(["at_least", "above", "at_most", "below"]): 3})
    assert isinstance(table, Table)
    spot.entry.value = table
    return at(table.entries[0].key)


@plants("type-mismatch")
def list_asked_about(base: Base) -> Plant:
    """A rule that asks about a list."""
    listed = next(one for one in base.decisions if one.hit is Hit.ALL)
    spot = pick(base.rng, (one for one in rules(base) if one.tree.has("when")))
    code = base.rng.choice(base.facts[listed.results[0]].values)
    return at(spot.tree.table("when").put(listed.results[0], code).key)


@plants("type-mismatch")
def flags_added_up(base: Base) -> Plant:
    """A scorecard whose result is no number."""
    tree = add_decision(base, "sum", ["extra"], base.rng.randint(1, 3))
    return at(tree.get("result"))


@plants("out-of-range")
def beyond_what_can_be(base: Base) -> Plant:
    """A number that its fact cannot be, in a condition, an answer or a case."""
    spots = [(spot.entry.value, spot.fact) for spot in conditions(base)]
    spots += [(table.get(key), fact) for _, fact, table, key in thens(base)]
    for part in ("given", "expect"):
        spots += [(entry.value, fact) for _, entry, fact in parts_of_cases(base, part)]
    nodes = [
        (text, fact.range)
        for value, fact in spots
        if fact.range
        for text in texts_of(value)
        if _is_number(text) and not _in_a_span(value)
    ]
    node, limits = pick(base.rng, nodes)
    beyond = [each for each in (_less(limits.low), _more(limits.high)) if each is not None]
    node.text = str(base.rng.choice(beyond))
    return at(node)


def _in_a_span(node: object) -> bool:
    """Whether there are two bounds, which must not cross."""
    return isinstance(node, Table) and len(node.entries) > 1


def _less(low: Decimal | None) -> Decimal | None:
    return None if low is None else low - 1


def _more(high: Decimal | None) -> Decimal | None:
    return None if high is None else high + 1


@plants("out-of-range")
def too_many_reasons(base: Base) -> Plant:
    """More reasons than an answer may have."""
    decision = next(one for one in base.decisions if one.hit is Hit.SUM)
    return at(tree_of(base, decision).put("reasons", base.rng.choice([101, -1])).value)


@plants("empty-range")
def crossed(base: Base) -> Plant:
    """A condition or expectation whose bounds cross."""
    nodes = [(spot.entry, spot.fact) for spot in conditions(base)]
    nodes += [(entry, fact) for _, entry, fact in parts_of_cases(base, "expect")]
    entry, fact = pick(base.rng, (each for each in nodes if each[1].numeric))
    low, high = base.rng.choice([(4, 2), (3, 3)])
    words = (
        ("at_least", "below") if low == high or base.rng.random() < 0.5 else ("above", "at_most")
    )
    if fact.range and fact.range.high == 1:
        low, high = 1, 0
    keys = dict(zip(words, (low, high), strict=True))
    entry.value = node_of(dict(base.rng.sample(sorted(keys.items()), 2)))
    return at(entry.value)


@plants("empty-range")
def between_neighbours(base: Base) -> Plant:
    """A whole number between two neighbours."""
    spots = (spot for spot in conditions(base) if spot.fact.type is FactType.INTEGER)
    entry = pick(base.rng, spots).entry
    entry.value = node_of({"above": 3, "below": 4})
    return at(entry.value)


@plants("empty-range")
def fact_that_cannot_be(base: Base) -> Plant:
    """A fact whose own range is empty."""
    fact = pick(base.rng, numeric_given(base))
    return at(base.fact(fact.name).put("range", {"at_least": 9, "at_most": 8}).value)
