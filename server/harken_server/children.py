"""Work that may crash, hang or eat all memory, done in a process of its own.

The parent's side is ``ask``; the child's is ``Telling``. A child says what it has found in lines
of JSON, a stage a line, so that what was found before it died is not lost.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

MEMORY_BYTES = 2 << 30
"""What a child may take, address space included."""
_SPARE_SECONDS = 5
"""How long a child whose parent has gone lives beyond its time."""
_LOOK_SECONDS = 0.05
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""A pool of threads a core would take more of the memory than the work does."""

_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said; ``failure`` says in words why it did not come to an end, if so."""

    said: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""


def ask(
    module: str,
    arguments: Sequence[str],
    data: bytes = b"",
    timeout: float = 60.0,
    memory_bytes: int = MEMORY_BYTES,
) -> Answer:
    """Run ``python -m module arguments`` with ``data`` as its input, ``timeout`` in seconds.

    Raises nothing for a child that crashes, hangs, or takes more than ``memory_bytes``.
    """
    limits = {"HARKEN_CHILD_BYTES": str(memory_bytes), "HARKEN_CHILD_SECONDS": f"{timeout:g}"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD, **limits},
            start_new_session=True,  # Ctrl-C is for the parent, who says what becomes of it
        )
    except OSError as error:
        return Answer(failure=f"no process could be started: {error.strerror}")
    with process:
        _running.add(process)
        try:
            out, _ = process.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            out, _ = process.communicate()
            return Answer(_merged(out), f"it did not finish within {timeout:g} seconds")
        finally:
            _running.discard(process)
    said = _merged(out)
    if "failure" in said:
        return Answer(said, str(said["failure"]))
    if process.returncode < 0:
        return Answer(said, f"it crashed ({_signal(-process.returncode)})")
    if process.returncode > 0:
        return Answer(said, f"it ended with code {process.returncode}")
    return Answer(said)


def end_all() -> None:
    """Kill every child that runs: whoever waits for one is answered at once."""
    for process in tuple(_running):
        _end(process)


@contextmanager
def none_once(stopping: threading.Event) -> Iterator[None]:
    """Inside, children end as soon as ``stopping`` is set, those that are begun later too."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if stopping.is_set():
                end_all()

    thread = threading.Thread(target=watch, daemon=True, name="children")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and what it may have started: that would hold its output open."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its session's, of which it is the first


def _merged(lines: bytes) -> dict[str, Any]:
    """All that was said; a line that breaks off was not."""
    said: dict[str, Any] = {}
    for line in lines.splitlines():
        try:
            said |= json.loads(line)
        except ValueError:
            break
    return said


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Telling:
    """The child's side: limits in force, and what it says, as a context manager.

    Standard output belongs to what is said: whatever a library prints goes to standard error.
    An exception is told by its kind alone, for its text may quote a request.
    """

    def __enter__(self) -> Self:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._bytes = int(os.environ.get("HARKEN_CHILD_BYTES", MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_AS, (self._bytes, self._bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        seconds = float(os.environ.get("HARKEN_CHILD_SECONDS", "60"))
        signal.setitimer(signal.ITIMER_REAL, seconds + _SPARE_SECONDS)
        return self

    def say(self, **values: object) -> None:
        """Say a stage's findings."""
        rest = memoryview((json.dumps(values) + "\n").encode())
        while rest:
            rest = rest[os.write(self._out, rest) :]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if kind is None or error is None:
            return False
        if issubclass(kind, MemoryError):
            self.say(failure=f"it needed more than {self._bytes >> 20:,} MiB of memory")
        elif issubclass(kind, Exception):
            while traceback is not None and traceback.tb_next is not None:
                traceback = traceback.tb_next
            at = (
                f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
                if traceback
                else ""
            )
            self.say(failure=f"it failed ({kind.__name__} at {at})")
        else:
            return False
        return True
