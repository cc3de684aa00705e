"""Cells of numbers: points and the open intervals between them, told apart exactly."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from harken_rules.exact import between, is_whole, least_float
from harken_rules.language import (
    Condition,
    Constant,
    Fact,
    FactType,
    Interval,
    Missing,
    OneOf,
    Within,
)
from harken_rules.named_cells import MISSING
from harken_rules.verdict import EngineError, FactError
from harken_rules.wording import describe, in_words, kind

EXACT_INTEGER = 2**53
"""Integers up to here are floats without loss."""


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


def bounds_of(interval: Interval) -> list[Decimal]:
    """The bounds that ``interval`` has."""
    return [bound for bound in (interval.low, interval.high) if bound is not None]
