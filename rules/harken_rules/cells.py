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

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

import numpy as np

from harken_rules.exact import between, is_whole, least_float
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
from harken_rules.verdict import EngineError, FactError
from harken_rules.wording import describe, in_words, kind, suggest

MISSING = 0
"""The code of a missing fact."""

EXACT_INTEGER = 2**53
"""Integers up to here are floats without loss."""


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


def bounds_of(interval: Interval) -> list[Decimal]:
    """The bounds that ``interval`` has."""
    return [bound for bound in (interval.low, interval.high) if bound is not None]


class NamedCells:
    """Cells of an enum or a boolean: one for each value, and *another* where that is allowed."""

    def __init__(self, fact: Fact, names: Mapping[str, Constant], another: bool) -> None:
        self.fact = fact
        self._values: tuple[Constant, ...] = tuple(names.values())
        self._codes: dict[Constant, int] = {v: i for i, v in enumerate(self._values, start=1)}
        self._another = len(self._values) + 1 if another else None
        self._kind: type[bool] | type[str] = bool if fact.type is FactType.BOOLEAN else str
        self.size = len(self._values) + 1 + another
        self.reachable = (1 << self.size) - 1
        self.table: dict[object, int] = {None: MISSING}
        for value, code in self._codes.items():
            self.table[value] = code

    def code(self, value: object) -> int:
        """See ``Cells.code``."""
        if isinstance(value, np.bool_):
            value = bool(value)
        if not isinstance(value, self._kind):
            wanted = "true or false" if self._kind is bool else "a code (text)"
            raise FactError(
                self.fact.name, describe(value), f"expected {wanted}, got {kind(value)}"
            )
        code = self._codes.get(value, self._another)
        if code is None:
            raise FactError(
                self.fact.name,
                describe(value),
                f"{describe(value)} is not one of its values",
                suggest(str(value), [str(known) for known in self._values]),
            )
        return code

    def constant(self, value: Constant) -> int:
        """See ``Cells.constant``."""
        code = self._codes.get(value, self._another) if isinstance(value, self._kind) else None
        if code is None:
            raise EngineError(f"fact {self.fact.name!r} has no value {describe(value)}")
        return code

    def accepts(self, condition: Condition) -> int:
        """See ``Cells.accepts``."""
        known = self.reachable & ~1
        match condition:
            case Missing(wanted=wanted):
                return 1 if wanted else known
            case OneOf(values=values, negated=negated):
                chosen = 0
                for value in values:
                    if value not in self._codes:
                        raise EngineError(f"fact {self.fact.name!r} lists no {describe(value)}")
                    chosen |= 1 << self._codes[value]
                return known & ~chosen if negated else chosen
            case Within():
                raise EngineError(f"fact {self.fact.name!r} is no number and has no intervals")

    def example(self, code: int) -> Constant | None:
        """See ``Cells.example``."""
        if code == self._another:
            return "another" + "_" * sum(str(v).startswith("another") for v in self._values)
        return self._values[code - 1] if code else None


class NumberCells:
    """Cells of a number: below the first cut, on it, between it and the next, and so on."""

    def __init__(self, fact: Fact, cuts: Iterable[Decimal], limits: Interval) -> None:
        self.fact = fact
        self.cuts: tuple[Decimal, ...] = tuple(sorted({*cuts, *bounds_of(limits)}))
        # A float's code is one more than the number of edges up to it.
        self.edges = sorted(
            least_float(cut, beyond) for cut in self.cuts for beyond in (False, True)
        )
        # An integer of more bits lies beyond every cut; making it a decimal may take a second.
        self._bits = 4 * max([32, *(cut.adjusted() + 2 for cut in self.cuts)])
        self.integral = fact.type is FactType.INTEGER
        self.size = 2 * len(self.cuts) + 2
        self.limits = limits
        inside = self._inside(limits)
        self.first = (inside & -inside).bit_length() - 1
        self.last = inside.bit_length() - 1
        self.reachable = 1
        for code in range(max(self.first, 1), self.last + 1):
            self.reachable |= (self.example(code) is not None) << code

    def code(self, value: object) -> int:
        """See ``Cells.code``."""
        if type(value) is float and math.isfinite(value):
            if self.integral and not value.is_integer():
                raise self.not_whole(value)
            code = 1 + bisect_right(self.edges, value)
        elif type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER:
            code = 1 + bisect_right(self.edges, value)
        elif type(value) is int and value.bit_length() > self._bits:
            code = self.size - 1 if value > 0 else 1
        else:
            exact = self._exact(value)
            code = 1 + bisect_left(self.cuts, exact) + bisect_right(self.cuts, exact)
        if not self.first <= code <= self.last:
            raise self.out_of_range(value)
        return code

    def constant(self, value: Constant) -> int:
        """See ``Cells.constant``."""
        if not isinstance(value, Decimal):
            raise EngineError(f"fact {self.fact.name!r} is a number, not {describe(value)}")
        return 1 + bisect_left(self.cuts, value) + bisect_right(self.cuts, value)

    def accepts(self, condition: Condition) -> int:
        """See ``Cells.accepts``."""
        known = self.reachable & ~1
        match condition:
            case Missing(wanted=wanted):
                return 1 if wanted else known
            case OneOf(values=values, negated=negated):
                chosen = 0
                for value in values:
                    chosen |= 1 << self.constant(value)
                return known & (~chosen if negated else chosen)
            case Within(interval=interval):
                return known & self._inside(interval)

    def example(self, code: int) -> Decimal | None:
        """See ``Cells.example``."""
        if code == MISSING:
            return None
        place, on_cut = divmod(code - 1, 2)
        if on_cut:
            cut = self.cuts[place]
            return None if self.integral and not is_whole(cut) else cut
        low = self.cuts[place - 1] if place else None
        high = self.cuts[place] if place < len(self.cuts) else None
        return between(low, high, self.integral)

    def not_whole(self, value: object) -> FactError:
        """The error of a fraction where whole numbers are wanted."""
        return FactError(
            self.fact.name, describe(value), f"expected a whole number, got {describe(value)}"
        )

    def not_finite(self, value: object) -> FactError:
        """The error of an infinity, or of a NaN where that does not mean *missing*."""
        return FactError(
            self.fact.name,
            describe(value),
            f"expected a finite number, got {describe(value)}",
            "leave the fact out if it is not known",
        )

    def out_of_range(self, value: object) -> FactError:
        """The error of a number outside the fact's range."""
        unit = f" {self.fact.unit}" if self.fact.unit else ""
        return FactError(
            self.fact.name,
            describe(value),
            f"{describe(value)}{unit} is outside its range",
            f"it must be {in_words(self.limits)}{unit}",
        )

    def _exact(self, value: object) -> Decimal:
        if isinstance(value, Decimal):
            exact = value
        elif isinstance(value, int | np.integer) and not isinstance(value, bool):
            exact = Decimal(int(value))
        elif isinstance(value, float | np.floating):
            exact = Decimal(repr(float(value)))
        else:
            raise FactError(
                self.fact.name, describe(value), f"expected a number, got {kind(value)}"
            )
        if not exact.is_finite():
            raise self.not_finite(value)
        if self.integral and not is_whole(exact):
            raise self.not_whole(value)
        return exact

    def _inside(self, interval: Interval) -> int:
        """Bit set of the known codes in ``interval``, whose bounds are cuts."""
        first, last = 1, self.size - 1
        if interval.low is not None:
            first = self.constant(interval.low) + interval.low_open
        if interval.high is not None:
            last = self.constant(interval.high) - interval.high_open
        return ((1 << (last + 1)) - 1) & ~((1 << first) - 1) if first <= last else 0
