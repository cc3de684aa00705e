"""durable-rules, the boxes and an independent reading of the rules agree on random bases."""

from __future__ import annotations

import random

import pytest
from harken_rules.engine import RuleEngine, Verdict
from harken_rules.language import Hit

from . import oracle
from .random_bases import random_base, random_facts

BASES = 120
ROWS = 270


def plainly(verdict: Verdict) -> oracle.Answer:
    return (
        dict(verdict.results),
        [(each.decision, each.rule_id) for each in verdict.fired],
        [(each.decision, each.rule_id) for each in verdict.reasons],
    )


def test_engine_boxes_and_oracle_agree_on_a_hundred_thousand_evaluations() -> None:
    evaluated = asked = 0
    for seed in range(BASES):
        base = random_base(seed, rules=(4, 12, 30, 90)[seed % 4])
        rng = random.Random(seed)
        # A memo of one answer: durable-rules is asked anew nearly every time.
        engine, boxes = RuleEngine(base, memo_size=1), RuleEngine(base, evaluator="boxes")
        for _ in range(ROWS):
            facts = random_facts(rng, base)
            verdict = engine.decide(facts)
            assert plainly(verdict) == oracle.decide(base, facts), (seed, facts)
            assert verdict == boxes.decide(facts), (seed, facts)
        evaluated += ROWS * len(base.decisions)
        asked += engine.questions()
        engine.close()
    assert evaluated >= 100_000
    assert asked >= evaluated


def test_random_bases_show_everything() -> None:
    bases = [random_base(seed) for seed in range(BASES)]
    decisions = [decision for base in bases for decision in base.decisions]
    assert {decision.hit for decision in decisions} == set(Hit)
    assert any(len(decision.results) > 1 for decision in decisions)
    assert any(decision.reasons and decision.characteristics for decision in decisions)
    assert any(name[0] == "d" for decision in decisions for name in decision.inputs)
    assert any(len(rule.alternatives) > 1 for d in decisions for rule in d.rules)
    assert any(() in rule.alternatives for d in decisions for rule in d.rules)


@pytest.mark.parametrize("hit", list(Hit))
def test_large_decisions(hit: Hit) -> None:
    base = random_base(7, rules=1500, decisions=1, least=1000, hit=hit)
    assert len(base.decisions[0].rules) >= 1000
    engine, rng = RuleEngine(base), random.Random(7)
    for _ in range(100):
        facts = random_facts(rng, base)
        assert plainly(engine.decide(facts)) == oracle.decide(base, facts), facts
    engine.close()
