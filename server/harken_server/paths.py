"""Where a core field stands in a ``ScoreRequest``, as every error names it."""

from __future__ import annotations

_GRUMBLE = frozenset(
    (
        "grumble_id",
        "customer_id",
        "category",
        "service",
        "point",
        "channel",
        "voice_time",
        "observe_time",
        "resolution_state",
        "dissatisfied",
        "company_responsible",
        "problem_exists",
    )
)
_HISTORY = frozenset(
    (
        "grumble_count_30d",
        "grumble_count_90d",
        "complaint_count_30d",
        "complaint_count_90d",
        "same_point_count_90d",
        "days_since_contact",
    )
)
_CUSTOMER = frozenset(
    (
        "brand",
        "age_years",
        "tenure_months",
        "monthly_spend_yuan",
        "use_minutes",
        "data_mb",
        "sms_count",
        "arrears_count",
        "suspension_count",
        "vip_tier",
        "credit_level",
        "corporate_contact",
        "segment",
        "behaviour_type",
    )
)
_PATHS = {
    f: f"{part}.{f}"
    for part, fields in (("grumble", _GRUMBLE), ("customer", _CUSTOMER), ("history", _HISTORY))
    for f in fields
} | {"language": "language_code"}


def path_of(field: str) -> str:
    """The request's field behind a core field: ``customer.brand`` for ``brand``."""
    return _PATHS.get(field, field)
