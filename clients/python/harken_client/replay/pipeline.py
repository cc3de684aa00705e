"""Batches in flight: rows go out in order, come back in any, are kept in order."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from google.rpc import status_pb2
from harken.v1 import score_pb2, scoring_pb2

from harken_client.client import Client
from harken_client.errors import (
    HarkenError,
    InvalidRequest,
    ServerFault,
    TransientError,
    from_status,
)
from harken_client.replay.convert import Converted, Converter
from harken_client.replay.journal import csv_lines
from harken_client.replay.outcome import out_row, reject_row
from harken_client.replay.sources import Row
from harken_client.transport import Method

BATCH_ROWS = 500
FIRST_PATIENCE = 5.0
Outcome = score_pb2.Score | HarkenError


def _raw_results(response: scoring_pb2.BatchScoreResponse) -> list[scoring_pb2.BatchScoreResult]:
    return list(response.results)


def _raw_batch(requests: list[scoring_pb2.ScoreRequest]) -> scoring_pb2.BatchScoreRequest:
    return scoring_pb2.BatchScoreRequest(requests=requests)


RAW_BATCH_SCORE = Method("BatchScore", _raw_batch, _raw_results)
"""``BatchScore`` without the typed results that a replay has no use for."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows, done: lines of OUT and rejects, and what scored them."""

    count: int
    rows: bytes
    rejects: bytes
    rejected: int
    served_by: frozenset[tuple[str, str]]


class Pipeline:
    """Scores rows through ``client`` with several batches in flight, one thread each.

    What may pass is tried again for ``patience`` seconds in which no batch at all succeeds, but
    a server that has never answered only for ``FIRST_PATIENCE``: its address is likely to be
    wrong.
    """

    def __init__(
        self,
        client: Client,
        converter: Converter,
        *,
        in_flight: int = 8,
        patience: float = 60.0,
        timeout: float = 25.0,
    ) -> None:
        self._client = client
        self._converter = converter
        self._in_flight = in_flight
        self._patience = patience
        self._timeout = timeout
        self._answered_at: float | None = None
        self._stop = threading.Event()

    def run(self, rows: Iterable[Row], first_row: int, keep: Callable[[Chunk], None]) -> None:
        """Score ``rows``, numbered from ``first_row``, and ``keep`` each chunk in order.

        Raises :class:`HarkenError` when the server is lost; the chunks kept are whole.
        """
        waiting: deque[Future[Chunk]] = deque()
        with ThreadPoolExecutor(self._in_flight) as pool:
            try:
                for number, chunk in enumerate(_chunks(rows)):
                    first = first_row + number * BATCH_ROWS
                    waiting.append(pool.submit(self._score, first, chunk))
                    if len(waiting) > self._in_flight:
                        keep(waiting.popleft().result())
                while waiting:
                    keep(waiting.popleft().result())
            except BaseException:
                self._stop.set()
                for future in waiting:
                    future.cancel()
                self._client.close()  # ends the calls under way, so that the pool can end
                raise

    def _score(self, first_row: int, rows: list[Row]) -> Chunk:
        converted: list[Converted | HarkenError] = [self._convert(row) for row in rows]
        requests = [item.request for item in converted if isinstance(item, Converted)]
        outcomes = iter(self._call(requests) if requests else ())
        kept, rejected, served_by = [], [], set()
        for row, item in enumerate(converted, first_row):
            if isinstance(item, HarkenError):
                grumble_id = self._converter.grumble_id(rows[row - first_row])
                rejected.append(reject_row(row, grumble_id, item))
                continue
            outcome, grumble_id = next(outcomes), item.request.grumble.grumble_id
            if isinstance(outcome, HarkenError):
                rejected.append(reject_row(row, grumble_id, outcome))
            else:
                kept.append(out_row(row, grumble_id, outcome, item.label))
                served_by.add((outcome.rule_base_digest, outcome.model_digest))
        return Chunk(
            len(rows), csv_lines(kept), csv_lines(rejected), len(rejected), frozenset(served_by)
        )

    def _convert(self, row: Row) -> Converted | HarkenError:
        try:
            return self._converter.convert(row)
        except InvalidRequest as error:
            return error

    def _call(self, requests: list[scoring_pb2.ScoreRequest]) -> list[Outcome]:
        """An outcome for every request, however often it takes."""
        begun, pause = time.monotonic(), 0.1
        while True:
            try:
                return self._try(requests)
            except InvalidRequest as error:
                if len(requests) == 1:
                    return [error]
                half = len(requests) // 2  # a batch refused whole: find out which row it is
                return self._call(requests[:half]) + self._call(requests[half:])
            except TransientError:
                since, patience = begun, self._patience
                if self._answered_at is None:
                    patience = min(patience, FIRST_PATIENCE)
                else:
                    since = max(since, self._answered_at)
                if self._stop.is_set() or time.monotonic() - since > patience:
                    raise
                self._stop.wait(pause * random.uniform(0.5, 1))
                pause = min(pause * 2, 5.0)

    def _try(self, requests: list[scoring_pb2.ScoreRequest]) -> list[Outcome]:
        results = self._client.call(RAW_BATCH_SCORE, requests, timeout=self._timeout)
        self._answered_at = time.monotonic()
        if len(results) != len(requests):
            raise ServerFault(f"the server answered {len(results)} of {len(requests)} rows")
        return [
            result.score if result.HasField("score") else _item_error(result.status)
            for result in results
        ]


def _item_error(status: status_pb2.Status) -> HarkenError:
    error = from_status(status)
    if isinstance(error, TransientError):
        raise error
    return error


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while chunk := list(islice(waiting, BATCH_ROWS)):
        yield chunk
