"""Data, features, training and bundles of the complaint-probability model.

    bundle = load_bundle(default_bundle_path())
    assessment = bundle.assess({"point": "spam_sms", "voice_time_us": …, "observe_time_us": …})

Errors are one tree, drawn in ``harken_models.errors``. Names are loaded when first asked for:
a command that needs no model does not wait for LightGBM and pandas.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harken_models.bundle import (
        Assessment,
        AssessmentColumns,
        AttributeSpec,
        Bundle,
        default_bundle_path,
    )
    from harken_models.bundlefile import load_bundle
    from harken_models.errors import (
        BundleError,
        DataError,
        FeatureError,
        ModelsError,
        SpecError,
        TrainingError,
    )

# OpenMP's threads spin while they wait. Where other processes want the cores, that made
# training six times dearer; asleep they cost nothing. Only LightGBM's first import reads it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOMES = {
    "Assessment": "bundle",
    "AssessmentColumns": "bundle",
    "AttributeSpec": "bundle",
    "Bundle": "bundle",
    "default_bundle_path": "bundle",
    "load_bundle": "bundlefile",
    "BundleError": "errors",
    "DataError": "errors",
    "FeatureError": "errors",
    "ModelsError": "errors",
    "SpecError": "errors",
    "TrainingError": "errors",
}

__all__ = [
    "Assessment",
    "AssessmentColumns",
    "AttributeSpec",
    "Bundle",
    "BundleError",
    "DataError",
    "FeatureError",
    "ModelsError",
    "SpecError",
    "TrainingError",
    "default_bundle_path",
    "load_bundle",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"harken_models.{_HOMES[name]}"), name)
