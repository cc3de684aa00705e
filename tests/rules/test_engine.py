"""The rule engine's promises: hit policies, reasons, memo, threads, recovery, memory."""

from __future__ import annotations

import gc
import random
import threading
from decimal import Decimal

import pytest
from harken_rules import durable_engine
from harken_rules.boxes import Signature
from harken_rules.durable_engine import Fault
from harken_rules.engine import EngineError, FactError, RuleEngine
from harken_rules.language import (
    Characteristic,
    Clause,
    Condition,
    Decision,
    Fact,
    FactType,
    Hit,
    Interval,
    Missing,
    OneOf,
    Place,
    Rule,
    RuleBase,
    Within,
)

from .random_bases import PLACE, random_base, random_facts

FACTS = {
    "open_hours": Fact("open_hours", FactType.NUMBER, "request", {}, PLACE, unit="hours"),
    "category": Fact(
        "category", FactType.ENUM, "request", {}, PLACE, values={"charges": {}, "marketing": {}}
    ),
}


def rule(name: str, then: object, characteristic: str | None = None, **when: Condition) -> Rule:
    clauses = tuple(Clause(fact, condition, PLACE) for fact, condition in when.items())
    values = then if isinstance(then, tuple) else (then,)
    place = Place("decisions/d.yaml", len(name), 3)
    return Rule(name, place, (clauses,), {"out": values}, {"en": name}, characteristic)


def base_of(hit: Hit, *rules: Rule, kind: FactType = FactType.NUMBER, **more: object) -> RuleBase:
    decision = Decision("d", {}, hit, ("out",), rules, tuple(FACTS), PLACE, **more)
    out = Fact("out", kind, "d", {}, PLACE, values={"low": {}, "high": {}, "both": {}})
    return RuleBase("b", {}, ("en",), {**FACTS, "out": out}, (decision,), {}, "sha256:0")


LONG = Within(Interval(Decimal(48)))
CHARGES = OneOf(("charges",))


def test_first_and_unique() -> None:
    for hit in (Hit.FIRST, Hit.UNIQUE):
        base = base_of(
            hit,
            rule("both", "both", open_hours=LONG, category=CHARGES),
            rule("long", "high", open_hours=LONG),
            rule("unknown", "low", open_hours=Missing(True)),
            kind=FactType.ENUM,
        )
        engine = RuleEngine(base)
        verdict = engine.decide({"open_hours": 48, "category": "charges"})
        assert verdict.results == {"out": "both"}
        assert [(f.decision, f.rule_id, f.file) for f in verdict.fired] == [
            ("d", "both", "decisions/d.yaml")
        ]
        assert verdict.fired[0].because == {"en": "both"}
        assert verdict.fired[0].partial is None
        assert engine.decide({"open_hours": 48.0}).results == {"out": "high"}
        assert engine.decide({"open_hours": None}).results == {"out": "low"}
        nothing = engine.decide({"open_hours": 47.999999999999993})
        assert (nothing.results, nothing.fired) == ({"out": None}, ())


def test_all_collects_values_once_in_rule_order() -> None:
    engine = RuleEngine(
        base_of(
            Hit.ALL,
            rule("long", ("high", "low"), open_hours=LONG),
            rule("charges", ("both", "high"), category=CHARGES),
            kind=FactType.ENUM,
        )
    )
    facts = {"open_hours": 100, "category": "charges"}
    assert engine.decide(facts).results["out"] == ("high", "low", "both")
    assert engine.decide({}).results["out"] == ()


def test_sum_weights_partials_and_reasons() -> None:
    weights = {
        "time": Characteristic("time", {}, Decimal("0.3"), Decimal(10), PLACE),
        "kind": Characteristic("kind", {}, Decimal("2"), Decimal("0.5"), PLACE),
    }
    base = base_of(
        Hit.SUM,
        rule("bare", Decimal("0.1")),
        rule("long", Decimal(40), "time", open_hours=LONG),
        rule("any-time", Decimal(5), "time", open_hours=Missing(False)),
        rule("charges", Decimal("7.25"), "kind", category=CHARGES),
        characteristics=weights,
        reasons=2,
    )
    verdict = RuleEngine(base).decide({"open_hours": 50, "category": "charges"})
    assert verdict.results["out"] == Decimal("28.1")
    assert str(verdict.results["out"]) == "28.1"
    assert [fired.partial for fired in verdict.fired] == [
        Decimal("0.1"),
        Decimal(12),
        Decimal("1.5"),
        Decimal("14.5"),
    ]
    assert [(r.rule_id, r.characteristic) for r in verdict.reasons] == [
        ("charges", "kind"),  # 2 x (7.25 - 0.5) = 13.5
        ("long", "time"),  # 0.3 x (40 - 10) = 9; any-time lies below its baseline
    ]
    assert RuleEngine(base_of(Hit.SUM)).decide({}).results["out"] == 0


