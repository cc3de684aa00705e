"""The terms of a logistic regression: what one feature adds to the log-odds.

Of one row most numbers are counts, ages, ranks or flags, small whole numbers: their terms are
computed beforehand and looked up.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_WHOLE = 128
"""Whole numbers from 0 below this are looked up."""


@dataclass(frozen=True)
class NumberTerm:
    """``coefficient * (clip(x) - mean) / scale + steps[bin of x]``; ``missing`` if there is no x.

    Bin i holds ``edges[i - 1] <= x < edges[i]``. ``average`` is the term's mean in training:
    what an explanation counts from.
    """

    low: float
    high: float
    mean: float
    scale: float
    coefficient: float
    missing: float
    average: float
    edges: tuple[float, ...] = ()
    steps: tuple[float, ...] = (0.0,)

    def one(self, x: float) -> float:
        """The term of a number or NaN."""
        if x != x:
            return self.missing
        # On a bound the bound is taken, as numpy's clip does it: they may differ in sign of zero.
        raised = x if x > self.low else self.low
        clipped = raised if raised < self.high else self.high
        step = self.steps[bisect_right(self.edges, x)]
        return (clipped - self.mean) / self.scale * self.coefficient + step

    def many(self, x: np.ndarray) -> np.ndarray:
        """The terms of a column."""
        edges, steps = self._arrays
        term = x.clip(self.low, self.high)
        term -= self.mean
        term /= self.scale
        term *= self.coefficient
        term += steps.take(edges.searchsorted(x, side="right"))
        term[x != x] = self.missing
        return term

    @cached_property
    def by_value(self) -> Mapping[float, float]:
        """The same as ``one``, by look-up."""
        return _ByValue(self)

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.edges, dtype=np.float64), np.array(self.steps)


@dataclass(frozen=True)
class LevelTerm:
    """One coefficient for each level of a category: its categories, pooled, missing."""

    coefficients: tuple[float, ...]
    average: float

    def one(self, x: float) -> float:
        """The term of a level."""
        return self.coefficients[int(x)]

    def many(self, x: np.ndarray) -> np.ndarray:
        """The terms of a column of levels."""
        return self._array.take(x.astype(np.intp))

    @cached_property
    def by_value(self) -> Mapping[float, float]:
        """The same as ``one``, by look-up."""
        return {float(level): value for level, value in enumerate(self.coefficients)}

    @cached_property
    def _array(self) -> np.ndarray:
        return np.array(self.coefficients)


class _ByValue(dict[float, float]):
    """``terms[x]``: looked up where x is a small whole number, else computed."""

    __slots__ = ("_one",)

    def __init__(self, term: NumberTerm) -> None:
        super().__init__({float(x): term.one(float(x)) for x in range(_WHOLE)})
        self[math.nan] = term.missing
        self._one = term.one

    def __missing__(self, x: float) -> float:
        return self._one(x)
