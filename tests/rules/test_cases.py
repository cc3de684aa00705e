"""Cases: what is compared, and what is said when it is not as expected."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from harken_rules import FactError, Fired, RuleEngine, Verdict
from harken_rules.cases import (
    CaseResult,
    Listed,
    holds,
    run_cases,
    value_text,
    wanted_text,
)
from harken_rules.language import Condition, Interval, Missing, OneOf, Within
from harken_rules.loader import read_rule_base

D = Decimal


def run(path: Path) -> list[CaseResult]:
    loaded = read_rule_base(path)
    assert loaded.base is not None, [one.render() for one in loaded.diagnostics]
    return run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))


def test_the_sample_behaves_as_its_author_expects(sample: Path) -> None:
    results = run(sample)
    assert [one.passed for one in results] == [True, True, True]
    assert results[0].case.place.line == 2


@pytest.mark.parametrize(
    ("wanted", "got", "answer"),
    [
        (OneOf((D("5.025"),)), D("5.0250"), True),
        (OneOf((D("5.025"),)), D("5.0250000000000000001"), False),
        (OneOf((D(5),)), 5, True),
        (OneOf((D(1),)), True, False),
        (OneOf((True,)), True, True),
        (OneOf((True,)), D(1), False),
        (OneOf(("a", "b")), "b", True),
        (OneOf(("a", "b"), negated=True), "b", False),
        (OneOf(("a", "b"), negated=True), "c", True),
        (OneOf(("a",), negated=True), None, False),
        (OneOf(("a",)), None, False),
        (Missing(wanted=True), None, True),
        (Missing(wanted=True), "a", False),
        (Missing(wanted=False), "a", True),
        (Within(Interval(D(1), D(3))), D(1), True),
        (Within(Interval(D(1), D(3), low_open=True)), D(1), False),
        (Within(Interval(D(1), D(3), high_open=True)), 3, False),
        (Within(Interval(D(1), None)), 10**30, True),
        (Within(Interval(D(1), D(3))), None, False),
        (Listed(exactly=()), (), True),
        (Listed(exactly=("a", "b")), ("a", "b"), True),
        (Listed(exactly=("a", "b")), ("b", "a"), False),
        (Listed(exactly=()), None, False),
        (Listed(contains=("b",)), ("a", "b"), True),
        (Listed(contains=("b", "c")), ("a", "b"), False),
        (Listed(absent=("c",)), ("a", "b"), True),
        (Listed(contains=("a",), absent=("b",)), ("a", "b"), False),
    ],
)
def test_what_holds(wanted: Condition | Listed, got: object, answer: bool) -> None:
    assert holds(wanted, got) is answer


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (OneOf((D("5.50"),)), "5.5"),
        (OneOf(("a", "b")), "a or b"),
        (OneOf((False,), negated=True), "not false"),
        (Missing(wanted=True), "missing"),
        (Missing(wanted=False), "known"),
        (Within(Interval(D(1), D(3), high_open=True)), "at least 1 and below 3"),
        (Listed(exactly=("a", "b")), "[a, b]"),
        (Listed(contains=("a",), absent=("b", "c")), "contains [a]; absent [b, c]"),
    ],
)
def test_expectations_are_said_in_the_words_of_the_language(
    wanted: Condition | Listed, text: str
) -> None:
    assert wanted_text(wanted) == text


def test_values_are_said_as_a_rule_file_writes_them() -> None:
    values = ["a", 5, D("1E+2"), True, None, ("a", D("0.10"))]
    assert [value_text(one) for one in values] == ["a", "5", "100", "true", "missing", "[a, 0.1]"]


def test_a_failure_names_the_rules_up_to_the_result(copy: Path) -> None:
    path = copy / "cases" / "levels.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("level: 5", "level: 4"), encoding="utf-8")
    failed = [one for one in run(copy) if not one.passed]
    assert [one.case.name for one in failed] == [
        "a long open bill grumble of an angry customer is a five"
    ]
    (mismatch,) = failed[0].mismatches
    assert (mismatch.expected, mismatch.got) == ("4", "5")
    assert [(one.decision, one.rule_id) for one in mismatch.fired] == [
        ("duration_band", "long"),
        ("severity", "duration-long"),
        ("severity", "emotion"),
        ("severity", "model-high"),
        ("severity", "repeat"),
        ("level", "five"),
    ]
    assert mismatch.fired[-1].file == "decisions/level.yaml"
    assert mismatch.fired[-1].line == 6


class Recorder:
    """Decides nothing, and keeps what it was given."""

    def __init__(self, error: FactError | None = None) -> None:
        self.given: list[Mapping[str, object]] = []
        self.error = error

    def decide(self, facts: Mapping[str, object]) -> Verdict:
        self.given.append(facts)
        if self.error:
            raise self.error
        return Verdict({}, (Fired("level", "five", "f.yaml", 1),), (), {})


def test_numbers_are_given_as_callers_give_them(sample: Path) -> None:
    loaded, recorder = read_rule_base(sample), Recorder()
    assert loaded.base is not None
    results = run_cases(loaded.base, loaded.cases, recorder)
    assert recorder.given[0] == {
        "category": "charges",
        "point": "bill_inaccurate",
        "open_hours": 50.0,
        "dissatisfied": True,
        "probability": 0.2,
        "grumble_count_30d": 3,
    }
    assert type(recorder.given[0]["grumble_count_30d"]) is int
    assert not any(one.passed for one in results)
    assert [each.got for each in results[0].mismatches] == ["missing"] * 7


def test_facts_that_cannot_be_decided_on_fail_the_case(sample: Path) -> None:
    loaded = read_rule_base(sample)
    assert loaded.base is not None
    error = FactError("open_hours", "50", "50 is too long")
    results = run_cases(loaded.base, loaded.cases, Recorder(error))
    assert [one.error for one in results] == ["open_hours: 50 is too long"] * 3
    assert not any(one.passed for one in results)
