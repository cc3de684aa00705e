"""Given facts that no decision asks about."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.reading.facts import GIVEN_SOURCES


def find_unused(draft: Draft, report: Report) -> None:
    """One warning for each fact that comes from outside and changes nothing."""
    if not draft.all_sound:  # what is unreadable may ask about any of them
        return
    yielded = {result for one in draft.decisions for result in one.results}
    for fact in draft.facts.values():
        is_given = fact.source in GIVEN_SOURCES and fact.name not in yielded
        if is_given and fact.name not in draft.read.asked:
            message = f"no decision asks about fact '{fact.name}'"
            hint = "remove it from facts.yaml, or write the rule that needs it"
            report.warning("unused-fact", fact.place, message, hint)


CHECK = Check("unused-fact", find_unused)
