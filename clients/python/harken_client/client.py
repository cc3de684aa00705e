"""The synchronous client."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc

from harken_client.errors import from_rpc_error
from harken_client.requests import Scorable
from harken_client.transport import (
    BATCH_SCORE,
    DEFAULT_CHANNELS,
    DEFAULT_TARGET,
    DEFAULT_TIMEOUT_SECONDS,
    SCORE,
    Method,
    Tls,
    channel_options,
    new_stub,
)
from harken_client.types import Score, ScoreError

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class Client:
    """A pool of channels to one scoring service; safe to share between threads.

    ``timeout`` is the default deadline of a call in seconds, retries included.
    ``attempts`` counts the first try (1: never retry, at most 5). ``options`` are extra
    grpc channel arguments. Nothing is sent until the first call. Use it as a context
    manager, or ``close`` it.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        channels: int = DEFAULT_CHANNELS,
        attempts: int = 4,
        tls: Tls | None = None,
        options: Sequence[tuple[str, object]] = (),
    ) -> None:
        self.target = target
        self._arguments = channel_options(target, attempts=attempts, tls=tls, extra=options)
        self._credentials = tls.credentials() if tls else None
        self._timeout = timeout
        self._channels = [self.open_channel() for _ in range(channels)]
        self._stubs = itertools.cycle([new_stub(channel) for channel in self._channels])

    def score(self, request: Scorable, *, timeout: float | None = None) -> Score:
        """Score one grumble; raises :class:`~harken_client.errors.HarkenError`."""
        return self.call(SCORE, request, timeout=timeout)

    def batch_score(
        self, requests: Sequence[Scorable], *, timeout: float | None = None
    ) -> list[Score | ScoreError]:
        """Score up to 1,000 grumbles, answered in order; a bad item spoils only itself."""
        return self.call(BATCH_SCORE, requests, timeout=timeout)

    def call(
        self, method: Method[Argument, Result], argument: Argument, *, timeout: float | None = None
    ) -> Result:
        """Call any method on the next channel."""
        request = method.encode(argument)
        remote: Any = getattr(next(self._stubs), method.name)
        try:
            response = remote(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return method.decode(response)

    def open_channel(self, options: Sequence[tuple[str, object]] = ()) -> grpc.Channel:
        """One more channel to the same target, for the caller to use and to close."""
        arguments = list((dict(self._arguments) | dict(options)).items())
        if self._credentials:
            return grpc.secure_channel(self.target, self._credentials, options=arguments)
        return grpc.insecure_channel(self.target, options=arguments)

    def close(self) -> None:
        """Close the channels; calls under way end with ``Unavailable``."""
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
