"""What is wrong with a grumble, all of it: asked only when something is."""

from __future__ import annotations

from collections.abc import Mapping

from harken_rules import FactError
from harken_rules.language import FactType

from harken_server.deadlines import US_PER_HOUR
from harken_server.errors import MisfitError, Reason, ScoringError, Violation
from harken_server.grumble import CORE, NO_ATTRIBUTES, Grumble
from harken_server.limits import violations, without
from harken_server.snapshot import Snapshot

_TIMES = {"open_hours": "observe_time"}
"""Derived facts, and the field to blame when they are out of range."""


def facts_of(snapshot: Snapshot, grumble: Grumble) -> dict[str, object]:
    """The facts known of a grumble before the model, by name."""
    facts: dict[str, object] = dict(zip(CORE, grumble, strict=False))
    if grumble.attributes:
        # A core field is never overruled by an attribute of its name.
        facts = {**snapshot.attributes.read(grumble.attributes), **facts}
    facts["open_hours"] = (grumble.observe_time_us - grumble.voice_time_us) / US_PER_HOUR
    return facts


def assessed_facts(snapshot: Snapshot, grumble: Grumble) -> dict[str, object]:
    """The same, with what the model says."""
    facts = facts_of(snapshot, grumble)
    assessed = snapshot.bundle.assess(facts)
    facts["segment"] = assessed.segment
    facts["association"] = assessed.association
    facts["probability"] = assessed.probability
    return facts


def refusal(snapshot: Snapshot, grumble: Grumble) -> ScoringError:
    """The error for a grumble that was found not to be sound."""
    try:
        found = all_violations(snapshot, grumble)
    except MisfitError as misfit:
        return misfit
    if not found:
        raise RuntimeError("a grumble was refused, but nothing is wrong with it")
    return ScoringError(found)


def all_violations(snapshot: Snapshot, grumble: Grumble) -> list[Violation]:
    """Everything wrong with ``grumble``, at most one violation a field.

    Raises MisfitError where the bundle and the rule base do not fit each other.
    """
    found = violations(grumble, snapshot.base.languages)
    of_attributes = snapshot.attributes.violations(grumble.attributes)
    found += of_attributes
    rest = without(grumble, {violation.field for violation in found})
    bad = {violation.field for violation in of_attributes}
    if "attributes" in bad:
        rest = rest._replace(attributes=NO_ATTRIBUTES)
    elif bad:
        kept = {k: v for k, v in rest.attributes.items() if f"attributes[{k}]" not in bad}
        rest = rest._replace(attributes=kept)
    facts = assessed_facts(snapshot, rest)
    while True:
        try:
            snapshot.engine.decide(facts)
        except FactError as error:
            found.append(_blame(snapshot, error, facts, grumble))
            facts[error.fact] = None
        else:
            return found


def _blame(
    snapshot: Snapshot, error: FactError, facts: Mapping[str, object], grumble: Grumble
) -> Violation:
    """The caller's field behind a fact that the rule base refuses."""
    fact, value = snapshot.base.facts[error.fact], facts[error.fact]
    field = _TIMES.get(error.fact, error.fact)
    if fact.source == "attribute":
        field = f"attributes[{error.fact}]"
    elif error.fact not in _TIMES and getattr(grumble, error.fact, None) is None:
        # The bundle's value, not the caller's: the two do not fit each other.
        raise MisfitError(error.fact)
    if fact.values is not None and isinstance(value, str):
        reason = Reason.UNKNOWN_VALUE
    elif isinstance(value, int | float) and (
        fact.type is FactType.NUMBER or float(value).is_integer()
    ):
        reason = Reason.VALUE_OUT_OF_RANGE
    else:
        reason = Reason.FIELD_INVALID
    words = f"{error.message}; {error.suggestion}" if error.suggestion else error.message
    return Violation(reason, field, words)
