"""Rules of a ``unique`` decision that can both match."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.boxes import boxes_of, overlapping_pairs
from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.hints import shown
from harken_rules.language import Constant, Decision, Hit
from harken_rules.reading.numbers import number_text

MAX_PAIRS = 20


def find_overlaps(draft: Draft, report: Report) -> None:
    """One error for each pair of rules, with facts for which both match."""
    for decision in draft.decisions:
        if decision.hit is Hit.UNIQUE and _is_sound(decision, draft, report):
            _find_in(decision, draft, report)


def _is_sound(decision: Decision, draft: Draft, report: Report) -> bool:
    """Whether every condition of the decision could be read: otherwise rules look too wide."""
    read = draft.read
    partial = read.partial_values.intersection(decision.inputs)
    unsure = read.incomplete or read.broken or partial
    return not unsure and not report.has_errors_in(decision.place.file)


def _find_in(decision: Decision, draft: Draft, report: Report) -> None:
    boxes = boxes_of(draft.as_base(), decision)
    for count, (earlier, later, box) in enumerate(overlapping_pairs(boxes.rules)):
        one, other = decision.rules[earlier], decision.rules[later]
        if count == MAX_PAIRS:
            message = f"decision '{decision.name}' has more pairs of rules that can both match"
            report.error("unique-overlap", decision.place, message)
            return
        message = f"rules '{one.id}' and '{other.id}' can both match {_when(boxes.example(box))}"
        hint = "narrow one of them, or let the first that matches decide: `hit: first`"
        report.error("unique-overlap", other.place, message, hint, [("the other rule", one.place)])


def _when(example: dict[str, Constant | None]) -> str:
    if not example:
        return "whatever the facts are"
    return "when " + " and ".join(f"{fact} is {_shown(value)}" for fact, value in example.items())


def _shown(value: Constant | None) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    return number_text(value) if isinstance(value, Decimal) else shown(value)


CHECK = Check("unique-overlap", find_overlaps)
