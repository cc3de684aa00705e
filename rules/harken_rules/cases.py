"""Running a rule base's own cases: expected, got, and the rules that made it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from harken_rules.language import (
    Condition,
    Constant,
    Fact,
    FactType,
    Interval,
    Missing,
    OneOf,
    RuleBase,
    Within,
)
from harken_rules.order import dependencies
from harken_rules.reading.cases import Case
from harken_rules.reading.expectations import Expectation, Listed
from harken_rules.reading.numbers import interval_text, number_text
from harken_rules.verdict import FactError, Fired, Verdict


class Decides(Protocol):
    """What runs the cases: a ``RuleEngine``."""

    def decide(self, facts: Mapping[str, object]) -> Verdict:
        """The verdict on ``facts``; raises FactError."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A result that is not as expected. ``fired``: the rules of its decision and of those before
    it that its decision builds on, in the order they ran."""

    expectation: Expectation
    expected: str
    got: str
    fired: tuple[Fired, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went; ``error`` and no ``verdict`` if its facts could not be decided on."""

    case: Case
    mismatches: tuple[Mismatch, ...]
    error: str | None = None
    verdict: Verdict | None = None

    @property
    def passed(self) -> bool:
        """Whether everything expected came true."""
        return not self.mismatches and self.error is None


def run_cases(base: RuleBase, cases: Iterable[Case], engine: Decides) -> list[CaseResult]:
    """Decide every case by ``engine``, which runs ``base``, and compare."""
    before = all_before(base)
    return [_run(case, base, engine, before) for case in cases]


def _run(
    case: Case, base: RuleBase, engine: Decides, before: Mapping[str, frozenset[str]]
) -> CaseResult:
    given = {name: as_given(value, base.facts[name]) for name, value in case.given.items()}
    try:
        verdict = engine.decide(given)
    except FactError as error:
        return CaseResult(case, (), str(error))
    mismatches = []
    for one in case.expect:
        got = verdict.results.get(one.result)
        if not holds(one.wanted, got):
            path = before[one.decision] | {one.decision}
            fired = tuple(each for each in verdict.fired if each.decision in path)
            mismatches.append(Mismatch(one, wanted_text(one.wanted), value_text(got), fired))
    return CaseResult(case, tuple(mismatches), verdict=verdict)


def as_given(value: Constant, fact: Fact) -> object:
    """A constant as a caller gives it: int for integers, float for numbers."""
    if isinstance(value, Decimal):
        return int(value) if fact.type is FactType.INTEGER else float(value)
    return value


def holds(wanted: Condition | Listed, got: object) -> bool:
    """Whether result ``got`` is as wanted. Numbers compare exactly."""
    if isinstance(wanted, Listed):
        if not isinstance(got, tuple):
            return False
        exactly = wanted.exactly is None or got == wanted.exactly
        return exactly and set(wanted.contains) <= set(got) and not set(wanted.absent) & set(got)
    if isinstance(wanted, Missing):
        return (got is None) == wanted.wanted
    if got is None:
        return False
    if isinstance(wanted, OneOf):
        return any(_same(one, got) for one in wanted.values) != wanted.negated
    return _inside(wanted.interval, got)


def _same(constant: Constant, got: object) -> bool:
    if isinstance(constant, bool) or isinstance(got, bool):
        return constant is got
    return constant == got


def _inside(interval: Interval, got: object) -> bool:
    if isinstance(got, bool) or not isinstance(got, int | Decimal):
        return False
    low, high = interval.low, interval.high
    above = low is None or got > low or (got == low and not interval.low_open)
    below = high is None or got < high or (got == high and not interval.high_open)
    return above and below


def wanted_text(wanted: Condition | Listed) -> str:
    """What was expected, in the words of the language."""
    if isinstance(wanted, Listed):
        if wanted.exactly is not None:
            return value_text(wanted.exactly)
        parts = [("contains", wanted.contains), ("absent", wanted.absent)]
        return "; ".join(f"{word} {value_text(values)}" for word, values in parts if values)
    if isinstance(wanted, Missing):
        return "missing" if wanted.wanted else "known"
    if isinstance(wanted, Within):
        return interval_text(wanted.interval)
    values = " or ".join(value_text(one) for one in wanted.values)
    return f"not {values}" if wanted.negated else values


def value_text(value: object) -> str:
    """A result's value as a rule file would write it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(one) for one in value)}]"
    return number_text(value) if isinstance(value, Decimal) else str(value)


def all_before(base: RuleBase) -> dict[str, frozenset[str]]:
    """For each decision, all whose results it builds on, directly or not."""
    needs = dependencies(base.decisions)
    found: dict[str, frozenset[str]] = {}
    for decision in base.decisions:  # in dependency order, so those needed are found already
        names = needs[decision.name]
        found[decision.name] = frozenset(names).union(*(found[name] for name in names))
    return found
