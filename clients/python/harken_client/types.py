"""What a score is made of: frozen values that mirror ``harken.v1.Score`` field by field.

Texts are in the language that the request asked for, codes never change with it.
Unknown codes are empty strings, unknown numbers ``None``. Times are aware, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf import timestamp_pb2
from harken.v1 import score_pb2, scoring_pb2

from harken_client.errors import HarkenError, from_status


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the grumble stands where it stands, in the rule author's words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """A recommended strategy: what to do, what to say, what the customer expects."""

    code: str
    title: str
    steps: tuple[str, ...]
    script: str
    expectation: str


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the operator."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ScoreWarning:
    """Something that wants attention (``harken.v1.Warning``)."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class FactValue:
    """A fact as the rules saw it, or a result as they gave it."""

    name: str
    value: str
    label: str
    source: str
    missing: bool


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired; ``file`` is relative to the rule base, ``line`` counts from 1."""

    decision: str
    rule_id: str
    file: str
    line: int
    partial_score: float | None
    characteristic: str
    because: str


@dataclass(frozen=True, slots=True)
class FeatureContribution:
    """What one feature added to the model's raw score, in log-odds."""

    feature: str
    value: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind a score; only when the request said ``explain``."""

    facts: tuple[FactValue, ...]
    rules: tuple[FiredRule, ...]
    contributions: tuple[FeatureContribution, ...]
    base_value: float


@dataclass(frozen=True, slots=True)
class Score:
    """The answer for one grumble.

    ``level`` is 1 (least) to 5 (most likely to become a complaint), ``probability`` the
    calibrated probability of a complaint within the model's horizon, ``severity`` the
    scorecard's sum. Reasons come weightiest first, strategies best first, the
    escalation chain in the order in which to go up.
    """

    decision_id: str
    level: int
    probability: float
    severity: float
    segment: str
    segment_text: str
    behaviour_type: str
    behaviour_type_text: str
    tolerance: str
    tolerance_text: str
    reasons: tuple[Reason, ...]
    treatment: str
    treatment_text: str
    contact_policy: str
    contact_policy_text: str
    strategies: tuple[Strategy, ...]
    owner: Department | None
    supporting_departments: tuple[Department, ...]
    escalation_chain: tuple[Department, ...]
    reply_deadline_time: datetime | None
    resolve_deadline_time: datetime | None
    warnings: tuple[ScoreWarning, ...]
    rule_base_digest: str
    model_digest: str
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class ScoreError:
    """Why item ``index`` (from 0) of a batch has no score: what ``score`` would have raised."""

    index: int
    error: HarkenError


def score_from_proto(score: score_pb2.Score) -> Score:
    """The typed form of ``harken.v1.Score``."""
    warnings: Iterable[Any] = score.warnings  # stubs take its `Warning` for the builtin
    return Score(
        decision_id=score.decision_id,
        level=score.level,
        probability=score.probability,
        severity=score.severity,
        segment=score.segment,
        segment_text=score.segment_text,
        behaviour_type=score.behaviour_type,
        behaviour_type_text=score.behaviour_type_text,
        tolerance=score.tolerance,
        tolerance_text=score.tolerance_text,
        reasons=tuple(Reason(item.code, item.text) for item in score.reasons),
        treatment=score.treatment,
        treatment_text=score.treatment_text,
        contact_policy=score.contact_policy,
        contact_policy_text=score.contact_policy_text,
        strategies=tuple(
            Strategy(item.code, item.title, tuple(item.steps), item.script, item.expectation)
            for item in score.strategies
        ),
        owner=_department(score.owner) if score.HasField("owner") else None,
        supporting_departments=tuple(_department(item) for item in score.supporting_departments),
        escalation_chain=tuple(_department(item) for item in score.escalation_chain),
        reply_deadline_time=_time(score, "reply_deadline_time"),
        resolve_deadline_time=_time(score, "resolve_deadline_time"),
        warnings=tuple(ScoreWarning(item.code, item.text) for item in warnings),
        rule_base_digest=score.rule_base_digest,
        model_digest=score.model_digest,
        explanation=_explanation(score.explanation) if score.HasField("explanation") else None,
    )


def results_from_proto(response: scoring_pb2.BatchScoreResponse) -> list[Score | ScoreError]:
    """Scores and errors of a batch, in the order of the requests."""
    return [
        score_from_proto(result.score)
        if result.WhichOneof("outcome") == "score"
        else ScoreError(index, from_status(result.status))
        for index, result in enumerate(response.results)
    ]


def time_from_proto(stamp: timestamp_pb2.Timestamp) -> datetime:
    """Aware UTC time, to the microsecond. (``ToDatetime`` is naive in older protobuf.)"""
    return stamp.ToDatetime().replace(tzinfo=UTC)


def _department(department: score_pb2.Department) -> Department:
    return Department(department.code, department.name)


def _time(score: score_pb2.Score, field: str) -> datetime | None:
    return time_from_proto(getattr(score, field)) if score.HasField(field) else None


def _explanation(explanation: score_pb2.Explanation) -> Explanation:
    return Explanation(
        facts=tuple(
            FactValue(item.name, item.value, item.label, item.source, item.missing)
            for item in explanation.facts
        ),
        rules=tuple(
            FiredRule(
                decision=item.decision,
                rule_id=item.rule_id,
                file=item.file,
                line=item.line,
                partial_score=item.partial_score if item.HasField("partial_score") else None,
                characteristic=item.characteristic,
                because=item.because,
            )
            for item in explanation.rules
        ),
        contributions=tuple(
            FeatureContribution(item.feature, item.value, item.contribution)
            for item in explanation.contributions
        ),
        base_value=explanation.base_value,
    )
