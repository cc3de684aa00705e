"""Messages to values and back, with the checks that only the wire needs.

A field that is absent, an empty string and the number 0 of an enum are *missing*. Whatever
is wrong with a request is reported at once, the core's own findings with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp
from harken.v1 import grumble_pb2, score_pb2, scoring_pb2

from harken_server.errors import Reason, ScoringError, Violation
from harken_server.grumble import AttributeValue, Explanation, Grumble, Labelled, Score, Strategy
from harken_server.limits import MAX_ATTRIBUTES

Diagnose = Callable[[Grumble], Sequence[Violation]]

US = 1_000_000


def _names(enum: Any, prefix: str) -> dict[int, str]:
    return {v.number: v.name.removeprefix(prefix).lower() for v in enum.DESCRIPTOR.values}


_ENUMS: Mapping[str, tuple[str, Mapping[int, str]]] = {
    "channel": ("Channel", _names(grumble_pb2.Channel, "CHANNEL_")),
    "resolution_state": (
        "ResolutionState",
        _names(grumble_pb2.ResolutionState, "RESOLUTION_STATE_"),
    ),
    "vip_tier": ("VipTier", _names(grumble_pb2.VipTier, "VIP_TIER_")),
}

_PATHS: Mapping[str, str] = {
    field.name: f"{part}.{field.name}"
    for part, message in (
        ("grumble", grumble_pb2.Grumble),
        ("customer", grumble_pb2.CustomerProfile),
        ("history", grumble_pb2.History),
    )
    for field in message.DESCRIPTOR.fields
} | {"language": "language_code"}


def path_of(field: str) -> str:
    """The request's field behind a core field: ``customer.brand`` for ``brand``."""
    return _PATHS.get(field, field)


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
    for name, (kind, names) in _ENUMS.items():
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
        language=_language(request.language_code),
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
        return {}
    if len(given) > MAX_ATTRIBUTES:
        words = f"{len(given)} attributes were sent; at most {MAX_ATTRIBUTES} are allowed"
        found.append(Violation(Reason.FIELD_INVALID, "attributes", words))
        return {}
    values: dict[str, AttributeValue] = {}
    for name in sorted(given):
        kind = given[name].WhichOneof("kind")
        if kind is None:
            field = f"attributes[{name[:128]}]"
            found.append(_required(field, "an attribute needs one of text, number and flag"))
        else:
            values[name] = getattr(given[name], kind)
    return values


def _language(code: str) -> str:
    """The primary part of a language code, in small letters; English where there is none."""
    return code.replace("_", "-").split("-", 1)[0].lower() if code else "en"


def to_proto(score: Score, message: score_pb2.Score | None = None) -> score_pb2.Score:
    """The score as it travels, put into ``message`` (an empty part of an answer) if given.

    Most scores share their words with many others, and reading a message's bytes is several
    times faster than building it from nine kinds of parts; so the words are kept as bytes.
    """
    if message is None:
        message = score_pb2.Score()
    message.MergeFromString(
        _advice_bytes(
            score.treatment,
            score.contact_policy,
            score.strategies,
            score.owner,
            score.supporting_departments,
            score.escalation_chain,
        )
        + _reason_bytes(score.reasons)
    )
    message.decision_id = score.decision_id
    message.level = score.level
    message.probability = score.probability
    message.severity = score.severity
    message.segment, message.segment_text = score.segment.code, score.segment.text
    message.behaviour_type = score.behaviour_type.code
    message.behaviour_type_text = score.behaviour_type.text
    message.tolerance, message.tolerance_text = score.tolerance.code, score.tolerance.text
    message.rule_base_digest = score.rule_base_digest
    message.model_digest = score.model_digest
    _set_time(message.reply_deadline_time, score.reply_deadline_us)
    _set_time(message.resolve_deadline_time, score.resolve_deadline_us)
    for warning in score.warnings:
        message.warnings.add(code=warning.code, text=warning.text)
    if score.explanation is not None:
        message.explanation.CopyFrom(_explanation(score.explanation))
    return message


@lru_cache(maxsize=4096)
def _advice_bytes(
    treatment: Labelled,
    contact_policy: Labelled,
    strategies: tuple[Strategy, ...],
    owner: Labelled,
    supporting_departments: tuple[Labelled, ...],
    escalation_chain: tuple[Labelled, ...],
) -> bytes:
    return score_pb2.Score(
        treatment=treatment.code,
        treatment_text=treatment.text,
        contact_policy=contact_policy.code,
        contact_policy_text=contact_policy.text,
        strategies=[
            score_pb2.Strategy(
                code=s.code,
                title=s.title,
                steps=s.steps,
                script=s.script,
                expectation=s.expectation,
            )
            for s in strategies
        ],
        owner=_department(owner) if owner.code else None,
        supporting_departments=[_department(d) for d in supporting_departments],
        escalation_chain=[_department(d) for d in escalation_chain],
    ).SerializeToString()


@lru_cache(maxsize=16384)
def _reason_bytes(reasons: tuple[Labelled, ...]) -> bytes:
    return score_pb2.Score(
        reasons=[score_pb2.Reason(code=r.code, text=r.text) for r in reasons]
    ).SerializeToString()


def _department(labelled: Labelled) -> score_pb2.Department:
    return score_pb2.Department(code=labelled.code, name=labelled.text)


def _set_time(field: Timestamp, microseconds: int | None) -> None:
    if microseconds is not None:
        field.seconds = microseconds // US
        field.nanos = microseconds % US * 1000


def _explanation(explanation: Explanation) -> score_pb2.Explanation:
    return score_pb2.Explanation(
        facts=[
            score_pb2.FactValue(
                name=f.name, value=f.value, label=f.label, source=f.source, missing=f.missing
            )
            for f in explanation.facts
        ],
        rules=[
            score_pb2.FiredRule(
                decision=r.decision,
                rule_id=r.rule_id,
                file=r.file,
                line=r.line,
                partial_score=cast("float", r.partial_score),  # None leaves it absent
                characteristic=r.characteristic,
                because=r.because,
            )
            for r in explanation.rules
        ],
        contributions=[
            score_pb2.FeatureContribution(
                feature=c.feature, value=c.value, contribution=c.contribution
            )
            for c in explanation.contributions
        ],
        base_value=explanation.base_value,
    )
