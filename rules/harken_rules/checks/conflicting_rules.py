"""Rules of one decision that ask for the very same and say different things."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Decision, Hit


def find_conflicts(draft: Draft, report: Report) -> None:
    """One error for each rule that contradicts one before it under the same conditions."""
    for decision in draft.decisions:
        for later, earlier in sorted(conflicts_in(draft, decision).items()):
            one, other = decision.rules[earlier], decision.rules[later]
            message = f"rules '{one.id}' and '{other.id}' have the same conditions, "
            message += "but not the same `then`"
            hint = "remove the one that is wrong, or change its conditions"
            related = [("the other rule", one.place)]
            report.error("conflicting-rules", other.place, message, hint, related)


def conflicts_in(draft: Draft, decision: Decision) -> dict[int, int]:
    """Rule to the first one before it that has the same conditions and another ``then``."""
    if decision.hit not in (Hit.FIRST, Hit.UNIQUE):
        return {}
    twins = draft.twins.get(decision.name, {})
    rules = decision.rules
    return {one: twin for one, twin in twins.items() if rules[one].then != rules[twin].then}


CHECK = Check("conflicting-rules", find_conflicts)
