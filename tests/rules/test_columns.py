"""``decide_columns`` says of every row what ``decide`` says."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from harken_rules import column_parts, keys
from harken_rules import columns as columns_module
from harken_rules.column_cells import Coded
from harken_rules.engine import FactError, RuleEngine, Verdict
from harken_rules.language import FactType, Hit, RuleBase
from harken_rules.number_cells import NumberCells

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

    monkeypatch.setattr(keys, "WORD", 7)  # keys of several words
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


def outcome(decide: Callable[[Any], Verdict], given: object) -> object:
    """The verdict, or what its error says."""
    try:
        return decide(given)
    except FactError as error:
        return error.args


@pytest.mark.parametrize("few", [0, 60])
def test_numbers_by_search_and_by_comparison(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_parts, "FEW_EDGES", few)
    monkeypatch.setattr(columns_module, "SLICE", 7)
    for seed in range(25):
        base = random_base(seed, rules=20)
        engine = RuleEngine(base)
        columns: dict[str, np.ndarray] = {}
        for name in engine.given:
            cells = engine.cells[name]
            if not isinstance(cells, NumberCells):
                continue
            near = [float(edge) for edge in cells.edges]
            near += [math.nextafter(edge, side) for edge in near for side in (-math.inf, math.inf)]
            near += [math.nan, math.inf, -math.inf, 0.0, -0.0, 2.0, 2.5, 1e308, -1e308, 5e-324]
            columns[name] = np.array(near)
        rows = max(map(len, columns.values()))
        columns = {name: np.resize(each, rows) for name, each in columns.items()}
        verdicts = engine.decide_columns(columns, rows)
        for row in range(rows):
            facts = {name: float(each[row]) for name, each in columns.items()}
            facts = {name: value for name, value in facts.items() if not math.isnan(value)}
            assert outcome(verdicts.verdict, row) == outcome(engine.decide, facts), (seed, facts)


def test_integer_columns() -> None:
    base = random_base(8, rules=10)
    engine = RuleEngine(base)
    whole = np.array([-3, 0, 1, 2, 3, 4, 5, 7, 48, 2**53 + 2])
    for column in (whole[:9], whole[:9].astype(np.int16), whole, whole[1:].astype(np.uint64)):
        verdicts = engine.decide_columns({"n0": column, "i0": column}, rows=len(column))
        for row, value in enumerate(column.tolist()):
            given = {"n0": value, "i0": value}
            if row in verdicts.errors:
                with pytest.raises(FactError):
                    engine.decide(given)
            else:
                assert verdicts.verdict(row) == engine.decide(given)


def test_a_code_that_names_no_value_is_no_row_of_anybody() -> None:
    engine = RuleEngine(random_base(8, rules=10))
    for code in (2, -2):
        with pytest.raises(IndexError, match="names none of its values"):
            engine.decide_columns({"b0": Coded(np.array([0, code]), (True, False))}, rows=2)


def test_reasons_are_those_of_the_verdicts() -> None:
    reasoned = 0
    for seed in range(40):
        base = random_base(seed, rules=20, decisions=6)
        rows = [random_facts(random.Random(row), base) for row in range(60)]
        rows[5] = rows[5] | {"b0": 7}
        engine = RuleEngine(base)
        for _ in range(2):
            verdicts = engine.decide_columns(to_columns(base, rows, typed=False), rows=60)
            codes, values = verdicts.reasons()
            assert codes.shape == (60,)
            assert codes.dtype == np.int64
            names = [tuple((fired.decision, fired.rule_id) for fired in each) for each in values]
            assert len(set(names)) == len(names)
            for row in range(60):
                if row == 5:
                    assert codes[row] == -1
                else:
                    assert values[codes[row]] == verdicts.verdict(row).reasons
        reasoned += sum(len(each) > 0 for each in values)
    assert reasoned > 100
    codes, values = RuleEngine(base).decide_columns({}, rows=0).reasons()
    assert len(codes) == 0


def test_what_columns_remember_is_bounded() -> None:
    base = random_base(7, rules=40, least=20)
    engine = RuleEngine(base, memo_size=30)
    for seed in range(12):
        rows = [random_facts(random.Random(100 * seed + row), base) for row in range(20)]
        verdicts = engine.decide_columns(to_columns(base, rows, typed=False), rows=20)
        held = engine.chain().for_columns()
        assert len(held) <= 30 + 20 * len(engine.chain().groups)
        for row in range(20):
            assert verdicts.verdict(row) == engine.decide(rows[row])


def test_codes_keep_their_meaning_from_one_call_to_the_next() -> None:
    base = random_base(7, rules=40, least=20)
    engine = RuleEngine(base)
    name, earlier = base.decisions[-1].results[0], ()
    for seed in range(5):
        rows = [random_facts(random.Random(100 * seed + row), base) for row in range(20)]
        verdicts = engine.decide_columns(to_columns(base, rows, typed=False), rows=20)
        _, values = verdicts.coded(name)
        assert values[: len(earlier)] == earlier
        earlier = values


def test_threads_share_what_columns_remember() -> None:
    base = random_base(7, rules=30, least=20)
    rows = [random_facts(random.Random(row), base) for row in range(200)]
    plain = RuleEngine(base, evaluator="boxes")
    wanted = [plain.decide(facts) for facts in rows]
    engine, wrong = RuleEngine(base), []

    def hammer(seed: int) -> None:
        order = random.Random(seed).choices(range(200), k=200)
        columns = to_columns(base, [rows[at] for at in order], typed=False)
        for end in (10, 50, 200):
            part = {name: column[:end] for name, column in columns.items()}
            verdicts = engine.decide_columns(part, rows=end)
            wrong.extend(r for r in range(end) if verdicts.verdict(r) != wanted[order[r]])

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


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
