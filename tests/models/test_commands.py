"""``harken train`` and ``harken data prepare`` as a user meets them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
import typer
from harken_models import load_bundle
from harken_models.commands import register
from harken_models.report import print_training
from harken_models.train import Training
from rich.console import Console
from typer.testing import CliRunner

from .conftest import SPEC, operator_rows


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def run(app: typer.Typer, *words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_train_prints_figures_and_writes_a_bundle(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path
) -> None:
    words = ("train", "--spec", spec, operator_file, "--out", tmp_path / "b", "--trials", 1)
    code, out, _ = run(app, *words, "--threads", 1, "--json")
    assert code == 0
    found = json.loads(out)
    assert set(found["candidates"]) == {"lightgbm", "logistic", "blend"}
    for figures in found["candidates"].values():
        assert {
            "auc",
            "ap",
            "brier",
            "log_loss",
            "ece",
            "lift_10",
            "recall_10",
            "recall_15",
        } <= set(figures)
    assert found["chosen"] in found["candidates"]
    assert found["test_rows"] == 600
    assert found["model_digest"] == load_bundle(tmp_path / "b").digest


def test_the_table_shows_all_candidates_and_why_one_was_chosen(training: Training) -> None:
    text = StringIO()
    print_training(Console(file=text, width=80), training, 1.0)
    for kind, candidate in training.candidates.items():
        assert kind in text.getvalue()
        assert f"{candidate.test.auc:.4f}" in text.getvalue()
    assert f"{training.chosen} ✔" in text.getvalue()
    assert "…" not in text.getvalue()
    assert f"{training.candidates[training.chosen].interval['auc'][0]:.4f}" in text.getvalue()
    assert "lowest log-loss on held-out time" in text.getvalue()


def test_prepare_writes_a_flat_file_that_needs_no_specification(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path
) -> None:
    for name in ("flat.parquet", "flat.csv"):
        words = ("data", "prepare", "--spec", spec, operator_file, "--out", tmp_path / name)
        code, out, _ = run(app, *words, "--from", "2011-04-01", "--until", "2011-05-01", "--json")
        assert code == 0
        summary = json.loads(out)
        assert 0 < summary["rows"] < 2400
        assert summary["labelled"] == summary["rows"]
    flat = pd.read_parquet(tmp_path / "flat.parquet")
    text = pd.read_csv(tmp_path / "flat.csv")
    assert list(flat.columns) == list(text.columns)
    assert {"grumble_id", "voice_time", "attr_plan", "label"} <= set(flat.columns)
    local = flat["observe_time"].dt.tz_convert("Asia/Shanghai")
    assert local.min() >= pd.Timestamp("2011-04-01", tz="Asia/Shanghai")
    assert local.max() < pd.Timestamp("2011-05-01", tz="Asia/Shanghai")
    assert flat["attr_roaming"].dtype == "boolean"


def test_a_prepared_file_trains_like_the_data_it_came_from(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat.parquet"
    assert run(app, "data", "prepare", "--spec", spec, operator_file, "--out", flat)[0] == 0
    code, out, err = run(
        app, "train", flat, "--out", tmp_path / "b", "--trials", 1, "--threads", 1, "--json"
    )
    assert code == 0, err
    assert json.loads(out)["candidates"]["logistic"]["auc"] > 0.65
    types = {name: a.type for name, a in load_bundle(tmp_path / "b").attributes.items()}
    assert types == {"plan": "category", "roaming": "flag", "data_gb": "number"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("column: point", "colum: point"), "did you mean 'column'?"),
        (("column: point", "column: pint"), "no column 'pint'"),
    ],
)
def test_what_a_user_got_wrong_is_said_without_a_stack(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path, change: tuple[str, str],
    message: str,
) -> None:  # fmt: skip
    spec.write_text(SPEC.replace(*change), encoding="utf-8")
    for words in (("train",), ("data", "prepare")):
        out = tmp_path / "out.csv"
        code, _, err = run(app, *words, "--spec", spec, operator_file, "--out", out)
        assert code == 2
        assert message in err
        assert "Traceback" not in err
        assert not out.exists()


def test_files_that_are_not_there_or_not_writable(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path
) -> None:
    code, _, err = run(app, "train", "--spec", spec, tmp_path / "none.csv", "--out", tmp_path / "b")
    assert (code, "no such file" in err) == (2, True)
    code, _, err = run(
        app, "data", "prepare", "--spec", spec, operator_file, "--out", tmp_path / "flat.txt"
    )
    assert (code, "must end in .parquet or .csv" in err) == (2, True)
    code, _, err = run(
        app, "data", "prepare", "--spec", spec, operator_file, "--out", tmp_path / "x.csv",
        "--from", "soon",
    )  # fmt: skip
    assert (code, "'soon' is not a time" in err) == (2, True)


def test_bad_rows_are_told_on_standard_error(app: typer.Typer, spec: Path, tmp_path: Path) -> None:
    rows = operator_rows(300, 1)
    rows["age"] = -1
    rows.to_csv(tmp_path / "bad.csv", index=False)
    code, out, err = run(
        app, "data", "prepare", "--spec", spec, tmp_path / "bad.csv", "--out", tmp_path / "o.csv",
        "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out) == {"rows": 0, "labelled": 0, "bad_rows": 300}
    assert "300 faults; the rows were left out:" in err
    assert "row 1: age_years: '-1' is not 0–150" in err


def test_a_budget_is_a_list_or_seconds(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path
) -> None:
    words = ("train", "--spec", spec, operator_file, "--out", tmp_path / "b", "--budget")
    for wrong in ("fast", "0", "-3", "nan", "inf"):
        code, _, err = run(app, *words, wrong)
        assert code == 2
        assert "neither quick, standard, thorough nor a number of seconds" in " ".join(
            err.replace("│", " ").split()
        )


def test_what_cannot_be_written_is_found_before_the_search(
    app: typer.Typer, spec: Path, operator_file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("harken_models.train.train", None)
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("x")
    for out, message in (
        (foreign, "is not a bundle"),
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "b", "is not a folder"),
    ):
        code, _, err = run(app, "train", "--spec", spec, operator_file, "--out", out)
        assert (code, message in err) == (2, True), err
    assert (foreign / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("rows", "label", "message"),
    [
        (30, None, "only 30 rows have a known outcome; at least 200 are needed"),
        (400, "False", "would have to learn from"),
    ],
)
def test_data_that_cannot_be_learnt_from_ends_in_a_sentence(
    app: typer.Typer, spec: Path, tmp_path: Path, rows: int, label: str | None, message: str
) -> None:
    some = operator_rows(rows, 1)
    if label is not None:
        some["complained"] = label
    some.to_csv(tmp_path / "d.csv", index=False)
    before = sorted(path.name for path in tmp_path.iterdir())
    words = ("train", "--spec", spec, tmp_path / "d.csv", "--out", tmp_path / "b")
    code, _, err = run(app, *words)
    assert (code, message in err) == (2, True), err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_groups_name_a_column_or_a_field_and_the_test_can_be_written(
    app: typer.Typer, spec: Path, tmp_path: Path
) -> None:
    operator_rows(700, 2).to_csv(tmp_path / "d.csv", index=False)
    tests = []
    for groups in ("customer", "customer_id"):
        code, out, err = run(
            app, "train", "--spec", spec, tmp_path / "d.csv", "--out", tmp_path / "b",
            "--trials", 1, "--threads", 1, "--groups", groups, "--fresh", "--json",
            "--test-out", tmp_path / "test.csv",
        )  # fmt: skip
        assert code == 0, err
        assert json.loads(out)["validation"]["kind"] == "groups"
        tests.append(set(pd.read_csv(tmp_path / "test.csv")["grumble_id"]))
    assert tests[0] == tests[1]
    assert 0.2 < len(tests[0]) / 700 < 0.3
    assert not list(tmp_path.glob(".*"))
    code, _, err = run(
        app, "train", "--spec", spec, tmp_path / "d.csv", "--out", tmp_path / "b",
        "--groups", "nobody",
    )  # fmt: skip
    assert (code, "no column 'nobody'" in err) == (2, True)


def test_help_teaches(app: typer.Typer) -> None:
    for words in (("train",), ("data", "prepare"), ("data", "simulate")):
        code, out, _ = run(app, *words, "--help")
        assert code == 0
        assert "Example: harken" in " ".join(out.split())
    _, out, _ = run(app, "data", "--help")
    assert "simulate" in out
    assert "prepare" in out
