"""How training chooses, and that the test never takes part in it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from harken_models import default_bundle_path, load_bundle
from harken_models.boosted import TRIALS, FitData, Tuned, fit_boosted, tune
from harken_models.bundle import with_segments
from harken_models.bundlefile import write_bundle
from harken_models.core import RESOLUTION_STATES
from harken_models.dataset import Dataset, load_dataset
from harken_models.errors import TrainingError
from harken_models.featurebuild import build_features, model_columns
from harken_models.features import Feature, FeatureSpec
from harken_models.predictor import Model, Predictor
from harken_models.ready import with_supported_signs
from harken_models.spec import AttributeField, FieldSpec
from harken_models.specreader import read_spec
from harken_models.split import split_by_time
from harken_models.train import Options, Training, train
from scipy.special import expit
from sklearn.metrics import log_loss

COUNTS = ("grumble_count_30d", "grumble_count_90d", "complaint_count_30d", "complaint_count_90d")
COUNTS += ("same_point_count_90d",)
OPTIONS = Options(seed=3, trials=1, threads=1, seeds=1)
"""As the shared training was asked for."""
SPECS = Path(__file__).parents[2] / "models" / "specs"


def test_the_lowest_log_loss_before_the_test_wins_or_the_blend_close_behind(
    training: Training,
) -> None:
    losses = {kind: c.judged_log_loss for kind, c in training.candidates.items()}
    assert set(losses) == {"lightgbm", "logistic", "blend"}
    best = min(losses, key=lambda kind: losses[kind])
    rows = {kind: c.validation_rows for kind, c in training.candidates.items()}
    gap = rows["blend"] - rows[best]
    close = gap.mean() <= gap.std() / np.sqrt(len(gap))
    assert training.chosen == ("blend" if close else best)
    assert rows[best].mean() == pytest.approx(losses[best])
    assert training.parts.model == training.candidates[training.chosen].model
    assert all(c.test.auc > 0.6 for c in training.candidates.values())
    said = f"lowest log-loss on held-out time, base rates set right: {best}"
    assert said in training.about["because"]


def test_every_figure_of_the_test_has_an_interval_around_it(training: Training) -> None:
    for candidate in training.candidates.values():
        for name, value in candidate.test.to_plain().items():
            low, high = candidate.interval[name]
            assert low <= value <= high
        low, high = candidate.interval["auc"]
        assert 0.02 < high - low < 0.2


def test_the_manifest_says_what_must_be_sent_and_how_it_was_validated(training: Training) -> None:
    needs = training.about["needs"]
    assert {each["name"] for each in needs[:6]} & {"point", "resolution_state", "dissatisfied"}
    assert {each["name"]: each["as"] for each in needs}["plan"] == "attribute"
    missing = {each["name"]: each["missing_in_training"] for each in needs}
    assert 0.02 < missing["point"] < 0.09
    assert missing["channel"] == 0.0
    wanted = {"kind": "time", "pieces": 5, "purge_hours": 0.0, "weighted": False}
    assert training.about["validation"].items() >= wanted.items()


def test_the_test_changes_nothing_but_the_figures(
    operator_data: Dataset, training: Training, tmp_path: Path
) -> None:
    """With the test's outcomes turned round, the same model comes out, file by file."""
    frame = operator_data.frame.copy()
    rows = split_by_time(frame, operator_data.spec).final.held_out
    frame.loc[rows, "label"] = 1 - frame.loc[rows, "label"]
    turned = train(replace(operator_data, frame=frame), OPTIONS)
    assert turned.candidates[turned.chosen].test.auc < 0.5
    assert turned.chosen == training.chosen
    assert turned.parts.calibration == training.parts.calibration
    assert turned.parts.features == training.parts.features
    for kind, candidate in training.candidates.items():
        other = turned.candidates[kind].model
        assert other.logistic == candidate.model.logistic
        if candidate.model.boosted is not None and other.boosted is not None:
            assert other.boosted.text == candidate.model.boosted.text
    assert turned.parts.association.cells.equals(training.parts.association.cells)


def test_the_same_seed_gives_the_same_bundle(
    operator_data: Dataset, training: Training, tmp_path: Path
) -> None:
    again = train(operator_data, OPTIONS)
    first = write_bundle(tmp_path / "a", training.parts, training.about, training.probes)
    second = write_bundle(tmp_path / "b", again.parts, again.about, again.probes)
    assert first.digest == second.digest
    assert (tmp_path / "a" / "manifest.yaml").read_text() == (
        tmp_path / "b" / "manifest.yaml"
    ).read_text()


