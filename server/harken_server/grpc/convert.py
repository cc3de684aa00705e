"""Messages to values and back, with the checks that only the wire needs.

A field that is absent, an empty string and the number 0 of an enum are *missing*. Whatever
is wrong with a request is reported at once, the core's own findings with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from harken.v1 import grumble_pb2, score_pb2, scoring_pb2

from harken_server.errors import Reason, ScoringError, Violation
from harken_server.grumble import (
    NO_ATTRIBUTES,
    Advice,
    AttributeValue,
    Explanation,
    Grumble,
    Labelled,
    Score,
    Strategy,
)
from harken_server.limits import MAX_ATTRIBUTES
from harken_server.paths import path_of

Diagnose = Callable[[Grumble], Sequence[Violation]]

US = 1_000_000


def _names(enum: Any, prefix: str) -> dict[int, str]:
    return {v.number: v.name.removeprefix(prefix).lower() for v in enum.DESCRIPTOR.values}


ENUMS: Mapping[str, tuple[str, Mapping[int, str]]] = {
    "channel": ("Channel", _names(grumble_pb2.Channel, "CHANNEL_")),
    "resolution_state": (
        "ResolutionState",
        _names(grumble_pb2.ResolutionState, "RESOLUTION_STATE_"),
    ),
    "vip_tier": ("VipTier", _names(grumble_pb2.VipTier, "VIP_TIER_")),
}


def from_proto(request: scoring_pb2.ScoreRequest, diagnose: Diagnose | None = None) -> Grumble:
    """The grumble of a request; raises ``ScoringError`` with everything wrong with it.

    ``diagnose`` is asked, only when something is already wrong, for what else is.
    """
    found: list[Violation] = []
    values: dict[str, Any] = {}
    if request.HasField("grumble"):
        values = {field.name: value for field, value in request.grumble.ListFields()}
        if "voice_time" not in values:
            found.append(_required("voice_time", "voice_time is required"))
    else:
        found.append(_required("grumble", "grumble is required"))
    values |= {field.name: value for field, value in request.customer.ListFields()}
    values |= {field.name: value for field, value in request.history.ListFields()}
    for name, (kind, names) in ENUMS.items():
        if name in values:
            values[name] = _code(name, kind, names, values[name], found)
    for name in ("voice_time", "observe_time"):
        given = values.pop(name, None)
        values[f"{name}_us"] = _microseconds(name, given, found)
    if values["voice_time_us"] is None:
        values["voice_time_us"] = values["observe_time_us"] or 0
    if values["observe_time_us"] is None:
        values["observe_time_us"] = time.time_ns() // 1000
    grumble = Grumble(
        grumble_id=values.pop("grumble_id", ""),
        attributes=_attributes(request, found),
        explain=request.explain,
        language=language_of(request.language_code),
        **values,
    )
    if found:
        raise ScoringError(_together(found, diagnose(grumble) if diagnose else ()))
    return grumble


def _required(field: str, message: str) -> Violation:
    return Violation(Reason.FIELD_REQUIRED, field, message)


def _together(found: list[Violation], more: Sequence[Violation]) -> list[Violation]:
    """Both, but one violation a field, and nothing about the inside of a part that is absent."""
    said = {violation.field for violation in found}
    absent = "grumble" in said
    return found + [
        violation
        for violation in more
        if violation.field not in said
        and not (absent and path_of(violation.field).startswith("grumble."))
    ]


def _code(
    name: str, kind: str, names: Mapping[int, str], number: int, found: list[Violation]
) -> str | None:
    code = names.get(number)
    if code is None:
        words = f"{name} {number} is no value of {kind} in harken.v1"
        found.append(Violation(Reason.UNKNOWN_VALUE, name, words))
    return code


def _microseconds(name: str, given: Timestamp | None, found: list[Violation]) -> int | None:
    if given is None:
        return None
    if not 0 <= given.nanos < 1_000_000_000:
        words = f"{name}.nanos is {given.nanos}; it must lie between 0 and 999999999"
        found.append(Violation(Reason.FIELD_INVALID, name, words))
        return None
    return given.seconds * US + given.nanos // 1000


def _attributes(
    request: scoring_pb2.ScoreRequest, found: list[Violation]
) -> Mapping[str, AttributeValue]:
    given = request.attributes
    if not given:
        return NO_ATTRIBUTES
    if len(given) > MAX_ATTRIBUTES:
        words = f"{len(given)} attributes were sent; at most {MAX_ATTRIBUTES} are allowed"
        found.append(Violation(Reason.FIELD_INVALID, "attributes", words))
        return NO_ATTRIBUTES
    values: dict[str, AttributeValue] = {}
    for name in sorted(given):
        kind = given[name].WhichOneof("kind")
        if kind is None:
            field = f"attributes[{name[:128]}]"
            found.append(_required(field, "an attribute needs one of text, number and flag"))
        else:
            values[name] = getattr(given[name], kind)
    return values


def language_of(code: str) -> str:
    """The primary part of a language code, in small letters; English where there is none."""
    return code.replace("_", "-").split("-", 1)[0].lower() if code else "en"


def to_proto(score: Score) -> score_pb2.Score:
    """The score as it travels, field by field; ``answers`` writes the same, but faster."""
    message = advice_to_proto(score.advice)
    message.MergeFrom(
        score_pb2.Score(
            decision_id=score.decision_id,
            level=score.level,
            probability=score.probability,
            severity=score.severity,
            segment=score.segment.code,
            segment_text=score.segment.text,
            behaviour_type=score.behaviour_type.code,
            behaviour_type_text=score.behaviour_type.text,
            tolerance=score.tolerance.code,
            tolerance_text=score.tolerance.text,
            reasons=reasons_to_proto(score.reasons),
            strategies=map(strategy_to_proto, score.strategies),
            reply_deadline_time=_time(score.reply_deadline_us),
            resolve_deadline_time=_time(score.resolve_deadline_us),
            warnings=warnings_to_proto(score.notices),
            rule_base_digest=score.rule_base_digest,
            model_digest=score.model_digest,
            explanation=_explanation(score.explanation) if score.explanation else None,
        )
    )
    return message


def advice_to_proto(advice: Advice) -> score_pb2.Score:
    """The part of a score that is advice."""
    return score_pb2.Score(
        treatment=advice.treatment.code,
        treatment_text=advice.treatment.text,
        contact_policy=advice.contact_policy.code,
        contact_policy_text=advice.contact_policy.text,
        owner=_department(advice.owner) if advice.owner.code else None,
        supporting_departments=map(_department, advice.supporting_departments),
        escalation_chain=map(_department, advice.escalation_chain),
        warnings=warnings_to_proto(advice.warnings),
    )


def reasons_to_proto(reasons: Iterable[Labelled]) -> list[score_pb2.Reason]:
    """Reasons as they travel."""
    return [score_pb2.Reason(code=each.code, text=each.text) for each in reasons]


def strategy_to_proto(strategy: Strategy) -> score_pb2.Strategy:
    """A strategy as it travels."""
    return score_pb2.Strategy(**strategy._asdict())


def warnings_to_proto(warnings: Iterable[Labelled]) -> list[score_pb2.Warning]:
    """Warnings as they travel."""
    return [score_pb2.Warning(code=each.code, text=each.text) for each in warnings]


def _department(labelled: Labelled) -> score_pb2.Department:
    return score_pb2.Department(code=labelled.code, name=labelled.text)


def _time(microseconds: int | None) -> Timestamp | None:
    if microseconds is None:
        return None
    return Timestamp(seconds=microseconds // US, nanos=microseconds % US * 1000)


def _explanation(explanation: Explanation) -> score_pb2.Explanation:
    return score_pb2.Explanation(
        facts=[score_pb2.FactValue(**each._asdict()) for each in explanation.facts],
        rules=[score_pb2.FiredRule(**each._asdict()) for each in explanation.rules],
        contributions=[
            score_pb2.FeatureContribution(**each._asdict()) for each in explanation.contributions
        ],
        base_value=explanation.base_value,
    )
