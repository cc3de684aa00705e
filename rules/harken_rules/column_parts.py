"""What a column of values adds to the keys of the groups that read its fact.

Every column has an index for each row, small and not negative, and a table that says what each
index adds. A coded column brings its index along. A number's is the count of edges that it
reaches: where its readers tell few pieces of its line apart, adding up the comparisons with their
edges takes a fraction of what a search does. Index 0 is *missing* in both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harken_rules.cells import Cells
from harken_rules.column_cells import (
    Coded,
    Codes,
    Column,
    Errors,
    coded_codes,
    column_codes,
    value_codes,
)
from harken_rules.number_cells import EXACT_INTEGER, NumberCells

Index = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
"""What each index adds, shape (indices,)."""

FEW_EDGES = 60
"""So many comparisons take less time than a search."""


class Indexed(Protocol):
    """A column as indices of rows, for tables made of what its fact's codes add."""

    def table(self, parts: npt.NDArray[np.int64]) -> Table:
        """``parts`` by code, as a table by index."""

    def index(self, begin: int, end: int) -> Index:
        """The indices of rows ``begin`` to ``end``; may be written over at the next call."""

    def errors(self, begin: int, end: int) -> Errors:
        """The errors of the rows ``index`` was last asked for."""


class CodedIndex:
    """Of a coded column."""

    def __init__(self, cells: Cells, column: Coded) -> None:
        places = Coded(np.arange(-1, len(column.values)), column.values)
        self._by_index, wrong = coded_codes(cells, places)
        self._wrong = {place - 1: error for place, error in wrong.items()}
        codes = column.codes
        if len(codes) and not -1 <= codes.min() <= codes.max() < len(column.values):
            raise IndexError(f"a code of column {cells.fact.name!r} names none of its values")
        self._codes = codes

    def table(self, parts: npt.NDArray[np.int64]) -> Table:
        """See ``Indexed.table``."""
        return parts[self._by_index]

    def index(self, begin: int, end: int) -> Index:
        """See ``Indexed.index``."""
        index: Index = np.add(self._codes[begin:end], 1, dtype=np.int64)
        return index

    def errors(self, begin: int, end: int) -> Errors:
        """See ``Indexed.errors``."""
        found: Errors = {}
        for place, error in self._wrong.items():
            for row in np.flatnonzero(self._codes[begin:end] == place).tolist():
                found[begin + row] = error
        return found


class LineIndex:
    """Of a float or integer column of a number. ``pieces`` has a number for each of the fact's
    codes, the same for neighbours that no reader tells apart."""

    def __init__(
        self, cells: NumberCells, column: npt.NDArray[np.generic], pieces: Sequence[int]
    ) -> None:
        self._cells, self._column = cells, column
        first, last = max(cells.first, 1), max(cells.last, 1)
        self._codes, edges = [0, first], [-math.inf]
        for code in range(first + 1, last + 1):
            if cells.reachable >> code & 1 and pieces[code] != pieces[self._codes[-1]]:
                self._codes.append(code)
                edges.append(cells.edges[code - 2])
        self._edges = np.array(edges)
        # What lies outside is an error, and given the code of what it lies beside.
        self._low = cells.edges[first - 2] if first > 1 else -np.finfo(np.float64).max
        self._beyond = cells.edges[last - 1] if last < cells.size - 1 else math.inf
        self._numbers = np.zeros(0)

    def table(self, parts: npt.NDArray[np.int64]) -> Table:
        """See ``Indexed.table``."""
        return parts[self._codes]

    def index(self, begin: int, end: int) -> Index:
        """See ``Indexed.index``."""
        numbers = self._numbers = self._column[begin:end].astype(np.float64, copy=False)
        if len(self._edges) > FEW_EDGES:
            index: Index = np.searchsorted(self._edges, numbers, side="right")
            index[np.isnan(numbers)] = 0
            return index
        reached = np.zeros(len(numbers), dtype=np.uint8)
        compared = np.empty(len(numbers), dtype=np.bool_)
        for edge in self._edges.tolist():
            np.greater_equal(numbers, edge, out=compared)
            np.add(reached, compared.view(np.uint8), out=reached)
        return reached.astype(np.int64)

    def errors(self, begin: int, end: int) -> Errors:
        """See ``Indexed.errors``."""
        numbers = self._numbers
        wrong = numbers < self._low
        wrong |= numbers >= self._beyond
        if self._cells.integral:
            wrong |= numbers > np.floor(numbers)
        if not wrong.any():
            return {}
        return value_codes(self._cells, self._column, begin + np.flatnonzero(wrong))[1]


class CodeIndex:
    """Of a column whose cell codes are known: the index is the code."""

    def __init__(self, codes: Codes, errors: Errors | None = None) -> None:
        self._codes, self._errors = codes, errors or {}

    def table(self, parts: npt.NDArray[np.int64]) -> Table:
        """See ``Indexed.table``."""
        return parts

    def index(self, begin: int, end: int) -> Index:
        """See ``Indexed.index``."""
        return self._codes[begin:end].astype(np.int64)

    def errors(self, begin: int, end: int) -> Errors:
        """See ``Indexed.errors``."""
        if not self._errors:
            return {}
        return {row: error for row, error in self._errors.items() if begin <= row < end}


def indexed(cells: Cells, column: Column, pieces: Sequence[int]) -> Indexed:
    """The column as indices; see ``LineIndex`` for ``pieces``."""
    if isinstance(column, Coded):
        return CodedIndex(cells, column)
    if isinstance(cells, NumberCells) and column.dtype.kind in "fiu":
        whole = column.dtype.kind != "f"
        limit = EXACT_INTEGER
        if not (whole and len(column)) or -limit <= column.min() <= column.max() <= limit:
            return LineIndex(cells, column, pieces)
    return CodeIndex(*column_codes(cells, column))
