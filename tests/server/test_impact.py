"""``harken rules impact``: every figure, told apart from a plain count row by row."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import typer
from harken_models import default_bundle_path, load_bundle
from harken_rules import RuleEngine, default_base_path, load_rule_base
from harken_rules.commands import register as register_rules
from harken_server.commands import register
from harken_server.history import pool
from harken_server.history.facts import facts_of, for_rules
from harken_server.history.rows import usable_rows
from harken_server.history.source import History, open_history
from harken_server.impact.compare import Comparer
from harken_server.impact.counting import Values, counted
from harken_server.impact.page import page_of
from harken_server.impact.summary import Bases, paired_difference, summary_of, wilson
from harken_server.impact.tally import Tally
from harken_server.impact.text import print_impact
from harken_server.impact.work import ImpactWork, impact_of
from harken_server.rule_options import lacking
from rich.console import Console
from typer.testing import CliRunner, Result

from .simulated import ROWS, simulated_history

OLD = default_base_path()
SMALL = Path(__file__).parent / "base"
"""A base of a few rules, for what does not rest on the shipped one."""
DAY_US = 86_400_000_000


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register_rules(app)
    register(app)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "140"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped base with other cut-offs, another warning line and an owner changed."""
    folder = Path(shutil.copytree(OLD, tmp_path_factory.mktemp("new") / "base"))
    for name, old, other in [
        ("base_level", "at_least: 3.60", "at_least: 3.40"),
        ("base_level", "at_least: 2.40", "at_least: 2.52"),
        ("warning_line", "at_least: 4", "at_least: 5"),
        ("owner", "then: customer_service\n    because: {en: A matter of service", "then: "
         "marketing\n    because: {en: A matter of service"),
    ]:  # fmt: skip
        path = folder / "decisions" / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, other), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def work(new: Path) -> ImpactWork:
    history = open_history(simulated_history())
    return ImpactWork(load_rule_base(OLD), load_rule_base(new), default_bundle_path(), history)


@pytest.fixture(scope="module")
def tally(work: ImpactWork) -> Tally:
    return impact_of(work, processes=1)


@pytest.fixture(scope="module")
def verdicts(work: ImpactWork) -> list[tuple[dict, dict, dict]]:
    """What both engines say of each row, one row at a time: facts, old and new results."""
    bundle = load_bundle(work.bundle)
    engines = [RuleEngine(base) for base in (work.old, work.new)]
    (chunk,) = work.history.chunks()
    rows, _ = usable_rows(work.history, chunk)
    facts = for_rules(facts_of(rows, bundle), work.old)
    found = []
    for row in range(len(rows)):
        one = {name: column[row] for name, column in facts.items()}
        one = {n: v.item() if isinstance(v, np.generic) else v for n, v in one.items()}
        one = {n: None if isinstance(v, float) and v != v else v for n, v in one.items()}
        for name in ("dissatisfied", "company_responsible", "problem_exists", "corporate_contact"):
            one[name] = None if one[name] is None else bool(one[name])
        day = (rows.columns["observe_time_us"][row]) // DAY_US
        about = {"day": int(day), "label": rows.label[row], **one}
        found.append((about, *(engine.decide(one).results for engine in engines)))
    return found


