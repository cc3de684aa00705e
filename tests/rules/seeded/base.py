"""A rule base as trees, before it is written to a folder."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harken_rules.language import Place

from .model import Decision, Fact, Value
from .yaml_tree import Layout, Node, Table


@dataclass(eq=False)
class Base:
    """A rule base as trees by file, with what they mean.

    ``raw`` are further files as bytes, ``links`` links and what they lead to, ``pipes`` named
    pipes, ``beside`` files beside the folder; ``spoil`` changes the bytes of what was written,
    ``absent`` names files that are left out.
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
    pipes: set[str] = field(default_factory=set)
    beside: dict[str, bytes] = field(default_factory=dict)

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

    base: Base
    files: dict[str, bytes]
    place: Callable[[Node], Place]

    def to(self, folder: Path) -> Path:
        """Write everything into ``folder``, which is not there yet."""
        folder.mkdir(parents=True)
        for name, data in self.files.items():
            _parent(folder / name).write_bytes(data)
        for name, target in self.base.links.items():
            _parent(folder / name).symlink_to(target)
        for name in self.base.pipes:
            os.mkfifo(_parent(folder / name))
        for name, data in self.base.beside.items():
            _parent(folder.parent / name).write_bytes(data)
        return folder


def _parent(path: Path) -> Path:
    """``path``, in a folder that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


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
    return Written(base, files, place)
