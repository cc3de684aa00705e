"""Everything behind a score, for those who ask: facts, fired rules, contributions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from harken_rules import Fired, Verdict

from harken_server.grumble import Contribution, Explanation, FactValue, FiredRule, Grumble
from harken_server.snapshot import Snapshot
from harken_server.texts import Texts, pick

TOP = 10
"""Contributions answered."""


def explain(
    snapshot: Snapshot,
    texts: Texts,
    grumble: Grumble,
    row: Mapping[str, object],
    verdict: Verdict,
) -> Explanation:
    """The explanation of a verdict; ``row`` holds every fact that no decision yields."""
    # The model looks at what the caller sent, as it did when it scored.
    base_value, contributions = snapshot.bundle.explain(
        {**row, "segment": grumble.segment}, top=TOP
    )
    return Explanation(
        facts=tuple(_facts(snapshot, texts, row, verdict)),
        rules=tuple(_rule(fired, grumble.language) for fired in verdict.fired),
        contributions=tuple(Contribution(*each) for each in contributions),
        base_value=base_value,
    )


def _facts(
    snapshot: Snapshot,
    texts: Texts,
    row: Mapping[str, object],
    verdict: Verdict,
) -> list[FactValue]:
    known = {**row, **verdict.results}
    found = []
    for fact in snapshot.base.facts.values():
        value = known.get(fact.name)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        labels: tuple[str, ...] = ()
        if fact.values is not None:
            labels = tuple(texts.label(fact.name, each).text for each in values)
        found.append(
            FactValue(
                name=fact.name,
                value=", ".join(_text(each) for each in values),
                label=", ".join(labels),
                source=fact.source,
                missing=not values,
            )
        )
    return found


def _rule(fired: Fired, language: str) -> FiredRule:
    return FiredRule(
        decision=fired.decision,
        rule_id=fired.rule_id,
        file=fired.file,
        line=fired.line,
        partial_score=None if fired.partial is None else float(fired.partial),
        characteristic=fired.characteristic or "",
        because=pick(fired.because, language),
    )


def _text(value: object) -> str:
    """A value as a rule author would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)