def test_every_count_is_that_of_the_rows_one_by_one(tally: Tally, verdicts: list) -> None:
    assert (tally.rows, tally.read, tally.refused) == (ROWS, ROWS, {})
    levels = Counter((old["level"], new["level"]) for _, old, new in verdicts)
    assert tally.levels == levels
    assert len([pair for pair in levels if pair[0] != pair[1]]) > 3
    for name in ("segment", "category"):
        wanted = Counter((facts[name], old["level"], new["level"]) for facts, old, new in verdicts)
        assert tally.groups[name] == wanted
    for name in ("owner", "treatment", "contact_policy", "priority", "escalation"):
        assert tally.single[name] == Counter((old[name], new[name]) for _, old, new in verdicts)
    for name in ("strategies", "supporting_departments", "warnings"):
        wanted = Counter()
        for _, old, new in verdicts:
            wanted.update((code, "old") for code in old[name])
            wanted.update((code, "new") for code in new[name])
            wanted.update((code, "gained") for code in set(new[name]) - set(old[name]))
            wanted.update((code, "lost") for code in set(old[name]) - set(new[name]))
        assert tally.listed[name] == wanted
    line = "above_warning_line"
    known = [each for each in verdicts if each[0]["label"] == each[0]["label"]]
    assert 0 < len(known) < ROWS
    assert tally.warned == Counter(
        (old[line] is True, new[line] is True, facts["label"] == 1) for facts, old, new in known
    )
    assert tally.outcomes == Counter(
        (old["level"], new["level"], facts["label"] == 1) for facts, old, new in known
    )
    assert tally.lines == Counter(
        (facts["day"], side)
        for facts, *both in verdicts
        for side, each in zip(("old", "new"), both, strict=True)
        if each[line]
    )
    assert tally.days["x", "old", "x"] == 0
    assert sum(tally.days.values()) == 2 * ROWS
    advice = [*tally.single, *tally.listed]
    assert tally.otherwise == sum(
        old["level"] == new["level"] and any(old[name] != new[name] for name in advice)
        for _, old, new in verdicts
    )
    assert tally.otherwise > 0


def test_a_changed_level_has_one_cause(tally: Tally) -> None:
    changed = sum(n for (old, new), n in tally.levels.items() if old != new)
    assert tally.causes.total() == changed
    assert {each.decision for each in tally.causes} == {"base_level"}
    assert {(each.old, each.new) for each in tally.causes} <= {
        (("four",), ("five",)),
        (("three",), ("two",)),
    }
    for (old, new), rows in tally.sample.items():
        assert 1 <= len(rows) <= 3
        for each in rows:
            assert (each.old, each.new) == (old, new)
            assert each.grumble_id.startswith("G")
            decisions = [why.decision for why in each.why]
            assert decisions
            if old != new:
                assert "base_level" in decisions
            if old != new:
                assert ("level", old, new) in each.results


