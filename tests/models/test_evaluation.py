"""``evaluation``: rows, lists, slices, ages, drift, the report and its page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from harken_models.bundle import Bundle, with_segments
from harken_models.dataset import Dataset
from harken_models.drift import fit_reference
from harken_models.errors import DataError
from harken_models.evaluation.ages import COHORT, ages
from harken_models.evaluation.capacity import called, capacity_curve
from harken_models.evaluation.drifted import drift, verdict
from harken_models.evaluation.judged import judged_rows, us
from harken_models.evaluation.page import page_of
from harken_models.evaluation.plots import ticks
from harken_models.evaluation.report import EvaluateOptions, Plain, evaluate_bundle
from harken_models.evaluation.scored import Scored, score, scored_of
from harken_models.evaluation.slices import FEWEST, parts
from harken_models.evaluation.words import _WORDS
from harken_models.featurebuild import model_columns
from harken_models.spec import SnapshotSpec
from harken_models.train import Training

FEW = EvaluateOptions(resamples=40)


@pytest.fixture(scope="module")
def bundle(training: Training, operator_data: Dataset) -> Bundle:
    frame = operator_data.frame
    columns = with_segments(model_columns(frame), len(frame), training.parts.segments)
    matrix = training.parts.features.encode_columns(columns, len(frame))
    plain = Bundle(training.parts, training.about, "sha256:ours")
    reference = fit_reference(
        training.parts.features,
        matrix,
        plain.assess_columns(model_columns(frame), len(frame)).probability,
    )
    return Bundle(replace(training.parts, drift=reference), training.about, "sha256:ours")


@pytest.fixture(scope="module")
def worse(training: Training) -> Bundle:
    """The same model, sure of itself without reason."""
    calibration = replace(training.parts.calibration, method="platt", slope=3.0, intercept=1.0)
    parts_ = replace(training.parts, calibration=calibration)
    return Bundle(parts_, training.about, "sha256:worse")


@pytest.fixture(scope="module")
def found(bundle: Bundle, worse: Bundle, operator_data: Dataset) -> Plain:
    options = EvaluateOptions(capacity=(3,), warning_line=0.3, resamples=60)
    return evaluate_bundle(bundle, operator_data, options, worse)


# Which rows


def test_the_rows_are_those_of_the_test(
    bundle: Bundle, operator_data: Dataset, training: Training, found: Plain
) -> None:
    judged = judged_rows(operator_data, (bundle,), None, False)
    np.testing.assert_array_equal(judged.rows, training.test)
    assert judged.in_training == 0
    assert found["rows"] == training.test_rows
    own = training.candidates[training.chosen].test.to_plain()
    for name, value in own.items():
        assert found["figures"][name]["value"] == pytest.approx(value, abs=2e-6), name
    assert found["window"]["start"] == training.about["windows"]["test_start"]


def test_earlier_rows_are_judged_when_asked_for_and_it_is_said(
    bundle: Bundle, operator_data: Dataset, training: Training
) -> None:
    every = judged_rows(operator_data, (bundle,), None, True)
    assert len(every.rows) == operator_data.frame["label"].notna().sum()
    assert every.in_training == training.about["windows"]["training"]["rows"]
    since = judged_rows(operator_data, (bundle,), "2011-08-01T00:00:00Z", False)
    times = operator_data.frame["observe_time_us"].to_numpy()
    assert times[since.rows].min() >= us("2011-08-01T00:00:00Z")
    assert 0 < since.in_training < len(since.rows)
    text = page_of(evaluate_bundle(bundle, operator_data, replace(FEW, every=True)), "en")
    assert text.index("flatter") < text.index("<table>")


@pytest.mark.parametrize(
    ("since", "words"),
    [("yesterday", "not a time"), ("2031-01-01", "--since"), ("2011-10-07T15:40", "both outcomes")],
)
def test_nothing_to_judge_is_said(
    bundle: Bundle, operator_data: Dataset, since: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        judged_rows(operator_data, (bundle,), since, False)


def test_a_grumble_is_judged_whole_or_not_at_all(bundle: Bundle, operator_data: Dataset) -> None:
    """Snapshots after the test's start, of a grumble that began before it, are left out."""
    frame = operator_data.frame.assign(_group=np.arange(len(operator_data.frame)))
    start = us(bundle.manifest["windows"]["test_start"])
    before = int(np.flatnonzero(frame["observe_time_us"] < start)[-1])
    after = judged_rows(operator_data, (bundle,), None, False).rows[:3]
    frame.loc[after, "_group"] = before
    kept = judged_rows(replace(operator_data, frame=frame), (bundle,), None, False).rows
    assert set(after).isdisjoint(kept)
    assert len(kept) == len(judged_rows(operator_data, (bundle,), None, False).rows) - 3


