"""The core fields of a grumble: names, types, units and values as everywhere in Harken.

``service``, ``category`` and ``point`` are open: a rule base lists their codes, the model
takes whatever an operator's data holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

FieldType = Literal["text", "category", "number", "integer", "flag", "time"]

RESOLUTION_STATES = (
    "all_satisfied",
    "all_dissatisfied",
    "major_part",
    "minor_part",
    "unresolved",
)
"""From best to worst, as in the grading table of the domain reference."""

SEGMENTS = ("gotone_1", "gotone_2", "mzone_1", "mzone_2", "easyown_1", "easyown_2")
BRANDS = ("gotone", "mzone", "easyown")
VIP_TIERS = ("none", "ordinary", "silver", "gold", "diamond")
CHANNELS = (
    "hotline",
    "hall",
    "account_manager",
    "web",
    "sms",
    "wap",
    "app",
    "kiosk",
    "email",
    "mail",
    "social",
    "on_site",
    "referral",
    "other",
)
BEHAVIOUR_TYPES = (
    "limited_patience",
    "tariff_sensitive",
    "cooperative_realist",
    "rational_assertive",
    "limited_forgiveness",
)


@dataclass(frozen=True, slots=True)
class CoreField:
    """A field of a grumble. ``values`` closes a category; numbers lie in ``[low, high]``."""

    name: str
    type: FieldType
    unit: str = ""
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = float("inf")


_FIELDS = (
    CoreField("grumble_id", "text"),
    CoreField("customer_id", "text"),
    CoreField("voice_time", "time"),
    CoreField("observe_time", "time"),
    CoreField("category", "category"),
    CoreField("service", "category"),
    CoreField("point", "category"),
    CoreField("channel", "category", values=CHANNELS),
    CoreField("resolution_state", "category", values=RESOLUTION_STATES),
    CoreField("dissatisfied", "flag"),
    CoreField("company_responsible", "flag"),
    CoreField("problem_exists", "flag"),
    CoreField("brand", "category", values=BRANDS),
    CoreField("age_years", "integer", "years", high=150),
    CoreField("tenure_months", "integer", "months"),
    CoreField("monthly_spend_yuan", "number", "yuan/month"),
    CoreField("use_minutes", "number", "minutes/month"),
    CoreField("data_mb", "number", "MB/month"),
    CoreField("sms_count", "integer", "messages/month"),
    CoreField("arrears_count", "integer", "times"),
    CoreField("suspension_count", "integer", "times"),
    CoreField("vip_tier", "category", values=VIP_TIERS),
    CoreField("credit_level", "integer", "level", low=1, high=5),
    CoreField("corporate_contact", "flag"),
    CoreField("segment", "category", values=SEGMENTS),
    CoreField("behaviour_type", "category", values=BEHAVIOUR_TYPES),
    CoreField("grumble_count_30d", "integer", "grumbles"),
    CoreField("grumble_count_90d", "integer", "grumbles"),
    CoreField("complaint_count_30d", "integer", "complaints"),
    CoreField("complaint_count_90d", "integer", "complaints"),
    CoreField("same_point_count_90d", "integer", "grumbles"),
    CoreField("days_since_contact", "number", "days"),
)
CORE_FIELDS: Mapping[str, CoreField] = MappingProxyType({field.name: field for field in _FIELDS})
"""Every core field by name, in canonical order. Times lose ``_us`` here: as a dataset names
them; columns of a loaded dataset hold ``voice_time_us`` and ``observe_time_us``."""
