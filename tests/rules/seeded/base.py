"""A sound rule base by seed: facts of every type, catalogues, chained decisions, cases that hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from harken_rules.language import FactType, Hit, Interval, Place

from .conditions import given_enum, given_flag, given_integer, given_number
from .model import Decision, Fact, Value
from .tables import Yields, listing, scorecard, table
from .words import CODES, codes, entry, label, labels
from .yaml_tree import Layout, Node, Table, node_of


@dataclass(eq=False)
class Base:
    """A rule base as trees by file, with what they mean.

    ``raw`` are further files as bytes, ``links`` further links; ``spoil`` changes the bytes of
    what was written, ``absent`` names files that are left out.
    """

    rng: random.Random
    seed: int
    files: dict[str, Node] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    raw: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    spoil: list[Callable[[dict[str, bytes], Callable[[Node], Place]], None]] = field(
        default_factory=list
    )
    absent: set[str] = field(default_factory=set)

    def table(self, file: str, *keys: str) -> Table:
        """A mapping in a file."""
        root = self.files[file]
        assert isinstance(root, Table)
        return root.table(*keys)

    def fact(self, name: str) -> Table:
        """A fact's declaration."""
        return self.table("facts.yaml", "facts", name)

    def given(self) -> list[Fact]:
        """The facts from outside."""
        return [fact for fact in self.facts.values() if fact.cone == {fact.name}]

    def add(self, decision: Decision, results: Sequence[Fact]) -> None:
        """Add a decision and its results."""
        self.decisions.append(decision)
        self.facts |= {fact.name: fact for fact in results}

    def decide(self, given: dict[str, Value]) -> dict[str, object]:
        """All results."""
        known, results = dict(given), {}
        for decision in self.decisions:
            found = decision.decide(known)
            results |= found
            known |= {name: value for name, value in found.items() if not isinstance(value, tuple)}
        return results


@dataclass(frozen=True)
class Written:
    """A base as bytes by file name, and where each node stands."""

    files: dict[str, bytes]
    links: dict[str, str]
    place: Callable[[Node], Place]

    def to(self, folder: Path) -> Path:
        """Write everything into ``folder``."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name, target in self.links.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(target)
        return folder


def write(base: Base) -> Written:
    """The base in a layout drawn from its seed, each file in its own."""
    files, places = {}, {}
    for name, root in base.files.items():
        text, spots = Layout(random.Random(f"{base.seed} {name}")).write(root)
        files[name] = text.encode()
        places |= {node: Place(name, *spot) for node, spot in spots.items()}
    files |= base.raw
    for name in base.absent:
        del files[name]

    def place(node: Node) -> Place:
        return places[id(node)]

    for spoil in base.spoil:
        spoil(files, place)
    return Written(files, base.links, place)
