"""A model bundle in memory: everything learnt from data, ready to assess grumbles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from harken_models.association import AssociationTable
from harken_models.calibrate import Calibration
from harken_models.features import FeatureSpec
from harken_models.predictor import Model, Predictor
from harken_models.segments import SegmentModel
from harken_models.spec import AttributeType


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An operator's own field that the model uses. ``categories``: the values it knows."""

    name: str
    type: AttributeType
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the model says of one grumble.

    ``association`` is a log lift (0: as many complaints as grumbles have on average); None is
    unknown. ``probability`` is calibrated and corrected to the field's base rate.
    """

    segment: str | None
    association: float | None
    probability: float


@dataclass(frozen=True, slots=True)
class AssessmentColumns:
    """The same for many rows: objects (None), float64 (NaN: unknown), float64."""

    segment: np.ndarray
    association: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What training makes and a bundle's folder holds."""

    features: FeatureSpec
    model: Model
    calibration: Calibration
    segments: SegmentModel | None
    association: AssociationTable


class Bundle:
    """An immutable, thread-safe model: segment, association and probability of grumbles.

    A row maps core names (times as ``voice_time_us``, ``observe_time_us``) and the operator's
    own attributes to values; None or absent is missing. Columns map the same names to arrays:
    float64 with NaN for numbers and flags, objects with None for codes, int64 for times.
    Values of a wrong type raise FeatureError.
    """

    def __init__(
        self, parts: BundleParts, manifest: Mapping[str, Any], digest: str, threads: int = 1
    ) -> None:
        self.parts = parts
        self.manifest = manifest
        self.digest = digest
        self.predictor = Predictor(parts.model, parts.features, threads)
        self.attributes: Mapping[str, AttributeSpec] = MappingProxyType(
            {
                f.name: AttributeSpec(f.name, f.type, f.categories)  # type: ignore[arg-type]
                for f in parts.features.features
                if f.attribute
            }
        )

    def assess(self, row: Mapping[str, object]) -> Assessment:
        """Assess one grumble."""
        segment = row.get("segment")
        if segment is None and self.parts.segments is not None:
            segment = self.parts.segments.one(row)
            if segment is not None:
                row = {**row, "segment": segment}
        association = self.parts.association.one(row.get("point"), segment)
        z = self.predictor.one(self.parts.features.encode_row(row))
        return Assessment(segment, association, self.parts.calibration.one(z))  # type: ignore[arg-type]

    def assess_columns(self, columns: Mapping[str, np.ndarray], rows: int) -> AssessmentColumns:
        """Assess ``rows`` grumbles; row by row exactly what ``assess`` says."""
        # Numbers beyond all reason overflow silently in Python; so they shall in columns.
        with np.errstate(over="ignore", invalid="ignore"):
            columns = with_segments(columns, rows, self.parts.segments)
            segments = columns["segment"]
            points = columns.get("point", np.full(rows, None, dtype=object))
            association = self.parts.association.many(points, segments)
            z = self.predictor.many(self.parts.features.encode_columns(columns, rows))
            return AssessmentColumns(segments, association, self.parts.calibration.many(z))

    def explain(
        self, row: Mapping[str, object], top: int = 10
    ) -> tuple[float, list[tuple[str, str, float]]]:
        """Base value, and (feature, value as text, contribution) of the strongest features.

        In log-odds before calibration and base-rate correction; about a millisecond.
        """
        segment = self.assess(row).segment
        row = {**row, "segment": segment}
        spec = self.parts.features
        base, shares = self.predictor.explain(spec.encode_row(row))
        order = sorted(range(len(shares)), key=lambda i: (-abs(shares[i]), i))[:top]
        return base, [
            (spec.features[i].name, spec.value_text(row, spec.features[i]), float(shares[i]))
            for i in order
            if shares[i] != 0
        ]


def with_segments(
    columns: Mapping[str, np.ndarray], rows: int, model: SegmentModel | None
) -> dict[str, np.ndarray]:
    """The columns with ``segment`` given or, where it is not, the nearest centroid's."""
    given = columns.get("segment")
    segments = np.full(rows, None, dtype=object) if given is None else given.astype(object)
    absent = np.array([value is None or value != value for value in segments], dtype=bool)
    segments[absent] = None
    if model is not None and absent.any():
        segments[absent] = model.many(columns, rows)[absent]
    return {**columns, "segment": segments}


def default_bundle_path() -> Path:
    """The folder of the shipped bundle, in an installed wheel or a source tree."""
    installed = Path(__file__).parent / "default"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "default"
