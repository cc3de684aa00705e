"""``decide_columns`` says of every row what ``decide`` says."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from harken_rules import chain
from harken_rules.column_cells import Coded
from harken_rules.engine import FactError, RuleEngine
from harken_rules.language import FactType, Hit, RuleBase

from .random_bases import random_base, random_facts


def to_columns(base: RuleBase, rows: list[dict[str, object]], typed: bool) -> dict[str, np.ndarray]:
    """One array a fact: objects, or floats (and for booleans too) where ``typed``."""
    made = {}
    for fact in base.facts.values():
        if fact.source != "request":
            continue
        values = [row.get(fact.name) for row in rows]
        if typed and fact.type is not FactType.ENUM:
            made[fact.name] = np.array([np.nan if v is None else float(v) for v in values])
        else:
            made[fact.name] = np.empty(len(rows), dtype=object)
            made[fact.name][:] = values
    return made


def as_float_rows(base: RuleBase, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows as their float columns show them."""
    numbers = [
        fact.name
        for fact in base.facts.values()
        if fact.type in (FactType.NUMBER, FactType.INTEGER)
    ]
    return [
        {k: float(v) if k in numbers and v is not None else v for k, v in row.items()}
        for row in rows
    ]


@pytest.mark.parametrize("typed", [False, True])
def test_rows_agree_with_decide(typed: bool) -> None:
    for seed in range(40):
        base = random_base(seed, rules=20)
        rng = random.Random(seed)
        rows = [random_facts(rng, base) for _ in range(60)]
        columns = to_columns(base, rows, typed)
        wanted = as_float_rows(base, rows) if typed else rows
        engine = RuleEngine(base)
        verdicts = engine.decide_columns(columns, rows=len(rows))
        for index, facts in enumerate(wanted):
            if index in verdicts.errors:  # a float rounded out of its fact's range
                with pytest.raises(FactError) as scalar:
                    engine.decide(facts)
                assert verdicts.errors[index].args == scalar.value.args
                continue
            verdict = engine.decide(facts)
            assert verdicts.verdict(index) == verdict, (seed, facts)
            for name, value in verdict.results.items():
                assert verdicts.values(name)[index] == value
                assert type(verdicts.values(name)[index]) is type(value)
        engine.close()


def test_each_distinct_signature_is_asked_once() -> None:
    base = random_base(3, rules=20)
    rows = [random_facts(random.Random(seed % 7), base) for seed in range(500)]
    engine = RuleEngine(base)
    engine.decide_columns(to_columns(base, rows, typed=False), rows=len(rows))
    stats = engine.stats()
    assert stats.misses <= 7 * len(base.decisions)
    assert stats.hits + stats.misses == 500 * len(base.decisions)


def test_signatures_too_many_for_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    base = random_base(11, rules=60, decisions=2, least=50)
    rng = random.Random(5)
    rows = [random_facts(rng, base) for _ in range(300)]
    plain = RuleEngine(base).decide_columns(to_columns(base, rows, typed=False), rows=300)

    monkeypatch.setattr(chain, "WORD", 7)  # keys of several words
    narrow = RuleEngine(base).decide_columns(to_columns(base, rows, typed=False), rows=300)
    for index in range(300):
        assert narrow.verdict(index) == plain.verdict(index)


def closed_enums(base: RuleBase) -> list[str]:
    request = [fact for fact in base.facts.values() if fact.source == "request"]
    return [f.name for f in request if f.type is FactType.ENUM and not f.open]


def test_one_bad_row_spoils_only_itself() -> None:
    base = next(base for base in map(random_base, range(50)) if closed_enums(base))
    rng = random.Random(8)
    rows = [random_facts(rng, base) for _ in range(20)]
    good = RuleEngine(base).decide_columns(to_columns(base, rows, typed=False), rows=20)
    assert not good.errors
    number = next(f.name for f in base.facts.values() if f.type is FactType.NUMBER)
    code = closed_enums(base)[0]
    for row, fact, value in [
        (3, number, "many"),
        (4, number, float("inf")),
        (5, code, "purple"),
        (6, code, ["red"]),
        (7, code, 1),
        (7, "b0", 1),
        (9, "b0", "true"),
    ]:
        rows[row] = rows[row] | {fact: value}
    engine = RuleEngine(base)
    verdicts = engine.decide_columns(to_columns(base, rows, typed=False), rows=20)
    assert sorted(verdicts.errors) == [3, 4, 5, 6, 7, 9]
    result = base.decisions[-1].results[0]
    for row in range(20):
        if row in verdicts.errors:
            with pytest.raises(FactError) as scalar:
                engine.decide(rows[row])
            with pytest.raises(FactError) as columnar:
                verdicts.verdict(row)
            assert scalar.value.args == columnar.value.args
            assert verdicts.values(result)[row] is None
        else:
            assert verdicts.verdict(row) == good.verdict(row)