def test_integers_and_booleans() -> None:
    whole = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal("4.0")), kind=FactType.INTEGER))
    assert type(whole.decide({}).results["out"]) is int
    truth = RuleEngine(base_of(Hit.FIRST, rule("r", True), kind=FactType.BOOLEAN))
    assert truth.decide({}).results["out"] is True


def test_errors_name_the_first_bad_fact() -> None:
    engine = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1))))
    with pytest.raises(FactError) as caught:
        engine.decide({"category": "chargs", "open_hours": "two days"})
    assert (caught.value.fact, caught.value.value) == ("open_hours", "'two days'")
    with pytest.raises(FactError, match="did you mean 'charges'"):
        engine.decide({"category": "chargs"})


def test_memo_is_bounded_and_counts() -> None:
    base, rng = random_base(7, rules=40, least=20), random.Random(1)
    engine, plain = RuleEngine(base, memo_size=10), RuleEngine(base)
    for _ in range(300):
        facts = random_facts(rng, base)
        assert engine.decide(facts) == plain.decide(facts)
        assert engine.stats().size <= 10
    stats = engine.stats()
    assert stats.capacity == 10
    assert stats.hits + stats.misses == 300 * len(base.decisions)
    assert stats.misses > plain.stats().misses == plain.stats().size
    with pytest.raises(ValueError):
        RuleEngine(base, memo_size=0)


def test_two_threads_on_one_engine() -> None:
    base, rng = random_base(7, rules=30, least=20), random.Random(2)
    rows = [random_facts(rng, base) for _ in range(100)]
    wanted = [RuleEngine(base, evaluator="boxes").decide(facts) for facts in rows]
    engine, wrong = RuleEngine(base, memo_size=3), []

    def hammer(seed: int) -> None:
        order = random.Random(seed).choices(range(len(rows)), k=300)
        wrong.extend(index for index in order if engine.decide(rows[index]) != wanted[index])

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets the engine fail as often as the list's only entry says."""
    failures, real = [0], durable_engine.Machine.first

    def first(machine: durable_engine.Machine, signature: Signature) -> tuple[int, ...]:
        if failures[0]:
            failures[0] -= 1
            raise durable_engine.durable.error("Could not assert event, error code: 303")
        return real(machine, signature)

    monkeypatch.setattr(durable_engine.Machine, "first", first)
    return failures


def test_after_one_failure_another_engine_answers(failing: list[int]) -> None:
    engine = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1), open_hours=LONG)))
    before = engine._evaluator
    failing[0] = 1
    assert engine.decide({"open_hours": 50}).results == {"out": 1}
    assert engine._evaluator is not before


def test_two_failures_are_an_error_and_the_next_question_is_answered(failing: list[int]) -> None:
    engine = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1), open_hours=LONG)))
    failing[0] = 2
    with pytest.raises(EngineError, match="failed twice on decision 'd'"):
        engine.decide({"open_hours": 50})
    assert engine.decide({"open_hours": 50}).results == {"out": 1}


def test_a_pending_question_is_never_answered_in_place_of_the_next() -> None:
    engine = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1), open_hours=LONG)))
    [[machine]] = engine._evaluator._machines  # type: ignore[attr-defined]
    durable_engine.durable.assert_event(machine._handle, machine._ruleset.message((1,)))
    with pytest.raises(Fault):
        machine.first((1,))
    assert engine.decide({"open_hours": 50}).results == {"out": 1}


def test_a_closed_engine_says_so() -> None:
    engine = RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1), open_hours=LONG)))
    engine.decide({"open_hours": 50})
    engine.close()
    engine.close()
    assert engine.decide({"open_hours": 50}).results == {"out": 1}
    with pytest.raises(EngineError, match="closed"):
        engine.decide({})


def test_an_inconsistent_base_is_refused() -> None:
    with pytest.raises(EngineError, match="'category' lists no 'gossip'"):
        RuleEngine(base_of(Hit.FIRST, rule("r", Decimal(1), category=OneOf(("gossip",)))))
    with pytest.raises(EngineError, match="adds no number"):
        RuleEngine(base_of(Hit.SUM, rule("r", "high")))


def resident_kilobytes() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - not a path of ours
        return int(file.read().split()[1]) * 4


def test_rebuilding_does_not_leak() -> None:
    base, rng = random_base(7, rules=30, least=20, decisions=2), random.Random(3)
    rows = [random_facts(rng, base) for _ in range(3)]

    def rebuild(times: int) -> None:
        for _ in range(times):
            engine = RuleEngine(base)
            for facts in rows:
                engine.decide(facts)
        del engine
        gc.collect()

    rebuild(20)  # reaches the steady state
    before = resident_kilobytes()
    rebuild(180)
    assert resident_kilobytes() - before < 40_000
