"""Every documented bad input over a connection: code, reason, field; and the server goes on."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from harken.v1 import scoring_pb2
from harken_server.grpc.errors import CODES, DETAILS_KEY

INVALID = grpc.StatusCode.INVALID_ARGUMENT
LONG = "x" * 100_000


def details(error):
    """The google.rpc.Status, its ErrorInfo and the fields of its BadRequest."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers[DETAILS_KEY])
    return status, *unpack(status)


def unpack(status):
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad)
    return info, [v.field for v in bad.field_violations]


def without_grumble(request):
    request.ClearField("grumble")


def setter(path, value):
    def change(request):
        part, name = path.rsplit(".", 1) if "." in path else ("", path)
        target = request
        for each in filter(None, part.split(".")):
            target = getattr(target, each)
        setattr(target, name, value)

    return change


def attribute(name, **value):
    def change(request):
        for kind, given in value.items():
            setattr(request.attributes[name], kind, given)
        request.attributes[name].SetInParent()

    return change


def many_attributes(request):
    for number in range(65):
        request.attributes[f"a{number}"].flag = True


BAD = {
    "missing grumble": (without_grumble, "FIELD_REQUIRED", "grumble"),
    "no id": (setter("grumble.grumble_id", ""), "FIELD_REQUIRED", "grumble.grumble_id"),
    "no voice time": (
        lambda r: r.grumble.ClearField("voice_time"),
        "FIELD_REQUIRED",
        "grumble.voice_time",
    ),
    "unknown brand": (setter("customer.brand", "gotoen"), "UNKNOWN_VALUE", "customer.brand"),
    "negative age": (setter("customer.age_years", -1), "VALUE_OUT_OF_RANGE", "customer.age_years"),
    "negative count": (
        setter("history.grumble_count_30d", -1),
        "VALUE_OUT_OF_RANGE",
        "history.grumble_count_30d",
    ),
    "nan spend": (
        setter("customer.monthly_spend_yuan", float("nan")),
        "FIELD_INVALID",
        "customer.monthly_spend_yuan",
    ),
    "infinite data": (
        setter("customer.data_mb", float("inf")),
        "FIELD_INVALID",
        "customer.data_mb",
    ),
    "observed before voiced": (
        setter("grumble.observe_time.seconds", 1_600_000_000),
        "TIME_ORDER",
        "grumble.observe_time",
    ),
    "nanos": (setter("grumble.voice_time.nanos", -5), "FIELD_INVALID", "grumble.voice_time"),
    "year one": (
        setter("grumble.voice_time.seconds", -62135596800),
        "VALUE_OUT_OF_RANGE",
        "grumble.voice_time",
    ),
    "absurd seconds": (
        setter("grumble.observe_time.seconds", 2**62),
        "VALUE_OUT_OF_RANGE",
        "grumble.observe_time",
    ),
    "unknown channel": (setter("grumble.channel", 99), "UNKNOWN_VALUE", "grumble.channel"),
    "unknown state": (
        setter("grumble.resolution_state", 77),
        "UNKNOWN_VALUE",
        "grumble.resolution_state",
    ),
    "unknown tier": (setter("customer.vip_tier", -1), "UNKNOWN_VALUE", "customer.vip_tier"),
    "long id": (setter("grumble.grumble_id", LONG), "FIELD_INVALID", "grumble.grumble_id"),
    "long category": (setter("grumble.category", LONG), "FIELD_INVALID", "grumble.category"),
    "long language": (setter("language_code", LONG), "UNKNOWN_VALUE", "language_code"),
    "bad language": (setter("language_code", "fr-CH"), "UNKNOWN_VALUE", "language_code"),
    "wrong attribute type": (
        attribute("plan", number=1.0),
        "ATTRIBUTE_TYPE",
        "attributes[plan]",
    ),
    "attribute without value": (attribute("plan"), "FIELD_REQUIRED", "attributes[plan]"),
    "long attribute": (attribute("x", text=LONG), "FIELD_INVALID", "attributes[x]"),
    "long attribute name": (
        attribute(LONG, flag=True),
        "FIELD_INVALID",
        f"attributes[{'x' * 128}]",
    ),
    "nan attribute": (
        attribute("usage", number=float("nan")),
        "FIELD_INVALID",
        "attributes[usage]",
    ),
    "many attributes": (many_attributes, "FIELD_INVALID", "attributes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_its_field_alone_and_in_a_batch(start, request_of, case):
    started = start()
    change, reason, field = BAD[case]
    bad, good = request_of(), request_of()
    change(bad)

    with pytest.raises(grpc.RpcError) as caught:
        started.stub.Score(scoring_pb2.ScoreRequest.FromString(bad.SerializeToString()))
    assert caught.value.code() is INVALID
    status, info, fields = details(caught.value)
    assert (info.domain, info.reason) == ("harken", reason)
    assert fields[0] == field
    assert info.metadata["field"] == field
    assert caught.value.details() == status.message
    assert len(status.message) < 400
    assert CODES[reason] is INVALID

    answer = started.stub.BatchScore(
        scoring_pb2.BatchScoreRequest(requests=[good, bad, good])
    ).results
    assert [r.WhichOneof("outcome") for r in answer] == ["score", "status", "score"]
    assert answer[1].status == status
    assert started.stub.Score(good).score.level == answer[0].score.level


def test_everything_wrong_with_a_request_is_said_at_once(start, request_of):
    request = request_of(
        {"channel": 99, "category": LONG},
        {"age_years": -1, "brand": "foo", "monthly_spend_yuan": float("inf")},
        language_code="xx",
    )
    with pytest.raises(grpc.RpcError) as caught:
        start().stub.Score(request)
    _, info, fields = details(caught.value)
    assert info.reason == "UNKNOWN_VALUE"
    assert fields == [
        "grumble.channel",
        "grumble.category",
        "customer.age_years",
        "customer.monthly_spend_yuan",
        "language_code",
        "customer.brand",
    ]


def test_no_answer_outgrows_the_trailers(start, request_of):
    request = request_of()
    for number in range(64):
        request.attributes[f"{'x' * 120}{number}"].number = float("nan")
    with pytest.raises(grpc.RpcError) as caught:
        start().stub.Score(request)
    assert caught.value.code() is INVALID
    assert 1 < len(details(caught.value)[2]) < 64


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_the_wrong_size_is_refused(start, request_of, count):
    started = start()
    batch = scoring_pb2.BatchScoreRequest(requests=[request_of()] * count)
    with pytest.raises(grpc.RpcError) as caught:
        started.stub.BatchScore(batch)
    assert caught.value.code() is INVALID
    _, info, fields = details(caught.value)
    assert (info.reason, fields) == ("BATCH_SIZE", ["requests"])
    assert str(count) in caught.value.details()
    assert started.stub.Score(request_of()).score.level


def test_a_thousand_are_answered_in_order(start, request_of):
    started = start()
    requests = [request_of(hours=hours % 90) for hours in range(1000)]
    results = started.stub.BatchScore(scoring_pb2.BatchScoreRequest(requests=requests)).results
    assert [r.score.level for r in results[:90]] == [
        started.stub.Score(r).score.level for r in requests[:90]
    ]
    assert len(results) == 1000


@pytest.mark.parametrize("method", ["Score", "BatchScore"])
@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x03\x0a\x01\xff", b"\x0a\x7f"])
def test_bytes_that_are_no_message_are_refused(start, request_of, method, data):
    started = start()
    with pytest.raises(grpc.RpcError) as caught:
        started.raw(method, data)
    assert caught.value.code() is INVALID
    _, info, _ = details(caught.value)
    assert info.reason == "MESSAGE_UNDECODABLE"
    assert "harken.v1" in caught.value.details()
    assert started.stub.Score(request_of()).score.level


def test_a_message_of_twenty_megabytes_is_refused(start, request_of):
    started = start()
    with pytest.raises(grpc.RpcError) as caught:
        started.raw("BatchScore", b"\x0a\x00" * 10_000_000)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert started.stub.Score(request_of()).score.level


def test_an_unknown_method_is_unimplemented(start):
    with pytest.raises(grpc.RpcError) as caught:
        start().raw("Drop", b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_an_undeclared_attribute_is_a_warning_in_the_language_asked_for(start, request_of):
    request = request_of(language_code="zh-CN")
    request.attributes["colour"].text = "red"
    warnings = start().stub.Score(request).score.warnings
    assert [w.code for w in warnings] == ["attribute-ignored"]
    assert "colour" in warnings[0].text
    assert "未声明" in warnings[0].text
