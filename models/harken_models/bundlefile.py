"""The folder of a bundle: written atomically, read with suspicion.

    manifest.yaml      digests of the files below, features in order, versions, windows, metrics
    features.yaml      the feature specification
    model.yaml         kind; statistics of a target encoding
    model.txt          LightGBM's text format          (lightgbm, blend)
    logistic.yaml      coefficients                    (logistic, blend)
    calibration.yaml   method, numbers, base-rate shift
    segments.yaml      scaling and centroids           (where the data has profiles)
    association.csv    grumble point × segment
    probes.yaml        a few rows and what training made of them

No pickle: every file is text, and nothing in it is run.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import yaml

from harken_models.association import COLUMNS, AssociationTable
from harken_models.boosted import BoostedModel
from harken_models.bundle import Bundle, BundleParts
from harken_models.calibrate import Calibration
from harken_models.compiled import compile_or_warn
from harken_models.errors import BundleError, FeatureError, ModelsError
from harken_models.features import Feature, FeatureSpec
from harken_models.logistic import LogisticModel
from harken_models.predictor import Model
from harken_models.segments import SegmentModel

FORMAT = 1
_TOLERANCE = 1e-9
"""Probabilities of the probe rows may differ by this much between machines."""
_UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, ModelsError,
)  # fmt: skip


def write_bundle(
    path: Path, parts: BundleParts, about: Mapping[str, Any], probes: list[dict[str, Any]]
) -> Bundle:
    """Write a bundle beside ``path``, load it to be sure, then move it into place.

    ``about`` is what the manifest says of the training; ``probes`` are rows as ``assess`` takes
    them. A folder at ``path`` is replaced only if it is a bundle and nothing else (or empty);
    otherwise BundleError.
    """
    _refuse_foreign(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        work.chmod(0o755)
        files = _texts(parts)
        draft = Bundle(parts, {}, "")
        files["probes.yaml"] = _dump(
            {"probes": [{"row": p, "probability": draft.assess(p).probability} for p in probes]}
        )
        for name, text in files.items():
            (work / name).write_text(text, encoding="utf-8", newline="\n")
        (work / "manifest.yaml").write_text(
            _dump(_manifest(parts, about, files)), encoding="utf-8", newline="\n"
        )
        load_bundle(work)
        _replace(work, path)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return load_bundle(path)


def load_bundle(path: Path, threads: int = 1, compiled: bool = False) -> Bundle:
    """Read, verify and ready a bundle. ``threads``: of the boosted trees, for columns only.

    ``compiled`` runs the trees as machine code, which takes tens of seconds to make the first
    time; where that cannot be had, a NotCompiledWarning says why, and LightGBM runs them.
    Raises BundleError, one sentence that says what differs.
    """
    path = Path(path)
    manifest = _yaml(path / "manifest.yaml")
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{path}: is of bundle format {manifest.get('format')!r}; this program reads {FORMAT}"
        )
    digests = manifest.get("files")
    if not isinstance(digests, dict) or not digests:
        raise BundleError(f"{path}/manifest.yaml: lists no files")
    try:
        _verify_files(path, digests)
        parts = _read_parts(path)
        _verify_features(path, manifest, parts)
        bundle = Bundle(parts, MappingProxyType(manifest), bundle_digest(digests), threads)
        if compiled:
            compile_or_warn(bundle.predictor)
        _verify_predictions(path, bundle, _yaml(path / "probes.yaml"))
    except BundleError:
        raise
    except lgb.basic.LightGBMError as error:
        raise BundleError(f"{path}/model.txt: LightGBM cannot read it: {error}") from None
    except _UNREADABLE as error:
        raise BundleError(f"{path}: is not a bundle of this program: {error!r}") from None
    return bundle


def bundle_digest(files: Mapping[str, str]) -> str:
    """``sha256:…`` over the names and digests of a bundle's files, in order of name."""
    lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _refuse_foreign(path: Path) -> None:
    """What is at ``path`` will be deleted: it must be a bundle and nothing but one."""
    if not path.exists():
        return
    names = {entry.name for entry in path.iterdir() if not entry.name.startswith(".")}
    if not names:
        return
    try:
        manifest = _yaml(path / "manifest.yaml")
        own = {*manifest["files"], "manifest.yaml"} if "format" in manifest else set()
    except (BundleError, KeyError, TypeError):
        own = set()
    if not own:
        raise BundleError(f"{path}: is not a bundle; choose an empty or new folder")
    if names - own:
        strange = ", ".join(sorted(names - own)[:3])
        raise BundleError(f"{path}: holds more than a bundle ({strange}); choose another folder")


