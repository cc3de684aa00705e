"""``ReplayScores``: a chunk's bytes in, its answer's bytes out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from google.protobuf.message import DecodeError
from harken.v1 import replay_pb2
from numpy.typing import NDArray

from harken_server.arrow_stream import open_batch
from harken_server.chunks import CODED, PIECE, SLICE_ROWS, ScoredChunk, score_chunk
from harken_server.errors import ScoringError
from harken_server.grpc.errors import Refusal, refusal, refusal_of
from harken_server.grpc.packed import delimited, fixed, small
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer

POLITE_ROWS = 1024
"""Rows scored at a time while calls of ``Score`` are in flight."""
_FIELDS = replay_pb2.ReplayScoresResponse.DESCRIPTOR.fields_by_name
_VALUES, _INDEX = (
    replay_pb2.CodeColumn.DESCRIPTOR.fields_by_name[name].number for name in ("values", "index")
)


class CallerGoneError(Exception):
    """Nobody waits for the answer any more."""


class ReplayService:
    """Answers chunks, each with the scorer that ``current`` gives at its start.

    While ``busy`` says that calls wait which somebody is waiting for, a chunk is worked on in
    small pieces, with a rest as long as the work after each: a replay has time.
    """

    def __init__(
        self,
        current: Callable[[], Scorer],
        metrics: Metrics,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._current = current
        self._metrics = metrics
        self._busy = busy

    def answer(self, data: bytes, gone: Callable[[], bool]) -> bytes:
        """The answer to a ``ReplayScoresRequest``'s bytes; a chunk that is wrong has a status.

        Raises ``CallerGoneError`` once ``gone`` says so.
        """
        try:
            request = replay_pb2.ReplayScoresRequest.FromString(data)
        except DecodeError:
            words = "the bytes sent are no harken.v1.ReplayScoresRequest"
            return self._refused(0, refusal("MESSAGE_UNDECODABLE", words))
        pace = _Pace(self._busy, gone)
        scorer = self._current()
        try:
            batch = open_batch(request.record_batch)
            chunk = score_chunk(scorer, batch, pace.rows, pace.rest)
        except ScoringError as error:
            return self._refused(request.sequence, refusal_of(error))
        response = response_bytes(request.sequence, chunk, scorer, pace.rest)
        self._metrics.replayed("OK")
        for fault in chunk.errors.values():
            self._metrics.refused(fault.reason)
        for level, rows in enumerate(np.bincount(chunk.level).tolist()):
            if level and rows:
                self._metrics.scored(level, rows)
        return response

    def _refused(self, sequence: int, why: Refusal) -> bytes:
        self._metrics.replayed(why.code.name)
        response = replay_pb2.ReplayScoresResponse(sequence=sequence, status=why.message)
        return response.SerializeToString()


class _Pace:
    """How many rows a chunk's next piece has, and what happens after each piece of work."""

    def __init__(self, busy: Callable[[], bool], gone: Callable[[], bool]) -> None:
        self._busy = busy
        self._gone = gone
        self._began = 0.0

    def rows(self) -> int:
        self._began = time.perf_counter()
        return POLITE_ROWS if self._busy() else SLICE_ROWS

    def rest(self) -> None:
        if self._gone():
            raise CallerGoneError
        if self._busy():
            time.sleep(time.perf_counter() - self._began)
        self._began = time.perf_counter()


def response_bytes(
    sequence: int, chunk: ScoredChunk, scorer: Scorer, between: Callable[[], None]
) -> bytes:
    """The ``ReplayScoresResponse`` to a chunk, serialised; ``between`` is called now and then."""
    head = replay_pb2.ReplayScoresResponse(
        sequence=sequence,
        row_count=chunk.rows,
        decision_id=uuid.uuid4().hex,
        rule_base_digest=scorer.snapshot.rule_base_digest,
        model_digest=scorer.snapshot.model_digest,
    )
    for place, (row, error) in enumerate(chunk.errors.items()):
        if place % PIECE == PIECE - 1:
            between()
        head.faults.add(row=row, status=refusal_of(error).message)
    parts = [
        head.SerializeToString(),
        small(_number("level"), chunk.level),
        fixed(_number("probability"), chunk.probability),
        fixed(_number("severity"), chunk.severity),
        fixed(_number("reply_deadline_time_us"), chunk.reply_deadline_us),
        fixed(_number("resolve_deadline_time_us"), chunk.resolve_deadline_us),
    ]
    for name in CODED:
        codes, values = chunk.codes(name)
        parts.append(delimited(_number(name), _code_column(codes, values)))
    return b"".join(parts)


def _number(name: str) -> int:
    number: int = _FIELDS[name].number
    return number


def _code_column(codes: NDArray[np.int32], values: tuple[object, ...]) -> bytes:
    """A ``CodeColumn``'s bytes: the values, each once, and each row's place among them."""
    told = [*map(_code_list, values), _code_list(None)]  # a row without a code has the last: none
    places = {each: place for place, each in enumerate(dict.fromkeys(told))}
    table = np.array([places[each] for each in told], np.int32)
    return b"".join(places) + small(_INDEX, table[codes])


@lru_cache(maxsize=65_536)
def _code_list(value: object) -> bytes:
    """A value of a ``CodeColumn`` as it travels: several codes, one, or none."""
    codes = value if isinstance(value, tuple) else () if not value else (value,)
    return delimited(_VALUES, replay_pb2.CodeList(codes=codes).SerializeToString())
