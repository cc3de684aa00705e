"""Decisions that are too intricate for the checks to say whether they have gaps."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report


def find_unsure(draft: Draft, report: Report) -> None:
    """One warning for each decision that was given up on; runs when all other checks are done."""
    for name, study in draft.survey.generous.items():
        if study.unsure or draft.survey.exact[name].unsure:
            message = f"decision '{name}' is too intricate to look for all gaps and hidden rules"
            hint = "split it in two, or give it fewer alternatives"
            report.warning("too-large", study.decision.place, message, hint)


CHECK = Check("too-large", find_unsure)
