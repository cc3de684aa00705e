"""``ScoringService``: convert, score, convert back."""

from __future__ import annotations

from harken.v1 import scoring_pb2

from harken_server.errors import Reason, ScoringError, Violation
from harken_server.grpc.convert import from_proto, to_proto
from harken_server.grpc.errors import refusal_of
from harken_server.grumble import Grumble, Score
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

MAX_BATCH = 1000


class ScoringService:
    """Each method takes a request and returns its response, or raises ``ScoringError``."""

    def __init__(self, scorer: Scorer, metrics: Metrics) -> None:
        self._scorer = scorer
        self._metrics = metrics

    def score(self, request: scoring_pb2.ScoreRequest) -> scoring_pb2.ScoreResponse:
        """Scores one grumble."""
        try:
            score = self._scorer.score(from_proto(request, self._scorer.violations))
        except ScoringError as error:
            self._metrics.refused(error.reason)
            raise
        self._metrics.scored([score.level])
        response = scoring_pb2.ScoreResponse()
        to_proto(score, response.score)
        return response

    def batch_score(self, batch: scoring_pb2.BatchScoreRequest) -> scoring_pb2.BatchScoreResponse:
        """Scores up to 1,000 grumbles in order; a bad one has a status in its place."""
        if not 1 <= len(batch.requests) <= MAX_BATCH:
            words = f"a batch holds 1 to {MAX_BATCH} requests, not {len(batch.requests)}"
            raise ScoringError([Violation(Reason.BATCH_SIZE, "requests", words)])
        grumbles = [self._read(request) for request in batch.requests]
        scores = iter(self._scorer.score_batch([g for g in grumbles if isinstance(g, Grumble)]))
        outcomes = [next(scores) if isinstance(g, Grumble) else g for g in grumbles]
        self._metrics.scored(o.level for o in outcomes if isinstance(o, Score))
        response = scoring_pb2.BatchScoreResponse()
        for outcome in outcomes:
            self._answer(outcome, response.results.add())
        return response

    def _read(self, request: scoring_pb2.ScoreRequest) -> Grumble | ScoringError:
        try:
            return from_proto(request, self._scorer.violations)
        except ScoringError as error:
            return error

    def _answer(self, outcome: Score | ScoringError, result: scoring_pb2.BatchScoreResult) -> None:
        if isinstance(outcome, Score):
            to_proto(outcome, result.score)
        else:
            self._metrics.refused(outcome.reason)
            result.status.CopyFrom(refusal_of(outcome).message)
