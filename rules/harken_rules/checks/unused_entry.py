"""Strategies, departments and escalations that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Entry
from harken_rules.reading.catalogues import KINDS
from harken_rules.reading.facts import GIVEN_SOURCES


def find_unused(draft: Draft, report: Report) -> None:
    """One warning for each entry that no rule yields and no other entry names."""
    if not draft.all_sound:  # what is unreadable may name any of them
        return
    named = {one for entries in draft.catalogues.values() for one in _named(entries)}
    for catalogue in KINDS:
        if _is_given(catalogue, draft):
            continue
        used = named | _yielded(catalogue, draft)
        for entry in draft.catalogues.get(catalogue, {}).values():
            if entry.id not in used:
                message = f"no rule yields '{entry.id}' of catalogue '{catalogue}'"
                hint = "write the rule that leads to it, or remove it"
                report.warning("unused-entry", entry.place, message, hint)


def _is_given(catalogue: str, draft: Draft) -> bool:
    """Whether a fact that comes from outside can name any of its entries."""
    names = draft.read.catalogues
    return any(
        names.get(fact.name) == catalogue and fact.source in GIVEN_SOURCES
        for fact in draft.facts.values()
    )


def _yielded(catalogue: str, draft: Draft) -> set[object]:
    """What rules say of facts that take their values from the catalogue.

    Of rules that never match as well: they have a finding of their own.
    """
    names = draft.read.catalogues
    return {
        value
        for decision in draft.decisions
        for rule in decision.rules
        for result, values in rule.then.items()
        if names.get(result, catalogue) == catalogue
        for value in values
    }


def _named(entries: Mapping[str, Entry]) -> Iterator[str]:
    """The codes that entries hold in their data: an escalation's departments, for one."""
    for entry in entries.values():
        for held in entry.data.values():
            items = held if isinstance(held, tuple) else (held,)
            yield from (item for item in items if isinstance(item, str))


CHECK = Check("unused-entry", find_unused)
