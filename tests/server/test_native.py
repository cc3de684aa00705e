"""What is the native transport's own; all else about a server is tested on both transports."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from harken.v1 import scoring_pb2, scoring_pb2_grpc
from harken_server import settings
from harken_server.assignment import Limits
from harken_server.errors import SettingsError
from harken_server.grpc.server import MAX_MESSAGE_BYTES, SCORING
from harken_server.grpc.transports import server_on
from harken_server.metrics import Metrics
from prometheus_client import CollectorRegistry

from .held import Held

pytest.importorskip("pygrpc_native", reason="the extra harken-server[native]")
from harken_server.grpc import native

SCORE = f"/{SCORING}/Score"


@pytest.fixture
def transport():
    return "native"


def settled(started):
    """Wait until nothing is in flight."""
    until = time.monotonic() + 20
    while started.counted("harken_calls_in_flight"):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_both_transports_answer_the_same_bytes(scorer, request_of):
    answers = []
    for transport in ("grpcio", "native"):
        server = server_on(transport, lambda: scorer, Limits(), Metrics(CollectorRegistry()))
        port = server.listen("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = scoring_pb2_grpc.ScoringServiceStub(channel)
            requests = [request_of(hours=hours, explain=hours > 50) for hours in range(1, 90, 9)]
            found = [stub.Score(each).score for each in requests]
            batch = stub.BatchScore(scoring_pb2.BatchScoreRequest(requests=requests))
        found += [each.score for each in batch.results]
        for score in found:
            assert score.decision_id
            score.ClearField("decision_id")
        answers.append([score.SerializeToString(deterministic=True) for score in found])
        server.drain()
    assert answers[0] == answers[1]
    assert len(set(answers[0])) > 2


def test_tls_is_refused_and_a_taken_port_is_said(start, certificates):
    given = grpc.ssl_server_credentials(
        [((certificates / "server.key").read_bytes(), (certificates / "server.pem").read_bytes())]
    )
    with pytest.raises(RuntimeError, match="no TLS"):
        start(credentials=given)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = server_on("native", lambda: None, Limits(), Metrics(CollectorRegistry()))
        with pytest.raises(RuntimeError, match="cannot listen on"):
            server.listen(f"127.0.0.1:{taken.getsockname()[1]}")


def test_a_machine_that_reserves_too_little_is_refused(start, monkeypatch):
    monkeypatch.setattr(native, "CLAIM_BYTES", 1 << 60)
    with pytest.raises(RuntimeError, match="this machine refuses that"):
        start()


def test_a_cancelled_call_is_not_worked_on(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=1, notice_seconds=0), held)
    first = started.stub.Score.future(request_of())
    assert held.entered.acquire(timeout=10)
    others = [started.stub.Score.future(request_of(), timeout=t) for t in (None, 60)]
    while started.counted("harken_calls_in_flight") < 3:
        time.sleep(0.01)
    for other in others:
        other.cancel()
    # Behind the cancellations on the same connection: when it is shed or taken, they are known.
    last = started.stub.Score.future(request_of())
    while started.counted("harken_calls_in_flight") < 4:
        time.sleep(0.01)
    held.go.set()
    assert first.result().score.level == last.result().score.level == 1
    settled(started)
    assert held.calls == 2
    assert started.counted("harken_calls_total", method="Score", code="OK") == 2


def test_a_caller_that_is_gone_leaves_nothing_behind(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=2, notice_seconds=0), held)
    with grpc.insecure_channel(started.address) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        calls = [stub.Score.future(request_of()) for _ in range(2)]
        for _ in calls:
            assert held.entered.acquire(timeout=10)
    held.go.set()
    settled(started)
    assert started.stub.Score(request_of()).score.level == 1


def test_a_message_of_any_method_above_the_limit_is_refused(start, request_of):
    started = start()
    with pytest.raises(grpc.RpcError) as caught:
        started.raw("Score", b"\0" * (MAX_MESSAGE_BYTES + 1))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(MAX_MESSAGE_BYTES) in caught.value.details()
    assert started.counted("harken_calls_total", method="refused", code="RESOURCE_EXHAUSTED") == 1
    with pytest.raises(grpc.RpcError) as caught:
        started.raw("Score", b"\0" * MAX_MESSAGE_BYTES)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # read, and no message


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (grpc.Compression.Gzip, grpc.StatusCode.OK),
        (grpc.Compression.Deflate, grpc.StatusCode.UNIMPLEMENTED),
    ],
)
def test_requests_may_be_compressed_by_gzip_only(start, request_of, how, code):
    started = start()
    request = request_of()
    request.attributes["note"].text = "x" * 1000
    call = started.stub.Score.future(request, compression=how)
    assert call.code() is code


def test_a_fault_of_the_transport_itself_ends_one_call_and_leaks_nothing(
    start, request_of, monkeypatch
):
    started = start()
    gate = started.server._gate
    whole = gate.turned_away

    def broken():
        monkeypatch.setattr(gate, "turned_away", whole)
        raise KeyError("13800138000 Alice")

    monkeypatch.setattr(gate, "turned_away", broken)
    with pytest.raises(grpc.RpcError) as caught:
        started.stub.Score(request_of())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "Alice" not in caught.value.details() + str(caught.value.trailing_metadata())
    assert started.stub.Score(request_of()).score.level == 1
    settled(started)


def test_draining_waits_no_longer_than_told(start, scorer, request_of):
    held = Held(scorer)
    started = start(Limits(threads=1, drain_seconds=0.2, notice_seconds=0), held)
    call = started.stub.Score.future(request_of())
    assert held.entered.acquire(timeout=10)
    folder = started.server._socket
    assert (folder / "grpcio").is_socket()
    assert folder.stat().st_mode & 0o077 == 0  # nobody else's business
    with ThreadPoolExecutor(1) as other:
        other.submit(started.server.drain).result(timeout=20)
    assert call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    assert not folder.exists()
    held.go.set()


def test_a_large_answer_arrives_whole_although_the_server_drains():
    metrics = Metrics(CollectorRegistry())
    server = server_on("native", lambda: None, Limits(notice_seconds=0), metrics)
    large, asked = b"x" * 20_000_000, threading.Event()

    def answer(_data, _remaining, _arrived):
        asked.set()
        return large

    server._gate.answers[SCORE] = answer
    port = server.listen("127.0.0.1:0")
    server.start()
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        call = channel.unary_unary(SCORE).future(b"")
        assert asked.wait(10)
        server.drain()
        assert call.result() == large


def test_nothing_is_logged_of_ordinary_calls(start, request_of, caplog):
    with caplog.at_level(logging.DEBUG):
        started = start()
        started.stub.Score(request_of({"customer_id": "13800138000"}))
        started.server.drain()
    assert "13800138000" not in caplog.text


def test_the_settings_refuse_it_with_tls_and_without_its_package(certificates, monkeypatch):
    pair = {"tls_cert": certificates / "server.pem", "tls_key": certificates / "server.key"}
    with pytest.raises(SettingsError, match="proxy that terminates TLS"):
        settings.load_settings({"transport": "native", **pair})
    assert settings.load_settings({"transport": "native"}).transport == "native"
    assert settings.load_settings({}).transport == "grpcio"
    find = settings.find_spec
    monkeypatch.setattr(
        settings, "find_spec", lambda name: None if name == "pygrpc_native" else find(name)
    )
    with pytest.raises(SettingsError, match=r"pip install 'harken-server\[native\]'"):
        settings.load_settings({"transport": "native"})
    assert settings.load_settings({}).transport == "grpcio"


def claim(port, streams):
    """Calls that say they bring 4 GiB, and bring nothing."""

    def literal(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    def frame(kind, flags, stream, payload):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
        return head + struct.pack(">I", stream) + payload

    headers = b"\x83\x86" + literal(b":path", SCORE.encode()) + literal(b":authority", b"x")
    headers += literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers")
    connection = socket.create_connection(("127.0.0.1", port))
    sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
    for number in range(streams):
        stream = 2 * number + 1
        sent += frame(1, 4, stream, headers) + frame(0, 0, stream, b"\0\xff\xff\xff\xff")
    connection.sendall(sent)
    return connection


def test_calls_that_claim_a_size_and_send_nothing_hold_no_thread(start, request_of):
    started = start(Limits(threads=1, max_in_flight=1, notice_seconds=0))
    with claim(int(started.address.rsplit(":", 1)[1]), 100):
        assert started.stub.Score(request_of(), timeout=10).score.level == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_it_is_served_by_workers_that_are_started_again(serve_here, desk_of, wait_for):
    served = serve_here("--workers", "1", "--transport", "native")
    desk = desk_of(served)
    level = desk.score().level
    (worker,) = desk.workers()
    # The kernel would take it before the parent.
    assert Path(f"/proc/{worker}/oom_score_adj").read_text().strip() == "1000"
    with grpc.insecure_channel(served.target) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        status = health.Check(health_pb2.HealthCheckRequest(service=SCORING), timeout=10).status
    assert status == health_pb2.HealthCheckResponse.SERVING
    os.kill(worker, signal.SIGABRT)  # as Rust does when it finds no memory
    wait_for(lambda: desk.replaced([worker]))
    assert desk.score().level == level
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=60) == 0
    assert "Traceback" not in served.log.read_text()


def test_the_command_refuses_it_with_tls(certificates):
    pair = ("--tls-cert", str(certificates / "server.pem"))
    pair += ("--tls-key", str(certificates / "server.key"))
    command = [sys.executable, "-m", "harken_server", "--transport", "native", "--json", *pair]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2
    assert "transport native serves no TLS" in json.loads(result.stdout)["problems"][0]
