"""Checks that see a whole rule base, one a module; every id has its page in ``docs/checks``."""

from harken_rules.checks import (
    conflicting_rules,
    cyclic_decision,
    duplicate_result,
    failing_case,
    gap,
    idle_rule,
    missing_reason,
    shadowed_rule,
    subsumed_rule,
    unique_overlap,
    unreachable_rule,
    unsure,
    unused_entry,
    unused_fact,
    wrong_source,
)
from harken_rules.checks.draft import Check, Draft, sound_decisions

CHECKS: tuple[Check, ...] = (
    duplicate_result.CHECK,
    wrong_source.CHECK,
    cyclic_decision.CHECK,
    unused_fact.CHECK,
    unused_entry.CHECK,
    missing_reason.CHECK,
    conflicting_rules.CHECK,
    unique_overlap.CHECK,
    gap.CHECK,
    unreachable_rule.CHECK,
    shadowed_rule.CHECK,
    subsumed_rule.CHECK,
    idle_rule.CHECK,
    unsure.CHECK,
    failing_case.CHECK,
)
"""In the order in which they run: a case is tried on a base without errors only."""

__all__ = ["CHECKS", "Check", "Draft", "sound_decisions"]
