"""Explanations: what is told, on which facts it rests, and what is said of unusable grumbles."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from harken_rules import RuleBase, RuleEngine, load_rule_base
from harken_rules.boxes import boxes_of, matching
from harken_rules.explain import Situation, Step, default_results, explain
from harken_rules.given import GivenError, read_given
from harken_rules.language import Hit, Missing, OneOf
from harken_rules.phrases import Phrases

from .random_bases import random_base, random_facts
from .test_commands import harken

Golden = Callable[[str, str], None]

GRUMBLE = {
    "category": "charges",
    "point": "bill_inaccurate",
    "open_hours": 30,
    "behaviour_type": "limited_patience",
    "dissatisfied": False,
    "vip_tier": "gold",
    "probability": 0.1,
}


@pytest.fixture
def grumble(tmp_path: Path) -> Path:
    path = tmp_path / "grumble.json"
    path.write_text(json.dumps(GRUMBLE), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def engine() -> RuleEngine:
    return RuleEngine(load_rule_base(Path(__file__).parent / "sample"))


def given(text: str, engine: RuleEngine, name: str = "grumble.yaml") -> dict[str, object]:
    return read_given(text.encode(), name, engine.base, engine.cells)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tree_is_told_as_in_its_golden_file(
    language: str, copy: Path, grumble: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    done = harken("rules", "explain", grumble, "--rules", copy.name, "--lang", language)
    assert done.exit_code == 0
    golden(f"explain.{language}.out", done.output)


def test_nothing_given_is_explained_too(
    copy: Path, tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    (tmp_path / "nothing.yaml").write_text("given: {}\n", encoding="utf-8")
    done = harken("rules", "explain", "nothing.yaml", "--rules", copy.name)
    assert done.exit_code == 0
    golden("explain-nothing.out", done.output)


def test_one_result_alone(sample: Path, grumble: Path) -> None:
    done = harken("rules", "explain", grumble, "--rules", sample, "--result", "duration_band")
    assert "Duration is Long" in done.output
    assert "Severity" not in done.output


def test_standard_input(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer
    from harken_rules.commands import register
    from typer.testing import CliRunner

    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    words = ["rules", "explain", "-", "--rules", str(sample), "--result", "level", "--json"]
    done = CliRunner().invoke(app, words, input='{"open_hours": 50, "dissatisfied": true}')
    assert done.exit_code == 0
    assert json.loads(done.output)["results"] == {"level": 3}


def test_in_json(sample: Path, grumble: Path) -> None:
    done = harken("rules", "explain", grumble, "--rules", sample, "--json")
    answer = json.loads(done.output)
    assert answer["given"]["open_hours"] == "30"
    assert answer["results"] == {
        "level": 4,
        "escalation": "usual",
        "treatment": "quality_specialist",
        "owner": "customer_service",
        "strategies": ["explain_bill", "call_back"],
    }
    steps = {one["decision"]: one for one in answer["decisions"]}
    (four,) = steps["level"]["rules"]
    assert (four["rule"], four["file"], four["line"]) == ("diamond", "decisions/level.yaml", 9)
    assert [each["said"] for each in four["conditions"]] == [
        "VIP tier is Gold card, one of Diamond card, Gold card",
        "Severity is 2, above 1 and below 3.9",
    ]
    (long,) = steps["severity"]["rules"]
    assert (long["partial_score"], long["because"]) == ("2", "Open for long")
    assert steps["severity"]["results"] == {"severity": "2"}


def step(engine: RuleEngine, facts: dict[str, object], decision: str) -> Step:
    situation = Situation(engine, facts)
    found = next(one for one in engine.base.decisions if one.name == decision)
    return explain(situation, [found.results[0]]).steps[decision]


def test_a_later_rule_rests_on_what_rules_out_those_before(engine: RuleEngine) -> None:
    told = step(engine, {"open_hours": 50.0}, "level")
    assert [one.rule.id for one in told.rules] == ["three"]
    assert dict(told.ruling_out) == {"vip_tier": None}  # severity is asked about anyway
    assert told.facts == ("severity", "vip_tier")


def test_where_no_rule_matches_all_are_ruled_out(engine: RuleEngine) -> None:
    told = step(engine, {"vip_tier": "gold"}, "duration_band")
    assert told.rules == ()
    assert dict(told.ruling_out) == {"open_hours": None}


def test_each_decision_is_explained_once_and_all_that_is_named_is(engine: RuleEngine) -> None:
    found = explain(Situation(engine, dict(GRUMBLE)), default_results(engine.base))
    assert next(iter(found.steps)) == "level"
    for each in found.steps.values():
        for fact in each.facts:
            assert fact in engine.given or found.yielded_by[fact] in found.steps


@pytest.mark.parametrize("seed", range(40))
def test_what_a_step_names_is_enough_for_its_outcome(seed: int) -> None:
    """However the facts that it does not name change, the same rule of the decision decides."""
    rng = random.Random(seed)
    base = random_base(seed)
    engine = RuleEngine(base, evaluator="boxes")
    situation = Situation(engine, random_facts(rng, base))
    for decision in base.decisions:
        if decision.hit not in (Hit.FIRST, Hit.UNIQUE) or overlapping(base, decision.name):
            continue
        told = explain(situation, [decision.results[0]]).steps[decision.name]
        boxes = boxes_of(base, decision, engine.cells)
        wanted = tuple(decision.rules.index(one.rule) for one in told.rules)
        for _ in range(50):
            signature = tuple(
                situation.code(name)
                if name in told.facts
                else rng.choice([c for c in range(cells.size) if cells.reachable >> c & 1])
                for name, cells in zip(decision.inputs, boxes.cells, strict=True)
            )
            assert matching(boxes.rules, decision.hit, signature) == wanted


def overlapping(base: RuleBase, name: str) -> bool:
    """Whether rules of a ``unique`` decision overlap, which no sound base's do."""
    decision = next(one for one in base.decisions if one.name == name)
    return decision.hit is Hit.UNIQUE


