"""One data-plane server: the guarded services, health and reflection, on one pool."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2
from harken.v1 import scoring_pb2

from harken_server.assignment import Limits
from harken_server.grpc import reading
from harken_server.grpc.batch_reading import BatchRequest
from harken_server.grpc.guard import CallPool, Gate
from harken_server.grpc.replay_service import ReplayService
from harken_server.grpc.scoring_service import Answered, ScoringService
from harken_server.grpc.standard import health_handlers, reflection_handlers
from harken_server.grpc.streams import StreamGate
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

SCORING = scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
STREAMS = 1000
"""Health watches and refusals that may be open beside the calls in flight."""


class Server:
    """Not listening until ``listen``, not serving until ``start``.

    ``current`` and ``answered`` are as ``ScoringService`` takes them.
    """

    def __init__(
        self,
        current: Callable[[], Scorer],
        limits: Limits,
        metrics: Metrics,
        answered: Answered | None = None,
    ) -> None:
        self._limits = limits
        self._pool = CallPool(limits.threads, metrics)
        self._aside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="aside")
        # Health answers whatever else waits, refusals included.
        self._checking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="health")
        # A reflection stream holds its thread for as long as its caller likes.
        self._reflecting = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reflect")
        self._gate = Gate(self._pool, self._aside, limits.max_in_flight, metrics)
        service = ScoringService(current, metrics, answered)
        self._gate.add(f"/{SCORING}/Score", reading.ScoreRequest, service.score)
        self._gate.add(f"/{SCORING}/BatchScore", BatchRequest, service.batch_score)
        self._streams = StreamGate(
            limits.replay_streams, limits.replay_idle_seconds, self._aside, metrics
        )
        replay = ReplayService(current, metrics, busy=lambda: self._pool.in_flight > 0)
        self._streams.add(f"/{SCORING}/ReplayScores", replay.answer)
        self._server = grpc.server(
            self._pool,
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=limits.max_in_flight + STREAMS,
        )
        self._health = health.HealthServicer()
        for name in ("", SCORING):
            self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.add_generic_rpc_handlers(
            (
                self._gate,
                self._streams,
                health_handlers(self._health, self._checking),
                reflection_handlers([SCORING], self._reflecting),
            )
        )

    def listen(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Bind ``host:port``; returns the port. Raises ``RuntimeError`` if it cannot be bound."""
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, credentials))

    def start(self) -> None:
        """Serve, and say so to health checks."""
        self._server.start()
        for name in ("", SCORING):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def drain(self) -> None:
        """Refuse new calls, finish those in flight, and stop. Returns when all is over."""
        self._gate.draining = True
        self._streams.drain()
        self._health.enter_graceful_shutdown()
        # Whoever calls just now hears why, and health watchers hear it, before the port goes.
        time.sleep(self._limits.notice_seconds)
        self._finish(self._limits.drain_seconds)
        for pool in (self._pool, self._aside, self._checking, self._reflecting):
            pool.shutdown(wait=False, cancel_futures=True)
        self._streams.shutdown()

    def _finish(self, seconds: float) -> None:
        """Give calls in flight ``seconds``, and close."""
        self._server.stop(seconds).wait()
