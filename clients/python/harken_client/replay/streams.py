"""Scoring slices through ``ReplayScores``: several streams, several chunks in each.

One thread reads and types slices and lays their chunks on a desk. Each stream takes chunks from
it, a few at a time, and brings the answers back. When all chunks of a slice are answered, the
thread that runs the replay puts the part together. Whatever a stream had taken when it broke
goes back on the desk.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
from harken.v1 import replay_pb2

from harken_client.client import Client
from harken_client.errors import (
    InvalidRequest,
    ServerFault,
    TransientError,
    Unavailable,
    from_rpc_error,
)
from harken_client.replay.columns import Block, ColumnConverter, Typed
from harken_client.replay.part_tally import stream_bytes
from harken_client.replay.parts import Content, Part
from harken_client.replay.pipeline import FIRST_PATIENCE
from harken_client.replay.slices import Slice
from harken_client.replay.wire import Answer, no_scores, read_answer, sequence_of
from harken_client.replay.work import Fault, content_of

METHOD = "/harken.v1.ScoringService/ReplayScores"
CHUNK_ROWS = 8_192
CHUNK_BYTES = (4 << 20) - (64 << 10)
"""Of the record batch; the message around it is a few bytes larger."""
IN_STREAM = 2
"""Chunks under way in one stream: the next one is there when an answer has been sent."""
ANSWER_SECONDS = 120.0
"""A stream that owes an answer for so long is taken for dead."""

Keep = Callable[[Part, Path], None]


def serves_streams(client: Client, timeout: float = 10.0) -> bool:
    """Does the service know ``ReplayScores``? An empty stream tells.

    Raises HarkenError where nobody answers.
    """
    call: Any = client.open_channel()
    with call as channel:
        answers = _method(channel)(iter(()), timeout=timeout)
        try:
            for _ in answers:
                pass
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return False
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:  # it knows it, but is busy
                return True
            raise from_rpc_error(error) from None
    return True


def _method(channel: grpc.Channel) -> Any:
    return channel.stream_stream(  # bytes both ways: answers are read by columns
        METHOD, request_serializer=None, response_deserializer=None
    )


@dataclass(slots=True)
class Job:
    """A slice under way, and what has been answered of it by place of the chunk."""

    part: Slice
    typed: Typed
    answers: list[tuple[Any, Sequence[Fault]] | None] = field(default_factory=list)
    left: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a job from its batch's row ``first``, ready to send."""

    job: Job
    place: int
    first: int
    rows: int
    sequence: int
    message: bytes


