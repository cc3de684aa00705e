"""Which decisions are remembered together, and by what.

A decision's answer rests on few classes of few facts; so does that of several decisions taken
together, as long as the ways in which their facts can differ do not multiply beyond bounds. Such
a *group* is looked up once, where each of its decisions would be. A group's key is one integer,
the sum of one number from each of its *sources*: the given facts that it reads, and the groups
before it that yield facts which it reads, or that hand on facts which both read. Digits of mixed
radix make the sum exact, and the key alone says all that the group's decisions need to know.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

GROUP_LIMIT = 2**16
"""Decisions are put in one group while it has at most so many keys."""

Classes = tuple[int, ...]
"""The class of each code of a fact, from 0; that of code 0, *missing*, is 0."""


@dataclass(slots=True)
class Group:
    """Decisions that are remembered together, each after those it reads from.

    ``reads`` has the joint classes of every fact that is read from outside, ``sizes`` how many
    each has; ``suppliers`` says from which group each comes, ``None`` for given facts.
    """

    decisions: list[int] = field(default_factory=list)
    yields: set[str] = field(default_factory=set)
    reads: dict[str, Classes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    suppliers: dict[str, int | None] = field(default_factory=dict)

    def keys(self) -> int:
        """How many keys the group may have."""
        return math.prod(self.sizes.values())


class Refiner:
    """Joint classes of codes; the same two are put together only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Classes, int, Classes, Classes]] = {}

    def __call__(self, one: Classes | None, other: Classes) -> tuple[Classes, int]:
        """The classes that tell apart what ``one`` or ``other`` does, and how many there are."""
        if one is None or one is other:
            return other, max(other) + 1
        found = self._known.get((id(one), id(other)))
        if found is None:
            pairs: dict[tuple[int, int], int] = {}
            both = tuple(
                [pairs.setdefault(pair, len(pairs)) for pair in zip(one, other, strict=True)]
            )
            # Held together with what they were made of, so that no id is used again.
            found = self._known[id(one), id(other)] = both, len(pairs), one, other
        return found[:2]


def groups_of(engine: RuleEngine, wanted: Iterable[int]) -> tuple[Group, ...]:
    """The groups of the ``wanted`` decisions, each after those it reads from."""
    groups: list[Group] = []
    home: dict[str, int] = {}
    refine = Refiner()
    for decision in wanted:
        table = engine.plans[decision].table
        reads = dict(zip(table.facts, table.classes, strict=True))
        least = max((home[name] for name in reads if name in home), default=0)
        sizes = dict(zip(table.facts, table.sizes, strict=True))
        place = best_place(groups, least, reads, sizes, refine)
        if place == len(groups):
            groups.append(Group())
        group = groups[place]
        group.decisions.append(decision)
        group.yields.update(table.decision.results)
        for name, classes in reads.items():
            if name not in group.yields:
                group.reads[name], group.sizes[name] = refine(group.reads.get(name), classes)
        home.update(dict.fromkeys(table.decision.results, place))
    for group in groups:
        group.suppliers = {name: home.get(name) for name in group.reads}
    for place, group in enumerate(groups):
        while hand_on(groups[:place], group, refine):
            pass
    return tuple(groups)


def best_place(
    groups: Sequence[Group],
    least: int,
    reads: Mapping[str, Classes],
    sizes: Mapping[str, int],
    refine: Refiner,
) -> int:
    """The group from place ``least`` on that a decision fits in and has most in common with;
    otherwise the place of a group to come."""
    best = (-1, len(groups))
    for place in range(least, len(groups)):
        group = groups[place]
        new = [name for name in reads if name not in group.yields]
        common = len(reads) - len(new) + sum(name in group.sizes for name in new)
        # Joint classes are at least as many as either's, and take time to find.
        found = {name: max(sizes[name], group.sizes.get(name, 1)) for name in new}
        if common <= best[0] or math.prod({**group.sizes, **found}.values()) > GROUP_LIMIT:
            continue
        found = {name: refine(group.reads.get(name), reads[name])[1] for name in new}
        if math.prod({**group.sizes, **found}.values()) <= GROUP_LIMIT:
            best = common, place
    return best[1]


def hand_on(others: Sequence[Group], group: Group, refine: Refiner) -> bool:
    """Lets ``group`` read given facts by way of one of the groups before it that also reads them,
    so that it has fewer sources; answers whether there was any to be saved.

    The group that hands facts on has to tell apart what the other does, within the same bounds.
    """
    given = [name for name, supplier in group.suppliers.items() if supplier is None]
    known = set(group.suppliers.values())
    gains = []
    for place, other in enumerate(others):
        shared = [name for name in given if other.suppliers.get(name, 0) is None]
        gains.append((len(shared) - (place not in known), place, shared))
    for gain, place, shared in sorted(gains, reverse=True):
        if gain <= 0:
            return False
        other, fitting = others[place], []
        keys = other.keys()
        for name in shared:
            size = refine(other.reads[name], group.reads[name])[1]
            if keys // other.sizes[name] * size <= GROUP_LIMIT:
                keys = keys // other.sizes[name] * size
                fitting.append(name)
        if len(fitting) > (place not in known):
            for name in fitting:
                other.reads[name], other.sizes[name] = refine(other.reads[name], group.reads[name])
                group.suppliers[name] = place
            return True
    return False
