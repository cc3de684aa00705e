"""One data-plane server: the guarded services, health and reflection, on one pool."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from harken.v1 import scoring_pb2

from harken_server.assignment import Limits
from harken_server.grpc.guard import CallPool, Gate, on
from harken_server.grpc.scoring_service import ScoringService
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

SCORING = scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_STREAMS = 1000
"""Health watches and refusals that may be open beside the calls in flight."""


class Server:
    """Not listening until ``listen``, not serving until ``start``."""

    def __init__(self, scorer: Scorer, limits: Limits, metrics: Metrics) -> None:
        self._limits = limits
        self._pool = CallPool(limits.threads, metrics)
        self._aside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="aside")
        # Health answers whatever else waits, refusals included.
        self._checking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="health")
        # A reflection stream holds its thread for as long as its caller likes.
        self._reflecting = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reflect")
        self._gate = Gate(self._pool, self._aside, limits.max_in_flight, metrics)
        service = ScoringService(scorer, metrics)
        self._gate.add(f"/{SCORING}/Score", scoring_pb2.ScoreRequest, service.score)
        self._gate.add(f"/{SCORING}/BatchScore", scoring_pb2.BatchScoreRequest, service.batch_score)
        self._server = grpc.server(
            self._pool,
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=limits.max_in_flight + _STREAMS,
        )
        self._health = health.HealthServicer()
        for name in ("", SCORING):
            self._health.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.add_generic_rpc_handlers((self._gate, self._health_handlers()))
        self._server.add_generic_rpc_handlers((self._reflection_handlers(),))

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
        self._health.enter_graceful_shutdown()
        # Whoever calls just now hears why, and health watchers hear it, before the port goes.
        time.sleep(self._limits.notice_seconds)
        self._server.stop(self._limits.drain_seconds).wait()
        for pool in (self._pool, self._aside, self._checking, self._reflecting):
            pool.shutdown(wait=False, cancel_futures=True)

    def _health_handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        check = grpc.unary_unary_rpc_method_handler(
            self._health.Check,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        )
        watch = grpc.unary_stream_rpc_method_handler(
            self._health.Watch,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        )
        methods = {"Check": on(self._checking, check), "Watch": watch}
        return grpc.method_handlers_generic_handler(health.SERVICE_NAME, methods)

    def _reflection_handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        names = (SCORING, health.SERVICE_NAME, reflection.SERVICE_NAME)
        info = grpc.stream_stream_rpc_method_handler(
            reflection.ReflectionServicer(names).ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        methods = {"ServerReflectionInfo": on(self._reflecting, info)}
        return grpc.method_handlers_generic_handler(reflection.SERVICE_NAME, methods)
