"""Messages to values and back."""

from __future__ import annotations

import time

import pytest
from harken.v1 import grumble_pb2, score_pb2, scoring_pb2
from harken_server.grpc.convert import from_proto, to_proto
from harken_server.grumble import CORE, Grumble
from harken_server.paths import path_of


def test_every_field_of_the_api_is_a_field_of_the_core():
    core = {name.removesuffix("_us") for name in Grumble._fields}
    for message in (grumble_pb2.Grumble, grumble_pb2.CustomerProfile, grumble_pb2.History):
        assert {f.name for f in message.DESCRIPTOR.fields} <= core


def test_a_full_request_arrives_whole(request_of):
    request = request_of(
        {"channel": 1, "resolution_state": 2, "dissatisfied": False, "customer_id": "c"},
        {"brand": "gotone", "age_years": 0, "monthly_spend_yuan": 1.5, "vip_tier": 5},
        {"grumble_count_30d": 0, "days_since_contact": 2.25},
        language_code="zh_Hans-CN",
        explain=True,
    )
    request.attributes["plan"].text = "basic"
    request.attributes["roaming"].flag = False
    got = from_proto(request)
    assert got == Grumble(
        grumble_id="g-1",
        voice_time_us=1_700_000_000_000_000,
        observe_time_us=1_700_003_600_000_000,
        customer_id="c",
        category="charges",
        channel="hotline",
        resolution_state="minor_part",
        dissatisfied=False,
        brand="gotone",
        age_years=0,
        monthly_spend_yuan=1.5,
        vip_tier="diamond",
        grumble_count_30d=0,
        days_since_contact=2.25,
        attributes={"plan": "basic", "roaming": False},
        explain=True,
        language="zh",
    )


def test_what_is_absent_is_missing(request_of):
    got = from_proto(request_of())
    given = {"grumble_id", "voice_time_us", "observe_time_us", "category"}
    for name in CORE:
        if name not in given:
            assert getattr(got, name) is None
    assert (got.attributes, got.explain, got.language) == ({}, False, "en")


def test_without_an_observe_time_the_clock_is_taken(request_of):
    request = request_of()
    request.grumble.ClearField("observe_time")
    before = time.time_ns() // 1000
    assert before <= from_proto(request).observe_time_us <= time.time_ns() // 1000


@pytest.mark.parametrize(
    ("core", "path"),
    [
        ("brand", "customer.brand"),
        ("observe_time", "grumble.observe_time"),
        ("days_since_contact", "history.days_since_contact"),
        ("language", "language_code"),
        ("attributes[plan]", "attributes[plan]"),
    ],
)
def test_core_names_have_request_paths(core, path):
    assert path_of(core) == path


def test_a_score_fills_every_field_of_its_message(scorer, grumble):
    score = scorer.score(
        grumble(
            50,
            brand="gotone",
            behaviour_type="limited_patience",
            dissatisfied=True,
            monthly_spend_yuan=900.0,
            explain=True,
        )
    )
    message = to_proto(score)
    assert {f.name for f, _ in message.ListFields()} == {
        f.name for f in score_pb2.Score.DESCRIPTOR.fields
    }
    assert message.reply_deadline_time.ToMicroseconds() == score.reply_deadline_us
    assert [d.code for d in message.escalation_chain] == ["billing", "quality"]
    partial = [r for r in message.explanation.rules if r.HasField("partial_score")]
    assert partial
    assert len(partial) < len(message.explanation.rules)
    assert scoring_pb2.ScoreResponse(score=message).SerializeToString()
