"""Which decisions are remembered together, and by what.

A decision's answer rests on few classes of few facts; so does that of several decisions taken
together, as long as the ways in which their facts can differ do not multiply beyond bounds. Such
a *group* is looked up once, where each of its decisions would be. A group's key is one integer,
the sum of one number from each of its *sources*: the given facts that it reads, and the groups
before it that yield facts which it reads, or that hand on facts which both read. Digits of mixed
radix make the sum exact, and the key alone says all that the group's decisions need to know.

A decision of more signatures than a group may have is taken by its blocks of rules instead, as
far as it has several; what its blocks answer is then put together by a group of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harken_rules.engine import Plan, RuleEngine

GROUP_LIMIT = 2**16
"""Decisions are put in one group while it has at most so many keys."""

Classes = tuple[int, ...]
"""The class of each code of a fact, from 0."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A decision, one block of its rules, or (``joins``) the whole put together of blocks.

    ``reads`` has the classes by which each fact is read; ``None`` where a block's answers are,
    each of which is a class. ``yields`` names what others may read.
    """

    decision: int
    block: int | None
    joins: bool
    reads: Mapping[str, Classes | None]
    yields: tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Units that are remembered together.

    ``reads`` has the joint classes of every fact that is read from outside, ``sizes`` how many
    each has; ``suppliers`` says from which group each comes, ``None`` for given facts.
    """

    units: list[Unit]
    reads: dict[str, Classes | None]
    sizes: dict[str, int]
    yields: set[str]
    suppliers: dict[str, int | None] = field(default_factory=dict)

    def keys(self) -> int:
        """How many keys the group may have."""
        return math.prod(self.sizes.values())


class Refiner:
    """Joint classes of codes; the same two are put together only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Classes, int, Classes, Classes]] = {}

    def __call__(self, one: Classes, other: Classes) -> tuple[Classes, int]:
        """The classes that tell apart what ``one`` or ``other`` does, and how many there are."""
        if one is other:
            return one, max(one) + 1
        found = self._known.get((id(one), id(other)))
        if found is None:
            pairs: dict[tuple[int, int], int] = {}
            both = tuple(
                [pairs.setdefault(pair, len(pairs)) for pair in zip(one, other, strict=True)]
            )
            # Held together with what they were made of, so that no id is used again.
            found = self._known[id(one), id(other)] = both, len(pairs), one, other
        return found[:2]


def block_fact(decision: str, block: int) -> str:
    """The name under which what a block answers is read; no fact is called so."""
    return f"{decision} #{block}"


def units_of(engine: RuleEngine, wanted: Iterable[int]) -> Iterator[Unit]:
    """The units of the ``wanted`` decisions, each after those it reads."""
    for decision in wanted:
        plan: Plan = engine.plans[decision]
        table = plan.table
        yields = tuple(table.decision.results)
        if len(plan.blocks) == 1 or math.prod(table.sizes) <= GROUP_LIMIT:
            yield Unit(decision, None, False, dict(zip(table.facts, table.classes, strict=True)), yields)
            continue
        names = []
        for place, (_, block) in enumerate(plan.blocks):
            names.append(block_fact(table.decision.name, place))
            reads = dict(zip(block.table.facts, block.table.classes, strict=True))
            yield Unit(decision, place, False, reads, (names[-1],))
        yield Unit(decision, None, True, dict.fromkeys(names), yields)


def groups_of(engine: RuleEngine, wanted: Iterable[int]) -> tuple[Group, ...]:
    """The groups of the ``wanted`` decisions, each after those it reads from."""
    groups: list[Group] = []
    home: dict[str, int] = {}
    refine = Refiner()
    answers: dict[str, int] = {}
    for unit in units_of(engine, wanted):
        least = max((home[name] for name in unit.reads if name in home), default=0)
        place = None if unit.joins else best_place(groups, least, unit, refine)
        if place is None:
            place = len(groups)
            sizes = {
                name: answers[name] if classes is None else max(classes) + 1
                for name, classes in unit.reads.items()
            }
            groups.append(Group([unit], dict(unit.reads), sizes, set(unit.yields)))
        else:
            join(groups[place], unit, refine)
        if unit.block is not None:
            _, block = engine.plans[unit.decision].blocks[unit.block]
            answers[unit.yields[0]] = math.prod(block.table.sizes)
        home.update(dict.fromkeys(unit.yields, place))
    for group in groups:
        group.suppliers = {name: home.get(name) for name in group.reads}
    hand_on(groups, refine)
    return tuple(groups)


def best_place(groups: Sequence[Group], least: int, unit: Unit, refine: Refiner) -> int | None:
    """The group from place ``least`` on that the unit fits in and has most in common with."""
    best: tuple[float, int] | None = None
    for place in range(least, len(groups)):
        group = groups[place]
        if group.units[0].joins:
            continue
        keys, common = group.keys(), 0
        for name, classes in unit.reads.items():
            if name in group.yields:
                common += 1
            elif name in group.sizes:
                common += 1
            else:
                keys *= max(classes or (0,)) + 1
            if keys > GROUP_LIMIT:
                break
        if keys > GROUP_LIMIT or (best is not None and common <= best[0]):
            continue
        if refined(group, unit, refine) <= GROUP_LIMIT:
            best = common, place
    return None if best is None else best[1]


def refined(group: Group, unit: Unit, refine: Refiner) -> int:
    """How many keys the group has with the unit in it."""
    sizes = dict(group.sizes)
    for name, classes in unit.reads.items():
        if name in group.yields or classes is None:
            continue
        held = group.reads.get(name)
        sizes[name] = max(classes) + 1 if held is None else refine(held, classes)[1]
    return math.prod(sizes.values())


def join(group: Group, unit: Unit, refine: Refiner) -> None:
    """Takes the unit into the group."""
    group.units.append(unit)
    group.yields.update(unit.yields)
    for name, classes in unit.reads.items():
        if name in group.yields or classes is None:
            continue
        held = group.reads.get(name)
        if held is None:
            group.reads[name], group.sizes[name] = classes, max(classes) + 1
        else:
            group.reads[name], group.sizes[name] = refine(held, classes)


def hand_on(groups: Sequence[Group], refine: Refiner) -> None:
    """Lets groups read given facts by way of groups before them that read these as well.

    Several sources then become one. The group that hands facts on has to tell apart what the
    other does, within the same bounds.
    """
    for place, group in enumerate(groups):
        while True:
            given = [name for name, source in group.suppliers.items() if source is None]
            known = set(group.suppliers.values())
            offers = [
                (sum(groups[other].suppliers.get(name, 0) is None for name in given), other)
                for other in range(place)
            ]
            gains = [(count - (other not in known), other) for count, other in offers if count]
            done = False
            for gain, other in sorted(gains, reverse=True):
                if gain <= 0:
                    break
                taken = take_over(groups[other], group, given, refine)
                if len(taken) > (other not in known):
                    group.suppliers.update(dict.fromkeys(taken, other))
                    done = True
                    break
            if not done:
                break


def take_over(carrier: Group, group: Group, names: Sequence[str], refine: Refiner) -> list[str]:
    """The given facts ``names`` that the carrier can hand on to ``group``; it is fit for that."""
    taken = []
    for name in names:
        if carrier.suppliers.get(name, 0) is not None:
            continue
        classes, size = refine(carrier.reads[name], group.reads[name])
        if carrier.keys() // carrier.sizes[name] * size <= GROUP_LIMIT:
            carrier.reads[name], carrier.sizes[name] = classes, size
            taken.append(name)
    return taken
