"""The data plane on pygrpc-native: HTTP/2 and gRPC's framing in Rust, outside the GIL.

Unary calls of the gate come from Rust in batches and are worked on in threads of ours. All else
(streams, health, reflection, methods that do not exist) Rust passes on to the grpcio server
behind it, over a Unix socket. So this serves what ``Server`` serves, but for TLS.

pygrpc-native offers a grpcio-compatible server too. Here its lower layer is used, because the
other has no bound on calls, and passes all to grpcio that is not registered method by method.
"""

from __future__ import annotations

import mmap
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import structlog
from pygrpc_native import EVENT_CALL, NativeGrpcFront

from harken_server.assignment import Limits
from harken_server.grpc.errors import Refusal, internal, report
from harken_server.grpc.guard import Answer, CallPool, Gate
from harken_server.grpc.scoring_service import Answered
from harken_server.grpc.server import MAX_MESSAGE_BYTES, STREAMS, Server
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

IO_THREADS = 1
"""A worker is pinned to one core: a second thread in Rust would only take turns with the first."""
EVENTS = 64
"""Most that are fetched from Rust in one crossing of the GIL."""
CLAIM_BYTES = 1 << 32
"""What Rust reserves on a caller's word: a message says its size in four bytes, ahead of it."""
IDLE_SECONDS = 0.01
LAST_SECONDS = 0.1
"""What the last bytes get on their way from Rust to the kernel."""

_log = structlog.get_logger("harken.grpc")


