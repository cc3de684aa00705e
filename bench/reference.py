"""The reference bundle that the bars hold for: 200 trees × 31 leaves on 30 features.

Six of the features are categories, given to LightGBM as such. Everything is made from a fixed
seed, by Harken's own training code and plain LightGBM on one thread, on a simulated history: the
same bytes each time. It is there to be measured, not to be right.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from harken_models.association import fit_association
from harken_models.boosted import BoostedModel
from harken_models.bundle import Bundle, BundleParts, with_segments
from harken_models.bundlefile import load_bundle, write_bundle
from harken_models.calibrate import choose_calibration
from harken_models.dataset import load_dataset
from harken_models.errors import BundleError
from harken_models.featurebuild import build_features, model_columns
from harken_models.features import FeatureSpec
from harken_models.predictor import Model
from harken_models.segments import fit_segments
from harken_models.specreader import read_spec
from workload import SPEC

CUSTOMERS = 8000
TREES, LEAVES, FEATURES = 200, 31, 30
CATEGORIES = ("category", "service", "point", "channel", "segment", "behaviour_type")
PROBES = 12
_PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": LEAVES,
    "learning_rate": 0.05,
    "min_data_in_leaf": 30,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def reference_bundle(history: Path, path: Path, trees: int = TREES) -> Bundle:
    """The bundle at ``path``, made there from ``history`` unless it is there already."""
    try:
        found = load_bundle(path)
        if found.manifest.get("trees") == trees and found.manifest.get("history") == history.name:
            return found
    except BundleError:
        pass
    shutil.rmtree(path, ignore_errors=True)
    return make_bundle(history, path, trees)


def make_bundle(history: Path, path: Path, trees: int = TREES) -> Bundle:
    """Train on the last grumbles whose outcome is known, and write the bundle."""
    dataset = load_dataset(read_spec(SPEC), history)
    frame = dataset.frame
    known = frame[frame["label"].notna() & ~frame["excluded"]].reset_index(drop=True)
    segments = fit_segments(known)
    columns = with_segments(model_columns(known), len(known), segments)
    known = known.assign(segment=pd.Series(columns["segment"], dtype=object))
    features = thirty_features(build_features(known, dataset.spec))
    matrix = features.encode_columns(columns, len(known))
    label = known["label"].to_numpy(np.float64)
    text = _boosted(matrix, label, features, trees)
    raw = lgb.Booster(model_str=text).predict(matrix, raw_score=True, num_threads=1)
    parts = BundleParts(
        features=features,
        model=Model("lightgbm", BoostedModel(text, {}), None),
        calibration=choose_calibration(np.asarray(raw), label),
        segments=segments,
        association=fit_association(known["point"].to_numpy(), columns["segment"], label),
    )
    about = {"dataset": "reference", "simulated": True, "history": history.name, "trees": trees}
    return write_bundle(path, parts, about, _probes(columns, len(known)))


def thirty_features(every: FeatureSpec) -> FeatureSpec:
    """All that are no category, and six that are."""
    kept = tuple(f for f in every.features if f.type != "category" or f.name in CATEGORIES)
    if len(kept) != FEATURES:
        raise ValueError(f"the history gives {len(kept)} features, not {FEATURES}")
    return FeatureSpec(kept, every.utc_offset_hours)


def _boosted(matrix: np.ndarray, label: np.ndarray, spec: FeatureSpec, trees: int) -> str:
    codes = [index for index, feature in enumerate(spec.features) if feature.type == "category"]
    data = lgb.Dataset(
        matrix,
        label,
        feature_name=list(spec.names),
        categorical_feature=codes,
        params={"verbosity": -1},
    )
    booster = lgb.train(dict(_PARAMETERS), data, trees)
    text = str(booster.model_to_string())
    small = [leaves for leaves in re.findall(r"num_leaves=(\d+)", text) if int(leaves) != LEAVES]
    if booster.num_trees() != trees or small:
        raise ValueError(f"{len(small)} of {booster.num_trees()} trees have fewer leaves")
    return text


def _probes(columns: Mapping[str, np.ndarray], rows: int) -> list[dict[str, Any]]:
    """A few rows as ``assess`` takes them, evenly spread."""
    made = []
    for at in np.linspace(0, rows - 1, PROBES).astype(int):
        values = {name: column[at] for name, column in columns.items()}
        made.append(
            {
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in values.items()
                if value is not None and value == value
            }
        )
    return made
