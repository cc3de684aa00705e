"""grpcio's own server with nothing around it: the floor that Harken's guard stands on.

A process a core, each pinned to its own, on one port: ``Score`` parses its request and gives a
fixed answer. No admission, deadlines, metrics or health, which ``null_server.py`` has.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from harken.v1 import scoring_pb2, scoring_pb2_grpc

THREADS = 4


class PlainService(scoring_pb2_grpc.ScoringServiceServicer):
    """A fixed answer of so many bytes."""

    def __init__(self, size: int) -> None:
        from null_server import answer_of

        self.answer = scoring_pb2.ScoreResponse(score=answer_of(size))

    def Score(self, request: Any, context: Any) -> Any:  # noqa: N802 - grpcio's name
        """The answer."""
        return self.answer


def work(port: int, size: int, core: int) -> None:
    """Serve until SIGTERM."""
    os.sched_setaffinity(0, {core})
    options = [("grpc.so_reuseport", 1)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    scoring_pb2_grpc.add_ScoringServiceServicer_to_server(PlainService(size), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    server.start()
    print("ready", flush=True)
    stopping.wait()
    server.stop(0)


@contextlib.contextmanager
def serving(size: int, folder: Path) -> Iterator[Any]:
    """Such a server on a free port, as ``servers.Served``."""
    from harken_server.control_plane import reserve
    from servers import Served, running, wait_for

    with contextlib.ExitStack() as stack:
        held = stack.enter_context(reserve("127.0.0.1", 0))
        port, workers = int(held.getsockname()[1]), []
        for core in sorted(os.sched_getaffinity(0)):
            log = folder / f"plain-{core}.log"
            command = [sys.executable, __file__, str(port), str(size), str(core)]
            out = stack.enter_context(log.open("wb"))
            process = stack.enter_context(running(command, out))
            wait_for(lambda log=log: "ready" in log.read_text(), process, "plain", log)
            workers.append(process.pid)
        yield Served("plain", f"127.0.0.1:{port}", workers[0], tuple(workers), {})


if __name__ == "__main__":
    work(*map(int, sys.argv[1:4]))
