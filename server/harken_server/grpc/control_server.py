"""The parent's server: rule bases, health and reflection.

Changes and simulations may take minutes; they have threads of their own, so that asking how
things stand is answered while they run.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2
from harken.v1 import rule_bases_pb2 as pb
from prometheus_client import CollectorRegistry

from harken_server.grpc.guard import CallPool, Gate
from harken_server.grpc.rule_base_service import RuleBaseService
from harken_server.grpc.standard import health_handlers, reflection_handlers
from harken_server.metrics import Metrics
from harken_server.publishing import Publisher

RULE_BASES = pb.DESCRIPTOR.services_by_name["RuleBaseService"].full_name
MAX_MESSAGE_BYTES = 66_000_000
"""A rule base of the size that a reader takes, and the names of its files."""
ASKING_THREADS, ASKING_CALLS = 4, 32
WORKING_THREADS, WORKING_CALLS = 3, 8
_STREAMS = 100
"""Health watches and refusals that may be open beside the calls in flight."""


class ControlServer:
    """Not listening until ``listen``, not serving until ``start``.

    ``metrics`` counts its calls; of its own unless given.
    """

    def __init__(self, publisher: Publisher, metrics: Metrics | None = None) -> None:
        metrics = metrics or Metrics(CollectorRegistry())
        self._asking = CallPool(ASKING_THREADS, metrics)
        self._working = CallPool(WORKING_THREADS, metrics)
        self._aside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="aside")
        self._checking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="health")
        self._reflecting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reflect")
        asking = Gate(self._asking, self._aside, ASKING_CALLS, metrics)
        working = Gate(self._working, self._aside, WORKING_CALLS, metrics)
        self._gates = (asking, working)
        service = RuleBaseService(publisher)
        for gate, name, behaviour in (
            (asking, "ListRuleBaseRevisions", service.list_rule_base_revisions),
            (asking, "GetRuleBaseRevision", service.get_rule_base_revision),
            (working, "CreateRuleBaseRevision", service.create_rule_base_revision),
            (working, "ActivateRuleBaseRevision", service.activate_rule_base_revision),
            (working, "RollbackRuleBase", service.rollback_rule_base),
            (working, "SimulateRuleBase", service.simulate_rule_base),
            (working, "SetShadowRuleBase", service.set_shadow_rule_base),
            (asking, "GetServingState", service.get_serving_state),
        ):
            gate.add(f"/{RULE_BASES}/{name}", getattr(pb, f"{name}Request"), behaviour)
        self._server = grpc.server(
            self._asking,
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=ASKING_CALLS + WORKING_CALLS + _STREAMS,
        )
        self._health = health.HealthServicer()
        self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.add_generic_rpc_handlers(
            (
                *self._gates,
                health_handlers(self._health, self._checking),
                reflection_handlers([RULE_BASES], self._reflecting),
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
        self._say(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, seconds: float = 5.0) -> None:
        """Refuse new calls and give those in flight ``seconds``. Returns when all is over."""
        for gate in self._gates:
            gate.draining = True
        self._health.enter_graceful_shutdown()
        self._server.stop(seconds).wait()
        pools = (self._asking, self._working, self._aside, self._checking, self._reflecting)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        for name in ("", RULE_BASES):
            self._health.set(name, status)
