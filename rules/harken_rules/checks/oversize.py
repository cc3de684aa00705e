"""Decisions that would take more memory to compare than a rule base is worth.

A rule's alternatives are kept as one bit for each value of each fact that any rule tells apart.
Very many alternatives that name very many numbers would fill the memory with the square of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harken_rules.cells import cuts_of
from harken_rules.diagnostics import Report
from harken_rules.language import Condition, Decision, Fact

MAX_BITS = 200_000_000


def refuse_oversized(
    facts: Mapping[str, Fact], decisions: Iterable[Decision], report: Report
) -> None:
    """One error for each of the largest decisions, until the others keep within the limit."""
    decisions = tuple(decisions)
    asked: dict[str, list[Condition]] = {}
    for decision in decisions:
        for rule in decision.rules:
            for clauses in rule.alternatives:
                for clause in clauses:
                    asked.setdefault(clause.fact, []).append(clause.condition)
    told_apart = {
        name: len(facts[name].values or ()) + 2 * len(cuts_of(conditions))
        for name, conditions in asked.items()
    }

    def bits(decision: Decision) -> int:
        alternatives = sum(len(rule.alternatives) for rule in decision.rules)
        return alternatives * sum(told_apart[name] for name in decision.inputs)

    left = sum(map(bits, decisions))
    for decision in sorted(decisions, key=lambda one: (-bits(one), one.place)):
        if left <= MAX_BITS:
            return
        left -= bits(decision)
        message = f"decision '{decision.name}' has too many alternatives "
        message += "for how many values its facts are compared with"
        hint = "write fewer or plainer rules"
        report.error("too-large", decision.place, message, hint)
