"""A stand-in for the scoring service: real gRPC, made-up but deterministic answers."""

from __future__ import annotations

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pyarrow as pa
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from harken.v1 import replay_pb2, score_pb2, scoring_pb2, scoring_pb2_grpc
from harken_client.requests import grumble_request

DETAILS_KEY = "grpc-status-details-bin"


def rich_status(
    code: grpc.StatusCode,
    message: str,
    reason: str = "",
    fields: tuple[tuple[str, str], ...] = (),
    **metadata: str,
) -> status_pb2.Status:
    """A ``google.rpc.Status`` with the details that the service sends."""
    status = status_pb2.Status(code=code.value[0], message=message)
    details: list[Any] = []
    if reason:
        details.append(
            error_details_pb2.ErrorInfo(reason=reason, domain="harken", metadata=metadata)
        )
    if fields:
        bad = error_details_pb2.BadRequest()
        for path, description in fields:
            bad.field_violations.add(field=path, description=description)
        details.append(bad)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def request_of(row: dict[str, Any]) -> scoring_pb2.ScoreRequest:
    """The request that a row of a chunk stands for."""
    values = {name: value for name, value in row.items() if not name.startswith("attr_")}
    values["attributes"] = {
        name.removeprefix("attr_"): value for name, value in row.items() if name.startswith("attr_")
    }
    return grumble_request(values)


CODED = ("segment", "behaviour_type", "tolerance", "treatment", "contact_policy", "strategies",
         "owner", "supporting_departments", "escalation_chain", "reasons", "warnings")  # fmt: skip


def add_score(response: replay_pb2.ReplayScoresResponse, score: Any) -> None:
    """A row of the answer to a chunk, by the API's own classes."""
    response.level.append(score.level if score else 0)
    response.probability.append(score.probability if score else math.nan)
    response.severity.append(score.severity if score else math.nan)
    for name in ("reply_deadline_time", "resolve_deadline_time"):
        stamp = getattr(score, name) if score and score.HasField(name) else None
        us = stamp.ToMicroseconds() if stamp else -1
        getattr(response, f"{name}_us").append(us)
    for name in CODED:
        value = getattr(score, name) if score else ""
        value = value.code if name == "owner" and score else value
        codes = [value] if isinstance(value, str) else [item.code for item in value]
        codes = [code for code in codes if code]
        column = getattr(response, name)
        known = [list(value.codes) for value in column.values]
        if codes not in known:
            column.values.add(codes=codes)
            known.append(codes)
        column.index.append(known.index(codes))


