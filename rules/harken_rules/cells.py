"""Quantisation at the border: every fact's values fall into a few numbered cells.

The constants that rules compare a number with cut its line into points and the open
intervals between them; an enum's values, *another* value of an open enum, and *missing*
are cells too. A rule cannot tell two values of one cell apart, so the engine is shown cell
codes and nothing else. Code 0 is *missing*; the others start at 1.

Numbers are compared exactly. A float stands for its shortest decimal (3.9 is 3.9, although
no binary float is), which keeps the order of floats; so each cut becomes two floats, the
least that reaches it and the least that exceeds it, and bisecting them is exact, for one
value as for a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from harken_rules.language import (
    Condition,
    Constant,
    Decision,
    Fact,
    FactType,
    Interval,
    Missing,
    OneOf,
    Within,
)
from harken_rules.named_cells import NamedCells
from harken_rules.number_cells import NumberCells, bounds_of


class Cells(Protocol):
    """One fact's cells. ``size`` counts the codes, *missing* included."""

    fact: Fact
    size: int
    reachable: int
    """Bit set of the codes that some acceptable value, or its absence, yields."""

    def code(self, value: object) -> int:
        """The code of a known value; raises FactError."""

    def constant(self, value: Constant) -> int:
        """The code of a constant of the rule base; raises EngineError."""

    def accepts(self, condition: Condition) -> int:
        """Bit set of the codes for which ``condition`` holds."""

    def example(self, code: int) -> Constant | None:
        """A value in the cell; ``None`` for *missing* or where there is none to name."""


def make_cells(fact: Fact, conditions: Iterable[Condition], given: bool = True) -> Cells:
    """The cells that ``conditions`` cut ``fact`` into.

    A fact that is ``given`` is held to its range; one that a decision yields is not.
    """
    match fact.type:
        case FactType.ENUM:
            return NamedCells(fact, {code: code for code in fact.values or {}}, fact.open)
        case FactType.BOOLEAN:
            return NamedCells(fact, {"false": False, "true": True}, another=False)
        case _:
            return NumberCells(fact, cuts_of(conditions), fact.range if given else Interval())


def cells_of(facts: Mapping[str, Fact], decisions: Iterable[Decision]) -> dict[str, Cells]:
    """Cells of every fact, cut by all constants that the ``decisions`` compare it with."""
    conditions: dict[str, list[Condition]] = {name: [] for name in facts}
    results: set[str] = set()
    for decision in decisions:
        results.update(decision.results)
        for rule in decision.rules:
            for alternative in rule.alternatives:
                for clause in alternative:
                    conditions[clause.fact].append(clause.condition)
    return {
        name: make_cells(fact, conditions[name], given=not is_derived(fact, results))
        for name, fact in facts.items()
    }


def is_derived(fact: Fact, results: Iterable[str] = ()) -> bool:
    """Whether a decision yields the fact, so that nobody may give it."""
    return fact.name in results or fact.source not in ("request", "model", "attribute")


def cuts_of(conditions: Iterable[Condition]) -> set[Decimal]:
    """The numbers that ``conditions`` compare with."""
    cuts: set[Decimal] = set()
    for condition in conditions:
        match condition:
            case OneOf(values=values):
                cuts.update(value for value in values if isinstance(value, Decimal))
            case Within(interval=interval):
                cuts.update(bounds_of(interval))
            case Missing():
                pass
    return cuts
