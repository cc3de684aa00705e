"""One grumble through the whole model, with everything found beforehand that can be.

``Bundle.assess`` says what the model does; the function compiled here does the same for a row
whose values stand at known places, and hands a row that it does not understand to ``assess``
to judge.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harken_models.errors import FeatureError
from harken_models.segments import NUMBERS

if TYPE_CHECKING:
    from harken_models.bundle import BundleParts
    from harken_models.predictor import Predictor


class Assessment(NamedTuple):
    """What the model says of one grumble.

    ``association`` is a log lift (0: as many complaints as grumbles have on average); None is
    unknown. ``probability`` is calibrated and corrected to the field's base rate.
    """

    segment: str | None
    association: float | None
    probability: float


Assess = Callable[[Sequence[object], Mapping[str, object]], Assessment]
_NOT_UNDERSTOOD = (
    TypeError, ValueError, LookupError, ArithmeticError, struct.error, FeatureError,
)  # fmt: skip


def compile_assessor(
    parts: BundleParts,
    predictor: Predictor,
    names: Sequence[str],
    assess: Callable[[Mapping[str, object]], Assessment],
) -> Assess:
    """A function of a row in the order of ``names`` and the grumble's attributes."""
    needed = ("segment", "point", "brand", *NUMBERS, *parts.features.inputs)
    others = [name for name in dict.fromkeys(needed) if name not in names]
    places = {name: place for place, name in enumerate((*names, *others))}
    given, point = places["segment"], places["point"]
    width = len(names) + len(others)
    places = {**places, "segment": width}  # after the others, whether given or found
    encode = parts.features.row_function(places)
    log_odds, calibrated = predictor.one, parts.calibration.one
    association = parts.association.one
    nearest = None if parts.segments is None else parts.segments.nearest
    brand, numbers = places["brand"], itemgetter(*(places[name] for name in NUMBERS))

    def understood(row: Sequence[object], attributes: Mapping[str, object]) -> Assessment:
        values = [*row, *map(attributes.get, others)]
        if len(values) != width:
            raise ValueError("a row has as many values as there are names")
        segment = values[given]
        if segment is None and nearest is not None:
            segment = nearest(values[brand], numbers(values))
        values.append(segment)
        z = log_odds(encode(values))
        return Assessment(segment, association(values[point], segment), calibrated(z))  # type: ignore[arg-type]

    def compiled(row: Sequence[object], attributes: Mapping[str, object]) -> Assessment:
        try:
            return understood(row, attributes)
        except _NOT_UNDERSTOOD:
            return assess({**attributes, **dict(zip(names, row, strict=True))})

    return compiled
