"""Rules on the way to the level that never change it."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.checks.conflicting_rules import conflicts_in
from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Decision, Hit
from harken_rules.order import dependencies
from harken_rules.outcomes import excess_of, partial_of

LEVEL = "level"
"""The result that says how likely a grumble is to become a complaint."""


def find_idle(draft: Draft, report: Report) -> None:
    """One warning for each rule without which its decision always yields the same."""
    wanted = _leading_to_level(draft)
    for study in draft.survey:
        decision = study.decision
        if decision.name not in wanted:
            continue
        known = {*study.unreachable, *study.hidden, *conflicts_in(draft, decision)}
        for index, rule in enumerate(decision.rules):
            if index in known:
                continue
            if _adds_nothing(decision, index):
                message = f"rule '{rule.id}' never changes the {LEVEL}: it adds 0, and is no reason"
                report.warning("idle-rule", rule.place, message, "remove it, or give it a weight")
            elif study.idle(index):
                message = f"rule '{rule.id}' never changes the {LEVEL}: "
                message += "without it, the rules below say the same"
                report.warning("idle-rule", rule.place, message, "remove it, or correct its `then`")


def _leading_to_level(draft: Draft) -> frozenset[str]:
    """The decision that yields the level, and all on whose results it builds."""
    needs = dependencies(draft.decisions)
    pending = [one.name for one in draft.decisions if LEVEL in one.results]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += needs[name]
    return frozenset(found)


def _adds_nothing(decision: Decision, index: int) -> bool:
    if decision.hit is not Hit.SUM:
        return False
    rule = decision.rules[index]
    excess = excess_of(decision, rule) or Decimal(0)
    return partial_of(decision, rule) == 0 and excess <= 0


CHECK = Check("idle-rule", find_idle)
