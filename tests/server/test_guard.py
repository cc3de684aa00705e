"""Overload, deadlines, faults, draining: what the guard is for."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import structlog
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from harken.v1 import scoring_pb2
from harken_server.assignment import Limits
from harken_server.grpc.errors import DETAILS_KEY
from harken_server.grpc.server import SCORING

from .held import Held

SECRET = "13800138000 Alice"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def reason_of(error):
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())[DETAILS_KEY])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


def test_what_is_beyond_the_bound_is_shed_at_once(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=1, max_in_flight=3, notice_seconds=0), held)
    waiting = [started.stub.Score.future(request_of()) for _ in range(3)]
    assert held.entered.acquire(timeout=10)
    while started.counted("harken_calls_in_flight") < 3:
        time.sleep(0.01)
    with pytest.raises(grpc.RpcError) as caught:
        started.stub.Score(request_of(), timeout=10)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(caught.value).reason == "OVERLOADED"
    assert held.calls == 1  # answered while the only thread was busy
    held.go.set()
    assert [each.result().score.level for each in waiting] == [1, 1, 1]
    assert started.stub.Score(request_of()).score.level == 1


def test_health_answers_under_overload(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=1, max_in_flight=1, notice_seconds=0), held)
    waiting = started.stub.Score.future(request_of())
    assert held.entered.acquire(timeout=10)
    health = health_pb2_grpc.HealthStub(started.channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == SERVING
    held.go.set()
    waiting.result()


def test_health_answers_although_calls_hang_that_never_send_their_message(start, scorer):
    started = start(Limits(threads=2, max_in_flight=2, notice_seconds=0), scorer)
    over = threading.Event()

    def silent():
        over.wait(20)
        yield b""

    method = started.channel.stream_unary("/harken.v1.ScoringService/Score")
    hanging = [method.future(silent(), timeout=20) for _ in range(8)]
    health = health_pb2_grpc.HealthStub(started.channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == SERVING
    for call in hanging:
        call.cancel()
    over.set()


def test_a_call_whose_deadline_has_passed_is_not_worked_on(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=1, max_in_flight=9, notice_seconds=0), held)
    first = started.stub.Score.future(request_of())
    assert held.entered.acquire(timeout=10)
    late = started.stub.Score.future(request_of(), timeout=0.2)
    assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    held.go.set()
    first.result()
    started.stub.Score(request_of())  # behind the late one in the queue
    assert held.calls == 2
    # Whether grpcio drops the late call itself or the guard refuses it, it is never scored.
    assert started.counted("harken_calls_total", method="Score", code="OK") == 2


class Broken:
    """A scorer with a fault whose text quotes the request."""

    def __init__(self, scorer):
        self.snapshot = scorer.snapshot

    def score(self, grumble):
        raise ValueError(f"cannot read {grumble.customer_id} of {SECRET}")

    def score_read(self, batch):
        raise KeyError(batch.columns.originals[0].customer_id)

    def violations(self, grumble):
        return []


@pytest.mark.parametrize("batch", [False, True])
def test_a_fault_inside_leaks_nothing_and_is_logged_without_customer_data(
    start, scorer, request_of, batch
):
    started = start(scorer=Broken(scorer))
    request = request_of({"customer_id": SECRET})
    call = started.stub.BatchScore if batch else started.stub.Score
    sent = scoring_pb2.BatchScoreRequest(requests=[request]) if batch else request
    with structlog.testing.capture_logs() as logs, pytest.raises(grpc.RpcError) as caught:
        call(sent)
    error = caught.value
    assert error.code() is grpc.StatusCode.INTERNAL
    info = reason_of(error)
    assert info.reason == "INTERNAL"
    said = error.details() + str(error.trailing_metadata())
    for word in (SECRET, "Alice", "cannot read", "ValueError", "KeyError", "Traceback", ".py"):
        assert word not in said
    (incident,) = [line for line in logs if line["event"] == "incident"]
    assert incident["incident"] == info.metadata["incident"]
    assert incident["incident"] in error.details()
    assert incident["kind"] == ("KeyError" if batch else "ValueError")
    assert any("test_guard.py" in frame for frame in incident["traceback"])
    assert "Alice" not in json.dumps(logs, default=str)
    assert started.counted("harken_calls_total", method="Score", code="INTERNAL") == (not batch)


def test_a_rule_base_without_an_answer_is_an_incident_of_that_item(
    start, scorer, request_of, monkeypatch
):
    decide = scorer.snapshot.engine.decide_columns

    def gap(columns, rows):
        verdicts = decide(columns, rows)
        coded = verdicts.coded

        def patched(name):
            codes, values = coded(name)
            if name == "level":
                codes, values = np.array([codes[0], len(values), codes[2]]), (*values, None)
            return codes, values

        monkeypatch.setattr(verdicts, "coded", patched, raising=False)
        return verdicts

    monkeypatch.setattr(scorer.snapshot.engine, "decide_columns", gap)
    answer = start().stub.BatchScore(
        scoring_pb2.BatchScoreRequest(requests=[request_of() for _ in range(3)])
    )
    outcomes = [r.WhichOneof("outcome") for r in answer.results]
    assert outcomes == ["score", "status", "score"]
    assert answer.results[1].status.code == grpc.StatusCode.INTERNAL.value[0]


def test_draining_finishes_what_is_in_flight_and_refuses_the_rest(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=2, drain_seconds=20, notice_seconds=1.5), held)
    watch = health_pb2_grpc.HealthStub(started.channel).Watch(
        health_pb2.HealthCheckRequest(service=SCORING)
    )
    assert next(watch).status == SERVING
    first = started.stub.Score.future(request_of())
    assert held.entered.acquire(timeout=10)
    with ThreadPoolExecutor(1) as other:
        drained = other.submit(started.server.drain)
        assert next(watch).status == NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            started.stub.Score(request_of())
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(caught.value).reason == "SHUTTING_DOWN"
        assert not first.done()
        held.go.set()
        assert first.result().score.level == 1
        watch.cancel()
        drained.result(timeout=30)
    assert held.calls == 1


def test_health_says_serving_only_when_it_serves(start):
    started = start()
    health = health_pb2_grpc.HealthStub(started.channel)
    for name in ("", SCORING):
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="harken.v1.None"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_the_service(start):
    started = start()
    stub = reflection_pb2_grpc.ServerReflectionStub(started.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SCORING),
    ]
    services, files = stub.ServerReflectionInfo(iter(asked))
    assert SCORING in [s.name for s in services.list_services_response.service]
    assert files.file_descriptor_response.file_descriptor_proto


def test_idle_reflection_streams_do_not_hold_up_scoring(start, request_of):
    started = start(Limits(threads=1, notice_seconds=0, drain_seconds=0.1))
    stub = reflection_pb2_grpc.ServerReflectionStub(started.channel)
    release = threading.Event()

    def silent():
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        release.wait(30)

    streams = [stub.ServerReflectionInfo(silent()) for _ in range(4)]
    assert next(streams[0]).list_services_response
    assert started.stub.Score(request_of(), timeout=10).score.level == 1
    for stream in streams:
        stream.cancel()
    release.set()


def test_calls_levels_and_the_memo_are_counted(start, scorer, request_of):
    started = start()
    good, bad = request_of(hours=60), request_of(customer={"brand": "none such"})
    level = started.stub.Score(good).score.level
    started.stub.BatchScore(scoring_pb2.BatchScoreRequest(requests=[good, bad, good]))
    with pytest.raises(grpc.RpcError):
        started.stub.Score(bad)
    # The answer is sent before the count of calls in flight goes down.
    while started.counted("harken_calls_in_flight"):
        time.sleep(0.01)
    assert started.counted("harken_levels_total", level=str(level)) == 3
    assert started.counted("harken_grumbles_refused_total", reason="UNKNOWN_VALUE") == 2
    assert started.counted("harken_calls_total", method="Score", code="OK") == 1
    assert started.counted("harken_calls_total", method="Score", code="INVALID_ARGUMENT") == 1
    assert started.counted("harken_calls_total", method="BatchScore", code="OK") == 1
    assert started.counted("harken_call_seconds_count", method="Score") == 2