def test_a_given_block_is_read_like_a_bare_mapping(engine: RuleEngine) -> None:
    bare = "open_hours: 50 hours\nvip_tier: none\ndissatisfied: true\nprobability: 0.10\n"
    block = "given:\n" + "".join(f"  {line}\n" for line in bare.splitlines())
    facts = given(bare, engine)
    assert facts == given(block, engine)
    assert [(name, str(value)) for name, value in facts.items()] == [
        ("open_hours", "50"),
        ("dissatisfied", "True"),
        ("vip_tier", "none"),
        ("probability", "0.10"),
    ]


def test_json_is_read_exactly_and_null_is_missing(engine: RuleEngine) -> None:
    facts = given('{"probability": 8.31e-05, "point": null, "grumble_count_30d": 3.0}', engine)
    assert (str(facts["probability"]), facts["grumble_count_30d"]) == ("0.0000831", 3)
    assert type(facts["grumble_count_30d"]) is int
    assert "point" not in facts
    assert given("{point: ~, open_hours: null}", engine) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open_hour: 3", "open_hour: there is no such fact; did you mean 'open_hours'?"),
        ("抱怨时长: 3", "抱怨时长: there is no such fact; write 'open_hours'"),
        ("level: 3", "level: decision 'level' decides it; give the facts it is decided from"),
        ("vip_tier: Gold", "vip_tier: 'Gold' is not one of its values; did you mean 'gold'?"),
        ("vip_tier: 金卡", "vip_tier: '金卡' is not one of its values; write 'gold'"),
        ("open_hours: -1", "open_hours: -1 hours is outside its range; "
         "it must be at least 0 hours"),
        ("open_hours: long", "open_hours: expected a number, got text, 'long'"),
        ("grumble_count_30d: 1.5", "grumble_count_30d: expected a whole number, got 1.5"),
        ("dissatisfied: yes", "dissatisfied: expected true or false, got text, 'yes'"),
        ("point: [a, b]", "point: expected a single value, got several"),
        ('{"open_hours": NaN}', "open_hours: expected a finite number, got nan; "
         "leave the fact out if it is not known"),
        ('{"dissatisfied": 1}', "dissatisfied: expected true or false, got a number, 1"),
        ('{"point": {"a": 1}}', "point: expected a single value, got several"),
        ("- a", "g: expected a mapping of fact names to values"),
        ("", "g:1:1: the file is empty; fill it, or remove it"),
        ("given: 3", "g:1:8: `given` is a mapping, not '3'"),
        ('{"given": 3}', "g: `given` is a mapping of fact names to values"),
        ('{"open_hours": 1e99999999}', "open_hours: a number of more than 330 digits is none that "
         "rules compare"),
        ("open_hours: 1e99999999 hours", "open_hours: a number of more than 330 digits is none "
         "that rules compare"),
        ('{"open_hours": ' + "9" * 5_000 + "}", "open_hours: a number of more than 330 digits is "
         "none that rules compare"),
        ("point: &a b", "g:1:8: anchor '&a': a rule file does not use this part of YAML; "
         "write the value out where it is needed"),
    ],
)  # fmt: skip
def test_what_is_unusable_is_named(text: str, said: str, engine: RuleEngine) -> None:
    with pytest.raises(GivenError) as error:
        given(text, engine, "g")
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,}', "g.json:1:9: this is not JSON"),
        ("[1]", "g.json: expected a mapping of fact names to values"),
        ('{"point": 1, "point": 2}', "g.json: 'point' stands in it twice"),
        ("[" * 100_000, "g.json: nested too deep"),
        ("", "g.json: the file is empty; fill it"),
    ],
)
def test_what_is_no_json_is_said(text: str, said: str, engine: RuleEngine) -> None:
    with pytest.raises(GivenError) as error:
        given(text, engine, "g.json")
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_all_that_is_wrong_is_told_at_once(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text("open_hour: 1\nvip_tier: x\nlevel: 3\n", encoding="utf-8")
    done = harken("rules", "explain", path, "--rules", sample)
    assert done.exit_code == 2
    assert [line.split(":")[0] for line in done.output.splitlines()] == [
        "open_hour",
        "vip_tier",
        "level",
    ]
    done = harken("rules", "explain", path, "--rules", sample, "--json")
    assert done.exit_code == 2
    assert [one["fact"] for one in json.loads(done.output)["problems"]] == [
        "open_hour",
        "vip_tier",
        "level",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--result", "levle"], "levle: no decision yields it; did you mean 'level'?"),
        (["--lang", "fr"], "--lang: 'fr' is not offered; en or zh"),
        (["--result", "Level"], "Level: no decision yields it; write 'level'"),
        (["--keep", "point"], "--keep: it goes with --why-not; say which outcome"),
        (["--why-not", "level=9"], "level: it is never 9; it is at least 1 and at most 5"),
    ],
)
def test_unusable_words(sample: Path, grumble: Path, words: list[str], said: str) -> None:
    done = harken("rules", "explain", grumble, "--rules", sample, *words)
    assert (done.exit_code, done.output.strip()) == (2, said)


