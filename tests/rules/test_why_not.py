"""Why not: the nearest misses, and the smallest changes, against trying everything by hand."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from harken_rules import RuleEngine, load_rule_base
from harken_rules.changes import Search, smallest_changes
from harken_rules.explain import Situation
from harken_rules.given import GivenError
from harken_rules.goals import Goal, read_goal
from harken_rules.language import Hit, Interval, Missing, OneOf, Within
from harken_rules.phrases import Phrases
from harken_rules.reading.expectations import Listed
from harken_rules.why_not import WhyNot, misses_of, nearest_misses
from harken_rules.why_not_json import to_dict
from harken_rules.why_not_text import WhyNotTeller

from .random_bases import random_base, random_facts
from .test_commands import harken
from .test_explain import GRUMBLE

D = Decimal
Golden = Callable[[str, str], None]
PAGE = Path(__file__).parents[2] / "docs" / "rules" / "language.md"


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine(load_rule_base(Path(__file__).parent / "sample"))


def search(engine: RuleEngine, facts: Mapping[str, object], goal: str, **options: object) -> Search:
    situation = Situation(engine, facts)
    return smallest_changes(situation, read_goal(goal, engine.base), **options)  # type: ignore[arg-type]


def moves(found: Search) -> list[dict[str, object]]:
    return [{one.fact: one.after for one in each.changes} for each in found.alternatives]


@pytest.mark.parametrize(
    ("text", "result", "wanted"),
    [
        ("level=5", "level", OneOf((D(5),))),
        (" level == 5 ", "level", OneOf((D(5),))),
        ("level!=5", "level", OneOf((D(5),), negated=True)),
        ("severity>=3.60", "severity", Within(Interval(low=D("3.60")))),
        ("severity>3.6", "severity", Within(Interval(low=D("3.6"), low_open=True))),
        ("severity<=3.6", "severity", Within(Interval(high=D("3.6")))),
        ("severity<3.6", "severity", Within(Interval(high=D("3.6"), high_open=True))),
        ("duration_band=long", "duration_band", OneOf(("long",))),
        ("duration_band=missing", "duration_band", Missing(wanted=True)),
        ("duration_band!=missing", "duration_band", Missing(wanted=False)),
        ("strategies=call_back", "strategies", Listed(contains=("call_back",))),
        ("strategies!=call_back", "strategies", Listed(absent=("call_back",))),
    ],
)
def test_goals(text: str, result: str, wanted: object, engine: RuleEngine) -> None:
    goal = read_goal(text, engine.base)
    assert (goal.result, goal.wanted) == (result, wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level", "level: this is no outcome; "
         "write it like level=5, severity>=3.6 or tolerance!=low"),
        ("levle=5", "levle: no decision yields it; did you mean 'level'?"),
        ("Severity = 5", "Severity: no decision yields it; write 'severity'"),
        ("抱怨级别=5", "抱怨级别: no decision yields it; write 'level'"),
        ("Duration of it=5", "Duration of it: no decision yields it; did you mean "
         "'duration_band'?"),
        ("open_hours=5", "open_hours: it is given, no decision yields it; "
         "ask about a result of a decision"),
        ("level=six", "level: it is a number, not 'six'"),
        ("level=4.5", "level: it is a whole number, not 4.5"),
        ("level=NaN", "level: it is a number, not 'NaN'"),
        ("severity>=1e99999999", "severity: it is a number, not '1e99999999'"),
        ("level>=0", "level: it is never 0; it is at least 1 and at most 5"),
        ("duration_band=longer", "duration_band: it has no value 'longer'; did you mean 'long'?"),
        ("duration_band=长", "duration_band: it has no value '长'; write 'long'"),
        ("duration_band>long", "duration_band: its values have no order, so '>' means nothing; "
         "use ="),
        ("strategies>=call_back", "strategies: it is a list of values; ask with = or !="),
        ("strategies=missing", "strategies: it has no value 'missing'; "
         "one of: call_back, explain_bill, test_signal"),
    ],
)  # fmt: skip
def test_what_is_no_goal(text: str, said: str, engine: RuleEngine) -> None:
    with pytest.raises(GivenError) as error:
        read_goal(text, engine.base)
    assert str(error.value) == said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_told_as_in_its_golden_file(
    language: str, copy: Path, tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    (tmp_path / "g.json").write_text(json.dumps(GRUMBLE), encoding="utf-8")
    goals = ["level=5", "level=1", "level=3", "severity<2", "strategies=test_signal"]
    goals += ["strategies!=call_back", "level=missing", "level=4", "owner=network"]
    words = [word for goal in goals for word in ("--why-not", goal)]
    words += ["--keep", "behaviour_type", "--lang", language]
    done = harken("rules", "explain", "g.json", "--rules", copy.name, *words)
    assert done.exit_code == 0
    golden(f"why-not.{language}.out", done.output)


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, block in re.findall(r"(?ms)^```yaml\n# (\S+)\n(.*?)^```$", page):
        (tmp_path / "my-rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my-rules" / name).write_text(block, encoding="utf-8")
    (grumble,) = re.findall(r"(?ms)^```json\n(.*?)^```$", page)
    (tmp_path / "grumble.json").write_text(grumble, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["grumble.json", "--rules", "my-rules", "--why-not", "severity>=3"]
    done = harken("rules", "explain", *words)
    assert f"```\n{done.output}```" in page


def test_the_nearest_rules_come_first_and_lead_on(engine: RuleEngine) -> None:
    situation = Situation(engine, GRUMBLE)
    found = nearest_misses(situation, read_goal("level=5", engine.base))
    assert [each.result for each in found] == ["level", "severity"]
    (five,) = found[0].rules
    assert [(each.fact, each.value) for each in five.failing] == [("severity", D(2))]
    assert {one.name: (one.now, one.least, one.most) for one in found[1].rooms} == {
        "duration": (D(2), D("0.4"), D(2)),
        "emotion": (D(0), D(0), D("1.4")),
        "model": (D(0), D(0), D("1.125")),
        "repeat": (D(0), D(0), D("0.5")),
    }


def test_a_rule_behind_another_names_it(engine: RuleEngine) -> None:
    found = misses_of(Situation(engine, GRUMBLE), "level", OneOf((D(3),)))
    (three,) = found.rules
    assert three.failing == ()
    assert three.instead is not None
    assert three.instead.id == "diamond"


def test_one_fact_is_changed_before_two(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 10.0}, "level=3")
    assert moves(found) == [
        {"open_hours": D(48)},
        {"dissatisfied": True},
        {"probability": D("0.15")},
    ]
    assert found.complete


def test_a_known_fact_is_changed_before_an_unknown_one(engine: RuleEngine) -> None:
    given = {"open_hours": 10.0, "probability": 0.01}
    assert moves(search(engine, given, "level=3")) == [
        {"probability": D("0.15")},
        {"open_hours": D(48)},
        {"dissatisfied": True},
    ]


def test_more_that_reach_it_are_counted(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 10.0}, "level=3", shown=2)
    assert (len(found.alternatives), found.others) == (2, 1)
    assert search(engine, {"open_hours": 10.0}, "level=3").others == 0


@pytest.mark.parametrize(("language", "said"), [("en", "  and 1 more\n"), ("zh", "  另有 1 种\n")])
def test_that_there_are_more_is_said(
    language: str, said: str, engine: RuleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    situation = Situation(engine, {"open_hours": 10.0})
    goal = read_goal("level=3", engine.base)
    found = smallest_changes(situation, goal, shown=2)
    told = WhyNotTeller(WhyNot(goal, situation, (), found), Phrases(engine.base, language))
    lines = ["  " * depth + "".join(text for text, _ in parts) for depth, parts in told.lines()]
    assert said in "\n".join(lines)
    shown = to_dict(told.why_not, told.phrases)
    assert shown["others"] == 1


def test_what_is_reached_needs_no_change(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 10.0, "dissatisfied": True}, "level=3")
    assert (found.alternatives, dict(found.tried)) == ((), {})


def test_a_range_and_other_values_that_do_as_well_are_told(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 50.0}, "level=4")
    (tier,) = [each for each in found.alternatives if len(each.changes) == 1]
    assert (tier.changes[0].after, tier.changes[0].others) == ("gold", ("diamond",))
    found = search(engine, {"open_hours": 50.0}, "level=1")
    (hours,) = [each for each in found.alternatives if each.changes[0].fact == "open_hours"]
    interval = hours.changes[0].interval
    assert interval is not None
    assert (interval.low, interval.high, interval.high_open) == (None, D(48), True)


def test_a_fact_that_is_kept_is_not_changed(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 10.0}, "level=3", keep=["open_hours", "dissatisfied"])
    changed = {fact for each in moves(found) for fact in each}
    assert changed
    assert not changed & {"open_hours", "dissatisfied"}


def test_what_no_change_reaches(engine: RuleEngine) -> None:
    found = search(engine, {}, "severity>=100")
    assert found.alternatives == ()
    assert found.complete
    assert list(found.tried) == [1, 2, 3]


def test_bounded_work_is_owned_up_to(engine: RuleEngine) -> None:
    found = search(engine, {}, "severity>=100", work=40)
    assert not found.complete
    assert sum(found.tried.values()) <= 40 < sum(found.all.values())


def test_bounded_questions_are_owned_up_to(
    engine: RuleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harken_rules.changes.QUESTIONS", 1)
    found = search(engine, {}, "severity>=100")
    assert not found.complete
    assert dict(found.tried) == {1: found.all[1], 2: 0, 3: 0}


def test_to_forget_a_fact_is_the_last_resort(engine: RuleEngine) -> None:
    found = search(engine, {"open_hours": 50.0}, "duration_band!=long")
    (hours, *_) = found.alternatives
    assert [one.after for one in hours.changes] != [None]
    found = search(engine, {"open_hours": 50.0}, "duration_band=missing")
    assert moves(found) == [{"open_hours": None}]


@pytest.mark.parametrize("seed", range(24))
def test_against_trying_everything(seed: int) -> None:
    """On random bases the same sets of facts are found as by deciding on every value there is."""
    rng = random.Random(seed)
    base = random_base(seed, rules=4, decisions=3, least=1)
    engine = RuleEngine(base, evaluator="boxes")
    situation = Situation(engine, random_facts(rng, base))
    goal = some_goal(rng, situation)
    found = smallest_changes(situation, goal, shown=1000)
    told = {frozenset(one.fact for one in each.changes) for each in found.alternatives}
    expected = by_hand(engine, situation, goal, sizes=2)
    assert {each for each in told if len(each) < 3} == expected or (
        # Two at a time are not looked for where changing one alone can do enough.
        len({each for each in expected if len(each) == 1}) >= 3
        and told == {each for each in expected if len(each) == 1}
    )
    for each in found.alternatives:
        given = {**situation.given, **{one.fact: one.after for one in each.changes}}
        assert goal.reached(engine.decide(given).results[goal.result])


def some_goal(rng: random.Random, situation: Situation) -> Goal:
    """A result that some rule gives and that is not there now, of one of the last decisions."""
    for decision in reversed(situation.base.decisions):
        result = decision.results[0]
        for rule in rng.sample(decision.rules, len(decision.rules)):
            value = rule.then[result][0]
            wanted: OneOf | Within | Listed = OneOf((value,))
            if decision.hit is Hit.ALL:
                wanted = Listed(contains=(value,))
            elif decision.hit is Hit.SUM:
                now = D(situation.value(result))  # type: ignore[arg-type]
                wanted = Within(Interval(low=now + abs(D(value)), low_open=True))
            goal = Goal("", result, decision, wanted)
            if not goal.reached(situation.value(result)):
                return goal
    return Goal("", result, decision, OneOf((situation.value(result),), negated=True))


def by_hand(
    engine: RuleEngine, situation: Situation, goal: Goal, sizes: int
) -> set[frozenset[str]]:
    """The minimal sets of facts whose change can reach the goal, by deciding on every change."""
    values = {
        name: [
            engine.cells[name].example(code)
            for code in range(engine.cells[name].size)
            if engine.cells[name].reachable >> code & 1
        ]
        for name in engine.given
    }
    if goal.reached(situation.value(goal.result)):
        return set()
    found: set[frozenset[str]] = set()
    for size in range(1, sizes + 1):
        for facts in itertools.combinations(engine.given, size):
            if any(each < set(facts) for each in found):
                continue
            for chosen in itertools.product(*(values[name] for name in facts)):
                given = {**situation.given, **dict(zip(facts, chosen, strict=True))}
                if goal.reached(engine.decide(given).results[goal.result]):
                    found.add(frozenset(facts))
                    break
    return found
