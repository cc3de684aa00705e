"""Rules of a ``first`` decision that several rules above them hide together."""

from __future__ import annotations

from harken_rules.checks.conflicting_rules import conflicts_in
from harken_rules.checks.draft import Check, Draft
from harken_rules.checks.words import rule_names, rule_places
from harken_rules.diagnostics import Report


def find_shadowed(draft: Draft, report: Report) -> None:
    """One warning for each such rule, naming those that hide it."""
    for study in draft.survey:
        decision = study.decision
        conflicts = conflicts_in(draft, decision)
        for index, hiding in study.hidden.items():
            if len(hiding) > 1 and index not in conflicts:
                rule = decision.rules[index]
                message = f"rule '{rule.id}' never decides: "
                message += f"rules {rule_names(decision, hiding)} take all that it matches"
                hint = "move it above them, or remove it"
                related = rule_places(decision, hiding)
                report.warning("shadowed-rule", rule.place, message, hint, related)


CHECK = Check("shadowed-rule", find_shadowed)
