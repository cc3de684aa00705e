"""A bundle says the same for a row and for columns, and refuses to be served altered."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import harken_models
import numpy as np
import pytest
import yaml
from harken_models import BundleError, FeatureError, default_bundle_path, load_bundle
from harken_models.association import fit_association
from harken_models.boosted import FitData, Tuned, fit_boosted
from harken_models.bundle import Bundle, BundleParts, with_segments
from harken_models.bundlefile import write_bundle
from harken_models.calibrate import Calibration
from harken_models.dataset import Dataset
from harken_models.drift import fit_reference
from harken_models.featurebuild import model_columns
from harken_models.predictor import Model, Predictor
from harken_models.train import Training
from harken_models.trials import TRIALS

from .rows import as_columns, random_rows

SHIPPED = "sha256:710949b20fd831f2ef3a633159934b160456af8e671dbf29c7ca68a44c1194f0"
BETA = Calibration("beta", beta=(0.8, 1.3, -0.2), shift=-0.4)
ISOTONIC = Calibration("isotonic", knots=((-4.0, -3.5), (-2.0, -2.2), (1.0, 0.4)), shift=-0.7)


def assert_same(bundle: Bundle, rows: list[dict[str, Any]]) -> None:
    many = bundle.assess_columns(as_columns(rows), len(rows))
    ones = [bundle.assess(row) for row in rows]
    assert [one.segment for one in ones] == many.segment.tolist()
    association = np.array([np.nan if one.association is None else one.association for one in ones])
    assert association.tobytes() == many.association.tobytes()
    assert np.array([one.probability for one in ones]).tobytes() == many.probability.tobytes()
    assert ((many.probability > 0) & (many.probability < 1)).all()


@pytest.mark.parametrize("kind", ["lightgbm", "logistic", "blend"])
def test_one_row_and_columns_agree_to_the_last_bit(
    kind: str, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = write(tmp_path / kind, kind)
    assert bundle.parts.model.kind == kind
    assert_same(bundle, random_rows(2000, 7))


def test_isotonic_calibration_and_base_rate_agree_too(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    assert_same(write(tmp_path / "b", "blend", calibration=ISOTONIC), random_rows(500, 8))


def test_the_shipped_bundle() -> None:
    path = default_bundle_path()
    bundle = load_bundle(path)
    assert sum(file.stat().st_size for file in path.iterdir()) < 2_000_000
    assert bundle.manifest["simulated"] is True
    assert set(bundle.manifest["metrics"]) == {"lightgbm", "logistic", "blend"}
    assert bundle.attributes == {}
    assert_same(bundle, random_rows(2000, 9))
    profile = {"brand": "mzone", "age_years": 21, "tenure_months": 8, "monthly_spend_yuan": 40.0}
    assert bundle.assess(profile).segment == "mzone_1"
    mild = {"point": "spam_sms", "resolution_state": "all_satisfied", "dissatisfied": False}
    harsh = {"point": "border_roaming", "resolution_state": "unresolved", "dissatisfied": True}
    assert (
        bundle.assess(harsh | profile).probability > 3 * bundle.assess(mild | profile).probability
    )


def test_an_old_bundle_is_read_and_says_the_same_as_when_written_anew(tmp_path: Path) -> None:
    old = load_bundle(default_bundle_path())
    assert old.manifest["format"] == 1
    assert old.digest == SHIPPED
    assert old.parts.drift is None
    assert old.parts.model.weight == 0.5
    rows = random_rows(300, 12)
    columns = as_columns(rows)
    new = write_bundle(tmp_path / "b", old.parts, {}, [rows[0]])
    assert new.manifest["format"] == 2
    found = new.assess_columns(columns, len(rows)).probability
    assert found.tobytes() == old.assess_columns(columns, len(rows)).probability.tobytes()
    assert "appended" in (tmp_path / "b" / "model.yaml").read_text()


@pytest.fixture(scope="module")
def mixed(operator_data: Dataset, training: Training) -> BundleParts:
    """A blend, one part in four boosted, whose trees ask about codes and about rates."""
    features, frame = training.parts.features, operator_data.frame
    columns = with_segments(model_columns(frame), len(frame), training.parts.segments)
    matrix, label = features.encode_columns(columns, len(frame)), frame["label"].to_numpy()
    times = frame["observe_time_us"].to_numpy()
    data = FitData(matrix, label, np.ones(len(label)), times, times, features)
    nothing = np.zeros(0)
    tuned = [Tuned(trial, 25, 0.0, nothing, ()) for trial in (TRIALS[1], TRIALS[3])]
    boosted = fit_boosted(data, np.arange(len(label)), tuned, {"num_threads": 1}, (0, 1))
    model = Model("blend", boosted, training.candidates["logistic"].model.logistic, 0.25)
    draft = replace(training.parts, model=model, calibration=BETA)
    probability = BETA.many(Predictor(model, features).many(matrix))
    return replace(draft, drift=fit_reference(features, matrix, probability))


@pytest.fixture
def write_mixed(mixed: BundleParts, training: Training) -> Callable[[Path], Bundle]:
    def write(path: Path) -> Bundle:
        return write_bundle(path, mixed, training.about, training.probes, {"model_card.md": "# 卡"})

    return write


def test_everything_that_a_bundle_can_hold_survives(
    write_mixed: Callable[[Path], Bundle], mixed: BundleParts, tmp_path: Path
) -> None:
    bundle = write_mixed(tmp_path / "b")
    assert bundle.parts.calibration == BETA
    assert bundle.parts.drift == mixed.drift
    assert bundle.parts.model.weight == 0.25
    assert bundle.parts.model.boosted is not None
    assert mixed.model.boosted is not None
    assert list(bundle.parts.model.boosted.appended) == list(mixed.model.boosted.appended)
    assert {"drift.yaml", "model_card.md"} <= set(bundle.manifest["files"])
    assert (tmp_path / "b" / "model_card.md").read_text(encoding="utf-8") == "# 卡"
    rows = random_rows(1000, 13)
    assert_same(bundle, rows)
    for row in rows[:10]:
        base, shares = bundle.explain(row, top=1000)
        full = {**row, "segment": bundle.assess(row).segment}
        z = bundle.predictor.one(bundle.parts.features.encode_row(full))
        assert base + sum(share for _, _, share in shares) == pytest.approx(z, abs=1e-9)
        assert {name for name, _, _ in shares} <= set(bundle.parts.features.names)
    (tmp_path / "b" / "model_card.md").write_text("# forged")
    with pytest.raises(BundleError, match=r"model_card\.md was altered"):
        load_bundle(tmp_path / "b")


FURTHER_REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a rate too few": (
        lambda p: reseal(
            p,
            "model.yaml",
            lambda text: text.replace("appended:\n  point: [", "appended:\n  point: [0.5, "),
        ),
        "point lacks levels",
    ),
    "rates of a number": (
        lambda p: reseal(
            p,
            "model.yaml",
            lambda text: text.replace("appended:\n  point: ", "appended:\n  age_years: "),
        ),
        "age_years lacks levels",
    ),
    "rates that the trees do not ask for": (
        lambda p: reseal(
            p, "model.yaml", lambda text: text.split("appended:")[0] + "appended: {}\n"
        ),
        "model.txt expects feature point~rate, not None",
    ),
    "a share of more than all": (
        lambda p: reseal(p, "model.yaml", lambda t: t.replace("weight: 0.25", "weight: 1.25")),
        "weight 1.25 is no share",
    ),
    "half a beta calibration": (
        lambda p: reseal(p, "calibration.yaml", lambda t: t.replace("beta: [0.8, ", "beta: [")),
        "beta has three numbers",
    ),
    "counts that do not fit": (
        lambda p: reseal(p, "drift.yaml", lambda t: t.replace("counts: [", "counts: [1, ", 1)),
        "counts do not fit",
    ),
}


@pytest.mark.parametrize("what", FURTHER_REFUSALS)
def test_a_newer_bundle_that_does_not_fit_is_refused_too(
    what: str, write_mixed: Callable[[Path], Bundle], tmp_path: Path
) -> None:
    write_mixed(tmp_path / "b")
    change, sentence = FURTHER_REFUSALS[what]
    change(tmp_path / "b")
    with pytest.raises(BundleError, match=sentence) as caught:
        load_bundle(tmp_path / "b")
    assert "\n" not in str(caught.value)


def test_threads_share_a_bundle(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle, rows = write(tmp_path / "b", "blend"), random_rows(200, 3)
    expected = [bundle.assess(row) for row in rows]
    found: dict[int, list[object]] = {}

    def work(number: int) -> None:
        found[number] = [bundle.assess(row) for _ in range(5) for row in rows]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers == expected * 5 for answers in found.values())
    assert len(found) == 6


def test_explanations_add_up(write: Callable[..., Bundle], tmp_path: Path) -> None:
    for kind in ("lightgbm", "logistic", "blend"):
        bundle = write(tmp_path / kind, kind)
        for row in random_rows(20, 4):
            base, shares = bundle.explain(row, top=1000)
            full = {**row, "segment": bundle.assess(row).segment}
            z = bundle.predictor.one(bundle.parts.features.encode_row(full))
            assert base + sum(share for _, _, share in shares) == pytest.approx(z, abs=1e-9)
            weights = [abs(share) for _, _, share in shares]
            assert weights == sorted(weights, reverse=True)
            assert bundle.explain(row, top=3)[1] == shares[:3]


def test_attributes_are_declared(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "b")
    assert {name: a.type for name, a in bundle.attributes.items()} == {
        "plan": "category", "roaming": "flag", "data_gb": "number",
    }  # fmt: skip
    assert "商务" in bundle.attributes["plan"].categories
    with pytest.raises(FeatureError, match="plan"):
        bundle.assess({"plan": 7})


def test_the_manifest_tells_everything(
    write: Callable[..., Bundle], tmp_path: Path, training: Training
) -> None:
    manifest = write(tmp_path / "b").manifest
    assert [f["name"] for f in manifest["features"]] == list(training.parts.features.names)
    assert manifest["chosen"] == training.chosen
    assert manifest["windows"]["test"]["rows"] == training.test_rows
    assert manifest["metrics"]["logistic"]["auc"] > 0.6
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "b" / name).read_bytes()).hexdigest() == digest
    assert {p.name for p in (tmp_path / "b").iterdir()} == {*manifest["files"], "manifest.yaml"}


def test_the_digest_names_the_content(write: Callable[..., Bundle], tmp_path: Path) -> None:
    first, again = write(tmp_path / "a", "blend"), write(tmp_path / "b", "blend")
    assert first.digest == again.digest
    assert first.digest.startswith("sha256:")
    assert write(tmp_path / "c", "blend", calibration=ISOTONIC).digest != first.digest


def reseal(path: Path, name: str, change: Callable[[str], str]) -> None:
    """Alter a file and its digest, as somebody would who edits by hand and knows the format."""
    text = change((path / name).read_text(encoding="utf-8"))
    (path / name).write_text(text, encoding="utf-8")
    manifest = yaml.safe_load((path / "manifest.yaml").read_text(encoding="utf-8"))
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (path / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))


def edit_manifest(path: Path, **changes: object) -> None:
    manifest = yaml.safe_load((path / "manifest.yaml").read_text(encoding="utf-8"))
    (path / "manifest.yaml").write_text(yaml.safe_dump({**manifest, **changes}, sort_keys=False))


REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is missing": (lambda p: (p / "model.txt").unlink(), "model.txt is missing"),
    "a file was altered": (
        lambda p: (p / "association.csv").write_text("point\n"),
        "association.csv was altered: its sha256 is",
    ),
    "a stranger": (lambda p: (p / "x.pkl").write_bytes(b"x"), "x.pkl is not in the manifest"),
    "no manifest": (lambda p: (p / "manifest.yaml").unlink(), "manifest.yaml: cannot be read"),
    "no YAML": (lambda p: (p / "manifest.yaml").write_text("a: ["), "manifest.yaml: is not YAML"),
    "another format": (lambda p: edit_manifest(p, format=9), "is of bundle format 9"),
    "features in another order": (
        lambda p: edit_manifest(
            p, features=yaml.safe_load((p / "manifest.yaml").read_text("utf-8"))["features"][::-1]
        ),
        "feature 1 is .* in manifest.yaml and .* in features.yaml",
    ),
    "a feature renamed": (
        lambda p: reseal(p, "model.txt", lambda text: text.replace("open_hours", "hours_open")),
        "model.txt expects feature hours_open, not open_hours",
    ),
    "another model": (
        lambda p: reseal(p, "calibration.yaml", lambda text: text.replace("shift: ", "shift: 1")),
        "probe 1 gives .* in training it was",
    ),
    "an unknown kind": (
        lambda p: reseal(p, "model.yaml", lambda text: text.replace("kind: blend", "kind: magic")),
        "kind 'magic' is not known",
    ),
    "a coefficient too few": (
        lambda p: reseal(p, "logistic.yaml", lambda text: text.replace("  open_hours:", "  x:")),
        "is not a bundle of this program: KeyError",
    ),
    "an offset without end": (
        lambda p: reseal(
            p, "features.yaml", lambda t: re.sub("hours: [0-9.]+", "hours: .inf", t, count=1)
        ),
        "is not a bundle of this program: OverflowError",
    ),
    "a broken model": (
        lambda p: reseal(p, "model.txt", lambda text: "tree\n" + text[200:400]),
        "LightGBM cannot read it",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_bundle_that_does_not_fit_is_refused_with_a_sentence(
    what: str, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    write(tmp_path / "b", "blend")
    change, sentence = REFUSALS[what]
    change(tmp_path / "b")
    with pytest.raises(BundleError, match=sentence) as caught:
        load_bundle(tmp_path / "b")
    assert "\n" not in str(caught.value)


def test_writing_replaces_a_bundle_and_nothing_else(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    write(tmp_path / "b", "logistic")
    assert write(tmp_path / "b", "lightgbm").parts.model.kind == "lightgbm"
    assert not (tmp_path / "b" / "logistic.yaml").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "photo.jpg").write_bytes(b"dear")
    with pytest.raises(BundleError, match="is not a bundle"):
        write(other)
    assert (other / "photo.jpg").read_bytes() == b"dear"


def test_a_folder_that_holds_more_than_a_bundle_is_left_alone(
    write: Callable[..., Bundle], tmp_path: Path
) -> None:
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    (deploy / "manifest.yaml").write_text("kind: Deployment\n")
    with pytest.raises(BundleError, match="is not a bundle"):
        write(deploy)
    write(tmp_path / "b")
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"more than a bundle \(notes.txt\)"):
        write(tmp_path / "b")
    assert (deploy / "manifest.yaml").exists()
    assert (tmp_path / "b" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["association.csv", "model.txt", "features.yaml", "probes.yaml"])
def test_a_file_that_is_neither_there_nor_listed_is_missed(
    name: str, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    write(tmp_path / "b", "blend")
    files = yaml.safe_load((tmp_path / "b" / "manifest.yaml").read_text("utf-8"))["files"]
    del files[name]
    (tmp_path / "b" / name).unlink()
    edit_manifest(tmp_path / "b", files=files)
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "b")


def test_points_that_look_like_numbers_keep_their_association(
    write: Callable[..., Bundle], training: Training, tmp_path: Path
) -> None:
    points = np.array(["007", "101"] * 500, dtype=object)
    segments = np.array(["gotone_1"] * 1000, dtype=object)
    table = fit_association(points, segments, (np.arange(1000) % 2).astype(float))
    parts = replace(training.parts, association=table)
    bundle = write_bundle(tmp_path / "b", parts, training.about, training.probes)
    found = {
        point: bundle.assess(
            {**training.probes[0], "segment": "gotone_1", "point": point}
        ).association
        for point in points[:2]
    }
    assert found["101"] > 0 > found["007"]


def test_a_copied_bundle_is_the_same(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert load_bundle(tmp_path / "b").digest == bundle.digest


def test_public_names_are_what_is_exported() -> None:
    for name in harken_models.__all__:
        assert getattr(harken_models, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = harken_models.nothing  # type: ignore[attr-defined]