def test_columns_may_be_absent_strange_or_empty() -> None:
    base = random_base(8, rules=10)
    engine = RuleEngine(base)
    verdicts = engine.decide_columns({"nobody_knows_it": np.zeros(3)}, rows=2)
    assert verdicts.verdict(1) == engine.decide({})
    assert len(engine.decide_columns({}, rows=0).values(base.decisions[0].results[0])) == 0
    with pytest.raises(ValueError, match="shape"):
        engine.decide_columns({"n0": np.zeros(3)}, rows=2)
    with pytest.raises(IndexError):
        verdicts.verdict(2)
    with pytest.raises(KeyError):
        verdicts.values("nobody_knows_it")


def test_booleans_as_booleans_numbers_and_objects() -> None:
    base = random_base(8, rules=10)
    engine = RuleEngine(base)
    wanted = [engine.decide({"b0": value}) for value in (True, False, None)]
    for column in (np.array([1.0, 0.0, np.nan]), np.array([True, False, None], dtype=object)):
        verdicts = engine.decide_columns({"b0": column}, rows=3)
        assert [verdicts.verdict(row) for row in range(3)] == wanted
    assert engine.decide_columns({"b0": np.array([False])}, rows=1).verdict(0) == wanted[1]
    assert list(engine.decide_columns({"b0": np.array([0.5])}, rows=1).errors) == [0]


def coded(column: np.ndarray) -> Coded:
    """The same column, each distinct value once; what cannot be a key stands by itself."""
    values: list[object] = []
    codes = []
    for value in column.tolist():
        if value is None:
            codes.append(-1)
            continue
        at = next((i for i, v in enumerate(values) if type(v) is type(value) and v == value), None)
        if at is None:
            at = len(values)
            values.append(value)
        codes.append(at)
    return Coded(np.array(codes, dtype=np.int64), tuple(values))


def test_coded_columns_say_the_same() -> None:
    for seed in range(20):
        base = random_base(seed, rules=20)
        rng = random.Random(seed)
        rows = [random_facts(rng, base) for _ in range(60)]
        rows[7] = rows[7] | {"b0": "true", "n0": float("inf")}
        columns = to_columns(base, rows, typed=False)
        engine = RuleEngine(base)
        plain = engine.decide_columns(columns, rows=60)
        found = engine.decide_columns({n: coded(c) for n, c in columns.items()}, rows=60)
        assert {row: error.args for row, error in found.errors.items()} == {
            row: error.args for row, error in plain.errors.items()
        }
        for row in set(range(60)) - set(plain.errors):
            assert found.verdict(row) == plain.verdict(row)
        engine.close()
    with pytest.raises(ValueError, match="shape"):
        engine.decide_columns({"n0": Coded(np.zeros(3, dtype=np.int64), (1.0,))}, rows=2)


def test_results_as_codes() -> None:
    base = random_base(8, rules=10)
    rows = [random_facts(random.Random(seed), base) for seed in range(80)]
    rows[3] = rows[3] | {"b0": 7}
    verdicts = RuleEngine(base).decide_columns(to_columns(base, rows, typed=False), rows=80)
    for name in (name for decision in base.decisions for name in decision.results):
        codes, values = verdicts.coded(name)
        assert codes[3] == -1
        assert len(set(values)) == len(values)
        held = verdicts.values(name)
        assert [values[code] for code in codes if code >= 0] == [*held[:3], *held[4:]]


def test_only_the_decisions_asked_for_are_answered() -> None:
    for seed in range(20):
        base = random_base(seed, rules=12, decisions=5)
        rows = [random_facts(random.Random(row), base) for row in range(40)]
        columns = to_columns(base, rows, typed=False)
        whole = RuleEngine(base).decide_columns(columns, rows=40)
        for decision in base.decisions:
            engine = RuleEngine(base)
            part = engine.decide_columns(columns, rows=40, results=decision.results)
            for name in decision.results:
                assert part.values(name).tolist() == whole.values(name).tolist()
            asked = engine.stats().hits + engine.stats().misses
            assert asked <= 40 * (1 + base.decisions.index(decision))
            if decision is base.decisions[0] and len(base.decisions) > 1:
                with pytest.raises(LookupError):  # the others were not asked
                    part.verdict(0)
    with pytest.raises(KeyError):
        engine.decide_columns(columns, rows=40, results=["nobody_knows_it"])


def test_a_derived_fact_is_never_taken_from_outside() -> None:
    base = next(b for b in map(random_base, range(50)) if len(b.decisions) > 2)
    name = base.decisions[0].results[0]
    engine = RuleEngine(base)
    assert engine.decide({name: object()}) == engine.decide({})
    column = np.array([object()], dtype=object)
    assert engine.decide_columns({name: column}, rows=1).verdict(0) == engine.decide({})


def test_sums_are_exact() -> None:
    base = random_base(1, decisions=1, least=1, hit=Hit.SUM)
    decision = base.decisions[0]
    always = tuple(
        replace(
            decision.rules[0],
            id=f"r{index}",
            alternatives=((),),
            then={decision.results[0]: (Decimal(value),)},
            characteristic=None,
        )
        for index, value in enumerate(["0.1", "0.2", "1e15", "-1e15", "0.0000003"])
    )
    summed = replace(base, decisions=(replace(decision, rules=always, inputs=()),))
    assert RuleEngine(summed).decide({}).results[decision.results[0]] == Decimal("0.3000003")
