"""Rules that may become a reason of the answer but have no text to say."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.language import Decision, Rule


def find_silent(draft: Draft, report: Report) -> None:
    """One warning for each rule that counts above its baseline and has no ``because``."""
    for decision in draft.decisions:
        for rule in decision.rules if decision.reasons else ():
            if not rule.because and _counts(rule, decision):
                message = f"rule '{rule.id}' can become a reason, but says no `because`"
                hint = "add because: {en: ..., zh: ...}, a sentence an agent can read aloud"
                report.warning("missing-reason", rule.place, message, hint)


def _counts(rule: Rule, decision: Decision) -> bool:
    characteristic = decision.characteristics.get(rule.characteristic or "")
    weight, baseline = Decimal(1), Decimal(0)
    if characteristic is not None:
        weight, baseline = characteristic.weight, characteristic.baseline
    partials = [v for values in rule.then.values() for v in values if isinstance(v, Decimal)]
    return any(weight * (partial - baseline) > 0 for partial in partials)


CHECK = Check("missing-reason", find_silent)
