"""The folder of a bundle: written atomically, read with suspicion.

    manifest.yaml      digests of the files below, features in order, versions, windows, metrics
    features.yaml      the feature specification
    model.yaml         kind; a blend's weight; rates of categories' levels
    model.txt          LightGBM's text format          (lightgbm, blend)
    logistic.yaml      coefficients                    (logistic, blend)
    calibration.yaml   method, numbers, base-rate shift
    segments.yaml      scaling and centroids           (where the data has profiles)
    association.csv    grumble point × segment
    drift.yaml         what the training rows looked like            (from format 2 on)
    model_card.md      what a person should know, model_card.zh.md   (from format 2 on)
    probes.yaml        a few rows and what training made of them

No pickle: every file is text, and nothing in it is run. A format that was once written is read
for ever, to the same bits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightgbm as lgb
import numpy as np

from harken_models.bundle import Bundle, BundleParts
from harken_models.bundletext import dump, load_yaml, parts_from, texts_of
from harken_models.compiled import compile_or_warn
from harken_models.errors import BundleError, FeatureError, ModelsError

FORMAT = 2
"""The format that is written."""
FORMATS = (1, 2)
"""The formats that are read."""
_TOLERANCE = 1e-9
"""Probabilities of the probe rows may differ by this much between machines."""
_UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, ModelsError,
)  # fmt: skip


def write_bundle(
    path: Path,
    parts: BundleParts,
    about: Mapping[str, Any],
    probes: list[dict[str, Any]],
    pages: Mapping[str, str] = MappingProxyType({}),
) -> Bundle:
    """Write a bundle beside ``path``, load it to be sure, then move it into place.

    ``about`` is what the manifest says of the training; ``probes`` are rows as ``assess`` takes
    them; ``pages`` are further files, for people to read: names and texts. A folder at ``path``
    is replaced only if it is a bundle and nothing else (or empty); otherwise BundleError.
    """
    refuse_foreign(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        work.chmod(0o755)
        files = {**pages, **texts_of(parts)}
        draft = Bundle(parts, {}, "")
        files["probes.yaml"] = dump(
            {"probes": [{"row": p, "probability": draft.assess(p).probability} for p in probes]}
        )
        for name, text in files.items():
            (work / name).write_text(text, encoding="utf-8", newline="\n")
        (work / "manifest.yaml").write_text(
            dump(_manifest(parts, about, files)), encoding="utf-8", newline="\n"
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
    manifest = load_yaml(path / "manifest.yaml")
    if manifest.get("format") not in FORMATS:
        raise BundleError(
            f"{path}: is of bundle format {manifest.get('format')!r}; this program reads "
            f"{' and '.join(map(str, FORMATS))}"
        )
    digests = manifest.get("files")
    if not isinstance(digests, dict) or not digests:
        raise BundleError(f"{path}/manifest.yaml: lists no files")
    try:
        _verify_files(path, digests)
        parts = parts_from(path)
        _verify_features(path, manifest, parts)
        bundle = Bundle(parts, MappingProxyType(manifest), bundle_digest(digests), threads)
        if compiled:
            compile_or_warn(bundle.predictor)
        _verify_predictions(path, bundle, load_yaml(path / "probes.yaml"))
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


def refuse_foreign(path: Path) -> None:
    """What is at ``path`` will be deleted: it must be a bundle and nothing but one."""
    if not path.exists():
        return
    names = {entry.name for entry in path.iterdir() if not entry.name.startswith(".")}
    if not names:
        return
    try:
        manifest = load_yaml(path / "manifest.yaml")
        own = {*manifest["files"], "manifest.yaml"} if "format" in manifest else set()
    except (BundleError, KeyError, TypeError):
        own = set()
    if not own:
        raise BundleError(f"{path}: is not a bundle; choose an empty or new folder")
    if names - own:
        strange = ", ".join(sorted(names - own)[:3])
        raise BundleError(f"{path}: holds more than a bundle ({strange}); choose another folder")


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
    boosted = bundle.parts.model.boosted
    names = [] if boosted is None else boosted.columns(bundle.parts.features.names)
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


def _replace(work: Path, path: Path) -> None:
    if not path.exists():
        work.rename(path)
        return
    old = path.with_name(f".{path.name}-old-{os.getpid()}")
    path.rename(old)
    work.rename(path)
    shutil.rmtree(old, ignore_errors=True)
