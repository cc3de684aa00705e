"""The errors of the server's core; no transport in them.

HarkenServerError
├── ScoringError     a grumble that cannot be scored: which fields, why, how to mend
│   ├── GapError    the rule base gives no level for a sound grumble: not the caller's fault
│   └── MisfitError the bundle gives a value that the rule base refuses: nor this
├── PublishingError  a rule base that cannot be kept, found, served or compared
├── SnapshotError    a rule base and a bundle that cannot be served together
└── SettingsError    settings that make no sense
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

CLIP = 60
"""Characters of a caller's value that a message repeats."""


class Reason(StrEnum):
    """What is wrong with a field; the names are those of ``harken.v1.ErrorReason``."""

    FIELD_REQUIRED = "FIELD_REQUIRED"
    FIELD_INVALID = "FIELD_INVALID"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    TIME_ORDER = "TIME_ORDER"
    BATCH_SIZE = "BATCH_SIZE"
    MESSAGE_UNDECODABLE = "MESSAGE_UNDECODABLE"
    ATTRIBUTE_TYPE = "ATTRIBUTE_TYPE"
    INTERNAL = "INTERNAL"
    RULE_BASE_UNSOUND = "RULE_BASE_UNSOUND"
    REVISION_UNKNOWN = "REVISION_UNKNOWN"
    REVISION_AMBIGUOUS = "REVISION_AMBIGUOUS"
    REVISION_DAMAGED = "REVISION_DAMAGED"
    NO_FORMER_REVISION = "NO_FORMER_REVISION"
    ACTIVATION_FAILED = "ACTIVATION_FAILED"
    CHANGE_UNDER_WAY = "CHANGE_UNDER_WAY"
    NO_SAMPLE = "NO_SAMPLE"
    SIMULATION_FAILED = "SIMULATION_FAILED"
    SHADOW_FAILED = "SHADOW_FAILED"
    STORE_FAILED = "STORE_FAILED"


class HarkenServerError(Exception):
    """Anything that the server raises on purpose."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request.

    ``field`` is the core's name (``age_years``, ``observe_time``, ``attributes[plan]``);
    ``message`` is a sentence that says what is wrong and what would be right.
    """

    reason: Reason
    field: str
    message: str


class ScoringError(HarkenServerError):
    """A grumble cannot be scored; ``violations`` holds everything wrong with it."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(v.message for v in self.violations))

    @property
    def reason(self) -> Reason:
        """The first violation's reason."""
        return self.violations[0].reason

    @property
    def field(self) -> str:
        """The first violation's field."""
        return self.violations[0].field


class GapError(ScoringError):
    """No rule gives a result that every answer must have."""

    def __init__(self, result: str) -> None:
        self.result = result
        super().__init__(
            [Violation(Reason.INTERNAL, "", f"no rule gives '{result}' for this grumble")]
        )


class MisfitError(ScoringError):
    """What the bundle says of a grumble lies outside what the rule base declares."""

    def __init__(self, fact: str) -> None:
        self.fact = fact
        words = f"the model gives '{fact}' a value that the rule base refuses"
        super().__init__([Violation(Reason.INTERNAL, "", words)])


class PublishingError(HarkenServerError):
    """Something asked of the rule bases that are kept cannot be done.

    ``violations`` names the request's fields to blame, if any; ``problems`` holds everything wrong
    with the rule base, a text of one or more lines each.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        problems: Sequence[str] = (),
    ) -> None:
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.problems = tuple(problems)
        super().__init__(message)


class SnapshotError(HarkenServerError):
    """A rule base and a bundle cannot be served; ``problems`` holds a sentence for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SettingsError(HarkenServerError):
    """Settings cannot be read or contradict each other."""


def clip(value: object) -> str:
    """A caller's value as a message may repeat it: quoted, and never long."""
    text = str(value)
    return f"'{text}'" if len(text) <= CLIP else f"'{text[:CLIP]}…'"
