"""Another rule base, served without a call noticing; and what dies on the way."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC
from pathlib import Path

import grpc
import pytest
from harken.v1 import rule_bases_pb2 as pb
from harken.v1 import scoring_pb2_grpc

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="needs /proc")

RELOADS = 100
CALLERS = 2


@pytest.fixture(scope="module")
def desk(serve_for_all, desk_of, base_path):
    return desk_of(serve_for_all("--rules", str(base_path), "--workers", "2"))


@pytest.fixture(scope="module")
def digests(desk, edited, tmp_path_factory):
    """Those of the rule base served first, and of another one that was published."""
    created = desk.create(edited(tmp_path_factory.mktemp("edited") / "rules"))
    assert created.created
    return desk.served.rule_base_digest, created.digest


def resident(pids):
    """Bytes of memory that processes hold between them."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGESIZE")


class Callers:
    """Threads that have grumbles scored without a pause; used as a context manager."""

    def __init__(self, desk):
        self.desk = desk
        self.answers = set()
        self.failures = []
        self.calls = 0
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _call(self):
        options = [("grpc.use_local_subchannel_pool", 1)]  # a connection, and a worker, each
        with grpc.insecure_channel(self.desk.served.target, options=options) as channel:
            stub = scoring_pb2_grpc.ScoringServiceStub(channel)
            while not self._stopping.is_set():
                try:
                    score = stub.Score(self.desk.request, timeout=20).score
                except grpc.RpcError as error:
                    self.failures.append(error.code())
                else:
                    self.answers.add((score.rule_base_digest, score.level))
                self.calls += 1


def test_a_hundred_reloads_under_load_fail_no_call_and_leak_nothing(desk, digests):
    workers = desk.workers()
    held = {}
    with Callers(desk) as callers:
        for reload in range(1, RELOADS + 1):
            wanted = digests[reload % 2]
            assert desk.activate(wanted).digest == wanted
            held[reload] = resident(workers)
    assert not callers.failures
    assert callers.calls > RELOADS
    assert callers.answers == {(digests[0], 1), (digests[1], 4)}
    assert desk.workers() == workers
    assert held[RELOADS] < 1.15 * held[10], held
    assert desk.metric("harken_reloads_total") >= RELOADS


def test_what_every_worker_serves_is_told(desk, digests):
    before = desk.activate(digests[0]).activate_time.ToDatetime()
    desk.activate(digests[1])
    state = desk.state()
    assert [worker.number for worker in state.workers] == [0, 1]
    assert all(worker.serving for worker in state.workers)
    assert {worker.rule_base_digest for worker in state.workers} == {digests[1]}
    assert {worker.model_digest for worker in state.workers} == {desk.served.model_digest}
    assert all(worker.since_time.ToDatetime() >= before for worker in state.workers)
    assert not state.durable
    since = desk.metric("harken_rule_base_active_since_seconds")
    assert before.replace(tzinfo=UTC).timestamp() <= since


def test_a_worker_that_dies_after_the_swap_comes_back_with_the_new_rule_base(
    desk, digests, wait_for
):
    desk.activate(digests[0])
    desk.activate(digests[1])
    killed = desk.workers()[0]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: desk.replaced([killed]))
    assert {desk.score().rule_base_digest for _ in range(8)} == {digests[1]}
    assert {worker.rule_base_digest for worker in desk.state().workers} == {digests[1]}


def test_a_worker_that_dies_before_the_swap_leaves_all_as_they_were(desk, digests, wait_for):
    desk.activate(digests[0])
    stopped = desk.workers()[0]
    os.kill(stopped, signal.SIGSTOP)  # it takes the order and does not answer
    activation = pb.ActivateRuleBaseRevisionRequest(digest=digests[1], author="a", message="m")
    answer = desk.stub.ActivateRuleBaseRevision.future(activation, timeout=120)
    other = desk.state().workers  # asking never waits for a change under way
    assert {worker.rule_base_digest for worker in other} == {digests[0]}
    os.kill(stopped, signal.SIGKILL)
    with pytest.raises(grpc.RpcError) as refused:
        answer.result()
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "it ended" in refused.value.details()
    state = desk.state()
    assert state.active.digest == digests[0]
    assert state.last_error.digest == digests[1]
    wait_for(lambda: desk.replaced([stopped]))
    assert {worker.rule_base_digest for worker in desk.state().workers} == {digests[0]}
    assert {desk.score().rule_base_digest for _ in range(8)} == {digests[0]}
    desk.activate(digests[1])
    assert not desk.state().HasField("last_error")
    assert {desk.score().rule_base_digest for _ in range(8)} == {digests[1]}


def test_what_was_published_is_served_after_a_restart_and_a_bad_shadow_is_no_obstacle(
    serve_here, desk_of, edited, base_path, tmp_path, wait_for
):
    options = ("--rules", str(base_path), "--workers", "1", "--revisions", str(tmp_path / "kept"))
    first = desk_of(serve_here(*options))
    digest = first.create(edited(tmp_path / "rules")).digest
    first.activate(digest)
    first.served.process.kill()  # it has not the time to put anything in order
    first.served.process.wait()
    (tmp_path / "rules" / "facts.yaml").unlink()
    second = desk_of(serve_here(*options, "--shadow", str(tmp_path / "rules")))
    assert second.served.rule_base_digest == digest
    wait_for(lambda: "no shadow" in second.served.log.read_text())
    assert "missing-file" in second.served.log.read_text()
    assert second.score().level == 4
    state = second.state()
    assert state.durable
    assert not state.HasField("shadow")
    assert digest in second.served.log.read_text()