def test_chunks_add_up_to_the_whole(
    work: ImpactWork, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = History.chunks
    monkeypatch.setattr(History, "chunks", lambda self, size=170: chunks(self, size))
    again = impact_of(work, processes=1)
    assert again == tally
    bases = Bases(work.old, work.new)
    assert summary_of(again, bases) == summary_of(tally, bases)


def test_processes_say_what_one_says(
    work: ImpactWork, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = History.chunks
    monkeypatch.setattr(History, "chunks", lambda self, size=170: chunks(self, size))
    monkeypatch.setattr(pool, "SMALL", 100)
    done: list[int] = []
    assert impact_of(work, 2, done.append) == tally
    assert done == [170] * 5 + [50]


def test_the_same_base_changes_nothing(work: ImpactWork) -> None:
    same = impact_of(ImpactWork(work.old, work.old, work.bundle, work.history), processes=1)
    found = summary_of(same, Bases(work.old, work.old))
    assert found["changed"] == {
        "rows": ROWS, "changed": 0, "up": 0, "down": 0, "advice_only": 0
    }  # fmt: skip
    assert (found["causes"], found["sample"]) == ([], [])


def test_rows_that_a_base_refuses_are_counted(work: ImpactWork, tmp_path: Path, new: Path) -> None:
    strict = Path(shutil.copytree(new, tmp_path / "strict"))
    shutil.rmtree(strict / "cases")
    facts = strict / "facts.yaml"
    text = facts.read_text(encoding="utf-8")
    facts.write_text(text.replace("at_least: 0, at_most: 130}", "at_least: 0, at_most: 62}"))
    frame = pd.read_parquet(simulated_history())
    older = int((frame["age_years"] > 62).sum())
    found = impact_of(
        ImpactWork(work.old, load_rule_base(strict), work.bundle, work.history), processes=1
    )
    assert list(found.refused) == ["new"]
    assert found.refused["new"].rows == found.refused["new"].fields["age_years"] == older
    assert found.rows == ROWS - older == found.levels.total()
    shown = summary_of(found, Bases(work.old, work.new))["rows"]
    assert "years is outside its range" in shown["refused"]["new"]["first"][0]["reason"]


def test_summary_says_rates_with_their_intervals(work: ImpactWork, tally: Tally) -> None:
    found = summary_of(tally, Bases(work.old, work.new, "zh"))
    line = found["warning_line"]
    for side, place in (("old", 0), ("new", 1)):
        above = sum(n for key, n in tally.warned.items() if key[place])
        hits = sum(n for key, n in tally.warned.items() if key[place] and key[2])
        assert line[side]["above"] == above
        assert (line[side]["precision"]["hits"], line[side]["precision"]["of"]) == (hits, above)
        recall = line[side]["recall"]
        assert recall["value"] == hits / line["complained"]
        assert recall["low"] < recall["value"] < recall["high"]
    change = line["recall_difference"]["value"]
    assert change == pytest.approx(line["new"]["recall"]["value"] - line["old"]["recall"]["value"])
    assert sum(each["old"] for each in found["shares"]) == pytest.approx(1)
    assert found["workload"]["calls"]["old"]["rows"] == sum(
        n for (old, _), n in tally.single["treatment"].items() if old == "specialist_proactive"
    )
    assert found["workload"]["treatment"]["new"]["label"] == "品质专员主动安抚"
    days = [each["day"] for each in found["workload"]["series"]]
    assert days == sorted(set(days))
    assert len(days) == found["workload"]["days"]


def test_wilson_and_the_paired_difference() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert wilson(81, 263)["low"] == pytest.approx(0.2553, abs=1e-4)
    assert wilson(81, 263)["high"] == pytest.approx(0.3662, abs=1e-4)
    assert wilson(0, 20)["low"] == 0
    assert wilson(0, 0)["value"] is None
    apart = paired_difference(30, 10, 100)
    assert apart["low"] < 0.2 == apart["value"] < apart["high"]
    assert paired_difference(0, 0, 0)["value"] is None


def test_counted_and_sorted_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    a = Values(rng.integers(0, 3, 500), ("x", None, "z"))
    b = Values(rng.integers(0, 4, 500), (1, 2, 3, 4))
    table = dict(counted(a, b))
    monkeypatch.setattr("harken_server.impact.counting._COUNTED", 0)
    assert dict(counted(a, b)) == table
    wanted = Counter((a.values[i], b.values[j]) for i, j in zip(a.codes, b.codes, strict=True))
    assert table == wanted


class Page(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.plots = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plots += tag == "svg"
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_stands_alone(work: ImpactWork, tally: Tally, language: str) -> None:
    found = {
        "old": {"path": "<old>", "digest": "sha256:1"},
        "new": {"path": "new", "digest": "sha256:2"},
        "history": "june.parquet",
        **summary_of(tally, Bases(work.old, work.new, language)),
    }
    text = page_of(found, language)
    page = Page()
    page.feed(text)
    assert page.fetched == []
    assert page.plots == 6  # transitions, shares, calls and line a day, rates, complaints
    assert "&lt;old&gt;" in text
    for plot in re.findall(r"<svg.*?</svg>", text):
        ElementTree.fromstring(plot)
    assert ("规则库，旧：&lt;old&gt;" in text) == (language == "zh")
    assert ("品质专员" in text) == (language == "zh")
    assert ("quality specialist" in text.lower()) == (language == "en")


def test_chinese_is_told_with_chinese_punctuation(work: ImpactWork, tally: Tally) -> None:
    found = {
        "old": {"path": "old", "digest": "sha256.1"},
        "new": {"path": "new", "digest": "sha256.2"},
        "history": "june.parquet",
        **summary_of(tally, Bases(work.old, work.new, "zh")),
    }
    told = io.StringIO()
    print_impact(Console(file=told, width=160), found, "zh")
    said = told.getvalue()
    assert "规则库，旧：old  sha256.1\n" in said
    assert "历史数据：june.parquet。共" in said
    assert "最忙一日，旧" in said
    assert [line for line in said.splitlines() if re.search(r"[,:;](\s|$)", line)] == []


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The small base with one condition turned round."""
    folder = Path(shutil.copytree(SMALL, tmp_path / "other"))
    path = folder / "decisions" / "level.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("dissatisfied: true", "dissatisfied: false"), encoding="utf-8")
    return folder


def test_the_command(other: Path, tmp_path: Path) -> None:
    page = tmp_path / "impact.html"
    done = harken("rules", "impact", SMALL, other, simulated_history(), "--html", page)
    assert done.exit_code == 0
    assert f"of {ROWS} grumbles compared" in done.output
    assert re.search(r"level +one +two", done.output)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    words = ("rules", "impact", SMALL, other, simulated_history().with_suffix(".csv"), "--json")
    said = json.loads(harken(*words).output)
    refused = max(each["rows"] for each in said["rows"]["refused"].values())
    assert said["rows"]["compared"] == ROWS - refused
    assert (
        0
        < said["changed"]["changed"]
        == sum(each["rows"] for each in said["transitions"] if each["old"] != each["new"])
    )


def test_the_same_digest_compares_nothing(tmp_path: Path) -> None:
    history = tmp_path / "empty.csv"
    history.touch()
    done = harken("rules", "impact", SMALL, SMALL, history)
    assert done.exit_code == 0
    assert "nothing changes" in done.output
    done = harken("rules", "impact", SMALL, SMALL, history, "--lang", "zh")
    assert "没有任何变化" in done.output


def test_a_history_that_is_not_there_is_told_though_the_digest_is_the_same(tmp_path: Path) -> None:
    done = harken("rules", "impact", SMALL, SMALL, tmp_path / "not there.csv")
    assert (done.exit_code, "not there.csv: no such file" in done.output) == (2, True)
    done = harken("rules", "impact", SMALL, SMALL, tmp_path / "not there.csv", "--json")
    assert (done.exit_code, "no such file" in json.loads(done.output)["error"]) == (2, True)


def test_unusable_input_is_told_and_ends_with_2(other: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(other, tmp_path / "broken"))
    (broken / "decisions" / "level.yaml").write_text("decision: level\n", encoding="utf-8")
    worse = tmp_path / "worse"
    worse.mkdir()
    done = harken("rules", "impact", broken, worse, simulated_history())
    assert done.exit_code == 2
    assert "level.yaml:1:1" in done.output
    assert "worse" in done.output
    done = harken("rules", "impact", broken, other, simulated_history(), "--json")
    assert done.exit_code == 2
    assert [each["path"] for each in json.loads(done.output)["rule_bases"]] == [str(broken)]
    for words, said in [
        ((tmp_path / "none.csv",), "no such file"),
        ((simulated_history(), "--probability-column", "p"), "no column 'p'"),
        ((simulated_history(), "--bundle", tmp_path), "bundle"),
        ((simulated_history(), "--lang", "fr"), "it is en or zh"),
    ]:
        done = harken("rules", "impact", SMALL, other, *words)
        assert (done.exit_code, said in done.output) == (2, True), done.output


def test_a_base_without_level_says_so() -> None:
    base = load_rule_base(SMALL)
    bare = replace(base, decisions=tuple(d for d in base.decisions if d.name != "level"))
    assert "has the result 'level'" in lacking(bare)[0]
    assert lacking(base) == []


def test_advice_is_what_both_bases_give(work: ImpactWork) -> None:
    advice = Comparer(RuleEngine(work.old), RuleEngine(work.new)).advice
    assert "owner" in advice.single
    assert "strategies" in advice.listed


def test_a_history_of_which_nothing_can_be_used_is_not_called_unchanged(
    other: Path, tmp_path: Path
) -> None:
    frame = pd.read_parquet(simulated_history()).head(3)
    for name, rows, said in (
        ("none.csv", frame.head(0), "has no rows"),
        (
            "bad.csv",
            frame.assign(age_years=999),
            "none of its 3 rows can be used; the first: ",
        ),
    ):
        rows.to_csv(tmp_path / name, index=False)
        page = tmp_path / "page.html"
        done = harken("rules", "impact", SMALL, other, tmp_path / name, "--html", page)
        assert done.exit_code == 2
        assert said in done.output
        assert not page.exists()


def test_a_page_without_a_name_is_refused(other: Path) -> None:
    done = harken("rules", "impact", SMALL, other, simulated_history(), "--html", "")
    assert done.exit_code == 2
    assert "give the name of a file" in done.output


def test_a_prepared_history_is_called_simulated_if_its_specification_says_so() -> None:
    spec = Path(__file__).parents[2] / "models" / "specs" / "simulated.yaml"
    assert open_history(simulated_history(), spec).spec.simulated
    assert not open_history(simulated_history()).spec.simulated