class NativeServer(Server):
    """As ``Server``, without TLS; ``folder`` is where the socket to the grpcio server stands."""

    def __init__(
        self,
        current: Callable[[], Scorer],
        limits: Limits,
        metrics: Metrics,
        answered: Answered | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(current, limits, metrics, answered)
        self._metrics = metrics
        self._sockets = folder
        self._calls: Calls | None = None

    def listen(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Bind ``host:port``; returns the port. Raises ``RuntimeError`` if it cannot be bound,
        with ``credentials``, or where the machine is too small for what Rust may reserve."""
        if credentials is not None:
            raise RuntimeError("the native transport serves no TLS")
        _reserve(CLAIM_BYTES)
        answers = list(self._gate.answers.items())
        try:
            front = NativeGrpcFront(
                address,
                [(path, False) for path, _ in answers],
                io_threads=IO_THREADS,
                call_details=True,
                metrics=True,
                keepalive_permit_without_calls=False,
                max_concurrent_streams=self._limits.max_in_flight + STREAMS,
                reuse_port=True,
            )
        except OSError as error:
            raise RuntimeError(f"cannot listen on {address}: {error}") from None
        work = [answer for _, answer in answers]
        threads = self._limits.threads
        self._calls = Calls(front, self._gate, self._pool, work, threads, self._metrics)
        return int(front.bound_port)

    def start(self) -> None:
        """Serve, and say so to health checks."""
        assert self._calls is not None, "listen first"
        # Its own folder, which nobody else can enter.
        self._socket = Path(tempfile.mkdtemp(prefix="native-", dir=self._sockets))
        behind = self._socket / "grpcio"
        self._server.add_insecure_port(f"unix:{behind}")
        super().start()
        self._calls.start(behind)

    def _finish(self, seconds: float) -> None:
        if self._calls is None:
            return super()._finish(seconds)
        over = self._server.stop(seconds)
        self._calls.wait(seconds)
        over.wait()
        self._calls.close()
        shutil.rmtree(self._socket, ignore_errors=True)
        return None


class _Call:
    """A call that was taken on. ``until`` is its deadline, on ``perf_counter``'s clock."""

    __slots__ = ("answer", "arrived", "data", "given_up", "number", "until")

    def __init__(
        self, number: int, answer: Answer, data: bytes, arrived: float, until: float | None
    ) -> None:
        self.number, self.answer, self.data = number, answer, data
        self.arrived, self.until, self.given_up = arrived, until, False


class Calls:
    """Takes calls from ``front`` in one thread and works on them in ``threads`` others.

    The one that takes them never works on them: what is beyond the gate's bound is refused at
    once, whatever the others do. ``answers`` stand in the order of the front's methods; ``pool``
    counts the calls in flight.
    """

    def __init__(
        self,
        front: NativeGrpcFront,
        gate: Gate,
        pool: CallPool,
        answers: list[Answer],
        threads: int,
        metrics: Metrics,
    ) -> None:
        self._front, self._gate, self._answers, self._metrics = front, gate, answers, metrics
        self._pool, self._threads = pool, threads
        self._waiting: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._taken: dict[int, _Call] = {}  # those that wait or are worked on

    def start(self, behind: Path) -> None:
        """Take calls; those of other methods are served at the socket ``behind``."""
        self._front.set_fallback(str(behind))
        self._front.start()
        for each in range(self._threads):
            threading.Thread(target=self._work, daemon=True, name=f"call-{each}").start()
        threading.Thread(target=self._take, daemon=True, name="calls").start()

    def wait(self, seconds: float) -> None:
        """Until every call is answered and its answer sent, at most ``seconds``."""
        until = time.monotonic() + seconds
        while (self._taken or self._unsent()) and time.monotonic() < until:
            time.sleep(IDLE_SECONDS)

    def close(self) -> None:
        """Close the port and every connection, at once: what is not sent is lost."""
        time.sleep(LAST_SECONDS)
        self._front.close()
        for _ in range(self._threads):
            self._waiting.put(None)

    def _unsent(self) -> int:
        """Calls, also those passed on, whose answer Rust has not yet given to the connection."""
        counted = self._front.metrics()
        assert counted is not None
        methods = counted["methods"].values()
        ended = sum(each["count"] for method in methods for each in method["status"].values())
        return int(sum(method["started"] for method in methods) - ended)

    def _take(self) -> None:
        while (events := self._front.recv_batch_details(EVENTS)) is not None:
            now = time.perf_counter()
            for kind, number, method, data, _, details in events:
                if kind != EVENT_CALL:  # cancelled, gone, or past its deadline
                    self._give_up(number)
                    continue
                assert data is not None
                assert details is not None
                remaining = details[2]
                until = None if remaining is None else now + remaining
                call = _Call(number, self._answers[method], data, now, until)
                try:
                    self._admit(call)
                except Exception as error:  # this thread must go on whatever happens
                    self._fail(call, internal(report(error)))

    def _give_up(self, number: int) -> None:
        call = self._taken.get(number)
        if call is not None:
            call.given_up = True

    def _admit(self, call: _Call) -> None:
        refused = self._gate.turned_away()
        if refused is not None:
            self._fail(call, refused)
        elif len(call.data) > MAX_MESSAGE_BYTES:
            words = f"Received message larger than max ({len(call.data)} vs. {MAX_MESSAGE_BYTES})"
            self._metrics.called("refused", "RESOURCE_EXHAUSTED", 0.0)
            self._front.fail(call.number, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], words)
        else:
            self._taken[call.number] = call
            self._pool.change(1)
            self._waiting.put(call)

    def _work(self) -> None:
        while (call := self._waiting.get()) is not None:
            try:
                self._answer(call)
            except Exception as error:
                self._fail(call, internal(report(error)))
            finally:
                del self._taken[call.number]
                self._pool.change(-1)

    def _answer(self, call: _Call) -> None:
        remaining = None if call.until is None else call.until - time.perf_counter()
        if call.given_up and (remaining is None or remaining > 0):
            return  # nobody waits for it
        outcome = call.answer(call.data, remaining, call.arrived)
        if isinstance(outcome, Refusal):
            self._fail(call, outcome)
        else:
            self._front.respond(call.number, outcome)

    def _fail(self, call: _Call, refused: Refusal) -> None:
        trailers = list(refused.trailing_metadata)
        self._front.fail(call.number, refused.code.value[0], refused.details, trailers)


def _reserve(size: int) -> None:
    """Raises ``RuntimeError`` unless a process may reserve ``size`` bytes at once.

    Where it may not, Rust's attempt would end the worker, and any caller could make it.
    """
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, ValueError) as error:
        words = f"the native transport reserves up to {size >> 30} GiB for a message"
        raise RuntimeError(f"{words}, and this machine refuses that: {error}") from None
