"""Scoring slices in processes of this machine, without a server.

Each process is started anew and has one core: it reads its slices of IN itself, types and
scores them and writes the parts. The parent hands out slices, takes over the parts, and keeps
journal and progress. Who scores is found by an entry point, so that the client knows nothing
of rules and models.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harken_client.errors import HarkenError
from harken_client.replay.errors import ReplayError
from harken_client.replay.parts import Part
from harken_client.replay.spec import Spec

if TYPE_CHECKING:
    from harken_client.replay.slices import Slice

GROUP, NAME = "harken.replay", "offline"
AHEAD = 2
"""Slices that a process has been given: it need not wait for the next one."""


@dataclass(frozen=True, slots=True)
class Offline:
    """What scores without a server: folders (None: the shipped ones), and how many processes.

    ``compiled`` asks for the compiled model, ``processes`` None for one on every core.
    """

    rules: Path | None = None
    bundle: Path | None = None
    compiled: bool = False
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """All that a process needs to know; goes there pickled."""

    source: Path
    spec: Spec
    language: str
    limit: int | None
    folder: Path
    as_csv: bool
    offline: Offline


def backend_point() -> EntryPoint:
    """Where the backend is; :class:`ReplayError` says what to install if it is not there."""
    for point in entry_points(group=GROUP, name=NAME):
        return point
    raise ReplayError(
        "--offline needs the scoring core on this machine: pip install harken-server, "
        "or leave it out and give --target"
    )


class Stock:
    """The slices still to be done, handed out so that a reader goes forwards in its home."""

    def __init__(self, slices: Iterator[Slice], *, by_home: bool) -> None:
        self._homes: dict[int, list[Slice]] = {}
        self._rest = slices
        self._at: dict[int, int] = {}
        if by_home:
            for part in slices:
                self._homes.setdefault(part.home, []).append(part)
            for parts in self._homes.values():
                parts.reverse()

    def take(self, process: int) -> Slice | None:
        """The next slice for a process: where it reads, else where nobody does, else where most
        is left."""
        homes = {home: parts for home, parts in self._homes.items() if parts}
        if not homes:
            return next(self._rest, None)
        home = self._at.get(process)
        if home not in homes:
            free = [each for each in homes if each not in self._at.values()]
            home = free[0] if free else max(homes, key=lambda each: len(homes[each]))
        self._at[process] = home
        return homes[home].pop()


class OfflineRunner:
    """Scores slices in processes."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._count = task.offline.processes or len(self._cores) or os.cpu_count() or 1
        self._processes: dict[Connection, Any] = {}

    def run(self, stock: Stock, keep: Callable[[Part, Path], None]) -> None:
        """Score all of ``stock`` and ``keep`` each part as it is done, in any order.

        Raises HarkenError where a process fails; the parts kept are whole.
        """
        first = [part for number in range(self._count) if (part := stock.take(number))]
        try:
            for number, part in enumerate(first):
                self._start(number).send(part)
            busy = dict.fromkeys(self._processes, 1)
            numbers = {each: number for number, each in enumerate(self._processes)}
            while busy:
                for pipe in wait(list(busy)):
                    pipe = cast("Connection", pipe)
                    said = self._hear(pipe)
                    if isinstance(said, tuple):
                        keep(*said)
                        busy[pipe] -= 1
                    while busy[pipe] < AHEAD and (part := stock.take(numbers[pipe])):
                        self._tell(pipe, part)
                        busy[pipe] += 1
                    if not busy[pipe]:
                        del busy[pipe]
                        self._tell(pipe, None)
        finally:
            self._stop()

    def _start(self, number: int) -> Connection:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        cores = self._cores
        core = cores[number] if self._count <= len(cores) else None
        process = context.Process(target=work, args=(self._task, there, core), daemon=True)
        with _no_interrupt():
            process.start()
        there.close()
        self._processes[here] = process
        return here

    def _hear(self, pipe: Connection) -> tuple[Part, Path] | str:
        """What a process says: that it is ready, or a part; errors are raised."""
        try:
            said = pipe.recv()
        except (EOFError, OSError):
            raise self._death(pipe) from None
        if isinstance(said, Exception):
            raise said
        part: tuple[Part, Path] | str = said
        return part

    def _tell(self, pipe: Connection, part: Slice | None) -> None:
        try:
            pipe.send(part)
        except OSError:
            raise self._death(pipe) from None

    def _death(self, pipe: Connection) -> HarkenError:
        process = self._processes[pipe]
        process.join(5)
        return HarkenError(f"a process of the replay died{_how(process.exitcode)}")

    def _stop(self) -> None:
        """Let processes that are done go, and end those that are not."""
        for pipe in self._processes:
            pipe.close()
        for process in self._processes.values():
            process.join(0.5)
            process.kill()
            process.join()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """What is started in here never hears of Ctrl-C, not even while it loads its modules.

    Neither does this process until it is started: a mask holds for one thread, and the signal
    may come to another (that of a progress bar), so it is noted and raised afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    heard: list[int] = []
    ours = threading.current_thread() is threading.main_thread()
    handler = (
        signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number)) if ours else None
    )
    resource_tracker.ensure_running()  # started along with a process, it would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if ours:
            signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return ""
    with suppress(ValueError):
        return f" ({signal.Signals(-code).name})"
    return ""


def work(task: Task, pipe: Connection, core: int | None) -> None:
    """A process's life: slices come through ``pipe``, parts go back; None ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    _one_core(core)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        try:
            backend, score = _prepare(task)
            pipe.send("ready")
            while (part := pipe.recv()) is not None:
                pipe.send(score(part))
            backend.close()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            pipe.send(_told(error))


def _one_core(core: int | None) -> None:
    """Keep to one core and one thread; before any library that counts cores is loaded."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if core is not None and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, {core})


def _prepare(task: Task) -> tuple[Any, Callable[[Slice], tuple[Part, Path]]]:
    import pyarrow

    from harken_client.replay.columns import ColumnConverter
    from harken_client.replay.convert import Converter
    from harken_client.replay.slices import open_slices
    from harken_client.replay.sources import open_source
    from harken_client.replay.work import score_slice

    pyarrow.set_cpu_count(1)
    offline = task.offline
    try:
        backend = backend_point().load()(offline.rules, offline.bundle, offline.compiled, 1)
    except ValueError as error:
        raise ReplayError(str(error)) from None
    source = open_source(task.source)
    converter = Converter(task.spec, source.columns, task.language)
    slices = open_slices(task.source, source, converter, task.limit)
    by_columns = ColumnConverter(converter)

    def score(part: Slice) -> tuple[Part, Path]:
        block = slices.read(part)
        return score_slice(part, block, by_columns, backend, as_csv=task.as_csv).write(task.folder)

    return backend, score


def _told(error: Exception) -> Exception:
    """An error as the parent raises it: of a kind that it knows."""
    if isinstance(error, ReplayError):
        return ReplayError(error.message)
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror or str(error), error.filename)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return HarkenError(f"a process of the replay failed: {type(error).__name__}{at}: {error}")
