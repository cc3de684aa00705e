"""Boxes: what they hold, where they overlap."""

from __future__ import annotations

import itertools
from decimal import Decimal

from harken_rules.boxes import boxes_of, matching, overlapping_pairs, overlaps, simplify
from harken_rules.cells import cells_of
from harken_rules.language import (
    Clause,
    Condition,
    Decision,
    Fact,
    FactType,
    Hit,
    Interval,
    OneOf,
    Rule,
    RuleBase,
    Within,
)
from harken_rules.tables import table_of

from .random_bases import PLACE, random_base

FACTS = {
    "hours": Fact("hours", FactType.NUMBER, "request", {}, PLACE),
    "level": Fact("level", FactType.INTEGER, "request", {}, PLACE),
    "kind": Fact("kind", FactType.ENUM, "request", {}, PLACE, values={"a": {}, "b": {}, "c": {}}),
}


def base_of(*rules: dict[str, Condition]) -> tuple[RuleBase, Decision]:
    made = tuple(
        Rule(
            f"r{index}",
            PLACE,
            (tuple(Clause(name, condition, PLACE) for name, condition in when.items()),),
            {"out": (Decimal(index),)},
        )
        for index, when in enumerate(rules)
    )
    decision = Decision("d", {}, Hit.UNIQUE, ("out",), made, tuple(FACTS), PLACE)
    return RuleBase("b", {}, ("en",), FACTS, (decision,), {}, "sha256:0"), decision


def span(low: str | None, high: str | None, open_: bool = False) -> Within:
    return Within(Interval(low and Decimal(low), high and Decimal(high), False, open_))


def test_bands_that_touch_do_not_overlap() -> None:
    base, decision = base_of(
        {"hours": span("0", "24", open_=True)}, {"hours": span("24", "48", open_=True)}
    )
    rules = boxes_of(base, decision).rules
    assert overlaps(rules[0], rules[1]) is None
    assert not list(overlapping_pairs(rules))


def test_an_overlap_has_an_example() -> None:
    base, decision = base_of(
        {"hours": span("0", "24")}, {"hours": span("24", None), "kind": OneOf(("a",), True)}
    )
    boxes = boxes_of(base, decision)
    [(earlier, later, box)] = overlapping_pairs(boxes.rules)
    assert (earlier, later) == (0, 1)
    assert boxes.example(box) == {"hours": Decimal(24), "kind": "b"}


def test_no_integer_lies_between_neighbours() -> None:
    base, decision = base_of(
        {"level": Within(Interval(Decimal(2), None, True))},
        {"level": Within(Interval(None, Decimal(3), False, True))},
    )
    assert not list(overlapping_pairs(boxes_of(base, decision).rules))


def test_rules_without_conditions_always_overlap() -> None:
    base, decision = base_of({}, {})
    assert [pair[:2] for pair in overlapping_pairs(boxes_of(base, decision).rules)] == [(0, 1)]
    bare = Decision("d", {}, Hit.UNIQUE, ("out",), decision.rules, (), PLACE)
    assert [pair[:2] for pair in overlapping_pairs(boxes_of(base, bare).rules)] == [(0, 1)]


def test_overlapping_pairs_are_those_that_some_signature_matches_twice() -> None:
    for seed in range(60):
        base = random_base(seed, rules=8, decisions=3)
        for decision in base.decisions:
            rules = table_of(boxes_of(base, decision)).rules
            sizes = table_of(boxes_of(base, decision)).sizes
            if len(decision.rules) > 8 or sum(sizes) > 30:
                continue
            both = set()
            for signature in itertools.product(*map(range, sizes)):
                matched = matching(rules, Hit.ALL, signature)
                both.update(itertools.combinations(matched, 2))
            assert {pair[:2] for pair in overlapping_pairs(rules)} == both


def test_simplify_drops_what_is_empty_or_held_by_another() -> None:
    assert simplify([(0b11, 0), (0b01, 0b1), (0b11, 0b1), (0b10, 0b1), (0b11, 0b1)]) == ((0b11, 1),)


def test_tables_tell_apart_only_what_the_rules_do() -> None:
    base, decision = base_of(
        {"kind": OneOf(("b",)), "hours": span("1", None)}, {"hours": span("5", None)}
    )
    wide = cells_of(FACTS, [decision, base_of({"hours": OneOf((Decimal(3),))})[1]])
    table = table_of(boxes_of(base, decision, wide))
    assert table.facts == ("hours", "kind")
    assert table.sizes == (3, 2)  # below 1 or missing, below 5, the rest; b or not
    hours = wide["hours"]
    classes = [table.classes[0][hours.code(value)] for value in (0, 1, 3, 4.9, 5, 100)]
    assert classes == [0, 1, 1, 1, 2, 2]
