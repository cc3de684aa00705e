"""Results that two decisions yield."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Decision


def find_duplicates(draft: Draft, report: Report) -> None:
    """One error for each further decision that yields the same result."""
    first: dict[str, Decision] = {}
    for decision in sorted(draft.decisions, key=lambda one: one.place):
        for result in decision.results:
            if result not in first:
                first[result] = decision
                continue
            message = f"result '{result}' is yielded by decision '{first[result].name}' already"
            hint = "name another result, or make one decision of the two"
            related = [("there", first[result].place)]
            report.error("duplicate-id", decision.place, message, hint, related)


CHECK = Check("duplicate-id", find_duplicates)
