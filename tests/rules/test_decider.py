"""A decider says of every row what ``decide`` says, and keeps within its memory."""

from __future__ import annotations

import gc
import math
import pickle
import random
import threading
import weakref
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pytest
from harken_rules import groups, readers
from harken_rules.decider import Decider
from harken_rules.engine import EngineError, FactError, RuleEngine, Verdict
from harken_rules.language import FactType, RuleBase
from harken_rules.number_cells import NumberCells

from .random_bases import random_base, random_facts
from .test_columns import closed_enums


def as_row(names: Sequence[str], facts: dict[str, object]) -> list[object]:
    return [facts.get(name) for name in names]


def some_facts(rng: random.Random, base: RuleBase) -> dict[str, object]:
    """Acceptable values of the types that a decider expects."""
    facts = random_facts(rng, base)
    return {k: float(v) if isinstance(v, Decimal) else v for k, v in facts.items()}


def names_of(base: RuleBase, rng: random.Random) -> list[str]:
    """The given facts and some other names, in any order."""
    names = [fact.name for fact in base.facts.values() if fact.source == "request"]
    names += ["grumble_id", "nobody_knows_it", base.decisions[0].results[0]]
    rng.shuffle(names)
    return names


def outcome(decide: Callable[[], Verdict]) -> object:
    try:
        return decide()
    except FactError as error:
        return error.args


