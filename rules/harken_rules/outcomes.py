"""From the rules that match to what a decision says: results, rules fired, reasons.

Scorecards are summed as scaled integers: every partial score, weight times score, is an
integer times one power of ten for the whole decision, so that the order of rules and the
precision of no context can change a sum.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.cells import Cells
from harken_rules.exact import (
    canonical,
    difference,
    is_whole,
    product,
    scale_of,
    units_of,
    unscaled,
)
from harken_rules.language import Constant, Decision, Fact, FactType, Hit, Rule
from harken_rules.verdict import EngineError, Fired, Result, Value, Verdict

Reasons = tuple[tuple[float, Fired], ...]
"""Rules with their weight as reasons, the greatest first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision says for one signature.

    ``results`` has a value for each of the decision's results, ``derived`` the fact slot and
    cell code of each result that later decisions read, ``reasons`` pairs rules with their
    weight as reasons, the greatest first: their weighted excess over the characteristic's
    baseline, as a share of the greatest total excess that the scorecard can give. As shares,
    the reasons of several scorecards can be ranked together.
    """

    results: tuple[tuple[str, Result], ...]
    derived: tuple[tuple[int, int], ...]
    fired: tuple[Fired, ...]
    reasons: Reasons


class Outcomes:
    """Makes the outcomes of one decision; ``derived`` maps fact slots to its results' cells."""

    def __init__(
        self, decision: Decision, facts: Mapping[str, Fact], derived: Mapping[int, Cells]
    ) -> None:
        self._decision = decision
        self._derived = tuple((slot, cells.fact.name, cells) for slot, cells in derived.items())
        whole = {name for name, fact in facts.items() if fact.type is FactType.INTEGER}
        self._whole = whole.intersection(decision.results)
        self._values = {
            name: [
                tuple(shown(value, name in whole) for value in rule.then[name])
                for rule in decision.rules
            ]
            for name in decision.results
        }
        parts = [partial_of(decision, rule) for rule in decision.rules]
        self._scale = max((scale_of(part) for part in parts if part is not None), default=0)
        self._units = [0 if part is None else units_of(part, self._scale) for part in parts]
        self._fired = [
            Fired(
                decision.name,
                rule.id,
                rule.place.file,
                rule.place.line,
                part,
                rule.characteristic,
                rule.because,
            )
            for rule, part in zip(decision.rules, parts, strict=True)
        ]
        excess = [excess_of(decision, rule) for rule in decision.rules]
        reach = reach_of(decision, excess)
        self._reasons = [
            None if points is None or points <= 0 else (float(points) / reach, fired)
            for points, fired in zip(excess, self._fired, strict=True)
        ]
        self._known: dict[tuple[int, ...], Outcome] = {}
        if decision.hit in (Hit.FIRST, Hit.UNIQUE):
            # Few and shared: one for each rule and one for none. Also checks every constant.
            for matched in [(), *((index,) for index in range(len(decision.rules)))]:
                self._known[matched] = self._make(matched)

    def of(self, matched: tuple[int, ...]) -> Outcome:
        """The outcome when exactly the rules ``matched`` decide, in ascending order."""
        return self._known.get(matched) or self._make(matched)

    def _make(self, matched: tuple[int, ...]) -> Outcome:
        results = tuple([(name, self._result(name, matched)) for name in self._decision.results])
        values = dict(results)
        return Outcome(
            results,
            tuple([(slot, code_of(cells, values[name])) for slot, name, cells in self._derived]),
            tuple([self._fired[index] for index in matched]),
            self._ranked(matched) if self._decision.reasons else (),
        )

    def _result(self, name: str, matched: tuple[int, ...]) -> Result:
        match self._decision.hit:
            case Hit.SUM:
                units = sum([self._units[index] for index in matched])
                return shown(unscaled(units, self._scale), name in self._whole)
            case Hit.ALL:
                values = self._values[name]
                return tuple(dict.fromkeys([each for index in matched for each in values[index]]))
            case _:
                return self._values[name][matched[0]][0] if matched else None

    def _ranked(self, matched: tuple[int, ...]) -> Reasons:
        found = [each for index in matched if (each := self._reasons[index]) is not None]
        found.sort(key=lambda each: each[0], reverse=True)
        return tuple(found[: self._decision.reasons])


def shown(value: Constant, whole: bool) -> Value:
    """A constant as a result: an integer fact's as ``int``, no zeros at a fraction's end."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if whole and is_whole(value) else canonical(value)


def compose(outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict that a chain of outcomes makes."""
    results = dict(itertools.chain.from_iterable([outcome.results for outcome in outcomes]))
    fired = tuple(itertools.chain.from_iterable([outcome.fired for outcome in outcomes]))
    return Verdict(results, fired, ranked([outcome.reasons for outcome in outcomes]))


def ranked(reasons: Iterable[Reasons]) -> tuple[Fired, ...]:
    """The reasons of some decisions together, the weightiest first."""
    found = list(itertools.chain.from_iterable(reasons))
    # Sorting keeps the order of decisions and rules among equals.
    found.sort(key=lambda each: each[0], reverse=True)
    return tuple([reason for _, reason in found])


def reach_of(decision: Decision, excess: Sequence[Decimal | None]) -> float:
    """The greatest total excess: of each characteristic the best rule, of other rules all."""
    best: dict[str, Decimal] = {}
    for rule, points in zip(decision.rules, excess, strict=True):
        part = rule.characteristic or f"rule {rule.id}"
        if points is not None:
            best[part] = max(points, best.get(part, points))
    return float(sum(points for points in best.values() if points > 0))


def partial_of(decision: Decision, rule: Rule) -> Decimal | None:
    """A scorecard rule's partial score, weight times score; ``None`` for other decisions."""
    if decision.hit is not Hit.SUM:
        return None
    return product(weight_of(decision, rule), score_of(decision, rule))


def excess_of(decision: Decision, rule: Rule) -> Decimal | None:
    """Weight times what the score lies above the baseline: PMML's points for reason codes."""
    if decision.hit is not Hit.SUM or not decision.reasons:
        return None
    baseline = Decimal(0)
    if rule.characteristic is not None:
        baseline = decision.characteristics[rule.characteristic].baseline
    return product(weight_of(decision, rule), difference(score_of(decision, rule), baseline))


def weight_of(decision: Decision, rule: Rule) -> Decimal:
    """The weight of the rule's characteristic; 1 without one."""
    if rule.characteristic is None:
        return Decimal(1)
    return decision.characteristics[rule.characteristic].weight


def score_of(decision: Decision, rule: Rule) -> Decimal:
    """What a scorecard rule adds before weighting."""
    score = rule.then[decision.results[0]][0]
    if isinstance(score, bool) or not isinstance(score, Decimal):
        raise EngineError(f"rule {rule.id!r} of scorecard {decision.name!r} adds no number")
    return score


def code_of(cells: Cells, value: Result) -> int:
    """The cell code of a result that later decisions read."""
    if value is None:
        return 0
    if isinstance(value, tuple):
        raise EngineError(f"the result {cells.fact.name!r} has several values and no cell")
    if isinstance(value, int) and not isinstance(value, bool):
        return cells.constant(Decimal(value))
    return cells.constant(value)
