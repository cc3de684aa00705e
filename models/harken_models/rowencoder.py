"""One grumble into the row of the matrix: carefully, or compiled for speed.

``RowEncoder.one`` takes any value and names the field of a wrong one. ``compile_row`` makes a
function for values that are known to be of their field's type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harken_models.formulas import COPY, FORMULAS, JOINT
from harken_models.values import Levels, is_nothing, number_of

if TYPE_CHECKING:
    from harken_models.features import Feature

Row = Sequence[object]
EncodeRow = Callable[[Row], Sequence[float]]


class RowEncoder:
    """Computes one feature of one row."""

    def __init__(self, feature: Feature, levels: Levels, offset_us: int) -> None:
        self.feature = feature
        self.levels = levels
        self.offset_us = offset_us

    def one(self, get: Callable[[str], object]) -> float:
        """The feature of a row whose values ``get`` returns. Raises FeatureError."""
        feature = self.feature
        if feature.formula == JOINT:
            first, second = (get(name) for name in feature.inputs)
            nothing = is_nothing(first) or is_nothing(second)
            return self.levels[None if nothing else f"{first}|{second}"]
        if feature.formula != COPY:
            values = [_exact(name, get(name)) for name in feature.inputs]
            result = FORMULAS[feature.formula](*values, self.offset_us)
            return self.levels.missing if result != result else float(result)
        value = get(feature.inputs[0])
        if feature.type in ("category", "ordinal"):
            return self.levels.of(value)
        return number_of(feature.inputs[0], value)

    def source(self, places: Mapping[str, int], bound: dict[str, Any]) -> str:
        """The same as an expression of ``row``, whose values stand at ``places``.

        What it calls is put into ``bound``, under names made here.
        """
        feature, own = self.feature, str(len(bound))
        inputs = [f"row[{places[name]}]" for name in feature.inputs]
        absent = " or ".join(f"{value} is None" for value in inputs)
        if feature.formula == JOINT:
            bound[f"levels_{own}"] = self.levels
            text = "|".join(f"{{{value}}}" for value in inputs)
            return f"levels_{own}[None if {absent} else f'{text}']"
        if feature.formula != COPY:
            bound[f"formula_{own}"] = FORMULAS[feature.formula]
            bound[f"missing_{own}"] = self.levels.missing
            call = f"formula_{own}({', '.join(inputs)}, {self.offset_us})"
            return f"missing_{own} if {absent} else {call}"
        if feature.type in ("category", "ordinal"):
            bound[f"levels_{own}"] = self.levels
            return f"levels_{own}[{inputs[0]}]"
        return f"nan if {absent} else {inputs[0]}"


def compile_row(encoders: Sequence[RowEncoder], places: Mapping[str, int]) -> EncodeRow:
    """A function from rows, whose values stand at ``places``, to the features in order.

    It is written as one tuple of expressions and compiled, as ``dataclasses`` does it: a loop
    over features would take three times as long. Names and codes of a bundle are bound to it,
    never part of its text.

    A value must be None or of its field's type (text, flag, finite int or float). Anything else
    raises TypeError or FeatureError or is handed on as it is. Numbers and flags are not made
    floats; whoever takes them does that.
    """
    bound: dict[str, Any] = {"nan": math.nan}
    expressions = [encoder.source(places, bound) for encoder in encoders]
    exec(f"def encode(row):\n    return ({', '.join(expressions)},)", bound)
    encode: EncodeRow = bound["encode"]
    return encode


def _exact(name: str, value: object) -> Any:
    # Times stay whole numbers: microseconds today are near the end of exact floats.
    exact = type(value) is int and abs(value) < 2**63
    return value if exact else number_of(name, value)