@pytest.mark.parametrize("limit", [groups.GROUP_LIMIT, 64, 1])
def test_verdicts_are_those_of_decide(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUP_LIMIT", limit)
    for seed in range(25):
        base = random_base(seed, rules=20)
        rng = random.Random(seed)
        rows = [some_facts(rng, base) for _ in range(40)]
        names = names_of(base, rng)
        engine, plain = RuleEngine(base), RuleEngine(base, evaluator="boxes")
        decide = engine.decider(names)
        for facts in rows * 2:  # asked, then remembered
            row = as_row(names, facts)
            wanted = plain.decide(facts)
            assert decide(row) == wanted, (seed, facts)
            assert decide(tuple(row)).results == wanted.results
        assert list(decide(row).results) == list(wanted.results)


@pytest.mark.parametrize("many", [0, 256])
def test_what_is_plain_needs_no_other_way(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MANY_EDGES", many)
    compared = 0
    for seed in range(20):
        base = random_base(seed, rules=20)
        engine, plain = RuleEngine(base), RuleEngine(base, evaluator="boxes")
        written = Decider(engine, engine.chain(), engine.given)
        written.otherwise = None  # type: ignore[assignment,method-assign]
        decide, rng = written.written(), random.Random(seed)
        for _ in range(20):
            facts = some_facts(rng, base)
            if all(is_usual(name, value) for name, value in facts.items()):
                assert decide(as_row(engine.given, facts)) == plain.decide(facts), (seed, facts)
                compared += 1
    assert compared > 100


def is_usual(name: str, value: object) -> bool:
    if type(value) not in (int, float):
        return True
    return value in readers.USUAL if name.startswith("i") else abs(value) < 2**53


def test_every_edge_is_read_exactly() -> None:
    for seed in range(25):
        base = random_base(seed, rules=20)
        engine = RuleEngine(base)
        for name in engine.given:
            cells = engine.cells[name]
            if not isinstance(cells, NumberCells):
                continue
            decide = engine.decider([name])
            near: list[float] = [e for e in cells.edges if abs(e) < 1e17]
            near += [math.nextafter(edge, side) for edge in near for side in (-math.inf, math.inf)]
            near += [whole for e in near for whole in (math.floor(e), math.ceil(e))]
            for value in near:
                found = outcome(lambda: decide([value]))  # noqa: B023
                assert found == outcome(lambda: engine.decide({name: value})), (seed, name, value)  # noqa: B023


def hostile(base: RuleBase) -> list[tuple[str, object]]:
    """A fact and a value of its type that is out of the ordinary, mostly unacceptable."""
    odd: list[tuple[str, object]] = []
    for fact in base.facts.values():
        if fact.source != "request":
            continue
        match fact.type:
            case FactType.ENUM:
                values: list[object] = ["purple", "", "x" * 1000, ["red"], 1, 2.5, True]
            case FactType.BOOLEAN:
                values = ["true", 2, 0.5, "", [], 1, 0, 1.0, np.True_]
            case _:
                values = [1e300, -1e300, 2**53, 2**53 + 1, -(2**60), 10**400, 0.5, -0.0, 3.0]
                values += [float("nan"), float("inf"), float("-inf"), "3", [], 1e-320, 256, 1e6]
                values += [np.float64(3), np.int64(2)]
        odd += [(fact.name, value) for value in values]
    return odd


def test_odd_values_are_judged_as_decide_judges_them() -> None:
    errors = verdicts = 0
    for seed in range(12):
        base = random_base(seed, rules=15)
        engine = RuleEngine(base)
        decide = engine.decider(engine.given)
        facts = some_facts(random.Random(seed), base)
        for name, value in hostile(base):
            given = {**facts, name: value}
            found = outcome(lambda: decide(as_row(engine.given, given)))  # noqa: B023
            wanted = outcome(lambda: engine.decide(given))  # noqa: B023
            assert found == wanted, (seed, name, value)
            errors += isinstance(found, tuple)
            verdicts += isinstance(found, Verdict)
    assert errors > 300
    assert verdicts > 100


def test_a_fact_that_no_rule_reads_must_be_acceptable_too() -> None:
    base = next(
        base
        for base in map(random_base, range(50))
        if any(all(name not in d.inputs for d in base.decisions) for name in closed_enums(base))
    )
    unread = next(n for n in closed_enums(base) if all(n not in d.inputs for d in base.decisions))
    decide = RuleEngine(base).decider([unread])
    with pytest.raises(FactError, match=unread):
        decide(["purple"])
    assert decide([None]) == RuleEngine(base).decide({})


def test_rows_and_names_must_fit() -> None:
    engine = RuleEngine(random_base(3))
    decide = engine.decider(["n0", "b0"])
    for row in ([1.0], [1.0, True, 3], []):
        with pytest.raises(ValueError):
            decide(row)
    with pytest.raises(ValueError, match="two positions"):
        engine.decider(["n0", "n0"])
    with pytest.raises(KeyError):
        engine.decider(["n0"], results=["nobody_knows_it"])
    assert engine.decider([])(()) == engine.decide({})


def test_only_the_results_asked_for() -> None:
    for seed in range(15):
        base = random_base(seed, rules=12, decisions=5)
        rows = [some_facts(random.Random(row), base) for row in range(20)]
        for decision in base.decisions:
            engine = RuleEngine(base)
            decide = engine.decider(engine.given, results=decision.results)
            for facts in rows:
                verdict, whole = decide(as_row(engine.given, facts)), engine.decide(facts)
                assert verdict.results == {name: whole.results[name] for name in decision.results}
                fired = [each for each in verdict.fired if each.decision == decision.name]
                assert fired == [each for each in whole.fired if each.decision == decision.name]
            odd = decide([10**400 if name == "n9" else None for name in engine.given])
            assert odd.results.keys() == set(decision.results)


def test_look_ups_are_counted_and_memory_is_bounded() -> None:
    base, rng = random_base(7, rules=40, least=20), random.Random(1)
    engine = RuleEngine(base, memo_size=10)
    decide, chain = engine.decider(engine.given), engine.chain()
    asked = 0
    for _ in range(300):
        row = as_row(engine.given, some_facts(rng, base))
        asked += 1
        assert decide(row) == engine.decide(dict(zip(engine.given, row, strict=True)))
        assert engine.stats().size <= 10
        assert sum(map(len, chain.known)) <= 10
        held = [chain._same, chain._said, chain._held, chain._answers, chain.ranked, chain._weights]
        assert max(map(len, held)) <= 10
    shelves = [shelf for shelf in chain.memo.shelves if isinstance(shelf, list)]
    assert shelves
    assert sum(each is not None for shelf in shelves for each in shelf) <= 10
    stats = engine.stats()
    assert stats.hits + stats.misses == 2 * asked * len(base.decisions)
    assert stats == engine.stats()  # to look is not to count


def test_a_repeat_asks_nothing() -> None:
    base = random_base(7, rules=30, least=20)
    engine = RuleEngine(base)
    decide = engine.decider(engine.given)
    rows = [as_row(engine.given, some_facts(random.Random(seed), base)) for seed in range(50)]
    first = [decide(row) for row in rows]
    misses, questions = engine.stats().misses, engine.questions()
    assert [decide(row) for row in rows] == first
    assert (engine.stats().misses, engine.questions()) == (misses, questions)
    engine.close()
    assert [decide(row) for row in rows] == first
    others = [as_row(engine.given, some_facts(random.Random(seed), base)) for seed in range(90)]
    with pytest.raises(EngineError, match="closed"):
        list(map(decide, others))


def test_what_is_forgotten_is_asked_again() -> None:
    base = random_base(7, rules=30, least=20)
    engine = RuleEngine(base)
    decide = engine.decider(engine.given)
    row = as_row(engine.given, some_facts(random.Random(3), base))
    first = decide(row)
    questions, misses = engine.questions(), engine.stats().misses
    engine.decide_columns({}, rows=1)
    engine.forget()
    assert engine.stats().size == 0
    assert len(engine.chain().for_columns()) == 0
    assert decide(row) == first
    assert engine.questions() >= 2 * questions
    assert engine.stats().misses >= 2 * misses


def test_two_threads_on_one_decider() -> None:
    base, rng = random_base(7, rules=30, least=20), random.Random(2)
    facts = [some_facts(rng, base) for _ in range(100)]
    wanted = [RuleEngine(base, evaluator="boxes").decide(each) for each in facts]
    engine, wrong = RuleEngine(base, memo_size=60), []
    decide = engine.decider(engine.given)
    rows = [as_row(engine.given, each) for each in facts]

    def hammer(seed: int) -> None:
        order = random.Random(seed).choices(range(len(rows)), k=250)
        wrong.extend(index for index in order if decide(rows[index]) != wanted[index])

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_decider_keeps_its_engine_and_nothing_else_does() -> None:
    engine = RuleEngine(random_base(3))
    decide, gone = engine.decider(engine.given), weakref.ref(engine)
    engine.decide_columns({}, rows=2).reasons()
    row = [None] * len(engine.given)
    gc.disable()
    try:
        del engine
        verdict = decide(row)
        del decide
        assert gone() is None  # at once: what durable-rules holds is too much to wait with
    finally:
        gc.enable()
    assert verdict == RuleEngine(random_base(3)).decide({})


def test_a_verdict_is_plain_data() -> None:
    base = random_base(7, rules=30, least=20)
    engine = RuleEngine(base)
    facts = some_facts(random.Random(4), base)
    verdict = engine.decider(engine.given)(as_row(engine.given, facts))
    copied = pickle.loads(pickle.dumps(verdict))
    assert copied == verdict == engine.decide(facts)
    assert repr(copied) == repr(verdict)
    assert verdict != engine.decide({})
    with pytest.raises(AttributeError):
        _ = verdict.facts  # type: ignore[attr-defined]
