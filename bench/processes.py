"""What processes cost: processor seconds and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far, without their children's.

    By each process's own clock, as clock_getcpuclockid(3) names it: /proc/PID/stat counts in
    hundredths of a second, too coarse for a load of one.
    """
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids) / 1e9


def children_of(pid: int) -> list[int]:
    """Processes that this one started and that still run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def tree_of(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for each in found:  # grows while it is walked
        try:
            found += children_of(each)
        except OSError:  # ended meanwhile
            continue
    return found


def command_of(pid: int) -> str:
    """Its command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def memory_mib(pid: int) -> tuple[float, float]:
    """MiB resident, and the same with shared pages counted in parts (PSS)."""
    values = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, number = line.split()[:2]
        values[name] = int(number) / 1024
    return values["Rss:"], values["Pss:"]


class MemoryWatch:
    """Samples the memory of a process and its descendants, until the block ends.

    ``samples`` are (seconds since the start, MiB) pairs: the sum over the processes of what is
    theirs, shared pages counted in parts.
    """

    def __init__(self, pid: int, every: float = 0.5) -> None:
        self.samples: list[tuple[float, float]] = []
        self._pid, self._every = pid, every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._done.wait(self._every):
            total = 0.0
            for pid in tree_of(self._pid):
                try:
                    total += memory_mib(pid)[1]
                except (OSError, KeyError):  # ended meanwhile
                    continue
            if total:
                self.samples.append((time.monotonic() - began, total))
