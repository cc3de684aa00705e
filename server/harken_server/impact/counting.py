"""Counting combinations of columns of small codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
_COUNTED = 1 << 20
"""Up to so many possible combinations are counted in a table, more are sorted."""


@dataclass(frozen=True, slots=True)
class Values:
    """A column as ``values[codes[row]]``; the codes are from 0."""

    codes: Codes
    values: tuple[Any, ...]

    def cut(self, keep: npt.NDArray[Any]) -> Values:
        """The rows picked, by mask or place."""
        return Values(self.codes[keep], self.values)

    def mapped(self, table: Sequence[Any]) -> Values:
        """With each value replaced by that of the same place in ``table``."""
        places: dict[Any, int] = {}
        codes = np.array([places.setdefault(v, len(places)) for v in table], dtype=np.int64)
        return Values(codes[self.codes] if len(codes) else self.codes, tuple(places))


def counted(*columns: Values) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Each combination of values that some row has, and how many rows have it."""
    key = np.zeros(len(columns[0].codes), dtype=np.int64)
    possible = 1
    for column in columns:
        key = key * max(len(column.values), 1) + column.codes
        possible *= max(len(column.values), 1)
    if possible <= _COUNTED:
        table = np.bincount(key, minlength=0)
        held = np.flatnonzero(table)
        numbers = table[held]
    else:
        held, numbers = np.unique(key, return_counts=True)
    for code, number in zip(held.tolist(), numbers.tolist(), strict=True):
        values = []
        for column in reversed(columns):
            code, place = divmod(code, max(len(column.values), 1))
            values.append(column.values[place])
        yield tuple(reversed(values)), number


def alike(first: Values, second: Values) -> npt.NDArray[np.bool_]:
    """Rows in which both columns have the same value."""
    places = {value: place for place, value in enumerate(first.values)}
    table = np.array([places.get(value, -1) for value in second.values], dtype=np.int64)
    return np.asarray(first.codes == (table[second.codes] if len(table) else second.codes))
