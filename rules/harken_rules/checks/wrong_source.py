"""Facts whose declared source is not where they come from."""

from __future__ import annotations

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Decision, Fact
from harken_rules.reading.facts import GIVEN_SOURCES


def find_wrong(draft: Draft, report: Report) -> None:
    """One error for each fact whose ``source`` and the decisions' results do not agree."""
    by_name = {one.name: one for one in draft.decisions}
    yielded_by = {result: one for one in draft.decisions for result in one.results}
    for fact in draft.facts.values():
        actual = yielded_by.get(fact.name)
        if actual is not None:
            if fact.source != actual.name and fact.name not in _results(by_name, fact.source):
                message = f"fact '{fact.name}' says `source: {shown(fact.source)}`, "
                message += f"but decision '{actual.name}' yields it"
                hint = f"write `source: {actual.name}`, or name another result there"
                report.error("wrong-source", fact.place, message, hint, [("there", actual.place)])
        elif fact.source not in GIVEN_SOURCES and draft.whole:
            _not_yielded(fact, by_name, draft, report)


def _not_yielded(fact: Fact, by_name: dict[str, Decision], draft: Draft, report: Report) -> None:
    if fact.source in by_name:
        results = by_name[fact.source].results
        if any(result not in draft.facts for result in results):
            return  # reported there: one of them is probably this fact, misspelt
        message = f"decision '{fact.source}' does not yield fact '{fact.name}'"
        hint = "add it to the decision's results, or correct `source`"
        related = [("the decision", by_name[fact.source].place)]
        report.error("wrong-source", fact.place, message, hint, related)
    else:
        message = f"fact '{fact.name}' comes from '{shown(fact.source)}', which is no decision"
        hint = did_you_mean(fact.source, [*GIVEN_SOURCES, *by_name])
        report.error("wrong-source", fact.place, message, hint)


def _results(by_name: dict[str, Decision], name: str) -> tuple[str, ...]:
    return by_name[name].results if name in by_name else ()


CHECK = Check("wrong-source", find_wrong)
