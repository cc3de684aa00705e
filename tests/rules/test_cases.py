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
        return Verdict({}, (Fired("level", "five", "f.yaml", 1),), ())


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


TABLE = """\
cases:
  - name: duration
    given: {behaviour_type: limited_patience, vip_tier: gold}
    expect: {duration_band: long, level: 4}
    rows:
      - name: a day
        given: {open_hours: 24}
        expect: {severity: 2}
      - given: {open_hours: 23, behaviour_type: tariff_sensitive}
        expect: {duration_band: short, level: 1}
      - given: {open_hours: 30}
"""


def test_a_row_adds_to_what_its_table_shares(copy: Path) -> None:
    (copy / "cases" / "table.yaml").write_text(TABLE, encoding="utf-8")
    results = [one for one in run(copy) if one.case.place.file == "cases/table.yaml"]
    cases = [one.case for one in results]
    assert [one.passed for one in results] == [True, True, True]
    assert [each.name for each in cases] == [
        "duration / a day",
        "duration / row 2",
        "duration / row 3",
    ]
    assert [(each.place.line, each.place.column) for each in cases] == [(6, 9), (9, 9), (11, 9)]
    assert cases[1].given == {
        "behaviour_type": "tariff_sensitive",
        "vip_tier": "gold",
        "open_hours": D(23),
    }
    assert [each.result for each in cases[0].expect] == ["duration_band", "level", "severity"]
    assert [wanted_text(each.wanted) for each in cases[1].expect] == ["short", "1"]


def test_a_row_that_fails_names_itself(copy: Path) -> None:
    text = TABLE.replace("{severity: 2}", "{severity: 3}")
    (copy / "cases" / "table.yaml").write_text(text, encoding="utf-8")
    (failed,) = [one for one in run(copy) if not one.passed]
    assert failed.case.name == "duration / a day"
    assert [(each.expected, each.got) for each in failed.mismatches] == [("3", "2")]


@pytest.mark.parametrize(
    ("old", "new", "finding", "place", "words"),
    [
        ("given: {open_hours: 30}", "name: x", "missing-key", (11, 9), "needs the key 'given'"),
        ("    expect: {duration_band: long, level: 4}\n", "", "missing-key", (10, 9), "'expect'"),
        ("open_hours: 30", "open_hours: 24", "duplicate-id", (11, 9), "the same facts as another"),
        ("given: {open_hours: 30}", "given: {open_hours: 30}\n        name: a day", "duplicate-id",
         (11, 9), "called 'duration / a day' already"),
        ("open_hours: 30", "open_hour: 30", "unknown-fact", (11, 17), "'open_hour'"),
        ("open_hours: 30", "level: 3", "wrong-source", (11, 17), "'level' is decided"),
        ("given: {open_hours: 30}", "gives: {}", "unknown-key", (11, 9), "has no key 'gives'"),
        ("    rows:", "    row:", "unknown-key", (5, 5), "a case has no key 'row'"),
        ("given: {open_hours: 30}", "[]", "wrong-shape", (11, 9), "a row is a mapping"),
        ("- name: duration", "- nam: duration", "missing-key", (2, 5), "needs the key 'name'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table(
    copy: Path, old: str, new: str, finding: str, place: tuple[int, int], words: str
) -> None:
    assert TABLE.count(old) == 1
    (copy / "cases" / "table.yaml").write_text(TABLE.replace(old, new), encoding="utf-8")
    found = [
        one
        for one in read_rule_base(copy).diagnostics
        if one.place.file == "cases/table.yaml" and one.id == finding
    ]
    assert [((one.place.line, one.place.column), words in one.message) for one in found] == [
        (place, True)
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("rows: []", "`rows` is empty"),
        ("rows: {}", "`rows` is a list"),
        ("rows:", "`rows` is a list"),
    ],
)
def test_rows_must_be_a_list_of_rows(copy: Path, rows: str, words: str) -> None:
    text = f"cases:\n  - name: duration\n    given: {{}}\n    expect: {{level: 1}}\n    {rows}\n"
    (copy / "cases" / "table.yaml").write_text(text, encoding="utf-8")
    found = [
        one for one in read_rule_base(copy).diagnostics if one.place.file.endswith("table.yaml")
    ]
    assert [(one.id, one.place.line, words in one.message) for one in found] == [
        ("wrong-shape", 5, True)
    ]


def test_a_row_that_cannot_be_read_is_no_duplicate(copy: Path) -> None:
    text = TABLE.replace("open_hours: 30", "open_hours: x").replace(
        "open_hours: 24", "open_hours: y"
    )
    (copy / "cases" / "table.yaml").write_text(text, encoding="utf-8")
    assert [one.id for one in read_rule_base(copy).diagnostics] == ["type-mismatch"] * 2


def test_a_row_may_add_no_fact_if_it_says_so(copy: Path) -> None:
    text = (
        "cases:\n  - {name: t, expect: {level: 1}, rows: [{given: {}}, {given: {open_hours: 1}}]}\n"
    )
    (copy / "cases" / "table.yaml").write_text(text, encoding="utf-8")
    assert [one.case.name for one in run(copy)][-2:] == ["t / row 1", "t / row 2"]
