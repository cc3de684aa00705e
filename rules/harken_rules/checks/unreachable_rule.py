"""Rules that can never match: they contradict themselves, or ask for what no decision yields."""

from __future__ import annotations

from harken_rules.boxes import boxes_of, codes_in
from harken_rules.cells import Cells
from harken_rules.checks.draft import Check, Draft
from harken_rules.checks.study import Study
from harken_rules.checks.words import value_text
from harken_rules.diagnostics import Report
from harken_rules.language import Clause, Rule

MAX_VALUES = 8


def find_unreachable(draft: Draft, report: Report) -> None:
    """One warning for each such rule, at the rule, naming the condition that never holds."""
    for study in draft.survey:
        for index in sorted(study.unreachable):
            _report(study.decision.rules[index], study, draft, report)


def _report(rule: Rule, study: Study, draft: Draft, report: Report) -> None:
    clauses, free, here = _never(rule, study, draft)
    name = clauses[0].fact
    if not free:
        why = f"its conditions on '{name}' exclude each other"
        if len(clauses) == 1:
            why = f"there is no '{name}' such as it asks for"
        hint = "correct its conditions, or remove it"
    else:
        by = next(one.name for one in draft.decisions if name in one.results)
        why = f"decision '{by}' never yields such a '{name}' as it asks for"
        hint = f"what it can be: {_can_be(here)}"
    if len(rule.alternatives) > 1:
        why = "none of its alternatives can; of the first, " + why
    message = f"rule '{rule.id}' can never match: {why}"
    related = [(f"asks about '{name}'", clause.place) for clause in clauses[:2]]
    report.warning("unreachable-rule", rule.place, message, hint, related)


def _never(rule: Rule, study: Study, draft: Draft) -> tuple[list[Clause], int, Cells]:
    """The clauses of the first alternative that cannot hold together, all about one fact.

    Also the codes of that fact for which they do, whatever can come, and its cells here.
    """
    wide = boxes_of(draft.as_base(), study.decision)
    for free, here in zip(wide.cells, study.inputs.boxes.cells, strict=True):
        clauses = [one for one in rule.alternatives[0] if one.fact == free.fact.name]
        mask = free.reachable
        for clause in clauses:
            mask &= free.accepts(clause.condition)
        if clauses and not mask & here.reachable:
            return clauses, mask, here
    raise AssertionError(f"rule {rule.id!r} can match")


def _can_be(cells: Cells) -> str:
    values = [value_text(cells.example(code), cells.fact) for code in codes_in(cells.reachable)]
    values = values[1:] + values[:1] if values[:1] == ["missing"] else values
    return ", ".join(values[:MAX_VALUES]) + (", ..." if len(values) > MAX_VALUES else "")


CHECK = Check("unreachable-rule", find_unreachable)
