"""What a bundle's manifest says of the training, and the rows that its loading is tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harken_models.core import CORE_FIELDS
from harken_models.featurebuild import model_columns
from harken_models.features import FeatureSpec
from harken_models.predictor import Predictor
from harken_models.spec import DatasetSpec
from harken_models.split import Split
from harken_models.values import is_nothing

_EXPLAINED = 64
"""Rows of training whose contributions say which fields matter."""
_US_PER_HOUR = 3_600_000_000


def windows(
    frame: pd.DataFrame, spec: DatasetSpec, split: Split, label: np.ndarray
) -> dict[str, Any]:
    """From when to when, how many rows and complaints each piece of the split has."""
    times = None if spec.timeless else frame[f"{spec.split.by}_us"].to_numpy()

    def window(rows: np.ndarray) -> dict[str, Any]:
        return {
            "from": None if times is None else _iso(times[rows].min()),
            "to": None if times is None else _iso(times[rows].max()),
            "rows": len(rows),
            "positives": int(label[rows].sum()),
        }

    return {
        "by": spec.split.by if split.kind == "time" else "groups",
        "held_out": [window(fold.held_out) for fold in split.folds],
        "training": window(split.final.train),
        "test": window(split.final.held_out),
        "test_start": None if split.test_start_us is None else _iso(split.test_start_us),
    }


def validation(split: Split, weight: np.ndarray, group: np.ndarray) -> dict[str, Any]:
    """How candidates were judged: pieces, what was purged between them, weights, groups."""
    known = split.final.train
    return {
        "kind": split.kind,
        "pieces": len(split.folds),
        "purge_hours": round(split.purge_us / _US_PER_HOUR, 2),
        "weighted": bool((weight[known] != 1.0).any()),
        "groups": len(np.unique(group[known])),
        "notes": list(split.notes),
    }


def needs(
    frame: pd.DataFrame, spec: FeatureSpec, predictor: Predictor, matrix: np.ndarray
) -> list[dict[str, Any]]:
    """The fields that the model reads, the most important first.

    Important is what moves the log-odds of rows of training (``matrix``, of ``frame``) most, on
    average. ``missing_in_training`` is the share of rows that lack the field.
    """
    some = matrix[:: max(len(matrix) // _EXPLAINED, 1)][:_EXPLAINED]
    shares = np.mean([np.abs(predictor.explain(row)[1]) for row in some.tolist()], axis=0)
    strength: dict[str, float] = {}
    for feature, share in zip(spec.features, shares.tolist(), strict=True):
        for name in feature.inputs:
            strength[name] = max(strength.get(name, 0.0), share)
    attributes = {feature.name: feature.type for feature in spec.features if feature.attribute}
    columns = model_columns(frame)
    found = []
    for name in sorted(strength, key=lambda name: -strength[name]):
        column = columns.get(name)
        missing = 1.0 if column is None else float(pd.isna(column).mean())
        plain = name.removesuffix("_us")
        kind = attributes.get(name) or CORE_FIELDS[plain].type
        found.append(
            {
                "name": plain,
                "as": "attribute" if name in attributes else "core",
                "type": kind,
                "missing_in_training": round(missing, 4),
            }
        )
    return found


def probes(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A dozen of the rows, without ids, as ``assess`` takes them."""
    some = frame.iloc[:: max(len(frame) // 12, 1)].head(12)
    columns = model_columns(some)
    return [
        {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in _row(columns, index).items()
            if not is_nothing(value)
        }
        for index in range(len(some))
    ]


def _row(columns: Mapping[str, Sequence[Any] | np.ndarray], index: int) -> dict[str, Any]:
    return {name: column[index] for name, column in columns.items()}


def _iso(us: int) -> str:
    return str(pd.Timestamp(int(us), unit="us", tz="UTC").isoformat())
