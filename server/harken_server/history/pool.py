"""Work on a history's chunks in fresh processes, one a core, with few chunks under way.

Processes, not threads: converting text holds the interpreter's lock most of the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

from harken_server.history import HistoryError
from harken_server.history.source import History, RawChunk

Result = TypeVar("Result", covariant=True)

SMALL = 20_000
"""Rows that are done before a process has started."""


class Work(Protocol[Result]):
    """What is done to every chunk; sent to each process once."""

    def prepare(self) -> Callable[[RawChunk], Result]:
        """Load what is needed (bundle, engines) and answer what works on a chunk."""


def work_through(
    history: History,
    work: Work[Result],
    processes: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Iterator[Result]:
    """The result of every chunk, in the file's order; ``progress`` is told rows as they are done.

    Raises HistoryError if the file is damaged or a process is lost.
    """
    chunks = history.chunks()
    ahead = list(islice(chunks, 1))
    several = (processes or cores()) > 1 and sum(map(len, ahead)) > SMALL
    if not several:
        do = work.prepare()
        for chunk in (*ahead, *chunks):
            yield do(chunk)
            progress(len(chunk))
        return
    yield from _in_processes(_joined(ahead, chunks), work, processes or cores(), progress)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _joined(first: Iterable[RawChunk], rest: Iterable[RawChunk]) -> Iterator[RawChunk]:
    yield from first
    yield from rest


def _in_processes(
    chunks: Iterator[RawChunk],
    work: Work[Result],
    processes: int,
    progress: Callable[[int], None],
) -> Iterator[Result]:
    # Fresh ones: neither grpcio nor LightGBM's threads survive a fork.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (work,))
    try:
        waiting: list[tuple[int, Future[Result]]] = []
        for chunk in islice(chunks, 2 * processes):
            waiting.append((len(chunk), pool.submit(_work, chunk)))
        while waiting:
            rows, future = waiting.pop(0)
            done = future.result()
            following = next(chunks, None)
            if following is not None:
                waiting.append((len(following), pool.submit(_work, following)))
            yield done
            progress(rows)
    except BrokenProcessPool:
        raise HistoryError("a process was lost; there may be too little memory") from None
    finally:
        pool.shutdown(cancel_futures=True)


_do: Callable[[RawChunk], Any]
"""What a process of the pool does; set when it begins."""


def _begin(work: Work[Any]) -> None:
    global _do
    _do = work.prepare()


def _work(chunk: RawChunk) -> Any:
    return _do(chunk)