def fit_data(frame: pd.DataFrame, matrix: np.ndarray, spec: FeatureSpec) -> FitData:
    times = frame["observe_time_us"].to_numpy()
    return FitData(matrix, frame["label"].to_numpy(), np.ones(len(frame)), times, times, spec)


def test_threads_do_not_change_the_trees(operator_data: Dataset, training: Training) -> None:
    frame, spec = operator_data.frame, training.parts.features
    columns = with_segments(model_columns(frame), len(frame), training.parts.segments)
    matrix = spec.encode_columns(columns, len(frame))
    trees = []
    for threads in (1, 2):
        settings = {"seed": 1, "num_threads": threads}
        tuned = Tuned(TRIALS[0], 10, 0.0, np.zeros(0), ())
        data = fit_data(frame, matrix, spec)
        model = fit_boosted(data, np.arange(len(frame)), [tuned], settings)
        trees.append(model.text)
    assert trees[0] == trees[1]
    assert trees[0].count("Tree=") == 10


def test_what_is_judged_is_what_the_rounds_give(operator_data: Dataset) -> None:
    """Each fold's held-out predictions come from the rounds chosen for all of them."""
    frame, spec = operator_data.frame, operator_data.spec
    features = build_features(frame, spec)
    columns = model_columns(frame)
    matrix = features.encode_columns(columns, len(frame))
    label = frame["label"].to_numpy()
    folds = split_by_time(frame, spec).folds
    assert len(folds) > 1
    data = fit_data(frame, matrix, features)
    tuned = tune(data, folds, TRIALS[0], {"seed": 1, "num_threads": 1})
    losses = [
        log_loss(label[fold.held_out], expit(z))
        for fold, z in zip(folds, tuned.held_out, strict=True)
    ]
    assert np.mean(losses) == pytest.approx(tuned.log_loss, abs=1e-9)


def never_falls(features: FeatureSpec, model: Model, probe: dict[str, Any]) -> None:
    """Longer unresolved, worse resolved and more often never lowers the probability."""
    predictor = Predictor(model, features)
    hours = [probe["voice_time_us"] + h * 3_600_000_000 for h in (0, 1, 9, 30, 80, 200, 900)]
    for name, values in (
        ("observe_time_us", hours),
        ("resolution_state", list(RESOLUTION_STATES)),
        *((name, [0, 1, 2, 3, 5, 9, 30]) for name in COUNTS),
    ):
        rows = [{**probe, name: value} for value in values]
        z = [predictor.one(features.encode_row(row)) for row in rows]
        assert all(later >= earlier - 1e-12 for earlier, later in pairwise(z)), (name, z)


@pytest.mark.parametrize("kind", ["lightgbm", "logistic", "blend"])
def test_monotone_where_the_domain_is_sure(training: Training, kind: str) -> None:
    for probe in training.probes:
        never_falls(training.parts.features, training.candidates[kind].model, probe)


def test_a_sign_that_the_rows_contradict_beyond_doubt_is_dropped() -> None:
    rng = np.random.default_rng(8)
    z = rng.normal(size=3000)
    label = (rng.random(3000) < 1 / (1 + np.exp(-z))).astype(float)
    noise = rng.normal(size=3000)
    column = np.column_stack([z, -z, noise, -z, np.full(3000, np.nan)])
    column[::7, 1] = np.nan
    signs = (1, 1, 1, -1, 1)
    spec = FeatureSpec(
        tuple(Feature(f"x{i}", "number", (f"x{i}",), monotone=s) for i, s in enumerate(signs))
    )
    found = with_supported_signs(spec, column, label, np.arange(3000))
    assert [feature.monotone for feature in found.features] == [1, 0, 1, -1, 1]
    # A few witnesses, each heard many times, are a few.
    weak = (rng.random(40) < 1 / (1 + np.exp(-0.5 * z[:40]))).astype(float)
    often = np.repeat(np.arange(40), 50)
    heard = with_supported_signs(spec, column[often], weak[often], often)
    assert heard.features[1].monotone == 1
    apart = with_supported_signs(spec, column[often], weak[often], np.arange(2000))
    assert apart.features[1].monotone == 0


def test_the_shipped_model_is_monotone() -> None:
    path = default_bundle_path()
    parts = load_bundle(path).parts
    probes = yaml.safe_load((path / "probes.yaml").read_text("utf-8"))["probes"]
    for probe in probes:
        never_falls(parts.features, parts.model, probe["row"])


