"""Harken's server with nothing behind it: what the transport alone costs.

``python bench/null_server.py SIZE [options of harken serve]`` is ``harken serve`` itself, with
its workers, their cores and their guard, except that ``Score`` and ``BatchScore`` give one fixed
answer: the request is parsed and not looked at, the answer to a ``Score`` takes SIZE bytes and
was written when the server started.
"""

from __future__ import annotations

import sys
from typing import Any

from harken.v1 import score_pb2, scoring_pb2
from harken_server.grpc.scoring_service import ScoringService


class NullService(ScoringService):
    """Takes and gives the messages that ``ScoringService`` does."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._fixed = scoring_pb2.ScoreResponse(score=answer_of(SIZE)).SerializeToString()

    def score(self, request: Any) -> bytes:
        """The fixed answer."""
        return self._fixed

    def batch_score(self, batch: Any) -> bytes:
        """Nothing."""
        return b""


def answer_of(size: int) -> score_pb2.Score:
    """A score whose response is about ``size`` bytes long: text of the usual fields, padded."""
    score = score_pb2.Score(level=3, probability=0.1, severity=2.5, decision_id="0" * 32)
    while (missing := size - 4 - score.ByteSize()) > 0:
        score.reasons.add(code="null"[:missing], text="." * max(min(missing - 12, 110), 0))
    return score


def worker() -> int:
    """A worker of the server whose servicer is replaced."""
    from harken_server import data_plane
    from harken_server.grpc import server

    server.ScoringService = NullService
    return data_plane.main()


def parent(arguments: list[str]) -> None:
    """``harken serve`` whose workers are this program's."""
    from harken_client.main import main
    from harken_server import workers

    workers.COMMAND = (sys.executable, __file__, str(SIZE), "--worker")
    sys.argv = ["harken", "serve", *arguments]
    main()


if __name__ == "__main__":
    SIZE = int(sys.argv[1])
    if "--worker" in sys.argv:
        sys.exit(worker())
    parent(sys.argv[2:])
