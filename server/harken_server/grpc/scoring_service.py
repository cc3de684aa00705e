"""``ScoringService``: convert, score, convert back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.rpc import status_pb2

from harken_server.batch import ScoreBatch
from harken_server.errors import Reason, ScoringError, Violation
from harken_server.grpc import reading
from harken_server.grpc.answers import batch_response, score_response
from harken_server.grpc.batch_reading import BatchRequest, read_batch
from harken_server.grpc.errors import refusal_of
from harken_server.grumble import Grumble, Score
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.transposing import GrumbleBatch

MAX_BATCH = 1000
Answered = Callable[[Iterable[tuple[Grumble, Score]]], None]


class ScoringService:
    """Each method takes a request (``reading``'s) and returns its response's bytes, or raises
    ``ScoringError``.

    ``current`` gives the scorer that a call is answered with; ``answered`` is told of every
    grumble that was scored.
    """

    def __init__(
        self, current: Callable[[], Scorer], metrics: Metrics, answered: Answered | None = None
    ) -> None:
        self._current = current
        self._metrics = metrics
        self._answered = answered

    def score(self, request: Any) -> bytes:
        """Scores one grumble."""
        scorer = self._current()
        try:
            grumble = reading.grumble_of(request, scorer.violations)
            score = scorer.score(grumble)
        except ScoringError as error:
            self._metrics.refused(error.reason)
            raise
        self._metrics.scored(score.level)
        response = score_response(score)
        if self._answered is not None:
            self._answered([(grumble, score)])
        return response

    def batch_score(self, batch: BatchRequest) -> bytes:
        """Scores up to 1,000 grumbles in order; a bad one has a status in its place."""
        if not 1 <= len(batch.requests) <= MAX_BATCH:
            words = f"a batch holds 1 to {MAX_BATCH} requests, not {len(batch.requests)}"
            raise ScoringError([Violation(Reason.BATCH_SIZE, "requests", words)])
        scorer = self._current()
        read = read_batch(batch, scorer.snapshot, scorer.violations)
        scores = scorer.score_read(read)
        for level, rows in scores.levels().items():
            self._metrics.scored(level, rows)
        response = batch_response(scores, self._status)
        if self._answered is not None:
            self._answered(_scored(read, scores))
        return response

    def _status(self, error: ScoringError) -> status_pb2.Status:
        self._metrics.refused(error.reason)
        return refusal_of(error).message


def _scored(read: GrumbleBatch, scores: ScoreBatch) -> Iterator[tuple[Grumble, Score]]:
    """The grumbles that have a score, with it; made when asked for."""
    grumbles = read.columns.originals or ()
    for row, score in enumerate(scores):
        if isinstance(score, Score):
            yield grumbles[row], score
