"""One value of a field as a number: a text by its level, numbers and flags as they are."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from harken_models.errors import FeatureError


class Places(dict[object, float]):
    """``places[value]``: the place of a listed value, in one look-up.

    None and NaN are ``missing``, what is not listed is ``other``. TypeError for what cannot be
    looked up.
    """

    __slots__ = ("missing", "other")

    def __init__(self, listed: Iterable[str], missing: float, other: float) -> None:
        super().__init__({value: float(place) for place, value in enumerate(listed)})
        self[None] = missing
        self.missing, self.other = missing, other

    def __missing__(self, value: object) -> float:
        return self.missing if value != value else self.other


class Levels(Places):
    """The codes of a field's texts. Anything that is no text raises FeatureError (TypeError
    where it cannot even be looked up)."""

    __slots__ = ("field",)

    def __init__(self, field: str, categories: Iterable[str], missing: float, other: float) -> None:
        super().__init__(categories, missing, other)
        self.field = field

    def of(self, value: object) -> float:
        """The same, with FeatureError for everything that is no text."""
        try:
            return self[value]
        except TypeError:
            raise FeatureError(self.field, value, f"is {value!r}, not a text") from None

    def __missing__(self, value: object) -> float:
        if value != value or isinstance(value, str):
            return super().__missing__(value)
        raise FeatureError(self.field, value, f"is {value!r}, not a text")


def number_of(name: str, value: object) -> float:
    """A number or flag as a float, None as NaN. Raises FeatureError for anything else."""
    if value is None:
        return math.nan
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        try:
            return float(value)
        except OverflowError:
            pass
    raise FeatureError(name, value, f"is {str(value)[:80]!r}, not a number")


def is_nothing(value: object) -> bool:
    """Whether a value is None or NaN."""
    return value is None or value != value
