"""Rules of a ``unique`` decision that can both match."""

from __future__ import annotations

from harken_rules.boxes import overlapping_pairs
from harken_rules.checks.conflicting_rules import conflicts_in
from harken_rules.checks.draft import Check, Draft
from harken_rules.checks.study import Study
from harken_rules.checks.words import when
from harken_rules.diagnostics import Report
from harken_rules.language import Hit

MAX_PAIRS = 20


def find_overlaps(draft: Draft, report: Report) -> None:
    """One error for each pair of rules, with facts for which both match."""
    for study in draft.survey:
        if study.decision.hit is Hit.UNIQUE:
            _find_in(study, draft, report)


def _find_in(study: Study, draft: Draft, report: Report) -> None:
    boxes, decision = study.inputs.boxes, study.decision
    conflicts, twins = conflicts_in(draft, decision), draft.twins[decision.name]
    count = 0
    for earlier, later, box in overlapping_pairs(boxes.rules):
        one, other = decision.rules[earlier], decision.rules[later]
        if later in conflicts and twins.get(earlier, earlier) == twins[later]:
            continue  # reported as conflicting
        if count == MAX_PAIRS:
            message = f"decision '{decision.name}' has more pairs of rules that can both match"
            report.error("unique-overlap", decision.place, message)
            return
        count += 1
        example = when(boxes.example(box), draft.facts)
        message = f"rules '{one.id}' and '{other.id}' can both match {example}"
        hint = "narrow one of them, or let the first that matches decide: `hit: first`"
        report.error("unique-overlap", other.place, message, hint, [("the other rule", one.place)])


CHECK = Check("unique-overlap", find_overlaps)
