"""The asyncio client; ``harken_client.AsyncClient``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio

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
    """As :class:`harken_client.client.Client`, with methods to await; for one event loop."""

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
        self._size = channels
        self._channels: list[grpc.aio.Channel] = []
        self._stubs: Iterator[Any] | None = None

    async def score(self, request: Scorable, *, timeout: float | None = None) -> Score:
        """Score one grumble; raises :class:`~harken_client.errors.HarkenError`."""
        return await self.call(SCORE, request, timeout=timeout)

    async def batch_score(
        self, requests: Sequence[Scorable], *, timeout: float | None = None
    ) -> list[Score | ScoreError]:
        """Score up to 1,000 grumbles, answered in order; a bad item spoils only itself."""
        return await self.call(BATCH_SCORE, requests, timeout=timeout)

    async def call(
        self, method: Method[Argument, Result], argument: Argument, *, timeout: float | None = None
    ) -> Result:
        """Call any method on the next channel."""
        request = method.encode(argument)
        remote: Any = getattr(self._next_stub(), method.name)
        try:
            response = await remote(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return method.decode(response)

    async def close(self) -> None:
        """Close the channels; calls under way are cancelled."""
        for channel in self._channels:
            await channel.close(None)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _next_stub(self) -> Any:
        if self._stubs is None:  # a channel belongs to the loop that is running when it is made
            self._channels = [self._open() for _ in range(self._size)]
            self._stubs = itertools.cycle([new_stub(channel) for channel in self._channels])
        return next(self._stubs)

    def _open(self) -> grpc.aio.Channel:
        if self._credentials:
            return grpc.aio.secure_channel(self.target, self._credentials, options=self._arguments)
        return grpc.aio.insecure_channel(self.target, options=self._arguments)