@dataclass
class Fake(scoring_pb2_grpc.ScoringServiceServicer):
    """Answers from a digest of the request; ``failures`` are sent first, one a call."""

    failures: list[status_pb2.Status] = field(default_factory=list)
    rule_base_digest: str = "sha256:" + "a" * 64
    model_digest: str = "sha256:" + "b" * 64
    seconds_a_batch: float = 0.0
    largest_batch: int = 1000
    largest_chunk: int = 65_536
    before_batch: Callable[[], None] = lambda: None
    requests: list[scoring_pb2.ScoreRequest] = field(default_factory=list)
    calls: int = 0
    peers: set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.Lock)
    target: str = ""
    streams: int = 0
    """How many streams of ReplayScores it takes at once; with 0 it does not know the method."""
    open_streams: int = 0
    most_streams: int = 0
    chunks: int = 0
    decisions: Any = field(default_factory=itertools.count)

    def Score(self, request: Any, context: Any) -> scoring_pb2.ScoreResponse:  # noqa: N802
        self._arrive([request], context)
        problem = self._problem(request)
        if problem is not None:
            self._abort(context, problem)
        return scoring_pb2.ScoreResponse(score=self.answer(request))

    def BatchScore(self, request: Any, context: Any) -> scoring_pb2.BatchScoreResponse:  # noqa: N802
        self.before_batch()
        self._arrive(list(request.requests), context)
        time.sleep(self.seconds_a_batch)
        if not 1 <= len(request.requests) <= self.largest_batch:
            size = f"a batch holds 1 to {self.largest_batch} requests, not {len(request.requests)}"
            self._abort(
                context,
                rich_status(
                    grpc.StatusCode.INVALID_ARGUMENT, size, "BATCH_SIZE", (("requests", size),)
                ),
            )
        results = []
        for item in request.requests:
            problem = self._problem(item)
            results.append(
                scoring_pb2.BatchScoreResult(status=problem)
                if problem is not None
                else scoring_pb2.BatchScoreResult(score=self.answer(item))
            )
        return scoring_pb2.BatchScoreResponse(results=results)

    def ReplayScores(self, requests: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        if not self.streams:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        with self.lock:
            self.open_streams += 1
            opened = self.open_streams
        try:
            if opened > self.streams:
                self._abort(context, rich_status(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy"))
            self.most_streams = max(self.most_streams, opened)
            for request in requests:
                self.before_batch()
                batch = pa.ipc.open_stream(request.record_batch).read_next_batch()
                items = [request_of(row) for row in batch.to_pylist()]
                self._arrive(items, context)
                self.chunks += 1
                time.sleep(self.seconds_a_batch)
                if len(items) > self.largest_chunk:
                    refusal = rich_status(grpc.StatusCode.INVALID_ARGUMENT, "too many rows")
                    yield replay_pb2.ReplayScoresResponse(sequence=request.sequence, status=refusal)
                    continue
                yield self._chunk(request.sequence, items)
        finally:
            with self.lock:
                self.open_streams -= 1

    def _chunk(self, sequence: int, items: list[Any]) -> replay_pb2.ReplayScoresResponse:
        response = replay_pb2.ReplayScoresResponse(
            sequence=sequence,
            row_count=len(items),
            decision_id=f"chunk{next(self.decisions)}",
            rule_base_digest=self.rule_base_digest,
            model_digest=self.model_digest,
        )
        for row, item in enumerate(items):
            problem = self._problem(item)
            if problem is not None:
                response.faults.add(row=row, status=problem)
            add_score(response, None if problem else self.answer(item))
        return response

    def answer(self, request: Any) -> score_pb2.Score:
        """The same request has the same answer, everywhere."""
        seed = hashlib.sha256(request.grumble.SerializeToString(deterministic=True)).digest()
        share = int.from_bytes(seed[:6], "big") / 2**48
        zh = request.language_code.startswith("zh")
        score = score_pb2.Score(
            decision_id=seed.hex()[:16],
            level=1 + int(share * 5),
            probability=share**2,
            severity=round(share * 10, 2),
            segment="gotone_1",
            segment_text="GoTone-1",
            behaviour_type=request.customer.behaviour_type,
            tolerance="low",
            tolerance_text="Low",
            reasons=[
                score_pb2.Reason(
                    code="severity.duration-long",
                    text="等待时间过长" if zh else "Open for a long time",
                )
            ],
            treatment="quality_specialist",
            treatment_text="品质专员处理" if zh else "A quality specialist takes it",
            contact_policy="call",
            contact_policy_text="主动联系" if zh else "Call the customer",
            strategies=[
                score_pb2.Strategy(
                    code="explain_bill",
                    title="解释账单" if zh else "Explain the bill",
                    steps=["查账单", "回电"] if zh else ["Look the bill up", "Call back"],
                    script="您好" if zh else "I have your bill here",
                    expectation="退费" if zh else "A refund",
                ),
                score_pb2.Strategy(code="apologise", title="致歉" if zh else "Apologise"),
            ],
            owner=score_pb2.Department(code="billing", name="计费中心" if zh else "Billing"),
            supporting_departments=[score_pb2.Department(code="it", name="IT")],
            escalation_chain=[
                score_pb2.Department(code="branch", name="Branch"),
                score_pb2.Department(code="head", name="Head company"),
            ],
            warnings=[score_pb2.Warning(code="above-line", text="Above the warning line")],
            rule_base_digest=self.rule_base_digest,
            model_digest=self.model_digest,
        )
        score.reply_deadline_time.seconds = request.grumble.observe_time.seconds + 3600
        score.resolve_deadline_time.CopyFrom(request.grumble.observe_time)
        if request.explain:
            score.explanation.base_value = -2.5
            score.explanation.facts.add(name="open_hours", value="30", source="request")
            score.explanation.rules.add(
                decision="severity",
                rule_id="duration-long",
                file="decisions/severity.yaml",
                line=12,
                partial_score=1.5,
                because="Open for a long time",
            )
            score.explanation.contributions.add(feature="open_hours", value="30", contribution=0.7)
        return score

    def _arrive(self, requests: list[Any], context: Any) -> None:
        with self.lock:
            self.calls += 1
            self.peers.add(context.peer())
            failure = self.failures.pop(0) if self.failures else None
            if failure is None:
                self.requests += requests
        if failure is not None:
            self._abort(context, failure)

    def _problem(self, request: Any) -> status_pb2.Status | None:
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        if not request.grumble.grumble_id:
            said = "grumble_id is required"
            path = "grumble.grumble_id"
            return rich_status(invalid, f"{path}: {said}", "FIELD_REQUIRED", ((path, said),))
        if request.customer.age_years < 0:
            said = f"age_years is {request.customer.age_years}; it must lie between 0 and 150"
            path = "customer.age_years"
            return rich_status(invalid, f"{path}: {said}", "VALUE_OUT_OF_RANGE", ((path, said),))
        return None

    @staticmethod
    def _abort(context: Any, status: status_pb2.Status) -> None:
        context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        context.abort(code, status.message)


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A running stand-in; ``fake.target`` is its address."""
    servicer = Fake()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    scoring_pb2_grpc.add_ScoringServiceServicer_to_server(servicer, server)
    servicer.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None).wait()


@pytest.fixture
def status() -> Callable[..., status_pb2.Status]:
    """Makes statuses for ``fake.failures``."""
    return rich_status
