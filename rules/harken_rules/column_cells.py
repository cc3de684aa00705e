"""Cell codes of a whole column, the same as ``Cells.code`` gives each value."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harken_rules.cells import Cells
from harken_rules.language import FactType
from harken_rules.named_cells import MISSING, NamedCells
from harken_rules.number_cells import EXACT_INTEGER, NumberCells
from harken_rules.verdict import FactError

Codes = npt.NDArray[np.int32]
Errors = dict[int, FactError]

UNKNOWN = -1
_FLAGS = frozenset({bool, type(None)})


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column that names few values often: ``values[codes[row]]`` is a row's value.

    ``codes`` are integers, shape (rows,); -1 is missing. A value is looked at once, however
    many rows have it.
    """

    codes: npt.NDArray[Any]
    values: tuple[object, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array has it."""
        return self.codes.shape

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> object:
        code = self.codes[row]
        return None if code < 0 else self.values[code]


Column = npt.NDArray[Any] | Coded


def column_codes(cells: Cells, column: Column) -> tuple[Codes, Errors]:
    """Codes of all rows, shape (rows,), and the errors of rows with an unacceptable value.

    ``None`` and NaN are missing; a row with an error is coded as missing.
    """
    if isinstance(column, Coded):
        return coded_codes(cells, column)
    if isinstance(cells, NumberCells) and column.dtype.kind in "fiu":
        return number_codes(cells, column)
    if isinstance(cells, NamedCells):
        if column.dtype.kind == "b":
            return np.where(column, cells.table[True], cells.table[False]).astype(np.int32), {}
        if cells.fact.type is FactType.BOOLEAN and column.dtype.kind in "fiu":
            return flag_codes(cells, column)
        return named_codes(cells, column)
    return value_codes(cells, column, np.arange(len(column)))


def coded_codes(cells: Cells, column: Coded) -> tuple[Codes, Errors]:
    """Codes of a column that is coded already: each of its values is looked at once."""
    table = np.zeros(len(column.values) + 1, dtype=np.int32)
    wrong: dict[int, FactError] = {}
    for place, given in enumerate(column.values):
        value = python_value(given)
        if value is None:
            continue
        try:
            table[place] = cells.code(value)
        except FactError as error:
            wrong[place] = error
    errors: Errors = {}
    for place, refused in wrong.items():
        for row in np.flatnonzero(column.codes == place).tolist():
            errors[row] = refused
    return table[column.codes], errors


def flag_codes(cells: NamedCells, column: npt.NDArray[Any]) -> tuple[Codes, Errors]:
    """Codes of a boolean fact's numbers: 1, 0, and NaN for missing."""
    codes = np.full(len(column), MISSING, dtype=np.int32)
    codes[column == 1] = cells.table[True]
    codes[column == 0] = cells.table[False]
    strange = np.flatnonzero((codes == MISSING) & (column == column))
    # Few, if any: the scalar way says what is the matter.
    return codes, value_codes(cells, column, strange)[1]


def number_codes(cells: NumberCells, column: npt.NDArray[Any]) -> tuple[Codes, Errors]:
    """Codes of a float or integer column."""
    whole = column.dtype.kind != "f"
    if (
        whole
        and len(column)
        and not -EXACT_INTEGER <= column.min() <= column.max() <= EXACT_INTEGER
    ):
        return value_codes(cells, column, np.arange(len(column)))
    numbers = column.astype(np.float64, copy=False)
    codes = 1 + np.searchsorted(np.array(cells.edges), numbers, side="right")
    missing = np.isnan(numbers)
    wrong = (codes < cells.first) | (codes > cells.last) | np.isinf(numbers)
    if cells.integral:
        wrong |= numbers != np.floor(numbers)
    wrong &= ~missing
    codes[missing | wrong] = MISSING
    # Few, if any: the scalar way says what is the matter.
    return codes.astype(np.int32), value_codes(cells, column, np.flatnonzero(wrong))[1]


def named_codes(cells: NamedCells, column: npt.NDArray[Any]) -> tuple[Codes, Errors]:
    """Codes of a column of enum codes or booleans."""
    values = column.tolist()
    try:
        found = map(cells.table.get, values, itertools.repeat(UNKNOWN))
        codes = np.fromiter(found, dtype=np.int32, count=len(values))
    except TypeError:  # a value that cannot be a key, such as a list
        return value_codes(cells, column, np.arange(len(column)))
    if cells.fact.type is FactType.BOOLEAN:
        # To a dictionary 1 and 0 are True and False; they are numbers all the same.
        strange = []
        if not _FLAGS.issuperset(map(type, values)):
            strange = [row for row, value in enumerate(values) if type(value) not in _FLAGS]
    else:
        strange = np.flatnonzero(codes == UNKNOWN).tolist()
    if not strange:
        return codes, {}
    rows = np.array(strange)
    corrected, errors = value_codes(cells, column, rows)
    codes[rows] = corrected
    return codes, errors


def value_codes(
    cells: Cells, column: npt.NDArray[Any], rows: npt.NDArray[np.int64]
) -> tuple[Codes, Errors]:
    """Codes of the values in ``rows`` of the column, one by one."""
    codes = np.zeros(len(rows), dtype=np.int32)
    errors: Errors = {}
    for place, row in enumerate(rows.tolist()):
        value = python_value(column[row])
        if value is None:
            continue
        try:
            codes[place] = cells.code(value)
        except FactError as error:
            errors[row] = error
    return codes, errors


def python_value(value: object) -> object:
    """What ``decide`` would be given for a column's value: no numpy scalar, no NaN."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
