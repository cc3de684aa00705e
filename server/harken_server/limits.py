"""What the API itself asks of a grumble, whatever the rule base says.

A rule base may be stricter (its facts have ranges and closed value sets); it need not
declare every field, so the form is held here, for online and offline scoring alike.
"""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from operator import itemgetter

from harken_server.errors import Reason, Violation, clip
from harken_server.grumble import Grumble

MAX_CODE = 128
"""Characters of an id or a code, and of an attribute's name."""
MAX_TEXT = 1024
"""Characters of an attribute's text."""
MAX_ATTRIBUTES = 64
LATEST_US = 7_258_118_400_000_000
"""2200-01-01 UTC; times lie in [1970-01-01, 2200-01-01)."""

_MANY = 2_147_483_647
_LARGE = 1e12
RANGES: dict[str, tuple[float, float]] = {
    "age_years": (0, 150),
    "tenure_months": (0, 1800),
    "monthly_spend_yuan": (0, _LARGE),
    "use_minutes": (0, _LARGE),
    "data_mb": (0, _LARGE),
    "sms_count": (0, _MANY),
    "arrears_count": (0, _MANY),
    "suspension_count": (0, _MANY),
    "credit_level": (1, 5),
    "grumble_count_30d": (0, _MANY),
    "grumble_count_90d": (0, _MANY),
    "complaint_count_30d": (0, _MANY),
    "complaint_count_90d": (0, _MANY),
    "same_point_count_90d": (0, _MANY),
    "days_since_contact": (0, 1_000_000),
}
"""Lowest and highest value of every number, both allowed."""
CODES = (
    "grumble_id",
    "customer_id",
    "category",
    "service",
    "point",
    "channel",
    "resolution_state",
    "brand",
    "vip_tier",
    "segment",
    "behaviour_type",
)
"""The fields that hold an id or a code."""

_codes = itemgetter(*map(Grumble._fields.index, CODES))
_numbers = itemgetter(*map(Grumble._fields.index, RANGES))
_bounds = tuple(RANGES.values())


def sound(grumble: Grumble, languages: Collection[str]) -> bool:
    """Is there nothing for ``violations`` to report? The quick way to ask."""
    if not grumble.grumble_id or grumble.language not in languages:
        return False
    if not 0 <= grumble.voice_time_us <= grumble.observe_time_us < LATEST_US:
        return False
    if max(map(len, filter(None, _codes(grumble)))) > MAX_CODE:
        return False
    for number, (low, high) in zip(_numbers(grumble), _bounds):  # noqa: B905 -- as long, and hot
        if number is not None and not low <= number <= high:
            return False
    return True


def violations(grumble: Grumble, languages: Collection[str]) -> list[Violation]:
    """Everything wrong with the form of ``grumble``, in field order; attributes apart."""
    found: list[Violation] = []
    if not grumble.grumble_id:
        found.append(Violation(Reason.FIELD_REQUIRED, "grumble_id", "grumble_id is required"))
    for name in CODES:
        code = getattr(grumble, name)
        if code is not None and len(code) > MAX_CODE:
            words = f"{name} has {len(code)} characters; at most {MAX_CODE} are allowed"
            found.append(Violation(Reason.FIELD_INVALID, name, words))
    found += _time_violations(grumble)
    for name, (low, high) in RANGES.items():
        number = getattr(grumble, name)
        if number is None:
            continue
        if not isfinite(number):
            words = f"{name} is {number}; it must be a finite number"
            found.append(Violation(Reason.FIELD_INVALID, name, words))
        elif not low <= number <= high:
            words = f"{name} is {number}; it must lie between {low:.15g} and {high:.15g}"
            found.append(Violation(Reason.VALUE_OUT_OF_RANGE, name, words))
    if grumble.language not in languages:
        known = ", ".join(languages)
        words = f"language {clip(grumble.language)} is unknown; known are: {known}"
        found.append(Violation(Reason.UNKNOWN_VALUE, "language", words))
    return found


def _time_violations(grumble: Grumble) -> list[Violation]:
    times = {"voice_time": grumble.voice_time_us, "observe_time": grumble.observe_time_us}
    found = [
        Violation(
            Reason.VALUE_OUT_OF_RANGE,
            name,
            f"{name} must lie between 1970-01-01 and 2200-01-01 (UTC)",
        )
        for name, time in times.items()
        if not 0 <= time < LATEST_US
    ]
    if not found and grumble.observe_time_us < grumble.voice_time_us:
        words = "observe_time lies before voice_time; a grumble is scored after it was voiced"
        found.append(Violation(Reason.TIME_ORDER, "observe_time", words))
    return found


def without(grumble: Grumble, fields: Collection[str]) -> Grumble:
    """``grumble`` with the offending core ``fields`` missing, so that the rest can be judged."""
    changes: dict[str, object] = {
        name: None for name in fields if name in CODES[1:] or name in RANGES
    }
    if "grumble_id" in fields:
        changes["grumble_id"] = "-"
    if "language" in fields:
        changes["language"] = "en"
    if "voice_time" in fields or "observe_time" in fields:
        changes |= {"voice_time_us": 0, "observe_time_us": 0}
    return grumble._replace(**changes)  # type: ignore[arg-type]