class Desk:
    """Where chunks lie until a stream takes them; also knows how the replay stands."""

    def __init__(self, patience: float) -> None:
        self._chunks: deque[Chunk] = deque()
        self._change = threading.Condition()
        self._patience = patience
        self._begun = time.monotonic()
        self._answered_at: float | None = None
        self.over = False
        self.finished: queue.SimpleQueue[Job | BaseException | None] = queue.SimpleQueue()

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Lay down chunks."""
        with self._change:
            self._chunks.extend(chunks)
            self._change.notify_all()

    def take(self, taken: dict[int, Chunk], alive: Callable[[], bool]) -> Chunk | None:
        """Move the next chunk to those that a stream has ``taken``, once it can have another.

        None when there will be no more, or the stream is not ``alive`` any longer.
        """
        with self._change:
            while not self.over and alive():
                if self._chunks and len(taken) < IN_STREAM:
                    chunk = self._chunks.popleft()
                    taken[chunk.sequence] = chunk
                    return chunk
                self._change.wait()
        return None

    def give_back(self, taken: dict[int, Chunk]) -> None:
        """Lay down again what a stream has taken, before everything else."""
        with self._change:
            self._chunks.extendleft(reversed(taken.values()))
            taken.clear()
            self._change.notify_all()

    def answer(
        self, chunk: Chunk, taken: dict[int, Chunk], scores: Any, faults: Sequence[Fault]
    ) -> None:
        """Note the answer to a chunk that a stream had taken."""
        with self._change:
            self._answered_at = time.monotonic()
            del taken[chunk.sequence]
            job = chunk.job
            job.answers[chunk.place] = (scores, faults)
            job.left -= 1
            if not job.left:  # in here: of two last answers at once, one is the last
                self.finished.put(job)
            self._change.notify_all()

    def wake(self) -> None:
        """Have every waiting stream look again."""
        with self._change:
            self._change.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """Stop all streams; ``error`` is what the replay ends with."""
        with self._change:
            self.over = True
            self._change.notify_all()
        self.finished.put(error)

    def is_lost(self, since: float) -> bool:
        """Is the patience for a server that has not answered ``since`` then at its end?"""
        patience = self._patience
        if self._answered_at is None:
            patience = min(patience, FIRST_PATIENCE)
        else:
            since = max(since, self._answered_at)
        return time.monotonic() - since > patience

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        until = time.monotonic() + seconds
        with self._change:
            while not self.over and (left := until - time.monotonic()) > 0:
                self._change.wait(left)


class StreamRunner:
    """Scores slices through ``streams`` streams of ``client``'s service."""

    def __init__(self, client: Client, streams: int, patience: float) -> None:
        self._client = client
        self._desk = Desk(patience)
        self._rooms = streams + 2
        self._room = threading.Semaphore(self._rooms)
        self._streams = [_Stream(client, self._desk) for _ in range(streams)]

    def run(
        self,
        slices: Iterator[Slice],
        read: Callable[[Slice], Block],
        converter: ColumnConverter,
        folder: Path,
        as_csv: bool,
        keep: Keep,
        served_by: Callable[[str, str], None],
    ) -> None:
        """Score ``slices`` and ``keep`` each part as it is done, in any order.

        Raises HarkenError when the server is lost; the parts kept are whole.
        """
        desk = self._desk
        threads = [threading.Thread(target=stream.run, daemon=True) for stream in self._streams]
        feeder = threading.Thread(target=self._feed, args=(slices, read, converter), daemon=True)
        threads.append(feeder)
        for thread in threads:
            thread.start()
        try:
            while True:
                done = self._next()
                if done is None:
                    return
                if isinstance(done, BaseException):
                    raise done
                content = _content(done, as_csv, served_by)
                keep(*content.write(folder))
                self._room.release()
        finally:
            desk.end()
            for thread in threads:
                while thread.is_alive():
                    for stream in self._streams:
                        stream.stop()
                    thread.join(0.2)

    def _next(self) -> Job | BaseException | None:
        while True:
            try:
                return self._desk.finished.get(timeout=1.0)
            except queue.Empty:
                for stream in self._streams:
                    stream.check()

    def _feed(
        self,
        slices: Iterator[Slice],
        read: Callable[[Slice], Block],
        converter: ColumnConverter,
    ) -> None:
        desk, numbers = self._desk, itertools.count(1)
        try:
            for part in slices:
                if not self._enter():
                    return
                job = Job(part, converter.typed(read(part)))
                chunks = list(_chunks(job, numbers))
                if chunks:
                    desk.put(chunks)
                else:
                    desk.finished.put(job)
            # With all the room there is, every job is done and kept.
            if all(self._enter() for _ in range(self._rooms)):
                desk.end()
        except BaseException as error:
            desk.end(error)

    def _enter(self) -> bool:
        """Wait for room for a job; no if the replay ends before."""
        while not self._room.acquire(timeout=0.2):
            if self._desk.over:
                return False
        return True


def _chunks(job: Job, numbers: Iterator[int]) -> Iterator[Chunk]:
    """Cut a job's rows into chunks; a row that fits into none is answered here."""
    batch, first = job.typed.batch, 0
    waiting = [batch.slice(at, CHUNK_ROWS) for at in reversed(range(0, batch.num_rows, CHUNK_ROWS))]
    while waiting:
        rows = waiting.pop()
        data = stream_bytes(rows)
        if data.size > CHUNK_BYTES:
            data = stream_bytes(_own_dictionaries(rows))
        if data.size > CHUNK_BYTES and rows.num_rows > 1:
            half = rows.num_rows // 2
            waiting += [rows.slice(half), rows.slice(0, half)]
            continue
        place = len(job.answers)
        job.answers.append(None)
        if data.size > CHUNK_BYTES:
            words = f"the row has {data.size:,} bytes; a message holds {CHUNK_BYTES:,}"
            job.answers[place] = (no_scores(1), [(0, "", "RESOURCE_EXHAUSTED", words)])
        else:
            sequence = next(numbers)
            message = replay_pb2.ReplayScoresRequest(
                sequence=sequence, record_batch=data.to_pybytes()
            )
            job.left += 1
            yield Chunk(job, place, first, rows.num_rows, sequence, message.SerializeToString())
        first += rows.num_rows


