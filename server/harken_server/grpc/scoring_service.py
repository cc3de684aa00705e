"""``ScoringService``: convert, score, convert back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harken.v1 import scoring_pb2

from harken_server.errors import Reason, ScoringError, Violation
from harken_server.grpc.convert import from_proto, to_proto
from harken_server.grpc.errors import refusal_of
from harken_server.grumble import Grumble, Score
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

MAX_BATCH = 1000
Answered = Callable[[Iterable[tuple[Grumble, Score]]], None]


class ScoringService:
    """Each method takes a request and returns its response, or raises ``ScoringError``.

    ``current`` gives the scorer that a call is answered with; ``answered`` is told of every
    grumble that was scored.
    """

    def __init__(
        self, current: Callable[[], Scorer], metrics: Metrics, answered: Answered | None = None
    ) -> None:
        self._current = current
        self._metrics = metrics
        self._answered = answered

    def score(self, request: scoring_pb2.ScoreRequest) -> scoring_pb2.ScoreResponse:
        """Scores one grumble."""
        scorer = self._current()
        try:
            grumble = from_proto(request, scorer.violations)
            score = scorer.score(grumble)
        except ScoringError as error:
            self._metrics.refused(error.reason)
            raise
        self._metrics.scored([score.level])
        response = scoring_pb2.ScoreResponse()
        to_proto(score, response.score)
        if self._answered is not None:
            self._answered([(grumble, score)])
        return response

    def batch_score(self, batch: scoring_pb2.BatchScoreRequest) -> scoring_pb2.BatchScoreResponse:
        """Scores up to 1,000 grumbles in order; a bad one has a status in its place."""
        if not 1 <= len(batch.requests) <= MAX_BATCH:
            words = f"a batch holds 1 to {MAX_BATCH} requests, not {len(batch.requests)}"
            raise ScoringError([Violation(Reason.BATCH_SIZE, "requests", words)])
        scorer = self._current()
        grumbles = [_read(request, scorer) for request in batch.requests]
        sound = [grumble for grumble in grumbles if isinstance(grumble, Grumble)]
        scores = scorer.score_batch(sound)
        rest = iter(scores)
        outcomes = [next(rest) if isinstance(g, Grumble) else g for g in grumbles]
        self._metrics.scored(o.level for o in outcomes if isinstance(o, Score))
        response = scoring_pb2.BatchScoreResponse()
        for outcome in outcomes:
            self._answer(outcome, response.results.add())
        if self._answered is not None:
            pairs = zip(sound, scores, strict=True)
            self._answered((g, score) for g, score in pairs if isinstance(score, Score))
        return response

    def _answer(self, outcome: Score | ScoringError, result: scoring_pb2.BatchScoreResult) -> None:
        if isinstance(outcome, Score):
            to_proto(outcome, result.score)
        else:
            self._metrics.refused(outcome.reason)
            result.status.CopyFrom(refusal_of(outcome).message)


def _read(request: scoring_pb2.ScoreRequest, scorer: Scorer) -> Grumble | ScoringError:
    try:
        return from_proto(request, scorer.violations)
    except ScoringError as error:
        return error
