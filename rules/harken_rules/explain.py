"""Why a verdict is what it is: for each decision the rules that gave it and what they rest on.

A rule that comes after others under ``first`` gave the result because, besides, none before it
held. On boxes that is exact: facts are named until each box of the rules before is ruled out by
the cell of one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.boxes import boxes_of
from harken_rules.engine import RuleEngine
from harken_rules.language import Clause, Condition, Decision, Hit, Rule, RuleBase
from harken_rules.outcomes import code_of, score_of, weight_of
from harken_rules.verdict import Result, Verdict


@dataclass(frozen=True, slots=True)
class Held:
    """A condition of a rule, and the value for which it holds."""

    fact: str
    condition: Condition
    value: Result


@dataclass(frozen=True, slots=True)
class Reached:
    """A rule that decided. A scorecard's adds ``weight`` times ``score``."""

    rule: Rule
    held: tuple[Held, ...]
    weight: Decimal | None = None
    score: Decimal | None = None
    partial: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: its results, the rules that gave them, and the facts that rule out those
    before (all of them, if none decided), where that is not plain from the conditions held."""

    decision: Decision
    results: Mapping[str, Result]
    rules: tuple[Reached, ...]
    ruling_out: Mapping[str, Result]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that the step rests on, as they are met."""
        met = [each.fact for rule in self.rules for each in rule.held]
        return tuple(dict.fromkeys([*met, *self.ruling_out]))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict from ``roots`` (results) down to what was given; ``steps`` by decision."""

    given: Mapping[str, object]
    roots: tuple[str, ...]
    steps: Mapping[str, Step]
    yielded_by: Mapping[str, str]


class Situation:
    """One set of given facts as the engine sees it: every fact's value and cell code."""

    def __init__(self, engine: RuleEngine, given: Mapping[str, object]) -> None:
        self.engine = engine
        self.base: RuleBase = engine.base
        self.verdict: Verdict = engine.decide(given)
        self.given = {name: given[name] for name in engine.given if given.get(name) is not None}
        self.values: dict[str, object] = {**self.given, **self.verdict.results}
        self.codes = {name: engine.cells[name].code(value) for name, value in self.given.items()}
        self.yielded_by = {result: one for one in self.base.decisions for result in one.results}
        for result, decision in self.yielded_by.items():
            if decision.hit is not Hit.ALL:
                self.codes[result] = code_of(engine.cells[result], self.verdict.results[result])

    def value(self, fact: str) -> Result:
        """The value of a fact, given or decided; None if it is missing."""
        return self.values.get(fact)  # type: ignore[return-value]

    def code(self, fact: str) -> int:
        """The code of a fact's value."""
        return self.codes.get(fact, 0)

    def holds(self, clause: Clause) -> bool:
        """Whether a condition holds here."""
        accepted = self.engine.cells[clause.fact].accepts(clause.condition)
        return bool(accepted >> self.code(clause.fact) & 1)


def explain(situation: Situation, results: Sequence[str]) -> Explanation:
    """Explain the ``results``, and every decision that what is said of them leads to."""
    steps: dict[str, Step] = {}
    waiting = list(reversed([situation.yielded_by[name] for name in results]))
    while waiting:
        decision = waiting.pop()
        if decision.name in steps:
            continue
        step = step_of(situation, decision)
        steps[decision.name] = step
        by = situation.yielded_by
        waiting += [by[fact] for fact in reversed(step.facts) if fact in by]
    names = {result: decision.name for result, decision in situation.yielded_by.items()}
    return Explanation(situation.given, tuple(results), steps, names)


def step_of(situation: Situation, decision: Decision) -> Step:
    """What one decision says here, and why."""
    fired = {one.rule_id: one for one in situation.verdict.fired if one.decision == decision.name}
    reached = []
    for rule in decision.rules:
        if rule.id not in fired:
            continue
        summed = decision.hit is Hit.SUM
        reached.append(
            Reached(
                rule,
                held_of(situation, rule),
                weight_of(decision, rule) if summed else None,
                score_of(decision, rule) if summed else None,
                fired[rule.id].partial,
            )
        )
    results = {name: situation.value(name) for name in decision.results}
    return Step(decision, results, tuple(reached), _ruling_out(situation, decision, reached))


def held_of(situation: Situation, rule: Rule) -> tuple[Held, ...]:
    """The conditions of the rule's first alternative that holds."""
    clauses = next(each for each in rule.alternatives if all(map(situation.holds, each)))
    return tuple(Held(each.fact, each.condition, situation.value(each.fact)) for each in clauses)


def _ruling_out(
    situation: Situation, decision: Decision, reached: Sequence[Reached]
) -> dict[str, Result]:
    """Facts, besides those of the rule that decided, for which no rule before it can hold."""
    if decision.hit is not Hit.FIRST and (reached or decision.hit is not Hit.UNIQUE):
        return {}
    boxes = boxes_of(situation.base, decision, situation.engine.cells)
    last = decision.rules.index(reached[0].rule) if reached else len(decision.rules)
    known = {each.fact for rule in reached for each in rule.held}
    blockers: list[set[str]] = []
    for rule in boxes.rules[:last]:
        for box in rule:
            excluding = {
                name
                for name, mask in zip(decision.inputs, box, strict=True)
                if not mask >> situation.code(name) & 1
            }
            if not excluding & known:
                blockers.append(excluding)
    return {name: situation.value(name) for name in _cover(blockers, decision.inputs)}


def _cover(blockers: list[set[str]], names: Iterable[str]) -> list[str]:
    """Few names of which each set holds one: at every turn that which most sets hold."""
    order = list(names)
    chosen = []
    while blockers:
        best = max(order, key=lambda name: sum(name in each for each in blockers))
        chosen.append(best)
        blockers = [each for each in blockers if best not in each]
    return [name for name in order if name in chosen]


def default_results(base: RuleBase) -> tuple[str, ...]:
    """``level``, and the results that no other decision reads; in the order of decisions."""
    read = {name for decision in base.decisions for name in decision.inputs}
    names = [name for decision in base.decisions for name in decision.results]
    last = [name for name in names if name not in read and name != "level"]
    return (*(["level"] if "level" in names else []), *last)
