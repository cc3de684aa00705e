"""A model bundle in memory: everything learnt from data, ready to assess grumbles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from harken_models.assessor import Assess, Assessment, compile_assessor
from harken_models.association import AssociationTable
from harken_models.calibrate import Calibration
from harken_models.coded import Coded, Columns, as_coded, slices
from harken_models.drift import DriftReference
from harken_models.features import FeatureSpec
from harken_models.predictor import Model, Predictor
from harken_models.segments import SegmentModel
from harken_models.spec import AttributeType
from harken_models.values import is_nothing

__all__ = [
    "Assessment", "AssessmentColumns", "AttributeSpec", "Bundle", "BundleParts",
    "default_bundle_path", "segments_of", "with_segments",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An operator's own field that the model uses. ``categories``: the values it knows."""

    name: str
    type: AttributeType
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssessmentColumns:
    """The same for many rows: coded segments, float64 (NaN: unknown), float64."""

    segment_coded: Coded
    association: np.ndarray
    probability: np.ndarray

    @property
    def segment(self) -> np.ndarray:
        """The segments as objects, None where unknown; made anew at each call."""
        return self.segment_coded.objects()


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What training makes and a bundle's folder holds. ``drift``: what the training rows looked
    like; older bundles do not say."""

    features: FeatureSpec
    model: Model
    calibration: Calibration
    segments: SegmentModel | None
    association: AssociationTable
    drift: DriftReference | None = None


class Bundle:
    """An immutable, thread-safe model: segment, association and probability of grumbles.

    A row maps core names (times as ``voice_time_us``, ``observe_time_us``) and the operator's
    own attributes to values; None or absent is missing. Columns map the same names to arrays:
    float64 with NaN for numbers and flags, objects with None or ``CodedColumn`` for codes, int64
    for times.
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

    @property
    def compiled(self) -> bool:
        """Are the model's trees machine code, and not LightGBM?"""
        return self.predictor.compiled

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

    def assessor(self, names: Sequence[str]) -> Assess:
        """``assess`` compiled for rows as sequences in the order of ``names``.

        The function takes such a row and the grumble's attributes. A value is None or of its
        field's type: text, flag, finite int or float within ±2**53. A name overrules an
        attribute of the same name. Same bits and errors as ``assess``; ValueError for a row of
        another length.
        """
        return compile_assessor(self.parts, self.predictor, names, self.assess)

    def assess_columns(self, columns: Columns, rows: int) -> AssessmentColumns:
        """Assess ``rows`` grumbles; row by row exactly what ``assess`` says.

        A column may also be coded: ``codes`` (integers, -1 missing) and ``values``.
        """
        parts = self.parts
        # Numbers beyond all reason overflow silently in Python; so they shall in columns.
        with np.errstate(over="ignore", invalid="ignore"):
            segment = segments_of(columns, rows, parts.segments)
            association = parts.association.many(as_coded(columns.get("point"), rows), segment)
            encode = parts.features.encode_slices({**columns, "segment": segment}, rows)
            probability = np.empty(rows)
            for part in slices(rows, self.predictor.threads):
                probability[part] = parts.calibration.many(self.predictor.many(encode(part)))
            return AssessmentColumns(segment, association, probability)

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


def with_segments(columns: Columns, rows: int, model: SegmentModel | None) -> dict[str, Any]:
    """The columns with ``segment``, as objects, given or, where it is not, the nearest
    centroid's."""
    return {**columns, "segment": segments_of(columns, rows, model).objects()}


def segments_of(columns: Columns, rows: int, model: SegmentModel | None) -> Coded:
    """The segments, coded in int32: given or, where one is not, the nearest centroid's."""
    given = as_coded(columns.get("segment"), rows)
    known = {value: None for value in given.values if not is_nothing(value)}
    names = model.names if model is not None else ()
    values = tuple({**known, **dict.fromkeys(names)})
    place = {value: np.int32(index) for index, value in enumerate(values)}
    table = np.array([*(place.get(value, -1) for value in given.values), -1], dtype=np.int32)
    codes = table[given.codes]
    absent = np.flatnonzero(codes < 0)
    if model is not None and len(absent):
        own = np.array([*(place[name] for name in names), -1], dtype=np.int32)
        codes[absent] = own[model.codes(columns, absent)]
    return Coded(codes, values)


def default_bundle_path() -> Path:
    """The folder of the shipped bundle, in an installed wheel or a source tree."""
    installed = Path(__file__).parent / "default"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "default"