def test_a_file_that_is_not_there(sample: Path, tmp_path: Path) -> None:
    done = harken("rules", "explain", tmp_path / "nowhere.json", "--rules", sample)
    assert done.exit_code == 2
    assert done.output.strip().endswith("nowhere.json: no such file or directory")
    (tmp_path / "large.json").write_bytes(b" " * 1_000_001)
    done = harken("rules", "explain", tmp_path / "large.json", "--rules", sample)
    assert done.exit_code == 2
    assert "more than 1,000,000 bytes" in done.output


def test_help_teaches() -> None:
    done = harken("rules", "explain", "--help")
    assert done.exit_code == 0
    for words in (
        "harken rules explain grumble.json",
        "Exit code",
        "--why-not",
        "--keep",
        "--lang",
    ):
        assert words in done.output


def test_words_for_conditions(engine: RuleEngine) -> None:
    told = Phrases(engine.base, "en"), Phrases(engine.base, "zh"), Phrases(engine.base, "fr")
    tiers = OneOf(("diamond", "gold"), negated=True)
    assert [each.wanted("vip_tier", tiers) for each in told] == [
        "not one of Diamond card, Gold card",
        "不属于钻石卡、金卡",
        "not one of Diamond card, Gold card",
    ]
    assert [each.held("point", Missing(wanted=True), None) for each in told[:2]] == [
        "Grumble point is not known",
        "抱怨点为未知",
    ]
    assert [each.said("dissatisfied", True) for each in told[:2]] == [
        "Voices discontent is yes",
        "情绪不满为是",
    ]
    assert [each.said("strategies", ()) for each in told[:2]] == [
        "Strategies is none",
        "安抚策略为无",
    ]
    assert told[0].value("point", "elsewhere") == "'elsewhere'"
    assert told[1].value("open_hours", 1.5) == "1.5小时"