def _texts(parts: BundleParts) -> dict[str, str]:
    names, model = parts.features.names, parts.model
    calibration = asdict(parts.calibration)
    calibration["knots"] = [list(knot) for knot in parts.calibration.knots]
    table = io.StringIO()
    parts.association.cells.to_csv(table, index=False, lineterminator="\n")
    about_model: dict[str, Any] = {"kind": model.kind}
    files = {
        "features.yaml": _dump(
            {
                "utc_offset_hours": parts.features.utc_offset_hours,
                "features": [_feature_to_plain(feature) for feature in parts.features.features],
            }
        ),
        "calibration.yaml": _dump(calibration),
        "association.csv": table.getvalue(),
    }
    if model.boosted is not None:
        files["model.txt"] = model.boosted.text
        about_model["statistics"] = {
            names[index]: table.tolist() for index, table in model.boosted.statistics.items()
        }
    if model.logistic is not None:
        files["logistic.yaml"] = _dump(model.logistic.to_plain(names))
    if parts.segments is not None:
        files["segments.yaml"] = _dump(parts.segments.to_plain())
    files["model.yaml"] = _dump(about_model)
    return files


def _manifest(
    parts: BundleParts, about: Mapping[str, Any], files: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **about,
        "lightgbm_version": lgb.__version__,
        "features": [
            {"name": f.name, "type": f.type, "unit": f.unit} for f in parts.features.features
        ],
        "files": {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())
        },
    }


def _read_parts(path: Path) -> BundleParts:
    plain = _yaml(path / "features.yaml")
    features = tuple(Feature(**_tuples(entry)) for entry in plain["features"])
    spec = FeatureSpec(features, float(plain["utc_offset_hours"]))
    about = _yaml(path / "model.yaml")
    kind, boosted, logistic = about["kind"], None, None
    if kind not in ("lightgbm", "logistic", "blend"):
        raise BundleError(f"{path}/model.yaml: kind {kind!r} is not known to this program")
    if kind != "logistic":
        index = {name: i for i, name in enumerate(spec.names)}
        statistics = {index[n]: np.array(table) for n, table in about["statistics"].items()}
        for position, table in statistics.items():
            if len(table) != features[position].levels:
                raise BundleError(f"{path}/model.yaml: {features[position].name} lacks levels")
        boosted = BoostedModel((path / "model.txt").read_text(encoding="utf-8"), statistics)
    if kind != "lightgbm":
        logistic = LogisticModel.from_plain(_yaml(path / "logistic.yaml"), spec)
    calibration = _yaml(path / "calibration.yaml")
    calibration["knots"] = tuple((float(x), float(y)) for x, y in calibration["knots"])
    segments = path / "segments.yaml"
    cells = pd.read_csv(
        path / "association.csv", keep_default_na=False, dtype={"point": str, "segment": str}
    )
    if tuple(cells.columns) != COLUMNS:
        raise BundleError(f"{path}/association.csv: has other columns than {', '.join(COLUMNS)}")
    return BundleParts(
        features=spec,
        model=Model(kind, boosted, logistic),
        calibration=Calibration(**calibration),
        segments=SegmentModel.from_plain(_yaml(segments)) if segments.is_file() else None,
        association=AssociationTable(cells),
    )


