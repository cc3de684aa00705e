"""What has moved since training: the population stability index of every field."""

from __future__ import annotations

from typing import Any

import numpy as np

from harken_models.bundle import Bundle, with_segments
from harken_models.dataset import Dataset
from harken_models.drift import psi
from harken_models.evaluation.bootstrap import plain
from harken_models.featurebuild import model_columns

LOOK, OTHER = 0.1, 0.25
"""By custom: from the one on worth a look, from the other on another population."""


def drift(
    bundle: Bundle, dataset: Dataset, rows: np.ndarray, probability: np.ndarray
) -> dict[str, Any] | None:
    """Of the probability and every feature, the most moved first. None where the bundle keeps
    nothing of its training rows, as those of format 1."""
    reference = bundle.parts.drift
    if reference is None:
        return None
    frame = dataset.frame.iloc[rows]
    columns = with_segments(model_columns(frame), len(frame), bundle.parts.segments)
    matrix = bundle.parts.features.encode_columns(columns, len(frame))
    moved = [
        (name, psi(reference.columns[name], matrix[:, place]))
        for place, name in enumerate(bundle.parts.features.names)
        if name in reference.columns
    ]
    moved.sort(key=lambda each: (-each[1], each[0]))
    return {
        "probability": plain(psi(reference.probability, probability)),
        "columns": [
            {"name": name, "psi": plain(value), "verdict": verdict(value)} for name, value in moved
        ],
    }


def verdict(value: float) -> str:
    """``stable``, ``look`` or ``moved``."""
    if value < LOOK:
        return "stable"
    return "look" if value < OTHER else "moved"
