"""What carries the data plane's calls: grpcio, or pygrpc-native where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harken_server.assignment import Limits
from harken_server.grpc.scoring_service import Answered
from harken_server.grpc.server import Server
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.settings import Transport


def server_on(
    transport: Transport,
    current: Callable[[], Scorer],
    limits: Limits,
    metrics: Metrics,
    answered: Answered | None = None,
    folder: Path | None = None,
) -> Server:
    """A data-plane server on ``transport``; ``folder`` is for what must go with the parent.

    Raises ``ImportError`` for ``native`` without its package; ``Settings`` has looked for it.
    """
    if transport == "grpcio":
        return Server(current, limits, metrics, answered)
    from harken_server.grpc.native import NativeServer

    return NativeServer(current, limits, metrics, answered, folder)
