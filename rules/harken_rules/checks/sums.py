"""What a scorecard can add up to."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.checks.inputs import Possible
from harken_rules.checks.rule_grid import RuleGrid
from harken_rules.covering import TooMuchWorkError, Work
from harken_rules.exact import scale_of, units_of, unscaled
from harken_rules.language import Decision
from harken_rules.outcomes import partial_of
from harken_rules.tables import Table, facts_read

MAX_SUMS = 5_000
"""More sums than these are known by the least and the greatest only."""

MAX_WORK = 200_000
"""Spent on rules that are looked at together; ten times that for a whole scorecard."""


def sums(decision: Decision, table: Table, rules: RuleGrid | None) -> Possible:
    """Every sum that some input adds up to, or the range that they lie in if they are too many.

    Rules that read no fact in common add up independently of each other. Of those that do, it is
    found out which match together; where that takes too long, each may match or not.
    """
    parts = [partial_of(decision, rule) or Decimal(0) for rule in decision.rules]
    scale = max(map(scale_of, parts), default=0)
    units = [units_of(part, scale) for part in parts]
    work = Work(10 * MAX_WORK, MAX_WORK)
    reached: set[int] | None = {0}
    low = high = 0
    for group in _apart(table):
        here = _sums_of(group, rules, units, work)
        exact = here is not None
        if here is None:
            here = _range_of(group, table, rules, units, work)
        low, high = low + min(here), high + max(here)
        if reached is None or not exact or len(reached) * len(here) > 10 * MAX_SUMS:
            reached = None
        else:
            reached = {a + b for a in reached for b in here}
    if reached is None or len(reached) > MAX_SUMS:
        return Possible(frozenset(), span=(unscaled(low, scale), unscaled(high, scale)))
    return Possible(frozenset(unscaled(one, scale) for one in reached))


def _apart(table: Table) -> list[list[int]]:
    """The rules that can match, in groups that read no fact in common."""
    groups: list[tuple[frozenset[int], list[int]]] = []
    for index, rule in enumerate(table.rules):
        if not rule:
            continue
        facts, rules = facts_read(rule, table.sizes), [index]
        others = []
        for group in groups:
            if group[0] & facts:
                facts, rules = facts | group[0], group[1] + rules
            else:
                others.append(group)
        groups = [*others, (facts, rules)]
    return [rules for _, rules in groups]


def _sums_of(
    group: list[int], rules: RuleGrid | None, units: list[int], work: Work
) -> set[int] | None:
    """The sums of some rules over all inputs; None where that takes too long."""
    if rules is None:
        return None
    try:
        matching = rules.grid.together(rules.of(group), work)
    except TooMuchWorkError:
        return None
    return {sum(units[rule] for rule in rules.owners(boxes)) for boxes in matching}


def _range_of(
    group: list[int], table: Table, rules: RuleGrid | None, units: list[int], work: Work
) -> set[int]:
    """A least and a greatest sum, perhaps too far apart: only rules that read the very same facts
    are looked at together."""
    by_facts: dict[frozenset[int], list[int]] = {}
    for rule in group:
        by_facts.setdefault(facts_read(table.rules[rule], table.sizes), []).append(rule)
    low = high = 0
    for some in by_facts.values():
        added = [units[rule] for rule in some]
        coarse = {sum(min(one, 0) for one in added), sum(max(one, 0) for one in added)}
        here = _sums_of(some, rules, units, work) or coarse
        low, high = low + min(here), high + max(here)
    return {low, high}
