"""Rules that lie within one other rule, which leaves nothing for them to say."""

from __future__ import annotations

from collections.abc import Iterator

from harken_rules.checks.conflicting_rules import conflicts_in
from harken_rules.checks.draft import Check, Draft
from harken_rules.checks.study import Study
from harken_rules.checks.words import rule_places
from harken_rules.diagnostics import Report
from harken_rules.language import Hit


def find_subsumed(draft: Draft, report: Report) -> None:
    """One warning for each rule, naming the one that it lies within."""
    for study in draft.survey:
        decision = study.decision
        conflicts = conflicts_in(draft, decision)
        for index, other in _subsumed(study):
            if index in conflicts:
                continue
            rule, wide = decision.rules[index], decision.rules[other]
            if decision.hit is Hit.ALL:
                message = f"rule '{rule.id}' adds nothing: "
                message += f"wherever it matches, rule '{wide.id}' yields the same"
                hint = "remove it, or say what it adds"
            else:
                message = f"rule '{rule.id}' never decides: "
                message += f"rule '{wide.id}' takes all that it matches"
                hint = "move it above that rule, or remove it"
            related = rule_places(decision, [other])
            report.warning("subsumed-rule", rule.place, message, hint, related)


def _subsumed(study: Study) -> Iterator[tuple[int, int]]:
    if study.decision.hit is Hit.ALL:
        yield from _within_lists(study)
    for index, hiding in study.hidden.items():
        if len(hiding) == 1:
            yield index, hiding[0]


def _within_lists(study: Study) -> Iterator[tuple[int, int]]:
    """Rules of a list without which it is the same, in the same order."""
    rules = study.decision.rules
    result = study.decision.results[0]
    adding: dict[object, set[int]] = {}
    for index, rule in enumerate(rules):
        for value in rule.then[result]:
            adding.setdefault(value, set()).add(index)
    for index, rule in enumerate(rules):
        others = set.intersection(*(adding[value] for value in rule.then[result])) - {index}
        if others and index not in study.unreachable:
            wide = _first_without_which(study, index, sorted(others))
            if wide is not None:
                yield index, wide


def _first_without_which(study: Study, index: int, others: list[int]) -> int | None:
    earlier = [other for other in others if other < index]
    found = study.within(index, earlier)
    if found:
        return found[0]
    # A later rule yields the values at another place of the list, unless nothing comes between.
    rules, result = study.decision.rules, study.decision.results[0]
    then = rules[index].then[result]
    for other in study.within(index, [other for other in others if other > index]):
        begins = rules[other].then[result][: len(then)] == then
        between = any(index < one < other for one in study.meeting(index))
        twins = len(rules[other].then[result]) == len(then) and study.within(other, [index])
        if begins and not between and not twins:
            return other
    return None


CHECK = Check("subsumed-rule", find_subsumed)
