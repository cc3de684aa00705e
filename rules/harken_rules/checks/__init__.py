"""Checks that see a whole rule base, one a module; every id has its page in ``docs/checks``."""

from harken_rules.checks import (
    cyclic_decision,
    duplicate_result,
    missing_reason,
    unique_overlap,
    unused_fact,
    wrong_source,
)
from harken_rules.checks.draft import Check, Draft

CHECKS: tuple[Check, ...] = (
    duplicate_result.CHECK,
    wrong_source.CHECK,
    cyclic_decision.CHECK,
    unused_fact.CHECK,
    missing_reason.CHECK,
    unique_overlap.CHECK,
)

__all__ = ["CHECKS", "Check", "Draft"]
