"""Columns of grumbles into the columns of the matrix, some rows at a time.

What depends on a column's distinct values is found once, before the first row; then a slice of
rows is a few elementwise operations a feature. Row by row the same bits as ``encode_row``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harken_models.coded import (
    Coded,
    CodedColumn,
    Columns,
    PairTable,
    Read,
    as_coded,
    read_table,
    value_table,
)
from harken_models.errors import FeatureError
from harken_models.formulas import COPY, FORMULAS, JOINT
from harken_models.values import Levels, is_nothing, number_of

if TYPE_CHECKING:
    from harken_models.features import Feature


class ColumnEncoder:
    """Computes one feature of columns."""

    def __init__(self, feature: Feature, levels: Levels, offset_us: int) -> None:
        self._feature = feature
        self._levels = levels
        self._offset_us = offset_us
        self._pairs = _pairs(feature, levels) if feature.formula == JOINT else None

    def reader(self, columns: Columns, rows: int) -> Read:
        """Reads the feature. Raises FeatureError for a column of a wrong type."""
        feature = self._feature
        if self._pairs is not None:
            left, right = (_texts(as_coded(columns.get(name), rows)) for name in feature.inputs)
            return self._pairs.read(left, right)
        if feature.formula != COPY:
            return self._formula(columns)
        name = feature.inputs[0]
        if feature.type not in ("category", "ordinal"):
            return read_numbers(name, columns)
        if columns.get(name) is None:
            return lambda _part: self._levels.missing
        column = as_coded(columns[name], rows)
        return read_table(column, _table(column, self._levels))

    def _formula(self, columns: Columns) -> Read:
        inputs = [read_numbers(name, columns) for name in self._feature.inputs]
        formula = FORMULAS[self._feature.formula]
        offset, missing = self._offset_us, self._levels.missing

        def read(part: slice | npt.NDArray[np.intp]) -> Any:
            result = formula(*(numbers(part) for numbers in inputs), offset)
            return np.where(result != result, missing, result)

        return read


def read_numbers(name: str, columns: Columns) -> Read:
    """Reads a column of numbers: float64 with NaN, or int64 where the column is.

    Raises FeatureError for a column that holds no numbers.
    """
    column = columns.get(name)
    if column is None:
        return lambda _part: math.nan
    if not isinstance(column, np.ndarray):
        convert = partial(number_of, name)
        table = [_referred(column, code, convert) for code in range(len(column.values))]
        return read_table(column, np.array([*table, math.nan]))
    numbers = column
    if column.dtype != np.int64:
        try:
            numbers = column.astype(np.float64, copy=False)
        except (TypeError, ValueError):
            bad = next((v for v in column if not isinstance(v, (int, float, type(None)))), None)
            raise FeatureError(name, bad, "is not a column of numbers") from None
    return lambda part: numbers[part]


def _table(column: CodedColumn, levels: Levels) -> npt.NDArray[np.float64]:
    try:
        return value_table(column, levels)
    except (FeatureError, TypeError):
        codes = range(len(column.values))
        return np.array([*(_referred(column, code, levels.of) for code in codes), levels.missing])


def _referred(column: CodedColumn, code: int, convert: Callable[[object], float]) -> float:
    """A value converted; one of a wrong type is none of our business where no row has it."""
    try:
        return convert(column.values[code])
    except FeatureError:
        if (column.codes == code).any():
            raise
        return math.nan


def _pairs(feature: Feature, levels: Levels) -> PairTable:
    """A category of two codes. Which of two bars divides a text is not known, so each may."""
    lefts, rights = [], []
    for category in feature.categories:
        parts = category.split("|")
        for cut in range(1, len(parts)):
            lefts.append("|".join(parts[:cut]))
            rights.append("|".join(parts[cut:]))

    def cell(left: str | None, right: str | None) -> float:
        return levels[None if left is None or right is None else f"{left}|{right}"]

    return PairTable(lefts, rights, cell)


def _texts(column: CodedColumn) -> CodedColumn:
    """The column with its values as texts, as a joint category puts them together."""
    if all(type(value) is str for value in column.values):
        return column
    values = tuple(None if is_nothing(value) else f"{value}" for value in column.values)
    return Coded(column.codes, values)
