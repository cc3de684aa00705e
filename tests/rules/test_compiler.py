"""What is compiled stays inside the envelope in which durable-rules was measured to be right."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

import pytest
from harken_rules import compiler
from harken_rules.boxes import boxes_of
from harken_rules.compiler import Ruleset, check_names, compile_table, fnv
from harken_rules.durable_engine import BoxEvaluator, DurableEvaluator
from harken_rules.language import Decision, Hit
from harken_rules.tables import Table, table_of
from harken_rules.verdict import EngineError

from .random_bases import PLACE, random_base


def tables() -> Iterator[Table]:
    for seed in range(40):
        base = random_base(seed, rules=(10, 60, 400)[seed % 3])
        yield from (table_of(boxes_of(base, decision)) for decision in base.decisions)


def atoms(condition: dict[str, object]) -> Iterator[tuple[str, str, object]]:
    """(operator, field, constant) of each part of a condition."""
    for key, value in condition.items():
        if key == "$and":
            assert isinstance(value, list)
            assert len(value) > 1
            yield from itertools.chain(*map(atoms, value))
        elif key in ("$gte", "$lte"):
            [(name, constant)] = value.items()  # type: ignore[attr-defined]
            yield key, name, constant
        else:
            yield "=", key, value


def test_the_envelope() -> None:
    seen = set()
    for ruleset in itertools.chain(*map(compile_table, tables())):
        rules = json.loads(ruleset.definition)
        assert rules.pop("idle") == {"all": [{"m": {"y": 1}}], "pri": len(rules)}
        assert 1 <= len(rules) <= 60
        assert list(rules) == [f"r{place}" for place in range(len(rules))]
        assert [rule["pri"] for rule in rules.values()] == list(range(len(rules)))
        fields = set(json.loads(ruleset.template.replace("%d", "0"))) - {"id"}
        assert len(fields) <= 121
        assert len({fnv(name) for name in fields | {"id", "sid", "$s", "y"}}) == len(fields) + 4
        conditions = [rule["all"][0]["m"] for rule in rules.values()]
        assert len({json.dumps(each) for each in conditions}) == len(conditions)
        for condition in conditions:  # the most selective first: equalities
            operators = [operator for operator, _, _ in atoms(condition)]
            assert operators == sorted(operators, key=lambda operator: operator != "=")
        for operator, name, constant in itertools.chain(*map(atoms, conditions)):
            assert name in fields
            assert re.fullmatch(r"[fb]\d+|z", name)
            assert type(constant) is int
            assert 0 <= constant < 300
            seen.add((operator, name[0]))
    assert {("=", "f"), ("=", "b"), ("=", "z"), ("$gte", "f"), ("$lte", "f")} <= seen


def test_durable_rules_hashes_names_as_we_do() -> None:
    # HASH_ID and HASH_SID in durable-rules' state.h, HASH_PRI and HASH_GTE in its rete.c.
    hashes = [fnv(name) for name in ("id", "sid", "pri", "$gte")]
    assert hashes == [926444256, 3593476751, 1450887882, 3645344263]


def test_names_that_are_one_to_the_engine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_names(["f0", "f1"])
    with pytest.raises(EngineError):
        check_names(["f0", "sid"])
    with pytest.raises(EngineError):
        check_names([f"f{slot}" for slot in range(300)])
    monkeypatch.setattr(compiler, "fnv", len)
    with pytest.raises(EngineError):
        check_names(["f0", "f1"])


def scattered(hit: Hit, facts: int, rules: int) -> Table:
    """Rules that accept every other class of every fact: nothing is contiguous."""
    sizes = (9,) * facts
    boxes = tuple((tuple(0b101010101 >> (rule % 2) for _ in sizes),) for rule in range(rules))
    decision = Decision("d", {}, hit, ("out",), (), (), PLACE)
    identity = (tuple(range(9)),) * facts
    names = tuple(f"x{slot}" for slot in range(facts))
    return Table(decision, names, identity, sizes, identity, boxes)


@pytest.mark.parametrize("hit", [Hit.FIRST, Hit.ALL])
def test_sets_with_gaps_do_not_explode(hit: Hit) -> None:
    table = scattered(hit, facts=4, rules=2)
    rulesets: tuple[Ruleset, ...] = compile_table(table)
    assert sum(len(ruleset.rows) for ruleset in rulesets) <= 2 * compiler.MAX_SPLIT
    engine, boxes = DurableEvaluator([table]), BoxEvaluator([table])
    for signature in itertools.product((0, 1, 4, 7, 8), repeat=4):
        assert engine.matching(0, signature) == boxes.matching(0, signature)
    engine.close()


def test_equal_rules_are_one_engine_rule_and_all_of_them_fire() -> None:
    table = scattered(Hit.ALL, facts=1, rules=2000)
    [ruleset] = compile_table(table)
    assert len(ruleset.rows) <= 2 * compiler.MAX_SPLIT
    engine = DurableEvaluator([table])
    assert engine.matching(0, (2,)) == tuple(range(0, 2000, 2))
    engine.close()


def test_many_facts_are_spread_over_rulesets() -> None:
    facts = 400
    boxes = tuple(
        (tuple(0b10 if slot == rule else 0b11 for slot in range(facts)),) for rule in range(facts)
    )
    decision = Decision("d", {}, Hit.ALL, ("out",), (), (), PLACE)
    two = ((0, 1),) * facts
    names = tuple(f"x{slot}" for slot in range(facts))
    wide = Table(decision, names, two, (2,) * facts, two, boxes)
    engine = DurableEvaluator([wide])
    assert engine.matching(0, (1,) * facts) == tuple(range(facts))
    assert engine.matching(0, (0,) * facts) == ()
    engine.close()
    one = Table(decision, names, two, (2,) * facts, two, (((0b10,) * facts,),))
    with pytest.raises(EngineError):
        compile_table(one)
