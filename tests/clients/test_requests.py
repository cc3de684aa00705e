"""Requests from mappings, typed inputs and JSON; what the wire cannot carry is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from harken.v1 import grumble_pb2
from harken_client import InvalidRequest, ScoreInput, grumble_request, request_from_json
from harken_client.requests import CORE_FIELDS, to_request

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAMPLES: dict[str, Any] = {
    "text": "x", "integer": 3, "number": 2.5, "flag": True, "time": NOON,
}  # fmt: skip


def test_every_core_field_arrives_where_it_belongs() -> None:
    values = {
        name: next(iter(core.codes)) if core.codes else SAMPLES[core.kind]
        for name, core in CORE_FIELDS.items()
    }
    request = grumble_request(values)
    for name, core in CORE_FIELDS.items():
        part = getattr(request, core.part)
        assert part.ListFields(), core.part
        assert name in {field.name for field, _ in part.ListFields()}
    assert to_request(ScoreInput(**values)) == grumble_request({**values, "language": "en"})


def test_codes_are_the_enums_in_lower_case() -> None:
    request = grumble_request(
        {"resolution_state": "all_satisfied", "vip_tier": "gold", "channel": "on_site"}
    )
    assert request.grumble.resolution_state == grumble_pb2.RESOLUTION_STATE_ALL_SATISFIED
    assert request.customer.vip_tier == grumble_pb2.VIP_TIER_GOLD
    assert request.grumble.channel == grumble_pb2.CHANNEL_ON_SITE


def test_times_keep_their_microseconds_and_their_zone() -> None:
    shanghai = datetime(2026, 3, 1, 20, 0, 0, 123456, timezone(timedelta(hours=8)))
    for value in (shanghai, "2026-03-01T20:00:00.123456+08:00", "2026-03-01T12:00:00.123456Z"):
        stamp = grumble_request({"voice_time": value}).grumble.voice_time
        assert (stamp.seconds, stamp.nanos) == (1772366400, 123456000)
    before_1970 = grumble_request({"voice_time": "1969-12-31T23:59:59.5Z"}).grumble.voice_time
    assert (before_1970.seconds, before_1970.nanos) == (-1, 500000000)


def test_numpy_scalars_are_numbers() -> None:
    request = grumble_request({"age_years": np.int64(30), "data_mb": np.float64(1.5)})
    assert (request.customer.age_years, request.customer.data_mb) == (30, 1.5)


def test_attributes_carry_their_types() -> None:
    request = grumble_request(
        {"attributes": {"plan": "gold", "score": 3, "loyal": True, "unknown": None}}
    )
    kinds = {name: value.WhichOneof("kind") for name, value in request.attributes.items()}
    assert kinds == {"plan": "text", "score": "number", "loyal": "flag"}


@pytest.mark.parametrize(
    ("values", "field", "reason", "said"),
    [
        ({"vip_tier": "golden"}, "customer.vip_tier", "UNKNOWN_VALUE", "did you mean 'gold'"),
        ({"vip_tier": "?"}, "customer.vip_tier", "UNKNOWN_VALUE", "one of none, ordinary"),
        ({"catgory": "x"}, "catgory", "FIELD_INVALID", "did you mean 'category'"),
        ({"age_years": "30"}, "customer.age_years", "FIELD_INVALID", "not a number"),
        ({"age_years": 1.5}, "customer.age_years", "FIELD_INVALID", "not a whole number"),
        ({"age_years": True}, "customer.age_years", "FIELD_INVALID", "not a number"),
        ({"age_years": float("nan")}, "customer.age_years", "FIELD_INVALID", "whole"),
        ({"age_years": 2**31}, "customer.age_years", "VALUE_OUT_OF_RANGE", "too large"),
        ({"data_mb": 10**400}, "customer.data_mb", "VALUE_OUT_OF_RANGE", "too large"),
        ({"dissatisfied": 1}, "grumble.dissatisfied", "FIELD_INVALID", "true or false"),
        ({"category": 7}, "grumble.category", "FIELD_INVALID", "not text"),
        ({"category": "\udc80"}, "grumble.category", "FIELD_INVALID", "UTF-8"),
        ({"voice_time": "noon"}, "grumble.voice_time", "FIELD_INVALID", "ISO 8601"),
        ({"voice_time": "2026-03-01"}, "grumble.voice_time", "FIELD_INVALID", "time zone"),
        ({"voice_time": 7}, "grumble.voice_time", "FIELD_INVALID", "not a time"),
        ({"attributes": [1]}, "attributes", "FIELD_INVALID", "mapping"),
        ({"attributes": {"a": []}}, "attributes[a]", "ATTRIBUTE_TYPE", "neither text"),
        ({"explain": "yes"}, "explain", "FIELD_INVALID", "true or false"),
    ],
)
def test_what_cannot_be_sent_is_named(
    values: dict[str, Any], field: str, reason: str, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        grumble_request(values)
    assert caught.value.reason == reason
    assert [violation.field for violation in caught.value.field_violations] == [field]


def test_json_is_the_messages_own_form() -> None:
    request = request_from_json(
        {"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T12:00:00Z"}, "explain": True}
    )
    assert request.grumble.grumble_id == "g-1"
    assert request.explain


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "not int"),
        ({"grumbel": {}}, "grumbel: there is no such field; did you mean 'grumble'"),
        ({"grumble": {"grumbleIdx": "a"}}, "grumble.grumbleIdx: .* did you mean 'grumbleId'"),
        ({"grumble": 5}, "grumble: 5 is no JSON object"),
        ({"grumble": {"grumbleId": 5}}, "grumble.grumbleId: 5 is not text"),
        ({"grumble": {"voiceTime": "noon"}}, "grumble.voiceTime: 'noon' is no time"),
        ({"grumble": {"channel": "PHONE"}}, "channel: 'PHONE' is unknown; one of CHANNEL_HOTLINE"),
        ({"grumble": {"dissatisfied": "yes"}}, "'yes' is not true or false"),
        ({"customer": {"ageYears": "many"}}, "customer.ageYears: 'many' is not a whole number"),
        ({"customer": {"age_years": 2**31}}, "customer.age_years: 2147483648 is too large"),
        ({"customer": {"monthlySpendYuan": "x"}}, "monthlySpendYuan: 'x' is not a number"),
        ({"attributes": [1]}, r"attributes: \[1\] is no JSON object"),
        ({"attributes": {"plan": 3}}, r"attributes\[plan\]: 3 is no value; write"),
    ],
)
def test_wrong_json_says_what(value: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        request_from_json(value)
    assert not re.search("(?i)available fields|message type|failed to parse", str(caught.value))
