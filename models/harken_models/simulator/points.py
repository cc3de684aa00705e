"""The simulated operator's grumble points: what is grumbled about, how often, with what effect.

Categories (L1), services (L2) and points (L3) are the codes of the shipped taxonomy. The 28
key pairs are those of the source's table of key grumble points; all numbers are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

SEGMENTS = ("gotone_1", "gotone_2", "mzone_1", "mzone_2", "easyown_1", "easyown_2")

CATEGORIES = (
    "basic_comms",
    "charges",
    "service_response",
    "marketing",
    "info_security",
    "service_quality",
    "own_services",
    "monternet",
)


@dataclass(frozen=True, slots=True)
class Point:
    """A grumble point.

    ``popularity`` is its weight among all points before a segment's preference; ``effect``
    is its log hazard ratio in every segment: below zero, grumbling about it goes with fewer
    complaints (a negative association).
    """

    id: str
    category: str
    service: str
    popularity: float = 1.0
    effect: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key grumble point of a segment: preferred there, and liable to become a complaint."""

    segment: str
    point: str
    log_lift: float


POINTS = (
    Point("wlan_coverage_small", "basic_comms", "wlan", 0.7),
    Point("wlan_signal_poor", "basic_comms", "wlan", 0.7),
    Point("poor_call_quality", "basic_comms", "voice_coverage", 1.1),
    Point("frequent_drops", "basic_comms", "voice_coverage", 0.9, 0.12),
    Point("weak_signal", "basic_comms", "voice_coverage", 1.3),
    Point("border_roaming", "basic_comms", "roaming", 0.6),
    Point("mobile_internet_slow", "basic_comms", "mobile_internet", 1.4, -0.38),
    Point("mobile_internet_no_signal", "basic_comms", "mobile_internet", 0.8, 0.25),
    Point("network_enquiry", "basic_comms", "network_information", 1.5, -2.2),
    Point("bill_query_inaccurate", "charges", "billing_information", 0.9),
    Point("bill_inaccurate", "charges", "billing_information", 1.1, 0.25),
    Point("bill_not_received", "charges", "billing_information", 0.8, -0.62),
    Point("suspended_with_balance", "charges", "billing_information", 0.6, 0.75),
    Point("charges_opaque", "charges", "new_service_fees", 0.8, 0.12),
    Point("gprs_charge_disputed", "charges", "data_charges", 0.9, 0.25),
    Point("data_charge_unclear", "charges", "data_charges", 1.2, -0.38),
    Point("discount_not_applied", "charges", "discounts_and_rebates", 0.7, 0.12),
    Point("package_mischarged", "charges", "package_tariff", 0.7, 0.5),
    Point("rebate_wrong", "charges", "discounts_and_rebates", 0.6, 0.38),
    Point("package_unreasonable", "charges", "package_tariff", 0.9, -0.75),
    Point("new_service_fee_high", "charges", "new_service_fees", 0.7, -0.5),
    Point("subscription_fee", "charges", "new_service_fees", 0.7),
    Point("e_channel_failure", "service_response", "electronic_channels", 0.8),
    Point("web_hall_failure", "service_response", "electronic_channels", 0.8),
    Point("web_slow", "service_response", "electronic_channels", 0.7, -0.38),
    Point("sms_late", "service_response", "messaging", 0.7, -0.25),
    Point("sms_hall_failure", "service_response", "electronic_channels", 0.5),
    Point("hall_payment_failure", "service_response", "hall_transactions", 0.5, 0.25),
    Point("service_password", "service_response", "account_services", 1.6, -2.0),
    Point("campaign_threshold_high", "marketing", "campaigns", 0.9, -0.12),
    Point("campaign_information", "marketing", "campaigns", 1.4, -2.2),
    Point("points_rule_dissatisfied", "marketing", "points_programme", 0.8, -1.2),
    Point("spam_sms", "info_security", "unwanted_messages", 1.2, -0.25),
    Point("false_information", "info_security", "unwanted_messages", 0.6, 0.12),
    Point("staff_attitude", "service_quality", "staff_service", 0.7, 0.25),
    Point("handling_error", "service_quality", "staff_service", 0.8, 0.38),
    Point("unknowing_own_subscription", "own_services", "own_service_subscription", 0.8, 0.25),
    Point("usage_problem", "own_services", "own_service_use", 0.9, -0.25),
    Point("handset_problem", "own_services", "handsets", 1.1, -1.6),
    Point("unknowing_subscription", "monternet", "monternet_subscription", 1.0, 0.38),
    Point("extra_fee", "monternet", "monternet_charges", 0.8, 0.25),
)

KEY_PAIRS = (
    KeyPair("gotone_1", "wlan_coverage_small", 1.12),
    KeyPair("gotone_1", "campaign_threshold_high", 0.88),
    KeyPair("gotone_1", "spam_sms", 1.0),
    KeyPair("gotone_1", "e_channel_failure", 1.25),
    KeyPair("gotone_1", "staff_attitude", 1.38),
    KeyPair("gotone_2", "poor_call_quality", 1.12),
    KeyPair("gotone_2", "unknowing_subscription", 1.25),
    KeyPair("gotone_2", "bill_query_inaccurate", 1.0),
    KeyPair("gotone_2", "handling_error", 1.12),
    KeyPair("gotone_2", "web_hall_failure", 1.12),
    KeyPair("mzone_1", "unknowing_subscription", 1.12),
    KeyPair("mzone_1", "border_roaming", 1.25),
    KeyPair("mzone_1", "sms_late", 1.12),
    KeyPair("mzone_1", "unknowing_own_subscription", 1.0),
    KeyPair("mzone_1", "bill_inaccurate", 1.0),
    KeyPair("mzone_2", "gprs_charge_disputed", 1.25),
    KeyPair("mzone_2", "frequent_drops", 1.12),
    KeyPair("mzone_2", "unknowing_subscription", 1.0),
    KeyPair("mzone_2", "usage_problem", 1.25),
    KeyPair("mzone_2", "extra_fee", 1.12),
    KeyPair("easyown_1", "campaign_threshold_high", 1.0),
    KeyPair("easyown_1", "bill_inaccurate", 1.12),
    KeyPair("easyown_1", "weak_signal", 1.12),
    KeyPair("easyown_1", "staff_attitude", 1.12),
    KeyPair("easyown_2", "wlan_signal_poor", 1.12),
    KeyPair("easyown_2", "discount_not_applied", 1.38),
    KeyPair("easyown_2", "false_information", 1.25),
    KeyPair("easyown_2", "web_slow", 1.12),
)
