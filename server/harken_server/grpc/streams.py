"""Streams of chunks: few at a time, on threads of their own, one chunk after the other.

The thread that works on a stream holds no thread of the calls. The next chunk is asked for when
the one before is answered, and gRPC's flow control keeps the caller from sending much more: that
is all the backpressure there is. Whoever sends nothing, or reads nothing, loses its stream after
a while, so that nobody holds one for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import grpc
import structlog

from harken_server.grpc.errors import Refusal, internal, refusal, report
from harken_server.grpc.guard import on
from harken_server.grpc.replay_service import CallerGoneError
from harken_server.metrics import Metrics

if TYPE_CHECKING:
    _GenericHandler = grpc.GenericRpcHandler[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
else:  # grpcio's own classes take no parameters
    _GenericHandler = grpc.GenericRpcHandler

_log = structlog.get_logger("harken.grpc")

Behaviour = Callable[[bytes, Callable[[], bool]], bytes]
"""Takes a message's bytes, and what says that nobody waits any more; gives the answer's bytes.
Raises ``CallerGoneError`` when it was asked and said so, and nothing else that is expected."""


class StreamPool(ThreadPoolExecutor):
    """Threads that work on streams; ``open`` counts those that wait or run."""

    def __init__(self, threads: int, metrics: Metrics) -> None:
        super().__init__(max_workers=threads, thread_name_prefix="stream")
        self._metrics = metrics
        self._count = threading.Lock()
        self.open = 0

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Count the stream in, and out again when it ends, whatever its end."""
        self._change(1)
        try:
            return super().submit(self._run, call, args, kwargs)
        except RuntimeError:  # the pool is shut
            self._change(-1)
            raise

    def _run(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        finally:
            self._change(-1)

    def _change(self, by: int) -> None:
        with self._count:
            self.open += by
        self._metrics.streams(by)


class StreamGate(_GenericHandler):
    """Admits streams, up to ``limit`` of them; ``aside`` is where others hear why not."""

    def __init__(
        self, limit: int, idle_seconds: float, aside: ThreadPoolExecutor, metrics: Metrics
    ) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._metrics = metrics
        self._pool = StreamPool(max(1, limit), metrics)
        self._readers = ThreadPoolExecutor(max(1, limit), thread_name_prefix="stream-read")
        self._drained: Future[bytes | None] = Future()
        self._methods: dict[str, Handler] = {}
        words = f"{limit} streams are open, as many as this worker takes; try again"
        self._shed = self._refuser(aside, refusal("OVERLOADED", words))
        self._end = refusal("SHUTTING_DOWN", "the server is draining; try another")
        self._closed = self._refuser(aside, self._end)

    def add(self, path: str, behaviour: Behaviour) -> None:
        """Serve ``behaviour`` at ``path``, an answer for every message, in their order."""

        def stream(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            return self._serve(path.rsplit("/", 1)[1], behaviour, requests, context)

        self._methods[path] = on(self._pool, grpc.stream_stream_rpc_method_handler(stream))

    def service(self, details: grpc.HandlerCallDetails) -> Handler | None:
        """The handler for a stream that has just come; ``None`` if the method is not known."""
        handler = self._methods.get(details.method)
        if handler is None:
            return None
        if self._drained.done():
            return self._closed
        # grpcio submits what it gets here before it asks for the next call.
        return self._shed if self._pool.open >= self._limit else handler

    def drain(self) -> None:
        """End every stream as soon as it has answered what it works on."""
        if not self._drained.done():
            self._drained.set_result(None)

    def shutdown(self) -> None:
        """Let the threads go; the server has stopped."""
        for pool in (self._pool, self._readers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _serve(
        self,
        method: str,
        behaviour: Behaviour,
        requests: Iterator[bytes],
        context: grpc.ServicerContext,
    ) -> Iterator[bytes]:
        began, answered, code = time.perf_counter(), 0, "CANCELLED"
        gone = threading.Event()
        if not context.add_callback(gone.set):
            gone.set()
        try:
            while True:
                data = self._next(requests)
                if isinstance(data, Refusal):
                    code = data.code.name
                    context.abort_with_status(data)
                if data is None:
                    code = "CANCELLED" if gone.is_set() else "OK"
                    return
                try:
                    answer = behaviour(data, gone.is_set)
                except CallerGoneError:
                    return
                except Exception as error:
                    code = "INTERNAL"
                    context.abort_with_status(internal(report(error)))
                # Sending waits until the caller reads; here nothing but an end helps.
                late = threading.Timer(self._idle_seconds, context.cancel)
                late.daemon = True
                late.start()
                try:
                    yield answer
                finally:
                    late.cancel()
                answered += 1
        finally:
            self._metrics.stream_ended(method, code)
            seconds = round(time.perf_counter() - began, 3)
            _log.debug("stream", method=method, code=code, messages=answered, seconds=seconds)

    def _next(self, requests: Iterator[bytes]) -> bytes | Refusal | None:
        """The next message; ``None`` at the end, or why the stream has to end.

        It is waited for in another thread, because grpcio's own waiting has no limit; that
        thread is free again when the stream has ended.
        """
        if self._drained.done():
            return self._end
        coming: Future[bytes | None] = self._readers.submit(next, requests, None)
        done, _ = wait((coming, self._drained), self._idle_seconds, FIRST_COMPLETED)
        if coming in done:
            try:
                return coming.result()
            except grpc.RpcError:  # the caller is gone
                return None
        if self._drained in done:
            return self._end
        words = f"nothing came for {self._idle_seconds:g} seconds; open another stream"
        return refusal("STREAM_IDLE", words)

    def _refuser(self, aside: ThreadPoolExecutor, answer: Refusal) -> Handler:
        def refuse(_requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            self._metrics.called("refused", answer.code.name, 0.0)
            context.abort_with_status(answer)

        return on(aside, grpc.stream_stream_rpc_method_handler(refuse))
