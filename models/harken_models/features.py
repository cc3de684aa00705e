"""The feature specification: what the model sees, in order, and how it is computed.

One ``FeatureSpec`` is made from training data, stored in the bundle and used for training,
replay and serving alike. Every formula is written once, with operators that mean the same
IEEE operation for a Python number and for a numpy column, so one row and a million rows
give identical bits.

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
from typing import Any, Literal

import numpy as np
import pandas as pd

from harken_models.errors import FeatureError

FeatureType = Literal["number", "flag", "ordinal", "category"]
US_PER_HOUR = 3_600_000_000
US_PER_DAY = 86_400_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


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
    formula: str = "copy"
    unit: str = ""
    monotone: int = 0
    categories: tuple[str, ...] = ()
    attribute: bool = False

    @property
    def levels(self) -> int:
        """Codes of a category in the matrix: its categories, the pooled one, missing."""
        return len(self.categories) + 2


def open_hours(observe_us: Any, voice_us: Any, _offset_us: int) -> Any:
    """Hours from voice to observation."""
    return (observe_us - voice_us) / US_PER_HOUR


def hour_of_day(voice_us: Any, offset_us: int) -> Any:
    """0 to 23, by the operator's standard time."""
    return (voice_us + offset_us) // US_PER_HOUR % 24


def day_of_week(voice_us: Any, offset_us: int) -> Any:
    """0 (Monday) to 6; 1970-01-01 was a Thursday."""
    return ((voice_us + offset_us) // US_PER_DAY + 3) % 7


def total(first: Any, second: Any, _offset_us: int) -> Any:
    """The sum of two counts; missing if either is."""
    return first + second


JOINT = "joint"
"""The formula of a category made of two codes, ``point|segment`` for example."""

FORMULAS: Mapping[str, Callable[..., Any]] = {
    "open_hours": open_hours,
    "hour_of_day": hour_of_day,
    "day_of_week": day_of_week,
    "total": total,
}


@dataclass(frozen=True)
class FeatureSpec:
    """Ordered features and the offset of the operator's standard time from UTC."""

    features: tuple[Feature, ...]
    utc_offset_hours: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def _offset_us(self) -> int:
        return round(self.utc_offset_hours * US_PER_HOUR)

    @cached_property
    def _encoders(self) -> tuple[_Encoder, ...]:
        return tuple(_Encoder(feature, self._offset_us) for feature in self.features)

    def encode_row(self, row: Mapping[str, object]) -> list[float]:
        """One row as floats, in order. Raises FeatureError for a value of a wrong type."""
        get = row.get
        return [encoder.one(get) for encoder in self._encoders]

    def encode_columns(self, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        """Columns as a matrix (rows × features), C order; a column not given is missing.

        Raises FeatureError for a column of a wrong type.
        """
        matrix = np.empty((rows, len(self.features)))
        with np.errstate(invalid="ignore", over="ignore"):
            for index, encoder in enumerate(self._encoders):
                matrix[:, index] = encoder.many(columns, rows)
        return matrix

    def value_text(self, row: Mapping[str, object], feature: Feature) -> str:
        """A feature's value as a person reads it; empty when missing."""
        if feature.formula == JOINT or (
            feature.type in ("category", "ordinal") and feature.formula == "copy"
        ):
            values = [row.get(name) for name in feature.inputs]
            return "" if any(map(_is_nothing, values)) else "|".join(map(str, values))
        number = _Encoder(feature, self._offset_us).one(row.get)
        if math.isnan(number):
            return ""
        if feature.type == "category":
            return feature.categories[int(number)] if number < len(feature.categories) else ""
        if feature.type == "flag":
            return "true" if number else "false"
        return f"{number:.12g}"


class _Encoder:
    """Computes one feature, of one row or of columns."""

    def __init__(self, feature: Feature, offset_us: int) -> None:
        self.feature = feature
        self.offset_us = offset_us
        self.input = feature.inputs[0]
        self.codes = {code: float(index) for index, code in enumerate(feature.categories)}
        coded = feature.type == "category"
        self.other = float(len(feature.categories)) if coded else math.nan
        self.missing = float(len(feature.categories) + 1) if coded else math.nan
        if feature.formula == JOINT:
            self.one: Callable[[Callable[[str], object]], float] = self._one_joint
        elif feature.formula != "copy":
            self.one = self._one_formula
        elif feature.type in ("category", "ordinal"):
            self.one = self._one_code
        else:
            self.one = self._one_number

    def _one_code(self, get: Callable[[str], object]) -> float:
        value = get(self.input)
        if value is None or value != value:
            return self.missing
        if not isinstance(value, str):
            raise FeatureError(self.input, value, f"is {value!r}, not a text")
        return self.codes.get(value, self.other)

    def _one_joint(self, get: Callable[[str], object]) -> float:
        first, second = get(self.input), get(self.feature.inputs[1])
        if _is_nothing(first) or _is_nothing(second):
            return self.missing
        return self.codes.get(f"{first}|{second}", self.other)

    def _one_number(self, get: Callable[[str], object]) -> float:
        return _number(self.input, get(self.input))

    def _one_formula(self, get: Callable[[str], object]) -> float:
        values = []
        for name in self.feature.inputs:
            value = get(name)
            # Times stay whole numbers: microseconds today are near the end of exact floats.
            exact = type(value) is int and abs(value) < 2**63
            values.append(value if exact else _number(name, value))
        result = FORMULAS[self.feature.formula](*values, self.offset_us)
        return self.missing if result != result else float(result)

    def many(self, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        if self.feature.formula == JOINT:
            return self._many_joint(columns, rows)
        if self.feature.formula != "copy":
            inputs = [_numbers(name, columns, rows) for name in self.feature.inputs]
            result = FORMULAS[self.feature.formula](*inputs, self.offset_us).astype(np.float64)
            return np.where(result != result, self.missing, result)
        if self.feature.type not in ("category", "ordinal"):
            return _numbers(self.input, columns, rows).astype(np.float64)
        column = columns.get(self.input)
        if column is None:
            return np.full(rows, self.missing)
        codes, distinct = pd.factorize(np.asarray(column))
        table = np.full(len(distinct) + 1, self.missing)
        for index, value in enumerate(distinct):
            if not isinstance(value, str):
                raise FeatureError(self.input, value, f"is {value!r}, not a text")
            table[index] = self.codes.get(value, self.other)
        return table[codes]

    def _many_joint(self, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        first, second = (columns.get(name) for name in self.feature.inputs)
        if first is None or second is None:
            return np.full(rows, self.missing)
        (left, left_names), (right, right_names) = pd.factorize(first), pd.factorize(second)
        table = np.full((len(left_names) + 1, len(right_names) + 1), self.missing)
        for i, one in enumerate(left_names):
            for j, other in enumerate(right_names):
                table[i, j] = self.codes.get(f"{one}|{other}", self.other)
        return table[left, right]


def _number(name: str, value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        try:
            return float(value)
        except OverflowError:
            pass
    raise FeatureError(name, value, f"is {str(value)[:80]!r}, not a number")


def _numbers(name: str, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    column = columns.get(name)
    if column is None:
        return np.full(rows, np.nan)
    if column.dtype == np.int64:
        return column
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        bad = next((v for v in column if not isinstance(v, (int, float, type(None)))), None)
        raise FeatureError(name, bad, "is not a column of numbers") from None


def _is_nothing(value: object) -> bool:
    return value is None or value != value