def _verify_files(path: Path, digests: Mapping[str, str]) -> None:
    present = {entry.name for entry in path.iterdir()} - {"manifest.yaml"}
    for name in sorted(digests):
        if name not in present:
            raise BundleError(f"{path}: {name} is missing")
        found = hashlib.sha256((path / name).read_bytes()).hexdigest()
        if found != digests[name]:
            raise BundleError(
                f"{path}: {name} was altered: its sha256 is {found[:12]}…, "
                f"the manifest says {str(digests[name])[:12]}…"
            )
    for name in sorted(present - set(digests)):
        if not name.startswith("."):
            raise BundleError(f"{path}: {name} is not in the manifest")


def _verify_features(path: Path, manifest: Mapping[str, Any], parts: BundleParts) -> None:
    listed = [(f.get("name"), f.get("type"), f.get("unit")) for f in manifest.get("features", [])]
    found = [(f.name, f.type, f.unit) for f in parts.features.features]
    for position, (left, right) in enumerate(zip(listed, found, strict=False), 1):
        if left != right:
            raise BundleError(
                f"{path}: feature {position} is {left} in manifest.yaml "
                f"and {right} in features.yaml"
            )
    if len(listed) != len(found):
        raise BundleError(
            f"{path}: manifest.yaml lists {len(listed)} features, features.yaml {len(found)}"
        )


def _verify_predictions(path: Path, bundle: Bundle, probes: Mapping[str, Any]) -> None:
    """The model reads the features we send, both speeds agree, and training said the same."""
    own = bundle.predictor.booster_features
    names = list(bundle.parts.features.names)
    if own is not None and own != names:
        strange = next((a, b) for a, b in zip([*own, None], [*names, None], strict=False) if a != b)
        raise BundleError(f"{path}: model.txt expects feature {strange[0]}, not {strange[1]}")
    booster = bundle.predictor.booster
    disagreement = None if booster is None else booster.disagreement()
    if disagreement is not None:
        one, many = disagreement
        raise BundleError(
            f"{path}: LightGBM's single-row path gives {one!r} for a row, Booster.predict {many!r}"
        )
    if not probes["probes"]:
        raise BundleError(f"{path}/probes.yaml: has no rows, so nothing could be verified")
    fields = tuple(dict.fromkeys(name for probe in probes["probes"] for name in probe["row"]))
    assess_quickly = bundle.assessor(fields)
    for number, probe in enumerate(probes["probes"], 1):
        try:
            values = bundle.parts.features.encode_row(probe["row"])
            assessed = bundle.assess(probe["row"])
        except FeatureError as error:
            raise BundleError(f"{path}/probes.yaml: row {number}: {error}") from None
        single, column = bundle.predictor.one(values), bundle.predictor.many(np.array([values]))[0]
        quickly = assess_quickly([probe["row"].get(field) for field in fields], {})
        if single != column or quickly != assessed:
            raise BundleError(
                f"{path}: the ways to predict disagree for probe {number}: one row {single!r}, "
                f"columns {column!r}, {quickly}, {assessed}"
            )
        found = assessed.probability
        if not abs(found - probe["probability"]) <= _TOLERANCE:
            raise BundleError(
                f"{path}: probe {number} gives {found!r}, in training it was "
                f"{probe['probability']!r} (LightGBM {bundle.manifest.get('lightgbm_version')} "
                f"there, {lgb.__version__} here)"
            )


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}


def _feature_to_plain(feature: Feature) -> dict[str, Any]:
    plain = asdict(feature)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def _replace(work: Path, path: Path) -> None:
    if not path.exists():
        work.rename(path)
        return
    old = path.with_name(f".{path.name}-old-{os.getpid()}")
    path.rename(old)
    work.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _dump(value: Any) -> str:
    text = yaml.dump(
        value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip
    return str(text)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BundleError(f"{path}: is not YAML") from None
    if not isinstance(value, dict):
        raise BundleError(f"{path}: is not a mapping")
    return value