def test_base_rate_of_the_field(operator_data: Dataset) -> None:
    spec = replace(operator_data.spec, base_rate_field=0.02)
    found = train(replace(operator_data, spec=spec), OPTIONS)
    sample = found.about["base_rate"]["sample"]
    assert found.candidates[found.chosen].calibration.shift == 0
    # Complaints and others weighted to their shares in the field: the mean is the field's rate.
    held_out = found.held_out
    probability = found.parts.calibration.many(held_out.z[found.chosen])
    weight = np.where(held_out.label > 0, 0.02 / sample, 0.98 / (1 - sample))
    assert np.average(probability, weights=weight) == pytest.approx(0.02, rel=0.15)
    assert found.parts.calibration.shift == pytest.approx(
        np.log(0.02 / 0.98) - np.log(sample / (1 - sample)), abs=0.5
    )


def test_a_budget_cuts_the_search_and_progress_never_goes_back(operator_data: Dataset) -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        seen.append((what, done, total))

    found = train(
        operator_data, Options(trials=4, budget_seconds=1e-9, threads=1, seeds=1), progress
    )
    assert len(found.about["search"]["lightgbm"]["tried"]) == 1
    assert found.about["search"]["cut_short_by_budget"]
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert all(done <= total for _, done, total in seen)


def test_more_attributes_than_a_request_carries_are_refused(operator_data: Dataset) -> None:
    frame, spec = operator_data.frame, operator_data.spec
    names = [f"x{i}" for i in range(65)]
    numbers = np.random.default_rng(1).normal(size=(len(frame), 65))
    frame = frame.assign(**{f"attr_{n}": numbers[:, i] for i, n in enumerate(names)})
    attributes = {n: AttributeField(FieldSpec(n), "number") for n in names}
    many = replace(operator_data, frame=frame, spec=replace(spec, attributes=attributes))
    with pytest.raises(TrainingError, match="65 attributes vary, and a request carries at most 64"):
        train(many, OPTIONS)


def test_nothing_to_learn_from_is_said_so(operator_data: Dataset) -> None:
    kept = ["grumble_id", "voice_time_us", "label", "excluded"]
    frame = operator_data.frame[kept].assign(channel=None)
    frame["observe_time_us"] = frame["voice_time_us"]
    # Too short a time for hours and weekdays.
    start = int(frame["voice_time_us"].min())
    for name in ("voice_time_us", "observe_time_us"):
        frame[name] = start + (frame[name] - start) // 10
    bare = replace(operator_data, frame=frame, spec=replace(operator_data.spec, attributes={}))
    with pytest.raises(TrainingError, match="nothing to learn from"):
        train(bare, OPTIONS)


def test_rows_without_time_are_shared_out_by_groups(operator_data: Dataset) -> None:
    found = train(
        operator_data, replace(OPTIONS, groups="customer_id"), lambda _what, _done, _of: None
    )
    assert found.about["validation"]["kind"] == "groups"
    assert found.about["windows"]["test_start"] is None
    assert "on held-out groups" in found.about["because"]
    customers = operator_data.frame["customer_id"].to_numpy()
    others = np.setdiff1d(np.arange(len(customers)), found.test)
    assert not set(customers[found.test]) & set(customers[others])
    assert found.candidates[found.chosen].test.auc > 0.6
    with pytest.raises(TrainingError, match="no field 'nobody'"):
        train(operator_data, replace(OPTIONS, groups="nobody"))


def test_no_outcomes_no_training(operator_data: Dataset) -> None:
    frame = operator_data.frame.assign(label=np.nan)
    with pytest.raises(TrainingError, match="only 0 rows have a known outcome"):
        train(replace(operator_data, frame=frame), Options())


def test_the_figures_on_the_real_file(real_data: Path | None) -> None:
    """Where the consumer bureau's complaints are at hand: the split of their description."""
    data = None if real_data is None else real_data / "cfpb_complaints_2014.csv"
    spec = read_spec(SPECS / "cfpb.yaml")
    assert spec.horizon_days == 0
    if data is None or not data.is_file():
        return
    dataset = load_dataset(spec, data)
    assert (len(dataset.frame), dataset.bad_rows) == (8340, ())
    assert int((~dataset.frame["excluded"]).sum()) == 6581
    found = train(dataset, Options(trials=4, threads=1, seeds=3))
    chosen = found.candidates[found.chosen].test
    assert found.test_rows == 1997
    assert chosen.auc >= 0.65, json.dumps(chosen.to_plain())
    assert chosen.brier <= 0.1211, json.dumps(chosen.to_plain())
