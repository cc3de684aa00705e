"""The model card: complete, true to the training, the same to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from harken_models.bundle import Bundle, default_bundle_path
from harken_models.bundlefile import write_bundle
from harken_models.card import FILES, card_of, card_text, cards, found_on_test, spec_digest
from harken_models.card_words import _FIGURES, _WORDS
from harken_models.commands import register
from harken_models.dataset import Dataset
from harken_models.evaluation.report import Plain
from harken_models.spec import SplitSpec
from harken_models.specreader import read_spec
from harken_models.train import Training
from typer.testing import CliRunner

from .conftest import SPEC


@pytest.fixture(scope="module")
def plain(training: Training, operator_data: Dataset) -> Plain:
    return found_on_test(training, operator_data)


def command(*words: object) -> tuple[int, str, str]:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["model", "card", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_the_card_says_what_training_found(training: Training, plain: Plain) -> None:
    card = card_of(training, plain, "en")
    heads = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert heads == [
        "What it is", "What it learnt from", "How it was validated", "How good it is",
        "Where it is weak", "Fields it must have", "Missing and unseen values", "Known limits",
    ]  # fmt: skip
    assert card.startswith("# Model card: operator\n")
    chosen = training.candidates[training.chosen]
    low, high = chosen.interval["auc"]
    assert f"| AUC | {chosen.test.auc:.4f} | {low:.4f} – {high:.4f} |" in card
    assert training.about["because"] in card
    assert f"**{training.chosen}**" in card
    for each in training.about["needs"]:
        assert f"| `{each['name']}` | " in card
    window = training.about["windows"]["training"]
    assert f"| {window['rows']:,} | {window['positives']:,} |" in card


def test_the_weakest_parts_are_those_with_the_lowest_auc(training: Training, plain: Plain) -> None:
    card = card_of(training, plain, "en")
    lowest = sorted(
        part["auc"]["value"] for own in plain["slices"].values() for part in own if part.get("auc")
    )
    told = [float(value) for value in re.findall(r"^- .* = .*: AUC (0\.\d+)", card, re.MULTILINE)]
    assert told == [round(value, 3) for value in lowest[: len(told)]]
    assert len(told) == 5


def test_a_part_that_is_far_off_is_said(training: Training, plain: Plain) -> None:
    off = {
        "value": "branch",
        "rows": 400,
        "grumbles": 400,
        "positives": 200,
        "rate": 0.5,
        "predicted": 0.2,
    }
    near = {
        "value": "town",
        "rows": 400,
        "grumbles": 400,
        "positives": 84,
        "rate": 0.21,
        "predicted": 0.2,
    }
    few = {
        "value": "isle",
        "rows": 5,
        "grumbles": 5,
        "positives": 5,
        "rate": 1.0,
        "predicted": 0.05,
    }
    card = card_of(
        training, {**plain, "slices": {**plain["slices"], "hall": [off, near, few]}}, "en"
    )
    assert "- hall = branch: predicted 20.0%, observed 50.0%, 400 rows" in card
    assert "town" not in card
    assert "isle" not in card


def test_the_cards_are_the_same_each_time_and_say_no_place(
    training: Training, operator_data: Dataset, tmp_path: Path
) -> None:
    moved = replace(operator_data, spec=replace(operator_data.spec, file=str(tmp_path)))
    found = cards(training, operator_data)
    assert set(found) == set(FILES.values())
    assert cards(training, moved) == found
    for card in found.values():
        assert operator_data.spec.file not in card
        assert card.endswith("\n")
        assert "nan" not in card
        assert "None" not in card


def test_limits_follow_from_the_data(training: Training, plain: Plain) -> None:
    usual = card_of(training, plain, "en")
    assert "1/j" not in usual
    assert "no time" not in usual
    assert "1/j" in card_of(training, {**plain, "snapshots": True}, "en")
    assert "no time" in card_of(training, {**plain, "timeless": True}, "en")
    needs = [{"name": "x", "as": "core", "type": "number", "missing_in_training": 0.9}]
    rate = {"sample": 0.3, "field": 0.05, "shift": -2.1}
    about = {**training.about, "needs": needs, "base_rate": rate}
    card = card_of(replace(training, about=about), plain, "en")
    assert "little is learnt of: x." in card
    assert "declared rate of the field: 5.00%" in card


def test_figures_on_the_test_are_before_the_move_to_the_field(
    training: Training, operator_data: Dataset, plain: Plain
) -> None:
    parts = training.parts
    moved = replace(parts, calibration=replace(parts.calibration, shift=-2.0))
    assert found_on_test(replace(training, parts=moved), operator_data) == plain


def test_the_digest_is_of_what_a_specification_says(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")]
    paths[0].write_text(SPEC, encoding="utf-8")
    lines = SPEC.strip().splitlines()
    paths[1].write_text("\n".join(["# written otherwise", lines[-1], *lines[:-1]]), "utf-8")
    paths[2].write_text(SPEC.replace("column: point", "column: state"), encoding="utf-8")
    first, second, third = (spec_digest(read_spec(path)) for path in paths)
    assert first == second != third
    spec = read_spec(paths[0])
    assert spec_digest(replace(spec, split=SplitSpec(0.31))) != first


def test_a_bundle_prints_the_card_it_holds(
    training: Training, operator_data: Dataset, tmp_path: Path
) -> None:
    pages = cards(training, operator_data)
    write_bundle(tmp_path / "b", training.parts, training.about, training.probes, pages)
    assert command(tmp_path / "b") == (0, pages["model_card.md"], "")
    assert command(tmp_path / "b", "--language", "zh") == (0, pages["model_card.zh.md"], "")


def test_an_old_bundle_has_a_card_of_its_manifest() -> None:
    code, out, _ = command(default_bundle_path())
    assert code == 0
    assert out.startswith("# Model card: simulated\n")
    assert "not fit for real customers" in out
    assert "| `resolution_state` |" in out


def test_a_bundle_that_says_little_has_a_card(write: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = write(tmp_path / "b")
    card = card_text({}, bundle.parts, {}, "en")
    assert "## Known limits" in card
    assert "None" not in card


def test_no_bundle_no_card(tmp_path: Path) -> None:
    code, out, err = command(tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_every_word_is_said_in_both_languages() -> None:
    for key, (english, chinese) in {**_WORDS, **_FIGURES}.items():
        places = [len(re.findall(r"{[^}]*}", words)) for words in (english, chinese)]
        assert places[0] == places[1], key
        assert english.startswith("##") == chinese.startswith("##"), key
