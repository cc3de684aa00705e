"""What is counted of two rule bases on the same rows; tallies of chunks are added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from harken_rules.verdict import Result

from harken_server.history.rows import Refused

Level = int | None
"""A grumble's level; ``None`` where no rule gives one."""

SHOWN = 3
"""Changed rows kept of each transition."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision whose rules fired differently: those that no longer did, and those that now do.

    A rule whose result or partial score changed stands on both sides.
    """

    decision: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One changed row: where it stands, what changed, and the decisions that differ, in order.

    ``draw`` is a number drawn from the row's number, by which the sample is chosen; ``results``
    are name, old and new value.
    """

    draw: int
    row: int
    grumble_id: str
    old: Level
    new: Level
    results: tuple[tuple[str, Result, Result], ...]
    why: tuple[Difference, ...]


@dataclass(slots=True)
class Tally:
    """Counts of the rows that both bases decided on.

    ``levels`` by (old, new); ``groups`` by (code, old, new) for segment and category;
    ``single`` by (old, new) value for results of one value, ``listed`` by (code, which) for
    lists, which is old, new, gained or lost; ``days`` by (day since 1970 by the operator's
    clock, side, treatment), ``lines`` by (day, side) above the warning line, ``peaks`` of each side
    by (level, treatment); ``warned`` by (old
    above, new above, complained) and ``outcomes`` by (old level, new level, complained) where
    the outcome is known; ``causes`` of changed levels by the first decision that differs.
    ``otherwise`` counts rows of the same level with other advice.
    """

    rows: int = 0
    read: int = 0
    refused: dict[str, Refused] = field(default_factory=dict)
    otherwise: int = 0
    levels: Counter[tuple[Level, Level]] = field(default_factory=Counter)
    groups: dict[str, Counter[tuple[str | None, Level, Level]]] = field(default_factory=dict)
    single: dict[str, Counter[tuple[Result, Result]]] = field(default_factory=dict)
    listed: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    days: Counter[tuple[int, str, Result]] = field(default_factory=Counter)
    lines: Counter[tuple[int, str]] = field(default_factory=Counter)
    peaks: dict[str, Counter[tuple[int, Result]]] = field(default_factory=dict)
    warned: Counter[tuple[bool, bool, bool]] = field(default_factory=Counter)
    outcomes: Counter[tuple[Level, Level, bool]] = field(default_factory=Counter)
    causes: Counter[Difference] = field(default_factory=Counter)
    sample: dict[tuple[Level, Level], list[Changed]] = field(default_factory=dict)

    def merge(self, other: Tally) -> None:
        """Add another chunk's counts."""
        self.rows += other.rows
        self.read += other.read
        self.otherwise += other.otherwise
        plain: list[tuple[Counter[Any], Counter[Any]]] = [
            (self.levels, other.levels),
            (self.days, other.days),
            (self.lines, other.lines),
            (self.warned, other.warned),
            (self.outcomes, other.outcomes),
            (self.causes, other.causes),
        ]
        named: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (self.groups, other.groups),
            (self.single, other.single),
            (self.listed, other.listed),
            (self.peaks, other.peaks),
        ]
        for mine, theirs in named:
            plain += [(mine.setdefault(name, Counter()), more) for name, more in theirs.items()]
        for counts, more in plain:
            counts.update(more)
        for side, refused in other.refused.items():
            self.refused.setdefault(side, Refused()).merge(refused)
        for transition, rows in other.sample.items():
            both = [*self.sample.get(transition, []), *rows]
            self.sample[transition] = sorted(both, key=lambda each: each.draw)[:SHOWN]
