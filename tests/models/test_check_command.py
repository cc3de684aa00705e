"""``harken data check`` as an analyst meets it, its page, and its words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pandas as pd
import pytest
import typer
from harken_models.check.run import IDS
from harken_models.check.words import WORDS
from harken_models.commands import register
from typer.testing import CliRunner

from .conftest import SPEC, operator_rows

PAGE = Path(__file__).parents[2] / "docs" / "data-check.md"


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean data, and the same with a constant column and a leak."""
    folder = tmp_path_factory.mktemp("check")
    frame = operator_rows(1500, 5)
    frame.to_csv(folder / "clean.csv", index=False)
    told = frame["complained"].map({True: "after", False: "before"})
    frame.assign(country="cn", letter=told).to_csv(folder / "trapped.csv", index=False)
    (folder / "clean.yaml").write_text(SPEC, encoding="utf-8")
    more = (
        "  country: {column: country, type: category}\n  memo: {column: letter, type: category}\n"
    )
    trapped = SPEC.replace("attributes:\n", "attributes:\n" + more)
    (folder / "trapped.yaml").write_text(trapped, encoding="utf-8")
    return folder


def run(app: typer.Typer, *words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", "check", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_clean_data_is_summed_up(app: typer.Typer, folder: Path) -> None:
    code, out, err = run(app, folder / "clean.yaml", folder / "clean.csv")
    assert (code, err) == (0, "")
    assert "1,500 rows from 1,500 in the file" in out
    assert "nothing found" in out
    assert re.search(r"^2011-04-04 +\d+ +\d+\.\d% ", out, re.MULTILINE)


def test_findings_have_an_id_a_mend_and_exit_code_one(app: typer.Typer, folder: Path) -> None:
    code, out, _ = run(app, folder / "trapped.yaml", folder / "trapped.csv")
    assert code == 1
    assert "warning[constant-column]: country is 'cn' in every row" in out
    assert "error[leak-strong]: letter (memo) alone predicts too well" in out
    assert out.count("\n  mend: ") == 2
    assert out.rstrip().endswith("2 findings")


def test_the_report_in_chinese(app: typer.Typer, folder: Path) -> None:
    words = (folder / "trapped.yaml", folder / "trapped.csv", "--language", "zh")
    code, out, _ = run(app, *words)
    assert code == 1
    assert "警告[constant-column]: country 在所有有结果的行中恒为 'cn'" in out
    assert out.rstrip().endswith("发现 2 个问题")


def test_the_report_as_json(app: typer.Typer, folder: Path) -> None:
    code, out, _ = run(app, folder / "trapped.yaml", folder / "trapped.csv", "--json")
    plain = json.loads(out)
    assert code == 1
    assert set(plain) >= {"rows", "main", "span", "label", "weeks", "findings", "notes", "passed"}
    assert plain["rows"] == plain["main"] == 1500
    assert not plain["passed"]
    assert sum(week["rows"] for week in plain["weeks"]) == plain["label"]["known"]
    assert [one["column"] for one in plain["findings"]] == ["country", "letter"]
    for one in plain["findings"]:
        assert set(one) >= {"id", "severity", "column", "message", "mend", "rows", "figures"}


def test_what_is_allowed_is_shown_and_does_not_count(app: typer.Typer, folder: Path) -> None:
    words = (folder / "trapped.yaml", folder / "trapped.csv")
    code, out, _ = run(app, *words, "--allow", "constant-column")
    assert (code, out.rstrip().splitlines()[-1]) == (1, "1 finding")
    allow = ("--allow", "constant-column:country", "--allow", "leak-strong:memo")
    code, out, _ = run(app, *words, *allow)
    assert code == 0
    assert "allowed[leak-strong]" in out
    code, _, _ = run(app, *words, "--allow", "constant-column:letter", "--allow", "leak-strong")
    assert code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--allow", "leek-strong"), "did you mean 'leak-strong'?"),
        (("--language", "fr"), "it is en or zh"),
    ],
)
def test_wrong_options_are_refused(
    app: typer.Typer, folder: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(app, folder / "clean.yaml", folder / "clean.csv", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_what_cannot_be_read_is_one_sentence_and_exit_code_two(
    app: typer.Typer, folder: Path, tmp_path: Path
) -> None:
    spec, data = folder / "clean.yaml", folder / "clean.csv"
    pd.read_csv(data).drop(columns="state").to_csv(tmp_path / "less.csv", index=False)
    (tmp_path / "bad.yaml").write_text("dataset: x\nfields: 3\n", encoding="utf-8")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and nothing more")
    for words in (
        (spec, tmp_path / "less.csv"),
        (spec, tmp_path / "absent.csv"),
        (spec, tmp_path / "cut.parquet"),
        (tmp_path / "bad.yaml", data),
        (tmp_path / "absent.yaml", data),
    ):
        code, out, err = run(app, *words)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
        assert err.startswith("error: ")


def test_rows_that_cannot_be_read_are_findings_however_many(
    app: typer.Typer, folder: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(folder / "clean.csv", dtype=str, keep_default_na=False)
    frame.assign(voiced="soon").to_csv(tmp_path / "timeless.csv", index=False)
    code, out, _ = run(app, folder / "clean.yaml", tmp_path / "timeless.csv")
    assert code == 1
    assert "error[bad-values]: voiced (voice_time) has 1,500 values" in out
    frame.iloc[:0].to_csv(tmp_path / "empty.csv", index=False)
    code, out, _ = run(app, folder / "clean.yaml", tmp_path / "empty.csv")
    assert code == 1
    assert "error[few-rows]" in out


def test_every_id_has_its_heading_and_its_words() -> None:
    headings = re.findall(r"^### ([a-z-]+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(IDS)
    assert {key.partition("/")[0] for key in WORDS} == set(IDS)


def test_both_languages_say_the_same_figures() -> None:
    def figures(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for key, words in WORDS.items():
        assert figures(words.en) == figures(words.zh), key
        assert all(words), key
        assert not figures(words.en_mend + words.zh_mend), key
