"""A worker: one process that serves the data plane on a port shared with the others.

``python -m harken_server.data_plane`` reads an ``Assignment`` as one line of JSON from
stdin, writes a ``Word`` as one line to stdout when it serves or cannot, then an ``Answer`` to
each ``Order``, and drains on SIGTERM, SIGINT or the end of stdin: that is, also when its
parent is gone.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog
from harken_models.errors import NotCompiledWarning
from harken_models.lean import import_lightgbm

from harken_server.assignment import Answer, Assignment, Order, Word
from harken_server.errors import SnapshotError
from harken_server.grpc.tls import credentials
from harken_server.grpc.transports import server_on
from harken_server.heap import settle
from harken_server.live import Live
from harken_server.logs import set_up_logs
from harken_server.metrics import Metrics
from harken_server.snapshot import Snapshot, load_snapshot

TIDY_SECONDS = 1.0
"""How often the memo's counters are brought to the metrics, and former rule bases let go."""

_words = os.dup(1)
"""Where the parent listens."""
_log = structlog.get_logger("harken.worker")


def main() -> int:
    """Serve until told to stop; 0 after a drain, 2 if it could not serve."""
    import_lightgbm()
    import harken_models.bundlefile  # noqa: F401 -- takes a second: while the parent vets

    # The parent reads lines of ours from stdout: whatever a library prints there must not come
    # between them.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    lines = _lines(sys.stdin.fileno())
    assignment = next(lines, None)
    if assignment is None:  # the parent has found that there is nothing to serve
        return 0
    work = Assignment.from_json(assignment)
    set_up_logs(work.log_level, work.log_format)
    if work.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {work.core})
    if work.transport == "native":
        _be_first_to_go()
    metrics = Metrics()
    try:
        snapshot = _load(work)
        _hold_to(work, snapshot)
        live = Live(snapshot, work.memo_size, metrics)
        folder = Path(work.folder) if work.folder else None
        server = server_on(work.transport, live.scorer, work.limits, metrics, live.answered, folder)
        server.listen(work.address, credentials(work.tls_cert, work.tls_key, work.tls_client_ca))
        settle()
        server.start()
    except SnapshotError as error:
        return _fail(Word(problems=error.problems))
    except _OtherError as error:
        return _fail(Word(failure=str(error)))
    except Exception as error:
        return _fail(Word(failure=f"{type(error).__name__}: {error}"))
    _say(Word(snapshot.base.name, snapshot.base.digest, snapshot.bundle.digest))
    del snapshot  # or what is served first would never be freed
    _take_orders(lines, work, live, stopping)
    _log.info("serving", worker=work.number, pid=os.getpid(), core=work.core)
    while not stopping.wait(TIDY_SECONDS):
        live.tidy()
    _log.info("draining", worker=work.number)
    server.drain()
    live.tidy()
    _log.info("stopped", worker=work.number)
    return 0


def _load(work: Assignment) -> Snapshot:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NotCompiledWarning)
        snapshot = load_snapshot(Path(work.rules), Path(work.bundle), work.memo_size, work.compiled)
    for warning in caught:
        _log.warning("load", worker=work.number, why=str(warning.message))
    return snapshot


def _be_first_to_go() -> None:
    """Have the kernel end this process before others when memory runs out.

    The native transport reads messages of any size, and the parent starts a worker again.
    """
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text("1000")


class _OtherError(Exception):
    """The folders do not hold what this worker is to serve."""


def _hold_to(work: Assignment, snapshot: Snapshot) -> None:
    """Raises ``_OtherError`` unless ``snapshot`` is what the other workers serve.

    Before the port is opened: the kernel hands connections to whoever listens there.
    """
    for what, wanted, found in (
        ("rule base", work.rule_base_digest, snapshot.rule_base_digest),
        ("bundle", work.model_digest, snapshot.bundle.digest),
    ):
        if wanted and wanted != found:
            where = work.rules if what == "rule base" else work.bundle
            raise _OtherError(f"the {what} in {where} is {found} now; served is {wanted}")


def _fail(word: Word) -> int:
    _say(word)
    return 2


def _say(said: Word | Answer) -> None:
    os.write(_words, (said.to_json() + "\n").encode())


def _lines(file: int) -> Iterator[str]:
    """The lines of a file, each as soon as it is there.

    Not by ``sys.stdin``: a thread that waits there makes the interpreter's end fatal.
    """
    rest = b""
    while got := os.read(file, 65536):
        *whole, rest = (rest + got).split(b"\n")
        yield from (line.decode() for line in whole)


def _take_orders(
    lines: Iterator[str], work: Assignment, live: Live, stopping: threading.Event
) -> None:
    """Carry out orders from now on, one after the other; stop when there will be no more.

    They are read in one thread and carried out in another, so that the parent's end is noticed
    in the midst of an order too.
    """
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            orders.put(Order.from_json(line))
        stopping.set()

    def carry_out() -> None:
        if work.shadow is not None:  # the others have it; this one was started again
            live.carry_out(Order("shadow", rules=work.shadow, share=work.shadow_share))
        while True:
            order = orders.get()
            _say(replace(live.carry_out(order), id=order.id))

    for run in (read, carry_out):
        threading.Thread(target=run, daemon=True, name=run.__name__).start()


if __name__ == "__main__":
    sys.exit(main())
