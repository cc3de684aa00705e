"""Columns that name few values often: each value is looked at once, however many rows have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from harken_models.values import Places

SLICE = 4000
"""Rows that are worked on together: thirty columns of them stay in a core's cache. No power of
two, or the values of a row, a column's length apart, would compete for the same cache lines."""
UNLISTED = "\0unlisted"
"""Stands for every value that a ``PairTable`` does not list."""

Read = Callable[[slice | npt.NDArray[np.intp]], Any]
"""The values of some rows of a column; a scalar where all rows have the same."""


class CodedColumn(Protocol):
    """``values[codes[row]]`` is a row's value.

    ``codes``: signed integers, shape (rows,), -1 for missing. None and NaN among ``values`` are
    missing too.
    """

    @property
    def codes(self) -> npt.NDArray[Any]: ...

    @property
    def values(self) -> tuple[Any, ...]: ...


Column = npt.NDArray[Any] | CodedColumn
Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded column."""

    codes: npt.NDArray[Any]
    values: tuple[Any, ...]

    def objects(self) -> npt.NDArray[Any]:
        """Each row's value, None where missing: an array of objects."""
        table = np.empty(len(self.values) + 1, dtype=object)
        table[:-1] = self.values
        return np.asarray(table[self.codes])  # -1 takes the last, which is None


def as_coded(column: Column | None, rows: int = 0) -> CodedColumn:
    """Any column as a coded one; ``rows`` missing ones where there is none."""
    if column is None:
        return Coded(np.full(rows, -1, dtype=np.int32), ())
    if not isinstance(column, np.ndarray):
        return column
    codes, distinct = pd.factorize(column)
    return Coded(codes, tuple(distinct.tolist()))


def read_table(column: CodedColumn, table: npt.NDArray[Any]) -> Read:
    """Reads what ``table`` holds for each code; its last entry is for missing."""
    codes = column.codes
    return lambda part: table.take(codes[part], mode="wrap")  # -1 wraps to the last


def slices(rows: int, threads: int = 1) -> Iterable[slice]:
    """The rows in parts of ``SLICE`` for each of the threads that share them."""
    size = SLICE * max(threads, 1)  # LightGBM takes 0 for as many as there are
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


class PairTable:
    """What two values mean together, looked up by columns.

    ``cell`` says it for a listed value, ``UNLISTED`` or None (missing) on either side. The table
    is made once, so two columns of many strange values cost no more than their lengths.
    """

    def __init__(
        self,
        lefts: Iterable[str],
        rights: Iterable[str],
        cell: Callable[[str | None, str | None], float],
    ) -> None:
        left, right = sorted(set(lefts)), sorted(set(rights))
        self._table = np.array(
            [[cell(a, b) for b in (*right, UNLISTED, None)] for a in (*left, UNLISTED, None)]
        ).ravel()
        self._width = len(right) + 2
        self._left = Places(left, len(left) + 1, len(left))
        self._right = Places(right, len(right) + 1, len(right))

    def read(self, left: CodedColumn, right: CodedColumn) -> Read:
        """Reads the cells of two columns."""
        row = read_table(left, value_table(left, self._left).astype(np.intp) * self._width)
        column = read_table(right, value_table(right, self._right).astype(np.intp))
        return lambda part: self._table.take(row(part) + column(part))


def value_table(column: CodedColumn, places: Places) -> npt.NDArray[np.float64]:
    """What ``places`` has for each value of a column, then for missing; for ``read_table``."""
    return np.array([*map(places.__getitem__, column.values), places.missing])
