"""What a planter is: it spoils a sound base in one way and says where that is to be found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from harken_rules.diagnostics import FindingId
from harken_rules.language import Place

from .base import Base, Written
from .yaml_tree import Node

T = TypeVar("T")

Spot = Node | Place | Callable[[Written], Place]
"""Where a finding is expected: at a node of the tree, or at a place in a file."""


class NoSpotError(Exception):
    """This base has no place for this defect; another one may have."""


@dataclass(frozen=True)
class Plant:
    """Where the finding is expected, and the other findings that may come along with it."""

    spots: Sequence[Spot]
    along: frozenset[FindingId] = field(default_factory=frozenset)

    def places(self, written: Written) -> set[Place]:
        """Where the finding must be reported, and nowhere else."""
        return {_place(spot, written) for spot in self.spots}


Planter = Callable[[Base], Plant]

PLANTERS: dict[FindingId, list[Planter]] = {}
"""Every way to plant each finding."""


def plants(finding: FindingId) -> Callable[[Planter], Planter]:
    """Registers a planter of ``finding``."""

    def register(planter: Planter) -> Planter:
        PLANTERS.setdefault(finding, []).append(planter)
        return planter

    return register


def at(*spots: Spot, along: Iterable[FindingId] = ()) -> Plant:
    """A plant found at ``spots``."""
    return Plant(spots, frozenset(along))


def pick(rng: random.Random, candidates: Iterable[T]) -> T:
    """One of ``candidates``; raises NoSpotError if there is none."""
    found = list(candidates)
    if not found:
        raise NoSpotError
    return rng.choice(found)


def _place(spot: Spot, written: Written) -> Place:
    if isinstance(spot, Place):
        return spot
    return spot(written) if callable(spot) else written.place(spot)
