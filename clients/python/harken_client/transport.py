"""What the synchronous and the asyncio client share: everything that is not I/O.

A client keeps several channels and takes them in turn. The server's processes share one
port by ``SO_REUSEPORT``, which spreads connections, not calls, so one channel would load
one process; and grpc merges channels of equal arguments into one connection unless each
has its own subchannel pool.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from harken.v1 import scoring_pb2, scoring_pb2_grpc

from harken_client.errors import HarkenError
from harken_client.requests import Scorable, to_request
from harken_client.types import Score, ScoreError, results_from_proto, score_from_proto

DEFAULT_TARGET = "127.0.0.1:50051"
DEFAULT_TIMEOUT_SECONDS = 10.0
DEFAULT_CHANNELS = 4
RETRY_BYTES = 4 << 20
"""Larger requests are sent once: a server refuses them for their size as a rule."""
SERVICE = "harken.v1.ScoringService"

Argument = TypeVar("Argument")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Method(Generic[Argument, Result]):
    """A remote method: its name in the stub, and the way in and out of messages."""

    name: str
    encode: Callable[[Argument], Message]
    decode: Callable[..., Result]


def _encode_batch(requests: Sequence[Scorable]) -> scoring_pb2.BatchScoreRequest:
    return scoring_pb2.BatchScoreRequest(requests=map(to_request, requests))


def _encode_score(request: Scorable) -> scoring_pb2.ScoreRequest:
    return to_request(request)


def _decode_score(response: scoring_pb2.ScoreResponse) -> Score:
    return score_from_proto(response.score)


SCORE: Method[Scorable, Score] = Method("Score", _encode_score, _decode_score)
BATCH_SCORE: Method[Sequence[Scorable], list[Score | ScoreError]] = Method(
    "BatchScore", _encode_batch, results_from_proto
)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS to the server; with ``certificate`` and ``key`` mutual TLS. PEM files.

    Without ``ca`` the system's own roots are trusted. ``server_name`` is the name to
    expect in the server's certificate where it is not the target's.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files; :class:`HarkenError` says which cannot be read."""
        if (self.certificate is None) != (self.key is None):
            raise HarkenError("mutual TLS needs both a certificate and its key")
        return grpc.ssl_channel_credentials(
            root_certificates=_read(self.ca),
            private_key=_read(self.key),
            certificate_chain=_read(self.certificate),
        )


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise HarkenError(f"cannot read {path}: {error.strerror}") from None


def new_stub(channel: Any) -> Any:
    """The generated stub, which carries no types, on a channel of either kind."""
    return scoring_pb2_grpc.ScoringServiceStub(channel)  # type: ignore[no-untyped-call]


def service_config(attempts: int) -> str:
    """Retry what may succeed a moment later; every method is free of side effects."""
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    return json.dumps({"methodConfig": [{"name": [{"service": SERVICE}], "retryPolicy": policy}]})


def channel_options(
    target: str, *, attempts: int, tls: Tls | None, extra: Sequence[tuple[str, object]] = ()
) -> list[tuple[str, object]]:
    """Channel arguments; ``extra`` comes last and wins."""
    options: dict[str, object] = {
        "grpc.use_local_subchannel_pool": 1,
        # A batch is larger than the 256 KiB that grpc keeps for a retry by default.
        "grpc.per_rpc_retry_buffer_size": RETRY_BYTES,
        "grpc.max_receive_message_length": 64 << 20,  # 1,000 explained scores
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 5_000,
    }
    if attempts > 1:
        options["grpc.service_config"] = service_config(attempts)
    if target.startswith(("127.", "localhost:", "[::1]", "unix:")):
        options["grpc.enable_http_proxy"] = 0  # no proxy reaches this machine's own loopback
    if tls is not None and tls.server_name:
        options["grpc.ssl_target_name_override"] = tls.server_name
    return list((options | dict(extra)).items())
