"""What the scoring core takes and gives: values that nobody changes, no transport.

Field names are the same everywhere: here, in ``harken.v1``, as the core columns of a
dataset specification and as the ``request`` and ``model`` facts of a rule base. ``None``
is *missing*, which rules and model take as a value of its own. Times are microseconds
since 1970-01-01 UTC, so that one row and a million rows compute the same numbers.

Most are tuples with names: made, read by place and hashed in a fraction of the time that a
dataclass takes, and a grumble's first fields, in this order, are the row that rules and model
are compiled for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, get_args, get_type_hints

AttributeValue = str | float | bool

NO_ATTRIBUTES: Mapping[str, AttributeValue] = MappingProxyType({})


class Grumble(NamedTuple):
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

    attributes: Mapping[str, AttributeValue] = NO_ATTRIBUTES
    explain: bool = False
    language: str = "en"


CORE: tuple[str, ...] = Grumble._fields[: Grumble._fields.index("attributes")]
"""The core fields, which rules and model may read; a grumble begins with them."""

_HINTS = get_type_hints(Grumble)
KINDS: Mapping[str, type] = {
    name: next(kind for kind in (bool, str, int, float) if kind in (get_args(hint) or (hint,)))
    for name, hint in _HINTS.items()
    if name in CORE
}
"""The type of each core field's values: ``str``, ``bool``, ``int`` or ``float``."""


class Labelled(NamedTuple):
    """A code with its text in the language asked for."""

    code: str
    text: str


class Strategy(NamedTuple):
    """A recommended strategy, texts in the language asked for."""

    code: str
    title: str
    steps: tuple[str, ...]
    script: str
    expectation: str


class Words(NamedTuple):
    """The labels that a score has one each of."""

    segment: Labelled
    behaviour_type: Labelled
    tolerance: Labelled


class Advice(NamedTuple):
    """Who deals with a grumble and how, in one language: what many scores have in common."""

    treatment: Labelled
    contact_policy: Labelled
    owner: Labelled
    supporting_departments: tuple[Labelled, ...]
    escalation_chain: tuple[Labelled, ...]
    warnings: tuple[Labelled, ...]


class FactValue(NamedTuple):
    """A fact or result as the rules saw it; ``value`` is empty when ``missing``."""

    name: str
    value: str
    label: str
    source: str
    missing: bool


class FiredRule(NamedTuple):
    """A rule that fired, with its place in the rule base's folder."""

    decision: str
    rule_id: str
    file: str
    line: int
    partial_score: float | None
    characteristic: str
    because: str


class Contribution(NamedTuple):
    """What one feature added to the model's raw score, in log-odds."""

    feature: str
    value: str
    contribution: float


class Explanation(NamedTuple):
    """Everything behind a score."""

    facts: tuple[FactValue, ...]
    rules: tuple[FiredRule, ...]
    contributions: tuple[Contribution, ...]
    base_value: float


class Score(NamedTuple):
    """The answer for one grumble; a deadline is ``None`` where no rule sets one.

    ``notices`` are warnings about this grumble alone, beside those of the advice.
    """

    decision_id: str
    level: int
    probability: float
    severity: float
    words: Words
    reasons: tuple[Labelled, ...]
    strategies: tuple[Strategy, ...]
    advice: Advice
    reply_deadline_us: int | None
    resolve_deadline_us: int | None
    rule_base_digest: str
    model_digest: str
    notices: tuple[Labelled, ...] = ()
    explanation: Explanation | None = None

    @property
    def segment(self) -> Labelled:
        """The segment; empty where it is not known."""
        return self.words.segment

    @property
    def behaviour_type(self) -> Labelled:
        """The behaviour type; empty where it is not known."""
        return self.words.behaviour_type

    @property
    def tolerance(self) -> Labelled:
        """The tolerance; empty where no rule says."""
        return self.words.tolerance

    @property
    def warnings(self) -> tuple[Labelled, ...]:
        """All warnings, the rule base's first."""
        return self.advice.warnings + self.notices
