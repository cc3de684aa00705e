"""What the scoring core takes and gives: frozen values, no transport.

Field names are the same everywhere: here, in ``harken.v1``, as the core columns of a
dataset specification and as the ``request`` and ``model`` facts of a rule base. ``None``
is *missing*, which rules and model take as a value of its own. Times are microseconds
since 1970-01-01 UTC, so that one row and a million rows compute the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AttributeValue = str | float | bool


@dataclass(frozen=True, slots=True)
class Grumble:
    """One grumble with all that is known of its customer, at the moment of scoring."""

    grumble_id: str
    voice_time_us: int
    observe_time_us: int
    customer_id: str | None = None
    category: str | None = None
    service: str | None = None
    point: str | None = None
    channel: str | None = None
    resolution_state: str | None = None
    dissatisfied: bool | None = None
    company_responsible: bool | None = None
    problem_exists: bool | None = None

    brand: str | None = None
    age_years: int | None = None
    tenure_months: int | None = None
    monthly_spend_yuan: float | None = None
    use_minutes: float | None = None
    data_mb: float | None = None
    sms_count: int | None = None
    arrears_count: int | None = None
    suspension_count: int | None = None
    vip_tier: str | None = None
    credit_level: int | None = None
    corporate_contact: bool | None = None
    segment: str | None = None
    behaviour_type: str | None = None

    grumble_count_30d: int | None = None
    grumble_count_90d: int | None = None
    complaint_count_30d: int | None = None
    complaint_count_90d: int | None = None
    same_point_count_90d: int | None = None
    days_since_contact: float | None = None

    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    explain: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A code with its text in the language asked for."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """A recommended strategy, texts in the language asked for."""

    code: str
    title: str
    steps: tuple[str, ...]
    script: str
    expectation: str


@dataclass(frozen=True, slots=True)
class FactValue:
    """A fact or result as the rules saw it; ``value`` is empty when ``missing``."""

    name: str
    value: str
    label: str
    source: str
    missing: bool


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired, with its place in the rule base's folder."""

    decision: str
    rule_id: str
    file: str
    line: int
    partial_score: float | None
    characteristic: str
    because: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature added to the model's raw score, in log-odds."""

    feature: str
    value: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind a score."""

    facts: tuple[FactValue, ...]
    rules: tuple[FiredRule, ...]
    contributions: tuple[Contribution, ...]
    base_value: float


@dataclass(frozen=True, slots=True)
class Score:
    """The answer for one grumble; a deadline is ``None`` where no rule sets one."""

    decision_id: str
    level: int
    probability: float
    severity: float
    segment: Labelled
    behaviour_type: Labelled
    tolerance: Labelled
    reasons: tuple[Labelled, ...]
    treatment: Labelled
    contact_policy: Labelled
    strategies: tuple[Strategy, ...]
    owner: Labelled
    supporting_departments: tuple[Labelled, ...]
    escalation_chain: tuple[Labelled, ...]
    reply_deadline_us: int | None
    resolve_deadline_us: int | None
    warnings: tuple[Labelled, ...]
    rule_base_digest: str
    model_digest: str
    explanation: Explanation | None = None
