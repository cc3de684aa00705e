"""Inputs for which a decision has no rule, though nothing says that its result may be missing."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.checks.study import Study
from harken_rules.checks.words import when
from harken_rules.diagnostics import Report


def find_gaps(draft: Draft, report: Report) -> None:
    """One error for each decision with a gap, with facts that no rule of it covers."""
    for study in draft.survey.exact.values():
        if not study.decision.otherwise_missing and study.gap is not None:
            _report(study, draft, report)


def _report(study: Study, draft: Draft, report: Report) -> None:
    decision = study.decision
    example = study.inputs.example(study.gap or {})
    message = f"decision '{decision.name}' has no rule {when(example, draft.facts)}"
    hint = "add a rule for it, or say `otherwise: missing` if it shall then have no result"
    report.error("gap", decision.place, message, hint)


CHECK = Check("gap", find_gaps)
