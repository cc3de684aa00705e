"""Which rules the cases reach: those that decided in at least one of them.

A rule that decides only in cases which expect nothing of it is reached but not tested, and is
told apart: it is *expected* where a case expects its decision's result or one that builds on it.
A ``first`` or ``unique`` decision that says ``otherwise: missing`` means something where none of
its rules matches; a case without any counts as one more thing to reach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from harken_rules.cases import CaseResult, all_before
from harken_rules.language import Decision, Place, Rule, RuleBase


@dataclass(frozen=True, slots=True)
class DecisionCoverage:
    """One decision: rules that no case reaches; rules that are reached, but expected nowhere.

    ``nothing_missed``: no rule matching has a meaning here, and no case where that happens.
    """

    decision: Decision
    uncovered: tuple[Rule, ...]
    unexpected: tuple[Rule, ...]
    nothing_missed: bool

    @property
    def all(self) -> int:
        """What there is to reach."""
        return len(self.decision.rules) + self.decision.otherwise_missing

    @property
    def covered(self) -> int:
        """How much of it cases reach."""
        return self.all - len(self.uncovered) - self.nothing_missed

    @property
    def expected(self) -> int:
        """How much of that is also expected."""
        return self.covered - len(self.unexpected)

    def missed(self) -> list[tuple[str, Place]]:
        """What is not reached, in words, and where it stands; in file order."""
        found = [(f"{self.decision.name} / {rule.id}", rule.place) for rule in self.uncovered]
        if self.nothing_missed:
            found.append((f"{self.decision.name}, where no rule matches", self.decision.place))
        return sorted(found, key=lambda each: each[1])


@dataclass(frozen=True, slots=True)
class Coverage:
    """All decisions of a base, by file."""

    decisions: tuple[DecisionCoverage, ...]

    @property
    def all(self) -> int:
        """What there is to reach, over all decisions."""
        return sum(each.all for each in self.decisions)

    @property
    def covered(self) -> int:
        """How much of it cases reach."""
        return sum(each.covered for each in self.decisions)

    @property
    def expected(self) -> int:
        """How much of that is also expected."""
        return sum(each.expected for each in self.decisions)

    def reaches(self, percent: float) -> bool:
        """Whether at least ``percent`` of 100 is reached; nothing to reach is all of it."""
        return self.covered * 100 >= percent * self.all

    def to_dict(self) -> dict[str, object]:
        """The coverage for machines."""
        return {
            "covered": self.covered,
            "all": self.all,
            "percent": percent_of(self.covered, self.all),
            "expected": self.expected,
            "decisions": {
                each.decision.name: {
                    "covered": each.covered,
                    "all": each.all,
                    "percent": percent_of(each.covered, each.all),
                    "expected": each.expected,
                    "uncovered": [
                        {"what": what, "file": place.file, "line": place.line}
                        for what, place in each.missed()
                    ],
                    "unexpected": [
                        {"rule": rule.id, "file": rule.place.file, "line": rule.place.line}
                        for rule in each.unexpected
                    ],
                }
                for each in self.decisions
            },
        }


def coverage_of(base: RuleBase, results: Iterable[CaseResult]) -> Coverage:
    """What the cases that ``results`` tell of reach in ``base``, whether they passed or not."""
    before = all_before(base)
    fired: dict[str, set[str]] = defaultdict(set)
    expected: dict[str, set[str]] = defaultdict(set)
    silent: set[str] = set()
    for one in results:
        if one.verdict is None:
            continue
        looked_at = {each.decision for each in one.case.expect}
        looked_at |= {name for each in looked_at for name in before[each]}
        for each in one.verdict.fired:
            fired[each.decision].add(each.rule_id)
            if each.decision in looked_at:
                expected[each.decision].add(each.rule_id)
        silent |= before.keys() - {each.decision for each in one.verdict.fired}
    return Coverage(
        tuple(
            _coverage(each, fired[each.name], expected[each.name], each.name in silent)
            for each in sorted(base.decisions, key=lambda each: each.place)
        )
    )


def _coverage(
    decision: Decision, fired: Set[str], expected: Set[str], silent: bool
) -> DecisionCoverage:
    return DecisionCoverage(
        decision,
        tuple(rule for rule in decision.rules if rule.id not in fired),
        tuple(rule for rule in decision.rules if rule.id in fired and rule.id not in expected),
        decision.otherwise_missing and not silent,
    )


def percent_of(covered: int, everything: int) -> float:
    """A share in per cent to one decimal, rounded down: 100 means all of it."""
    return covered * 1000 // everything / 10 if everything else 100.0
