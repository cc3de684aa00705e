"""Groups: within their bounds, in order, and such that their keys say everything."""

from __future__ import annotations

import math
import random

import pytest
from harken_rules import default_base_path, groups, keys, load_rule_base
from harken_rules.engine import RuleEngine
from harken_rules.keys import key_of, words_of
from harken_rules.language import RuleBase

from .random_bases import random_base, random_facts


@pytest.fixture(scope="module")
def shipped() -> RuleBase:
    return load_rule_base(default_base_path())


def check(engine: RuleEngine) -> None:
    made = engine.chain().groups
    assert sorted(d for group in made for d in group.decisions) == list(range(len(engine.plans)))
    home = {
        name: place
        for place, group in enumerate(made)
        for index in group.decisions
        for name in engine.plans[index].table.decision.results
    }
    for place, group in enumerate(made):
        assert group.keys() <= groups.GROUP_LIMIT or len(group.decisions) == 1
        assert group.keys() == math.prod(max(classes) + 1 for classes in group.reads.values())
        yielded: set[str] = set()
        for index in group.decisions:
            table = engine.plans[index].table
            for name, classes in zip(table.facts, table.classes, strict=True):
                if name in yielded:
                    continue
                assert home.get(name, -1) < place
                # The joint classes tell apart what the decision does.
                joint: dict[int, int] = {}
                for held, own in zip(group.reads[name], classes, strict=True):
                    assert joint.setdefault(held, own) == own
            yielded.update(table.decision.results)
        for name, supplier in group.suppliers.items():
            if supplier is None:
                assert name not in home
            else:
                assert supplier < place
                assert home.get(name) == supplier or name in made[supplier].reads


@pytest.mark.parametrize("limit", [2**16, 200, 8])
def test_groups_of_random_bases(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUP_LIMIT", limit)
    for seed in range(30):
        check(RuleEngine(random_base(seed, rules=20, decisions=8), evaluator="boxes"))


def test_groups_of_the_shipped_base(shipped: RuleBase) -> None:
    engine = RuleEngine(shipped)
    check(engine)
    walked = engine.chain()
    assert len(walked.groups) <= 15  # instead of 38 decisions
    assert sum(map(len, walked.readers.values())) <= 90  # instead of 127 facts read by decisions


def test_keys_are_read_back() -> None:
    for seed in range(20):
        base = random_base(seed, rules=20)
        engine = RuleEngine(base, evaluator="boxes")
        walked = engine.chain()
        for place, digits in enumerate(walked.digits):
            rng = random.Random(seed)
            for _ in range(10):
                codes = {digit.name: rng.choice(digit.samples) for digit in digits}
                key = sum(digit.parts[codes[digit.name]] for digit in digits)
                assert key < walked.bounds()[place]
                classes = {digit: eval(digit.source("key"), {"key": key}) for digit in digits}
                assert {d.name: d.samples[held] for d, held in classes.items()} == codes


def test_keys_of_several_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "WORD", 7)
    assert [words_of(3 | 5 << 7 | 1 << 14, word) for word in range(4)] == [3, 5, 1, 0]
    assert key_of([3, 5, 1]) == 3 | 5 << 7 | 1 << 14
    base = random_base(11, rules=60, decisions=2, least=50)
    engine, plain = RuleEngine(base), RuleEngine(base, evaluator="boxes")
    assert max(engine.chain().words) > 1
    decide = engine.decider(engine.given)
    rng = random.Random(5)
    for _ in range(100):
        facts = random_facts(rng, base)
        facts = {k: v for k, v in facts.items() if type(v) in (str, bool, int, float)}
        assert decide([facts.get(name) for name in engine.given]) == plain.decide(facts)