def _own_dictionaries(batch: Any) -> Any:
    """The batch without values that none of its rows has: a slice has the dictionaries of all."""
    columns = {
        name: column.dictionary_decode().dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


class _Stream:
    """One stream after another, until there is nothing left to do."""

    def __init__(self, client: Client, desk: Desk) -> None:
        self._client = client
        self._desk = desk
        self._taken: dict[int, Chunk] = {}
        self._call: Any = None
        self._heard = self._asked = time.monotonic()

    def run(self) -> None:
        """The thread's work."""
        desk, pause, failing_since = self._desk, 0.1, None
        try:
            while desk.take(self._taken, lambda: True):
                begun = time.monotonic()
                try:
                    self._session()
                except TransientError:
                    if self._heard > begun:  # it did work
                        pause, failing_since = 0.1, None
                    failing_since = failing_since or time.monotonic()
                    if desk.is_lost(failing_since):
                        raise
                    desk.give_back(self._taken)
                    desk.pause(pause * random.uniform(0.5, 1))
                    pause = min(pause * 2, 5.0)
        except BaseException as error:
            desk.end(error)

    def stop(self) -> None:
        """End the call under way."""
        call = self._call
        if call is not None:
            call.cancel()

    def check(self) -> None:
        """End a call that owes an answer for too long."""
        if self._taken and time.monotonic() - max(self._heard, self._asked) > ANSWER_SECONDS:
            self.stop()

    def _session(self) -> None:
        """A stream on a channel of its own: another may lead to another of the server's processes.

        It begins with the one chunk taken, and ends with the replay or with HarkenError.
        """
        channel: Any = self._client.open_channel([("grpc.enable_retries", 0)])
        alive = threading.Event()
        alive.set()
        with channel:
            self._call = _method(channel)(self._outgoing(*self._taken.values(), alive=alive))
            try:
                for data in self._call:
                    self._receive(bytes(data))
            except grpc.RpcError as error:
                if not self._desk.over:
                    raise from_rpc_error(error) from None
            finally:
                alive.clear()
                self._desk.wake()
                self._call = None
        if not self._desk.over:
            raise Unavailable("the server ended the stream", code="UNAVAILABLE")

    def _outgoing(self, chunk: Chunk | None, *, alive: threading.Event) -> Iterator[bytes]:
        while chunk is not None:
            self._asked = time.monotonic()
            yield chunk.message
            chunk = self._desk.take(self._taken, alive.is_set)

    def _receive(self, data: bytes) -> None:
        chunk = self._taken.get(sequence_of(data))
        if chunk is None:
            raise ServerFault("the server answered a chunk that was not sent")
        answer = _answer(chunk, data)
        self._heard = time.monotonic()
        self._desk.answer(chunk, self._taken, answer.scores, answer.faults)


def _answer(chunk: Chunk, data: bytes) -> Answer:
    try:
        return read_answer(data, chunk.rows)
    except InvalidRequest as error:
        first = chunk.job.part.first + chunk.first + 1
        raise ServerFault(
            f"the server refuses the chunk of rows {first:,} to {first + chunk.rows - 1:,}: "
            f"{error.message}",
            code=error.code,
            reason=error.reason,
        ) from None


def _content(job: Job, as_csv: bool, served_by: Callable[[str, str], None]) -> Content:
    """The part of a job, all of whose chunks are answered."""
    batches: list[Any] = []
    faults: list[Fault] = []
    first = 0
    for scores, wrong in filter(None, job.answers):
        rules, model = (scores.column(n)[0].as_py() for n in ("rule_base_digest", "model_digest"))
        if model is not None:
            served_by(rules, model)
        batches.append(scores)
        faults += [(first + row, *said) for row, *said in wrong]  # type: ignore[misc]
        first += scores.num_rows
    scores = _joined(batches) if batches else None
    return content_of(job.part, job.typed, scores, faults, as_csv=as_csv)


def _joined(batches: Sequence[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]
