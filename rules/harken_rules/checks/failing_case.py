"""Cases that contradict the rules."""

from __future__ import annotations

from harken_rules.cases import CaseResult, run_cases
from harken_rules.checks.draft import Check, Draft
from harken_rules.diagnostics import Report
from harken_rules.engine import RuleEngine
from harken_rules.hints import shown

MAX_CASES = 10_000
"""So many are tried here; `harken rules test` runs all."""


def find_failing(draft: Draft, report: Report) -> None:
    """One warning for each case that does not come out as expected.

    The boxes decide, not durable-rules: a check must not depend on what it vouches for.
    """
    if report.has_errors or not draft.cases:
        return
    base = draft.as_base()
    for done in run_cases(base, draft.cases[:MAX_CASES], RuleEngine(base, evaluator="boxes")):
        if not done.passed:
            message = f"case '{shown(done.case.name)}' contradicts the rules: {_why(done)}"
            hint = "correct the case, or the rule that is wrong"
            related = [("expected here", one.expectation.place) for one in done.mismatches[:1]]
            report.warning("failing-case", done.case.place, message, hint, related)


def _why(done: CaseResult) -> str:
    if done.error is not None:
        return shown(done.error)
    first = done.mismatches[0]
    why = f"{first.expectation.result} shall be {first.expected} and is {first.got}"
    more = len(done.mismatches) - 1
    return why + (f", and {more} more" if more else "")


CHECK = Check("failing-case", find_failing)
