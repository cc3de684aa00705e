"""The feature specification: what the model sees, in order, and how it is computed.

One ``FeatureSpec`` is made from training data, stored in the bundle and used for training,
replay and serving alike: one row and a million rows give identical bits.

How values stand in the matrix (float64):

* number and flag: itself; missing is NaN.
* ordinal: the position of its code in ``categories``; missing or unlisted is NaN.
* category: the position of its code in ``categories``; any other code is ``len(categories)``
  (rare in training or never seen), missing is ``len(categories) + 1``: a level of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from harken_models.coded import Columns, Read, slices
from harken_models.columnencoder import ColumnEncoder
from harken_models.formulas import COPY, JOINT, US_PER_DAY, US_PER_HOUR, WEEKDAYS
from harken_models.rowencoder import EncodeRow, RowEncoder, compile_row
from harken_models.values import Levels, is_nothing

__all__ = ["JOINT", "US_PER_DAY", "US_PER_HOUR", "WEEKDAYS", "Feature", "FeatureSpec"]

FeatureType = Literal["number", "flag", "ordinal", "category"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix.

    ``inputs`` are core names or attributes; ``formula`` is ``copy``, ``joint`` or a name in
    ``FORMULAS``.
    ``monotone`` is +1 or -1 where more of it never makes a complaint less or more likely.
    """

    name: str
    type: FeatureType
    inputs: tuple[str, ...]
    formula: str = COPY
    unit: str = ""
    monotone: int = 0
    categories: tuple[str, ...] = ()
    attribute: bool = False

    @property
    def levels(self) -> int:
        """Codes of a category in the matrix: its categories, the pooled one, missing."""
        return len(self.categories) + 2


@dataclass(frozen=True)
class FeatureSpec:
    """Ordered features and the offset of the operator's standard time from UTC."""

    features: tuple[Feature, ...]
    utc_offset_hours: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The fields that features are computed from, each once."""
        return tuple(dict.fromkeys(name for f in self.features for name in f.inputs))

    @cached_property
    def _rows(self) -> tuple[RowEncoder, ...]:
        return tuple(RowEncoder(f, _levels(f), self._offset_us) for f in self.features)

    @cached_property
    def _columns(self) -> tuple[ColumnEncoder, ...]:
        return tuple(ColumnEncoder(f, _levels(f), self._offset_us) for f in self.features)

    @cached_property
    def _offset_us(self) -> int:
        return round(self.utc_offset_hours * US_PER_HOUR)

    def encode_row(self, row: Mapping[str, object]) -> list[float]:
        """One row as floats, in order. Raises FeatureError for a value of a wrong type."""
        get = row.get
        return [encoder.one(get) for encoder in self._rows]

    def row_function(self, places: Mapping[str, int]) -> EncodeRow:
        """The same for sequences in which each of ``inputs`` stands at its place, compiled.

        Values must be None or of their field's type; see ``compile_row``.
        """
        return compile_row(self._rows, places)

    def encode_columns(self, columns: Columns, rows: int) -> np.ndarray:
        """Columns as a matrix (rows × features), C order; a column not given is missing.

        Raises FeatureError for a column of a wrong type.
        """
        matrix = np.empty((rows, len(self.features)))
        readers = self._readers(columns, rows)
        with np.errstate(invalid="ignore", over="ignore"):
            for part in slices(rows):
                for index, read in enumerate(readers):
                    matrix[part, index] = read(part)
        return matrix

    def encode_slices(self, columns: Columns, rows: int) -> Callable[[slice], np.ndarray]:
        """A function from a slice of rows to their matrix, Fortran order, which stands until
        the next call. Raises FeatureError."""
        readers = self._readers(columns, rows)
        width = len(readers)
        buffer = np.empty(0)

        def encode(part: slice) -> np.ndarray:
            nonlocal buffer
            length = part.stop - part.start
            if len(buffer) < length * width:
                buffer = np.empty(length * width)
            matrix = buffer[: length * width].reshape((length, width), order="F")
            for index, read in enumerate(readers):
                matrix[:, index] = read(part)
            return matrix

        return encode

    def value_text(self, row: Mapping[str, object], feature: Feature) -> str:
        """A feature's value as a person reads it; empty when missing."""
        if feature.formula == JOINT or (
            feature.type in ("category", "ordinal") and feature.formula == COPY
        ):
            values = [row.get(name) for name in feature.inputs]
            return "" if any(map(is_nothing, values)) else "|".join(map(str, values))
        number = self._rows[self.features.index(feature)].one(row.get)
        if math.isnan(number):
            return ""
        if feature.type == "category":
            return feature.categories[int(number)] if number < len(feature.categories) else ""
        if feature.type == "flag":
            return "true" if number else "false"
        return f"{number:.12g}"

    def _readers(self, columns: Columns, rows: int) -> list[Read]:
        return [encoder.reader(columns, rows) for encoder in self._columns]


def _levels(feature: Feature) -> Levels:
    """The codes of a category or an ordinal, as the module's docstring has them."""
    size = float(len(feature.categories))
    if feature.type == "category":
        return Levels(feature.inputs[0], feature.categories, size + 1, size)
    return Levels(feature.inputs[0], feature.categories, math.nan, math.nan)
