"""Coverage: the rules that cases reach, and those whose results any of them expects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from harken_rules import RuleEngine, default_base_path
from harken_rules.cases import run_cases
from harken_rules.coverage import Coverage, coverage_of, percent_of
from harken_rules.loader import read_rule_base
from harken_rules.reading.cases import Case


def reached(path: Path, *names: str, expecting: tuple[str, ...] | None = None) -> Coverage:
    """The coverage by all cases whose names begin so, with the expectations named left."""
    loaded = read_rule_base(path)
    assert loaded.base is not None
    cases: list[Case] = []
    for one in loaded.cases:
        if not names or one.name.startswith(names):
            expect = [each for each in one.expect if expecting is None or each.result in expecting]
            cases.append(replace(one, expect=tuple(expect)))
    return coverage_of(loaded.base, run_cases(loaded.base, cases, RuleEngine(loaded.base)))


def missed(coverage: Coverage) -> list[str]:
    return [f"{what} {place.line}" for each in coverage.decisions for what, place in each.missed()]


def test_rules_that_decide_are_reached(sample: Path) -> None:
    found = reached(sample, "nothing known")
    assert {each.decision.name: (each.covered, each.all) for each in found.decisions} == {
        "duration_band": (1, 5),
        "escalation": (1, 2),
        "handling": (1, 3),
        "level": (1, 4),
        "severity": (0, 5),
        "strategies": (0, 3),
    }
    assert (found.covered, found.all) == (4, 22)
    assert "level / five 6" in missed(found)
    assert "duration_band / long 9" in missed(found)
    assert not any("duration_band, where no rule matches" in each for each in missed(found))


def test_where_no_rule_matches_counts_if_that_means_something(sample: Path) -> None:
    found = reached(sample, "the impatient")
    assert "duration_band, where no rule matches 1" in missed(found)
    assert "escalation, where no rule matches 1" in missed(found)


def test_only_the_rule_that_decides_is_reached(sample: Path) -> None:
    # Severity is above 1 for a five, too; yet `three` does not decide.
    assert "level / three 12" in missed(reached(sample, "a long open"))


def test_without_cases_nothing_is_reached(sample: Path) -> None:
    found = reached(sample, "no such case")
    assert (found.covered, found.expected, len(missed(found))) == (0, 0, 22)
    assert not found.reaches(0.1)
    assert found.reaches(0)


def test_expected_is_what_a_case_looks_at_or_builds_on(sample: Path) -> None:
    found = reached(sample, "a long open", expecting=("severity",))
    expected = {each.decision.name: (each.covered, each.expected) for each in found.decisions}
    assert expected == {
        "duration_band": (1, 1),
        "escalation": (1, 0),
        "handling": (1, 0),
        "level": (1, 0),
        "severity": (4, 4),
        "strategies": (2, 0),
    }
    (handling,) = [each for each in found.decisions if each.decision.name == "handling"]
    assert [rule.id for rule in handling.unexpected] == ["high"]


def test_facts_that_cannot_be_decided_on_reach_nothing(sample: Path) -> None:
    loaded = read_rule_base(sample)
    assert loaded.base is not None
    (result, *_) = run_cases(loaded.base, loaded.cases[:1], RuleEngine(loaded.base))
    spoilt = replace(result, verdict=None, error="open_hours: too long")
    assert coverage_of(loaded.base, [spoilt]).covered == 0


def test_the_share_is_never_rounded_up_to_all() -> None:
    assert [percent_of(9_999, 10_000), percent_of(1, 3), percent_of(0, 0)] == [99.9, 33.3, 100.0]


@pytest.mark.parametrize(("percent", "enough"), [(18, True), (18.19, False), (100, False)])
def test_a_threshold_is_compared_exactly(sample: Path, percent: float, enough: bool) -> None:
    assert reached(sample, "nothing known").reaches(percent) is enough  # 4 of 22 are 18.18 %


def test_for_machines(sample: Path) -> None:
    told = json.loads(json.dumps(reached(sample, "nothing known").to_dict()))
    assert (told["covered"], told["all"], told["percent"]) == (4, 22, 18.1)
    assert told["decisions"]["escalation"] == {
        "covered": 1,
        "all": 2,
        "percent": 50.0,
        "expected": 1,
        "uncovered": [
            {"what": "escalation / high", "file": "decisions/escalation.yaml", "line": 6}
        ],
        "unexpected": [],
    }


def test_the_shipped_cases_reach_and_expect_every_rule() -> None:
    found = reached(default_base_path())
    assert missed(found) == []
    assert found.expected == found.all
