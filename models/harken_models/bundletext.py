"""The parts of a bundle as the texts of its files, and back."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from harken_models.association import COLUMNS, AssociationTable
from harken_models.boosted import BoostedModel, Statistics
from harken_models.bundle import BundleParts
from harken_models.calibrate import Calibration
from harken_models.drift import DriftReference
from harken_models.errors import BundleError
from harken_models.features import Feature, FeatureSpec
from harken_models.logistic import LogisticModel
from harken_models.predictor import Model
from harken_models.segments import SegmentModel

_KINDS = ("lightgbm", "logistic", "blend")


def texts_of(parts: BundleParts) -> dict[str, str]:
    """The files that hold the parts: names and texts."""
    names, model = parts.features.names, parts.model
    table = io.StringIO()
    parts.association.cells.to_csv(table, index=False, lineterminator="\n")
    about_model: dict[str, Any] = {"kind": model.kind}
    files = {
        "features.yaml": dump(
            {
                "utc_offset_hours": parts.features.utc_offset_hours,
                "features": [_feature_to_plain(feature) for feature in parts.features.features],
            }
        ),
        "calibration.yaml": dump(_calibration_to_plain(parts.calibration)),
        "association.csv": table.getvalue(),
    }
    if model.kind == "blend":
        about_model["weight"] = model.weight
    if model.boosted is not None:
        files["model.txt"] = model.boosted.text
        about_model["statistics"] = _tables_to_plain(model.boosted.statistics, names)
        about_model["appended"] = _tables_to_plain(model.boosted.appended, names)
    if model.logistic is not None:
        files["logistic.yaml"] = dump(model.logistic.to_plain(names))
    if parts.segments is not None:
        files["segments.yaml"] = dump(parts.segments.to_plain())
    if parts.drift is not None:
        files["drift.yaml"] = dump(parts.drift.to_plain())
    files["model.yaml"] = dump(about_model)
    return files


def parts_from(path: Path) -> BundleParts:
    """The parts that the files of a bundle's folder hold, of any format there has been.

    Raises BundleError, or what a file that holds something else makes Python raise.
    """
    plain = load_yaml(path / "features.yaml")
    features = tuple(Feature(**_tuples(entry)) for entry in plain["features"])
    spec = FeatureSpec(features, float(plain["utc_offset_hours"]))
    segments, drift = path / "segments.yaml", path / "drift.yaml"
    cells = pd.read_csv(
        path / "association.csv", keep_default_na=False, dtype={"point": str, "segment": str}
    )
    if tuple(cells.columns) != COLUMNS:
        raise BundleError(f"{path}/association.csv: has other columns than {', '.join(COLUMNS)}")
    return BundleParts(
        features=spec,
        model=_model_from(path, spec),
        calibration=_calibration_from(load_yaml(path / "calibration.yaml")),
        segments=SegmentModel.from_plain(load_yaml(segments)) if segments.is_file() else None,
        association=AssociationTable(cells),
        drift=DriftReference.from_plain(load_yaml(drift)) if drift.is_file() else None,
    )


def _model_from(path: Path, spec: FeatureSpec) -> Model:
    about = load_yaml(path / "model.yaml")
    kind, boosted, logistic = about["kind"], None, None
    if kind not in _KINDS:
        raise BundleError(f"{path}/model.yaml: kind {kind!r} is not known to this program")
    if kind != "logistic":
        boosted = BoostedModel(
            (path / "model.txt").read_text(encoding="utf-8"),
            _tables_from(path, about["statistics"], spec),
            _tables_from(path, about.get("appended", {}), spec),
        )
    if kind != "lightgbm":
        logistic = LogisticModel.from_plain(load_yaml(path / "logistic.yaml"), spec)
    weight = float(about.get("weight", 0.5))
    if not 0 <= weight <= 1:
        raise BundleError(f"{path}/model.yaml: weight {weight} is no share")
    return Model(kind, boosted, logistic, weight)


def _tables_to_plain(tables: Statistics, names: Sequence[str]) -> dict[str, list[float]]:
    return {names[index]: table.tolist() for index, table in tables.items()}


def _tables_from(path: Path, plain: Mapping[str, Any], spec: FeatureSpec) -> Statistics:
    index = {name: position for position, name in enumerate(spec.names)}
    tables = {index[name]: np.array(table, dtype=np.float64) for name, table in plain.items()}
    for position, table in tables.items():
        feature = spec.features[position]
        if feature.type != "category" or len(table) != feature.levels:
            raise BundleError(f"{path}/model.yaml: {feature.name} lacks levels")
    return tables


def _calibration_to_plain(calibration: Calibration) -> dict[str, Any]:
    plain = asdict(calibration)
    plain["knots"] = [list(knot) for knot in calibration.knots]
    plain["beta"] = list(calibration.beta)
    return plain


def _calibration_from(plain: dict[str, Any]) -> Calibration:
    plain["knots"] = tuple((float(x), float(y)) for x, y in plain["knots"])
    plain["beta"] = tuple(map(float, plain.get("beta", ())))
    if len(plain["beta"]) not in (0, 3):
        raise ValueError("beta has three numbers")
    return Calibration(**plain)


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}


def _feature_to_plain(feature: Feature) -> dict[str, Any]:
    plain = asdict(feature)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def dump(value: Any) -> str:
    """A value as YAML, always the same bytes."""
    text = yaml.dump(
        value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip
    return str(text)


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that is a mapping. Raises BundleError."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BundleError(f"{path}: is not YAML") from None
    if not isinstance(value, dict):
        raise BundleError(f"{path}: is not a mapping")
    return value