def test_scored_rows_carry_weight_group_and_slices(bundle: Bundle, operator_data: Dataset) -> None:
    rows = np.arange(200)
    frame = operator_data.frame.assign(_weight=2.0)
    found = score(bundle, replace(operator_data, frame=frame), rows)
    assert (found.weight == 2.0).all()
    customers = operator_data.frame["customer_id"].to_numpy()[:200]
    assert len(np.unique(found.group)) == len(set(customers))
    assert {"segment", "channel", "month", "age", "plan", "roaming"} <= set(found.slices)
    assert "data_gb" not in found.slices
    assert set(found.slices["roaming"]) <= {"true", "false", None}
    one = bundle.assess(
        {name: column[7] for name, column in model_columns(operator_data.frame).items()}
    )
    assert found.probability[7] == one.probability
    assert found.slices["segment"][7] == one.segment


# Calls a day


def snapshots(seed: int, grumbles: int = 60, days: int = 9) -> Scored:
    """Grumbles seen one to four times, on days one after another."""
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 5, grumbles)
    grumble = np.repeat(np.arange(grumbles), times)
    age = np.concatenate([np.arange(n) for n in times])
    day = np.repeat(rng.integers(0, days, grumbles), times) + age
    probability = np.round(rng.random(len(grumble)), 1)
    label = np.repeat((rng.random(grumbles) < 0.3).astype(float), times)
    rows = scored_of(label, probability, group=grumble // 2)
    shuffled = rng.permutation(len(grumble))
    return replace(
        rows,
        label=label[shuffled], probability=probability[shuffled], group=rows.group[shuffled],
        grumble=grumble[shuffled], snapshot=age[shuffled] + 1, day=day[shuffled],
        open_hours=age[shuffled] * 24.0,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_the_calls_by_going_through_the_days(seed: int) -> None:
    rows = snapshots(seed)
    for per_day in (1, 3, 1000):
        done: set[int] = set()
        wanted = np.zeros(len(rows), dtype=bool)
        for day in sorted(set(rows.day)):
            calls = 0
            of_day = [place for place in range(len(rows)) if rows.day[place] == day]
            for place in sorted(of_day, key=lambda place: -rows.probability[place]):
                if calls < per_day and rows.grumble[place] not in done:
                    done.add(int(rows.grumble[place]))
                    wanted[place] = True
                    calls += 1
        np.testing.assert_array_equal(called(rows, per_day), wanted)
        (curve,) = capacity_curve(rows, (per_day,), 30, 1)
        complaining = set(rows.grumble[rows.label == 1])
        assert curve["rows"] == len(done)
        assert curve["recall"]["value"] == pytest.approx(
            len(done & complaining) / len(complaining), abs=1e-6
        )
        assert curve["precision"]["value"] == pytest.approx(
            len(done & complaining) / len(done), abs=1e-6
        )
    assert curve["recall"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_days_are_those_of_the_operator(bundle: Bundle, operator_data: Dataset) -> None:
    """Midnight in Shanghai is four in the afternoon of the day before in UTC."""
    rows = np.arange(300)
    found = score(bundle, operator_data, rows)
    local = pd.to_datetime(found.observe_us, unit="us", utc=True).tz_convert("Asia/Shanghai")
    days = [day.toordinal() - 719163 for day in local.date]
    np.testing.assert_array_equal(found.day, days)
    assert (found.day != found.observe_us // 86_400_000_000).any()


# Slices, ages, drift


def test_slices_measure_their_rows_and_count_the_small_ones() -> None:
    rng = np.random.default_rng(3)
    probability = rng.random(900)
    label = (rng.random(900) < probability).astype(float)
    values = np.array(["a"] * 500 + ["b"] * 385 + [None] * 15, dtype=object)
    rows = scored_of(label, probability)
    a, b, nothing = parts(rows, values, 0.5, 40, 1)
    assert [a["value"], b["value"], nothing["value"]] == ["a", "b", None]
    assert (a["rows"], a["positives"]) == (500, label[:500].sum())
    from sklearn.metrics import roc_auc_score

    assert a["auc"]["value"] == pytest.approx(
        roc_auc_score(label[:500], probability[:500]), abs=1e-6
    )
    assert a["auc"]["low"] < a["auc"]["value"] < a["auc"]["high"]
    warned = probability[500:885] >= 0.5
    assert b["recall"]["value"] == pytest.approx(
        label[500:885][warned].sum() / label[500:885].sum(), abs=1e-6
    )
    assert min(label[885:].sum(), 15 - label[885:].sum()) < FEWEST
    assert "auc" not in nothing
    assert nothing["rate"] == pytest.approx(label[885:].mean(), abs=1e-6)


def test_the_same_grumbles_are_followed_back_to_their_opening() -> None:
    """Of a slow half only the older rows tell apart: the cohort's AUC rises with age."""
    rng = np.random.default_rng(4)
    size, old = 3000, 1500
    label = (rng.random(size) < 0.3).astype(float)
    first = scored_of(label, np.clip(0.3 + 0.05 * label + rng.normal(0, 0.1, size), 0, 1))
    late = np.clip(0.3 + 0.2 * label[:old] + rng.normal(0, 0.1, old), 0, 1)
    grumble = np.concatenate([np.arange(size), np.arange(old)])
    rows = Scored(
        label=np.concatenate([label, label[:old]]),
        probability=np.concatenate([first.probability, late]),
        weight=np.concatenate([np.ones(size), np.full(old, 0.5)]),
        group=grumble,
        observe_us=np.zeros(size + old, dtype=np.int64),
        open_hours=np.concatenate([np.full(size, 0.1), np.full(old, 24.0)]),
        grumble=grumble,
        snapshot=np.concatenate([np.ones(size), np.full(old, 2)]),
    )
    found = ages(rows, (0.0, 24.0, 72.0), 0.3, 30, 1)
    assert [each["hours"] for each in found["open_then"]] == [0.1, 24.0]
    assert [each["rows"] for each in found["open_then"]] == [size, old]
    young, aged = found["same_grumbles"]
    assert young["rows"] == aged["rows"] == old >= COHORT
    assert aged["auc"]["low"] > young["auc"]["high"]
    assert ages(rows, (), 0.3, 30, 1) == {"open_then": [], "same_grumbles": []}


def test_drift_names_the_field_that_moved(bundle: Bundle, operator_data: Dataset) -> None:
    rows = np.arange(len(operator_data.frame))
    label = np.zeros(len(rows))
    same = score(bundle, operator_data, rows).probability
    calm = drift(bundle, operator_data, rows, same)
    assert calm is not None
    assert calm["probability"] == 0
    assert {each["verdict"] for each in calm["columns"]} == {"stable"}
    frame = operator_data.frame.assign(age_years=operator_data.frame["age_years"] + 30, label=label)
    moved = drift(bundle, replace(operator_data, frame=frame), rows, same)
    assert moved is not None
    assert moved["columns"][0]["name"] == "age_years"
    assert moved["columns"][0]["verdict"] == "moved"
    assert verdict(0.1) == "look"


def test_a_bundle_without_a_reference_has_no_drift(worse: Bundle, operator_data: Dataset) -> None:
    parts_ = replace(worse.parts, drift=None)
    assert drift(Bundle(parts_, {}, ""), operator_data, np.arange(9), np.zeros(9)) is None


# The report


def test_the_report_has_every_part_and_is_json(found: Plain) -> None:
    assert json.loads(json.dumps(found)) == found
    wanted = (
        "model_digest rows positives window figures calibration lift capacity line recall_targets "
        "slices age drift against"
    )
    assert set(wanted.split()) <= set(found)
    assert [each["per_day"] for each in found["capacity"]] == [3, 10, 20, 50, 100, 200, 500]
    recalls = [each["recall"]["value"] for each in found["capacity"]]
    assert recalls == sorted(recalls)
    assert found["line"]["probability"] == 0.3
    assert found["line"]["given"] is True
    assert [each["recall"] for each in found["recall_targets"]] == [0.8, 0.87, 0.9, 0.95]
    assert sum(each["rows"] for each in found["calibration"]) == found["rows"]
    for by, own in found["slices"].items():
        assert sum(part["rows"] for part in own) == found["rows"], by
    assert found["missing_fields"] == []


def test_a_worse_bundle_is_found_out(found: Plain) -> None:
    gap = found["against"]["differences"]
    assert gap["log_loss"]["high"] < 0
    assert gap["log_loss"]["p"] < 0.05
    assert gap["auc"]["value"] == 0.0  # the same order
    assert gap["auc"]["p"] == 1.0


def test_the_usual_line_is_the_one_that_finds_87_percent(
    bundle: Bundle, operator_data: Dataset
) -> None:
    found = evaluate_bundle(bundle, operator_data, FEW)
    assert found["line"]["given"] is False
    assert found["line"]["recall"]["value"] >= 0.87
    target = found["recall_targets"][1]
    assert found["line"]["probability"] == target["probability"]
    asked = replace(FEW, warning_line=found["line"]["probability"])
    again = evaluate_bundle(bundle, operator_data, asked)
    assert again["line"]["recall"] == found["line"]["recall"]
    assert found["against"] is None


def test_weeks_are_resampled_whole(bundle: Bundle, operator_data: Dataset) -> None:
    found = evaluate_bundle(bundle, operator_data, replace(FEW, block="week"))
    assert found["groups"] < 12
    assert found["intervals"]["by"] == "week"


def test_fields_that_the_data_lacks_are_named(bundle: Bundle, operator_data: Dataset) -> None:
    frame = operator_data.frame.drop(columns=["attr_plan", "vip_tier"])
    found = evaluate_bundle(bundle, replace(operator_data, frame=frame), FEW)
    assert sorted(found["missing_fields"]) == ["plan", "vip_tier"]


def test_snapshots_are_told_by_age(bundle: Bundle, operator_data: Dataset) -> None:
    """Each grumble of the test a second time, two days later and half as heavy."""
    frame = operator_data.frame
    later = frame.assign(observe_time_us=frame["voice_time_us"] + 48 * 3_600_000_000)
    both = pd.concat([frame, later], ignore_index=True).assign(
        _group=np.tile(np.arange(len(frame)), 2),
        _weight=np.repeat([4 / 3, 2 / 3], len(frame)),
        _snapshot=np.repeat([1, 2], len(frame)),
    )
    spec = replace(operator_data.spec, snapshots=SnapshotSpec(at_hours=(0.0, 48.0)))
    found = evaluate_bundle(bundle, replace(operator_data, frame=both, spec=spec), FEW)
    assert found["rows"] == 2 * found["grumbles"]
    first, second = found["age"]["open_then"]
    assert first["rows"] == second["rows"] == found["grumbles"]
    assert second["hours"] == 48.0


def test_data_without_time_has_no_days(bundle: Bundle, operator_data: Dataset) -> None:
    frame = operator_data.frame.assign(voice_time_us=0, observe_time_us=0)
    dataset = Dataset(replace(operator_data.spec, timeless=True), frame, (), 0)
    manifest = {**bundle.manifest, "windows": {"by": "groups", "test_start": None}}
    found = evaluate_bundle(Bundle(bundle.parts, manifest, ""), dataset, FEW)
    assert found["capacity"] == []
    assert {"month", "age"}.isdisjoint(found["slices"])
    assert found["window"]["from"] is None
    assert found["rows"] == len(frame)
    assert "--test-out" in page_of(found, "en")


# The page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_needs_no_network_and_every_plot_says_what_it_is(
    found: Plain, language: str
) -> None:
    page = page_of(found, language)
    outside = ("http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link", "<img")
    assert [each for each in outside if each in page] == []
    plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(plots) >= 5
    for plot in plots:
        root = ElementTree.fromstring(plot)
        assert root[0].tag == "title"
        assert root[0].text
        for mark in root.iter():
            for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
                assert float(mark.get(name, "0")) >= 0, (mark.tag, mark.attrib)
    assert "nan" not in page.lower().replace("sha256", "")
    assert ("查全率" in page) == (language == "zh")


def test_the_page_escapes_what_the_data_says(found: Plain) -> None:
    nasty = "<b>&\"'"
    changed: dict[str, Any] = {**found, "dataset": nasty}
    changed["slices"] = {"plan": [{**found["slices"]["plan"][0], "value": nasty}]}
    page = page_of(changed, "en")
    assert nasty not in page
    assert page.count("&lt;b&gt;&amp;") >= 3


def test_ticks_are_round_and_few() -> None:
    for most in (0.013, 0.08, 0.31, 0.5, 1.0, 7.0, 200, 500):
        found = ticks(most)
        assert found[0] == 0
        assert found[-1] <= most
        assert 3 <= len(found) <= 11, (most, found)


def test_every_word_is_said_in_both_languages() -> None:
    for key, (english, chinese) in _WORDS.items():
        places = [re.findall(r"{(\d?)[^}]*}", words) for words in (english, chinese)]
        assert len(places[0]) == len(places[1]), key


def test_bundles_are_measured_without_knowing_their_kind(
    training: Training, operator_data: Dataset, write: Callable[..., Bundle], tmp_path: Path
) -> None:
    for kind in ("lightgbm", "logistic", "blend"):
        found = evaluate_bundle(write(tmp_path / kind, kind), operator_data, FEW)
        own = training.candidates[kind].test  # type: ignore[index]
        assert found["figures"]["auc"]["value"] == pytest.approx(own.auc, abs=1e-6)
