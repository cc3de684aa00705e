"""``harken rules calibrate``: what it counts, shows and writes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import typer
from harken_models import default_bundle_path, load_bundle
from harken_rules import RuleEngine, default_base_path, load_rule_base
from harken_rules.commands import register as register_rules
from harken_rules.cutoffs import find_scale
from harken_server import calibrate_command
from harken_server.calibrating import Banded, BandingWork
from harken_server.commands import register
from harken_server.history.facts import facts_of, for_rules
from harken_server.history.rows import usable_rows
from harken_server.history.source import open_history
from typer.testing import CliRunner, Result

from .simulated import ROWS, simulated_history

SMALL = Path(__file__).parent / "base"
CUTS = "decisions/base_level.yaml"


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register_rules(app)
    register(app)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A copy of the shipped base without cases."""
    folder = Path(shutil.copytree(default_base_path(), tmp_path / "base"))
    shutil.rmtree(folder / "cases")
    return folder


def levels_of(folder: Path) -> Counter[tuple[int, float]]:
    """Final levels and outcomes of the whole history, by the engine itself."""
    rules = load_rule_base(folder)
    history = open_history(simulated_history())
    rows, _ = usable_rows(history, next(history.chunks()))
    facts = for_rules(facts_of(rows, load_bundle(default_bundle_path())), rules)
    decided = RuleEngine(rules).decide_columns(facts, len(rows))
    return Counter(zip(decided.values("level"), rows.label, strict=True))


def test_it_shows_and_then_writes_what_the_engine_then_does(base: Path) -> None:
    path = base / CUTS
    before = path.read_bytes()
    done = harken("rules", "calibrate", base, simulated_history(), "--json")
    assert done.exit_code == 0
    assert path.read_bytes() == before
    said = json.loads(done.output)
    assert (said["written"], said["decision"], said["rows"]) == (False, "base_level", ROWS)

    done = harken("rules", "calibrate", base, simulated_history(), "--write")
    assert done.exit_code == 0
    assert "written" in done.output
    after = path.read_text(encoding="utf-8")
    text = before.decode()
    for cut in said["cut_offs"]:
        assert f"at_least: {cut['after']}" in after
        text = text.replace(f"at_least: {cut['before']}", f"at_least: {cut['after']}")
    assert after == text != before.decode()

    counted = levels_of(base)
    for row in said["levels"]:
        mine = {label: n for (level, label), n in counted.items() if level == row["level"]}
        assert row["after"] == pytest.approx(sum(mine.values()) / ROWS)
        assert abs(row["after"] - row["wanted"]) < 0.02
        known = {label: n for label, n in mine.items() if label == label}
        rate = known.get(1.0, 0) / sum(known.values())
        assert row["complaint_rate_after"] == pytest.approx(rate)
    wanted = [(row["level"], row["wanted"]) for row in said["levels"]]
    assert wanted == [(5, 0.125), (4, 0.175), (3, 0.3), (2, 0.2), (1, 0.2)]

    again = json.loads(
        harken("rules", "calibrate", base, simulated_history(), "--write", "--json").output
    )
    assert (again["written"], again["diff"]) == (False, "")
    assert path.read_text(encoding="utf-8") == after


def test_cases_on_the_old_cut_offs_are_told(base: Path) -> None:
    (base / "cases").mkdir()
    (base / "cases" / "one.yaml").write_text(
        "cases:\n  - name: in the middle\n    given: {brand: mzone}\n    expect: {base_level: 3}\n",
        encoding="utf-8",
    )
    shares = "0.1,0.1,0.1,0.1,99.6"
    done = harken("rules", "calibrate", base, simulated_history(), "--shares", shares)
    assert done.exit_code == 1
    assert "--- a/decisions/base_level.yaml" in done.output
    assert "Nothing is written without --write" in done.output
    assert "FAILED in the middle" in done.output


def test_a_file_changed_meanwhile_is_left_alone(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, there = base / CUTS, set(base.rglob("*"))
    real = calibrate_command._Calibration.run

    def slow(self, *given):
        real(self, *given)
        path.write_text(path.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")

    monkeypatch.setattr(calibrate_command._Calibration, "run", slow)
    done = harken("rules", "calibrate", base, simulated_history(), "--write")
    assert done.exit_code == 2
    assert "has changed meanwhile" in done.output
    assert path.read_text(encoding="utf-8").endswith("# mine\n")
    assert set(base.rglob("*")) == there


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shares", "50,60"), "sum to 110"),
        (("--shares", "many"), "write numbers"),
        (("--step", "0"), "above 0"),
        (("--decision", "levle"), "no decision 'levle'"),
        ((), "no decision cuts one number into 5 rising levels"),
        (("--decision", "level"), "'level' does not cut one number into"),
        (("more", "even more"), "one history"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words: tuple[str, ...], said: str) -> None:
    done = harken("rules", "calibrate", SMALL, simulated_history(), *words)
    assert done.exit_code == 2
    assert said in done.output


def test_the_shipped_base_is_not_written_unless_it_is_named() -> None:
    done = harken("rules", "calibrate", simulated_history(), "--write")
    assert done.exit_code == 2
    assert "name the folder to change" in done.output


def test_the_rows_behind_a_calibration_are_counted_apart(base: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(simulated_history()).iloc[:60].copy()
    frame["age_years"] = frame["age_years"].astype(float)
    frame.loc[3, "age_years"] = 140  # not what the rule base takes
    frame.loc[4, "age_years"] = 400  # nor the API
    path = tmp_path / "some.parquet"
    frame.to_parquet(path)
    work = calibrate_work(base, path)
    found: Banded = work.prepare()(next(work.history.chunks()))
    assert [(fault.row, fault.field) for fault in found.refused.first] == [
        (4, "age_years"),
        (5, "age_years"),
    ]
    assert found.rows.total() == found.present.total() == 58
    for (_, profile, _), _ in found.rows.items():
        assert list(profile) == sorted(profile)


def calibrate_work(base: Path, path: Path) -> BandingWork:
    rules = load_rule_base(base)
    scale = find_scale(rules, 5)
    return BandingWork(rules, scale, Decimal("0.01"), default_bundle_path(), open_history(path))


def test_one_case_fails_and_more_fail() -> None:
    one, two = map(calibrate_command.fail_now, (1, 2))
    assert one == "1 case of the rule base rests on other cut-offs and fails now"
    assert two == "2 cases of the rule base rest on other cut-offs and fail now"


def test_shares_that_are_no_numbers_are_refused(base: Path) -> None:
    for shares in ("nan,nan,nan,nan,nan", "inf,1,1,1,1"):
        done = harken("rules", "calibrate", base, simulated_history(), "--shares", shares)
        assert done.exit_code == 2
        assert "--shares sum to" in done.output


def test_what_is_no_part_of_the_base_is_no_obstacle_and_a_link_stays_one(base: Path) -> None:
    (base / ".#level.yaml").symlink_to("nobody@nowhere")  # as an editor locks a file
    (base / "notes.txt").symlink_to("/no/such/notes")
    file, real = base / CUTS, base / "decisions" / "real.txt"
    before = file.read_bytes()
    file.replace(real)
    file.symlink_to("real.txt")
    done = harken("rules", "calibrate", base, simulated_history(), "--write", "--processes", "1")
    assert done.exit_code == 0, done.output
    assert file.is_symlink()
    assert real.read_bytes() != before
