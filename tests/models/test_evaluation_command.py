"""``harken evaluate`` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from harken_models.bundle import Bundle
from harken_models.commands import register
from typer.testing import CliRunner

from .conftest import SPEC


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Bundle]) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    write(folder / "ours")
    write(folder / "logistic", "logistic")
    return folder


def run(app: typer.Typer, *words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_the_figures_are_printed_in_eighty_columns(
    app: typer.Typer, place: Path, operator_file: Path
) -> None:
    words = (place / "ours", operator_file, "--spec", place / "spec.yaml", "--resamples", 20)
    code, out, _ = run(app, "evaluate", *words)
    assert code == 0
    for said in ("AUC", "95 % interval", "calls a day", "By channel", "warning line", "less work"):
        assert said in out, said
    tables = [line for line in out.splitlines() if line.startswith(" ")]
    assert tables
    assert max(map(len, tables)) <= 80


def test_two_bundles_in_chinese_with_a_page(
    app: typer.Typer, place: Path, operator_file: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    words = ("--spec", place / "spec.yaml", "--against", place / "logistic", "--out", page)
    code, out, _ = run(
        app, "evaluate", place / "ours", operator_file, *words, "--language", "zh",
        "--resamples", 20, "--warning-line", 0.3,
    )  # fmt: skip
    assert code == 0
    for said in ("对比", "差值", "预警线 0.3000", "按渠道"):
        assert said in out, said
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert 'lang="zh"' in page.read_text("utf-8")


def test_json_says_the_same_twice(app: typer.Typer, place: Path, operator_file: Path) -> None:
    words = (place / "ours", operator_file, "--spec", place / "spec.yaml", "--resamples", 20)
    code, out, _ = run(app, "evaluate", *words, "--json", "--capacity", 7)
    assert code == 0
    found = json.loads(out)
    assert found["capacity"][0]["per_day"] == 7
    assert run(app, "evaluate", *words, "--json", "--capacity", 7)[1] == out


def test_what_cannot_be_used_is_one_sentence(
    app: typer.Typer, place: Path, operator_file: Path, tmp_path: Path
) -> None:
    ours, spec = place / "ours", place / "spec.yaml"
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(b"PAR1 and no more")
    page = tmp_path / "page.html"
    for words in (
        (tmp_path / "nowhere", operator_file, "--spec", spec),
        (ours, tmp_path / "nowhere.csv", "--spec", spec),
        (ours, cut, "--spec", spec),
        (ours, operator_file),
        (ours, operator_file, "--spec", spec, "--since", "soon"),
        (ours, operator_file, "--spec", spec, "--against", tmp_path),
    ):
        code, out, err = run(app, "evaluate", *words, "--out", page)
        assert code == 2, words
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert not page.exists()


def test_a_column_of_another_type_is_named(
    app: typer.Typer, place: Path, operator_file: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "other.yaml"
    other = SPEC.replace(
        "plan: {column: plan, type: category}", "plan: {column: age, type: number}"
    )
    spec.write_text(other, encoding="utf-8")
    code, _, err = run(app, "evaluate", place / "ours", operator_file, "--spec", spec)
    assert code == 2
    assert "plan" in err
    assert "Traceback" not in err


def test_the_page_may_not_be_a_folder(
    app: typer.Typer, place: Path, operator_file: Path, tmp_path: Path
) -> None:
    words = (place / "ours", operator_file, "--spec", place / "spec.yaml", "--resamples", 20)
    code, _, err = run(app, "evaluate", *words, "--out", tmp_path)
    assert code == 2
    assert str(tmp_path) in err
