"""A worker: one process that serves the data plane on a port shared with the others.

``python -m harken_server.data_plane`` reads an ``Assignment`` as one line of JSON from
stdin, writes a ``Word`` as one line to stdout when it serves or cannot, and drains on
SIGTERM, SIGINT or the end of stdin: that is, also when its parent is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import grpc
import structlog

from harken_server.assignment import Assignment, Word
from harken_server.errors import SnapshotError
from harken_server.grpc.server import Server
from harken_server.logs import set_up_logs
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.snapshot import Snapshot, load_snapshot

MEMO_SECONDS = 1.0
"""How often the memo's counters are brought to the metrics."""

_words = os.dup(1)
"""Where the parent listens."""
_log = structlog.get_logger("harken.worker")


def credentials(
    cert: str | None, key: str | None, client_ca: str | None
) -> grpc.ServerCredentials | None:
    """TLS from files, mutual where ``client_ca`` is given; ``None`` is plain text."""
    if cert is None or key is None:
        return None
    roots = Path(client_ca).read_bytes() if client_ca is not None else None
    pair = (Path(key).read_bytes(), Path(cert).read_bytes())
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=roots is not None)


def main() -> int:
    """Serve until told to stop; 0 after a drain, 2 if it could not serve."""
    # The parent reads one line from stdout and no more: whatever a library prints there must
    # neither come before that line nor fill the pipe after it.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    work = Assignment.from_json(sys.stdin.readline())
    set_up_logs(work.log_level, work.log_format)
    if work.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {work.core})
    metrics = Metrics()
    try:
        snapshot = load_snapshot(Path(work.rules), Path(work.bundle), work.memo_size)
        server = Server(Scorer(snapshot), work.limits, metrics)
        server.listen(work.address, credentials(work.tls_cert, work.tls_key, work.tls_client_ca))
        server.start()
    except SnapshotError as error:
        return _fail(Word(problems=error.problems))
    except Exception as error:
        return _fail(Word(failure=f"{type(error).__name__}: {error}"))
    _say(Word(snapshot.base.name, snapshot.base.digest, snapshot.bundle.digest))
    _watch_parent(stopping)
    _log.info("serving", worker=work.number, pid=os.getpid(), core=work.core)
    _count_until(stopping, metrics, snapshot)
    _log.info("draining", worker=work.number)
    server.drain()
    metrics.take_memo(snapshot.engine)
    _log.info("stopped", worker=work.number)
    return 0


def _fail(word: Word) -> int:
    _say(word)
    return 2


def _say(word: Word) -> None:
    os.write(_words, (word.to_json() + "\n").encode())


def _watch_parent(stopping: threading.Event) -> None:
    """Stop when stdin ends, as it does when the parent is killed."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        stopping.set()

    threading.Thread(target=wait, daemon=True, name="parent").start()


def _count_until(stopping: threading.Event, metrics: Metrics, snapshot: Snapshot) -> None:
    while not stopping.wait(MEMO_SECONDS):
        metrics.take_memo(snapshot.engine)


if __name__ == "__main__":
    sys.exit(main())
