"""Decisions that ask about each other's results, so that none can be the first to run."""

from __future__ import annotations

from itertools import pairwise

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Clause, Decision
from harken_rules.order import dependencies, find_cycles


def find_cyclic(draft: Draft, report: Report) -> None:
    """One error a cycle, at the condition that closes it."""
    by_name = {one.name: one for one in draft.decisions}
    for cycle in find_cycles(dependencies(draft.decisions)):
        first, needed = by_name[cycle[0]], by_name[cycle[1 % len(cycle)]]
        asked = _asks(first, needed)
        if len(cycle) == 1:
            message = f"decision '{first.name}' asks about its own result '{asked.fact}'"
        else:
            message = "decisions need each other's results: " + " needs ".join([*cycle, cycle[0]])
        others = [
            (f"'{name}' asks here", _asks(by_name[name], by_name[after]).place)
            for name, after in pairwise([*cycle[1:], cycle[0]])
        ]
        hint = "take one of these conditions out, or split a decision in two"
        report.error("cyclic-decision", asked.place, message, hint, others)


def _asks(decision: Decision, needed: Decision) -> Clause:
    return next(
        clause
        for rule in decision.rules
        for clauses in rule.alternatives
        for clause in clauses
        if clause.fact in needed.results
    )


CHECK = Check("cyclic-decision", find_cyclic)
