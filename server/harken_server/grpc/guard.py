"""What stands between the wire and a service: admission, deadlines, decoding, faults.

grpcio calls ``Gate.service`` on its serving thread and then hands the call to a pool. What
is beyond the bound is answered at once from another pool, unread; what is admitted is
decoded and worked on in a pool thread, and whatever happens there, the caller sees a
documented status and never an exception's text.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, cast

import grpc
import structlog
from google.protobuf.message import DecodeError

from harken_server.errors import PublishingError, ScoringError
from harken_server.grpc.errors import (
    Refusal,
    internal,
    refusal,
    refusal_of,
    refusal_to_publish,
    report,
)
from harken_server.metrics import Metrics

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
    _GenericHandler = grpc.GenericRpcHandler[Any, Any]
else:  # grpcio's own classes take no parameters
    _GenericHandler = grpc.GenericRpcHandler

_log = structlog.get_logger("harken.grpc")


Answer = Callable[[bytes, float | None, float], bytes | Refusal]
"""Takes a request's bytes, the seconds until its deadline (``None`` without one) and when it
arrived, on ``perf_counter``'s clock. Raises nothing, and has counted the call."""


class Request(Protocol):
    """A message type that reads its bytes."""

    @staticmethod
    def FromString(data: bytes, /) -> Any: ...  # noqa: N802 -- protobuf's name


class CallPool(ThreadPoolExecutor):
    """Threads that work on calls; ``in_flight`` counts those that wait or run."""

    def __init__(self, threads: int, metrics: Metrics) -> None:
        super().__init__(max_workers=threads, thread_name_prefix="call")
        self._count = threading.Lock()
        self._local = threading.local()
        self.in_flight = 0
        metrics.in_flight_of(lambda: self.in_flight)

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Count the call in, and out again when it ends, whatever its end."""
        arrived = time.perf_counter()
        self.change(1)
        try:
            return super().submit(self._run, arrived, call, args, kwargs)
        except RuntimeError:  # the pool is shut
            self.change(-1)
            raise

    def arrived(self) -> float:
        """When the call that this thread works on was submitted, on ``perf_counter``'s clock."""
        return getattr(self._local, "arrived", None) or time.perf_counter()

    def _run(
        self,
        arrived: float,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        self._local.arrived = arrived
        try:
            return call(*args, **kwargs)
        finally:
            self.change(-1)

    def change(self, by: int) -> None:
        """Count a call in (+1) or out (-1) that another transport's threads work on."""
        with self._count:
            self.in_flight += by


class Gate(_GenericHandler):
    """Admits calls of the services that it was given, up to ``max_in_flight`` of them."""

    def __init__(
        self, pool: CallPool, aside: ThreadPoolExecutor, max_in_flight: int, metrics: Metrics
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._max_in_flight = max_in_flight
        self._methods: dict[str, Handler] = {}
        self.answers: dict[str, Answer] = {}
        self._overload = refusal("OVERLOADED", "the server is at its limit; try again")
        self._end = refusal("SHUTTING_DOWN", "the server is draining; try another")
        self._shed = self._refuser(aside, self._overload)
        self._closed = self._refuser(aside, self._end)
        self.draining = False

    def add(self, path: str, request: type[Request], behaviour: Callable[[Any], Any]) -> None:
        """Serve ``behaviour`` at ``path``, ``/package.Service/M``.

        It takes a request and returns the response, or the response's bytes.
        """
        method = path.rsplit("/", 1)[1]
        # Asked once: a message that nobody wants costs microseconds all the same.
        tells = _log.is_enabled_for(logging.DEBUG)

        def answer(data: bytes, remaining: float | None, arrived: float) -> bytes | Refusal:
            outcome = _answer(data, remaining, request, behaviour)
            code = outcome.code.name if isinstance(outcome, Refusal) else "OK"
            seconds = time.perf_counter() - arrived
            self._metrics.called(method, code, seconds)
            if tells:
                _log.debug("call", method=method, code=code, seconds=round(seconds, 6))
            return outcome

        def call(data: bytes, context: grpc.ServicerContext) -> bytes:
            outcome = answer(data, context.time_remaining(), self._pool.arrived())
            if isinstance(outcome, Refusal):
                context.abort_with_status(outcome)
            return outcome

        # No (de)serialisers: grpcio would run them on its one serving thread and answer
        # bytes that are no message with a status of its own.
        self._methods[path] = on(self._pool, grpc.unary_unary_rpc_method_handler(call))
        self.answers[path] = answer

    def service(self, details: grpc.HandlerCallDetails) -> Handler | None:
        """The handler for a call that has just come; ``None`` if the method is not known."""
        handler = self._methods.get(details.method)
        if handler is None:
            return None
        if self.draining:
            return self._closed
        if self._pool.in_flight >= self._max_in_flight:
            return self._shed
        return handler

    def turned_away(self) -> Refusal | None:
        """Why a call that has just come is not taken on, and counted so; ``None`` if it is.

        For a transport that asks here instead of by ``service``.
        """
        if not self.draining and self._pool.in_flight < self._max_in_flight:
            return None
        answer = self._end if self.draining else self._overload
        self._metrics.called("refused", answer.code.name, 0.0)
        return answer

    def _refuser(self, aside: ThreadPoolExecutor, answer: Refusal) -> Handler:
        def refuse(_data: bytes, context: grpc.ServicerContext) -> None:
            self._metrics.called("refused", answer.code.name, 0.0)
            context.abort_with_status(answer)

        return on(aside, grpc.unary_unary_rpc_method_handler(refuse))


def on(pool: ThreadPoolExecutor, handler: Handler) -> Handler:
    """The same handler, run in ``pool`` instead of the server's own."""
    kind = "stream_stream" if handler.request_streaming else "unary_unary"
    behaviour = getattr(handler, kind)

    def run(request: Any, context: grpc.ServicerContext) -> Any:
        return behaviour(request, context)

    run.experimental_thread_pool = pool  # type: ignore[attr-defined]  # grpcio looks for it
    moved: Handler = cast("Any", handler)._replace(**{kind: run})
    return moved


def _answer(
    data: bytes,
    remaining: float | None,
    request: type[Request],
    behaviour: Callable[[Any], Any],
) -> bytes | Refusal:
    """The response's bytes, or why there are none. Raises nothing."""
    if remaining is not None and remaining <= 0:
        return refusal("DEADLINE_PASSED", "the deadline had passed before work began")
    try:
        message = request.FromString(data)
    except DecodeError:
        words = f"the bytes sent are no {request.DESCRIPTOR.full_name}"  # type: ignore[attr-defined]
        return refusal("MESSAGE_UNDECODABLE", words)
    try:
        response = behaviour(message)
        serialised: bytes = (
            response if isinstance(response, bytes) else response.SerializeToString()
        )
    except ScoringError as error:
        return refusal_of(error)
    except PublishingError as error:
        return refusal_to_publish(error)
    except Exception as error:
        return internal(report(error))
    return serialised
