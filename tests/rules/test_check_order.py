"""The order of decisions, and cycles among them, on random graphs."""

from __future__ import annotations

import graphlib
import random

import pytest
from harken_rules.language import Decision, Hit, Place
from harken_rules.order import dependencies, find_cycles, in_order

PLACE = Place("f.yaml", 1, 1)


def decision(name: str, inputs: list[str]) -> Decision:
    return Decision(name, {}, Hit.FIRST, (f"of_{name}",), (), tuple(inputs), PLACE)


def random_decisions(seed: int) -> list[Decision]:
    chance = random.Random(seed)
    names = [f"d{number}" for number in range(chance.randint(1, 9))]
    count = chance.randint(0, 2 * len(names))
    edges = [(chance.choice(names), chance.choice(names)) for _ in range(count)]
    made = [decision(n, ["given", *(f"of_{b}" for a, b in edges if a == n)]) for n in names]
    chance.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(200))
def test_against_the_standard_library(seed: int) -> None:
    decisions = random_decisions(seed)
    needs = dependencies(decisions)
    cycles = find_cycles(needs)
    try:
        list(graphlib.TopologicalSorter(needs).static_order())
        cyclic = False
    except graphlib.CycleError:
        cyclic = True
    assert bool(cycles) == cyclic
    for cycle in cycles:
        assert cycle[0] == min(cycle)
        assert len(set(cycle)) == len(cycle)
        for name, needed in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            assert needed in needs[name]
    ordered = [one.name for one in in_order(decisions)]
    assert sorted(ordered) == sorted(one.name for one in decisions)
    if not cyclic:
        for place, name in enumerate(ordered):
            assert set(needs[name]) <= set(ordered[:place])


def test_the_order_does_not_depend_on_the_order_of_files() -> None:
    decisions = random_decisions(3)
    expected = [one.name for one in in_order(decisions)]
    for _ in range(5):
        random.shuffle(decisions)
        assert [one.name for one in in_order(decisions)] == expected
