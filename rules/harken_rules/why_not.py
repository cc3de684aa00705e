"""Why an outcome did not happen: the rules that would have given it, and what kept each from it.

The nearest come first: those with the fewest conditions that fail. A condition that fails on
another decision's result leads on to that decision, down to the facts that were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.cases import holds
from harken_rules.changes import Search, smallest_changes
from harken_rules.explain import Held, Situation
from harken_rules.goals import Goal
from harken_rules.language import Condition, Decision, Fact, FactType, Hit, Rule
from harken_rules.outcomes import partial_of, shown
from harken_rules.reading.expectations import Listed
from harken_rules.verdict import Result

MOST_RULES = 3
"""Only so many rules of a decision are told of."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that would have given the outcome. ``failing``: what it asks that does not hold, with
    the present values; if nothing, ``instead`` is the rule before it that decided."""

    rule: Rule
    failing: tuple[Held, ...]
    instead: Rule | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """One characteristic of a scorecard: what it adds now, and the least and most it can."""

    name: str
    now: Decimal
    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Misses:
    """What kept one decision from an outcome. ``others`` more rules would give it as well;
    ``against`` are the rules that give now what must not be; ``rooms`` are a scorecard's."""

    decision: Decision
    result: str
    wanted: Condition | Listed
    value: Result
    rules: tuple[Miss, ...] = ()
    others: int = 0
    against: tuple[Rule, ...] = ()
    rooms: tuple[Room, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyNot:
    """A goal, what kept it from being reached, and what would; no ``search`` if it is reached."""

    goal: Goal
    situation: Situation
    misses: tuple[Misses, ...] = ()
    search: Search | None = None
    keep: tuple[str, ...] = ()


def why_not(situation: Situation, goal: Goal, keep: Sequence[str] = ()) -> WhyNot:
    """Why ``goal`` is not reached, and what would reach it without changing a fact in ``keep``."""
    if goal.reached(situation.value(goal.result)):
        return WhyNot(goal, situation)
    search = smallest_changes(situation, goal, keep)
    return WhyNot(goal, situation, nearest_misses(situation, goal), search, tuple(keep))


def nearest_misses(situation: Situation, goal: Goal) -> tuple[Misses, ...]:
    """What kept the goal from being reached: first its own decision, then those it leads to."""
    found: dict[tuple[str, str], Misses] = {}
    waiting: list[tuple[str, Condition | Listed]] = [(goal.result, goal.wanted)]
    while waiting:
        result, wanted = waiting.pop(0)
        if (result, repr(wanted)) in found:
            continue
        misses = misses_of(situation, result, wanted)
        found[result, repr(wanted)] = misses
        waiting += [
            (each.fact, each.condition)
            for rule in misses.rules
            for each in rule.failing
            if each.fact in situation.yielded_by
        ]
    return tuple(found.values())


def misses_of(situation: Situation, result: str, wanted: Condition | Listed) -> Misses:
    """What kept one result from being as wanted."""
    decision, value = situation.yielded_by[result], situation.value(result)
    fired = {one.rule_id for one in situation.verdict.fired if one.decision == decision.name}
    deciding = tuple(rule for rule in decision.rules if rule.id in fired)
    if decision.hit is Hit.SUM:
        return Misses(decision, result, wanted, value, rooms=rooms_of(decision, deciding))
    fact = situation.base.facts[result]
    able = [rule for rule in decision.rules if _gives(rule, fact, wanted)]
    if not able or (isinstance(wanted, Listed) and wanted.absent):
        against = tuple(rule for rule in deciding if not _gives(rule, fact, wanted))
        return Misses(decision, result, wanted, value, against=against)
    missed = sorted(
        (_miss(situation, rule, deciding) for rule in able), key=lambda each: len(each.failing)
    )
    shown_ = tuple(missed[:MOST_RULES])
    return Misses(decision, result, wanted, value, shown_, len(missed) - len(shown_))


def rooms_of(decision: Decision, deciding: Sequence[Rule]) -> tuple[Room, ...]:
    """What each characteristic adds and could; a rule without one is a room of its own.

    Of a characteristic's rules one is taken to match; a rule alone may also not match.
    """
    rooms: dict[str, list[Rule]] = {}
    for rule in decision.rules:
        rooms.setdefault(rule.characteristic or rule.id, []).append(rule)
    found = []
    for name, rules in rooms.items():
        parts = {rule.id: partial_of(decision, rule) or Decimal(0) for rule in rules}
        now = sum((parts[rule.id] for rule in rules if rule in deciding), Decimal(0))
        could = [*parts.values(), now, *([Decimal(0)] if len(rules) == 1 else [])]
        found.append(Room(name, now, min(could), max(could)))
    return tuple(found)


def _gives(rule: Rule, fact: Fact, wanted: Condition | Listed) -> bool:
    values = tuple(shown(value, fact.type is FactType.INTEGER) for value in rule.then[fact.name])
    return holds(wanted, values if isinstance(wanted, Listed) else values[0])


def _miss(situation: Situation, rule: Rule, deciding: Sequence[Rule]) -> Miss:
    """What kept ``rule`` from deciding: the alternative of which least fails."""
    failing = min(
        (
            [clause for clause in alternative if not situation.holds(clause)]
            for alternative in rule.alternatives
        ),
        key=len,
    )
    held = tuple(Held(each.fact, each.condition, situation.value(each.fact)) for each in failing)
    return Miss(rule, held, deciding[0] if not held and deciding else None)
