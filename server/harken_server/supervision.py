"""Starting workers as fresh processes and keeping them alive. grpcio does not survive a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from harken_server.assignment import Assignment, Word

BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before a worker is started again, longer each time it dies young."""
YOUNG_SECONDS = 30.0

_log = structlog.get_logger("harken.control")


class Worker:
    """One place among the workers, and the process that fills it."""

    def __init__(self, assignment: Assignment, environment: Mapping[str, str]) -> None:
        self.assignment = assignment
        self._environment = dict(environment)
        self._started = 0.0
        self.deaths = 0
        self.again_at: float | None = None
        self.serving = threading.Event()
        self.word: Word | None = None
        self.process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self.process.pid if self.process is not None else None

    def start(self) -> None:
        """Start the process; ``word`` and ``serving`` are set when it has said how it went."""
        self.serving.clear()
        self.word, self.again_at = None, None
        self._started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "harken_server.data_plane"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self._environment},
            text=True,
            encoding="utf-8",
        )
        self.process = process
        assert process.stdin is not None
        try:
            process.stdin.write(self.assignment.to_json() + "\n")
            process.stdin.flush()  # and stays open: its end would mean that we are gone
        except BrokenPipeError:
            self.word = Word(failure="the process ended at once")
        self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._listener.start()

    def died(self) -> int | None:
        """The exit code, once the process has ended."""
        code = self.process.poll() if self.process is not None else None
        if code is not None and self._listener is not None:
            self._listener.join(1.0)  # its last words, if any
        return code

    def hangs(self, seconds: float) -> bool:
        """Started longer ago than ``seconds``, and not serving yet."""
        return not self.serving.is_set() and time.monotonic() - self._started > seconds

    def schedule(self) -> float:
        """Plan the next start after a death; returns the pause in seconds."""
        young = time.monotonic() - self._started < YOUNG_SECONDS
        self.deaths = self.deaths + 1 if young else 1
        pause = BACKOFF_SECONDS[min(self.deaths, len(BACKOFF_SECONDS)) - 1]
        self.again_at = time.monotonic() + pause
        self.serving.clear()
        return pause

    def stop(self) -> None:
        """Ask it to drain."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def finish(self, seconds: float) -> None:
        """Wait for its end; kill it if it takes longer than ``seconds``."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        except ValueError:  # closed under us: the parent is stopping
            return
        self.word = Word.from_json(line)
        if self.word.serves:
            self.serving.set()


@dataclass(slots=True)
class Crew:
    """All workers. ``on_death`` is told the process id of each that ends unasked; one that
    does not serve ``start_seconds`` after its start is killed and started again."""

    workers: list[Worker]
    on_death: Callable[[int], None]
    start_seconds: float = 120.0

    def start(self, seconds: float, stopping: threading.Event) -> Word:
        """Start all; returns what all serve, or the first word of one that does not."""
        for worker in self.workers:
            worker.start()
        deadline = time.monotonic() + seconds
        while not all(worker.serving.is_set() for worker in self.workers):
            for worker in self.workers:
                code, word = worker.died(), worker.word
                if word is not None and not word.serves:
                    return word
                if code is not None:
                    return Word(failure=f"it ended with code {code}")
            if time.monotonic() > deadline:
                return Word(failure=f"it does not serve after {seconds:g} seconds")
            if stopping.wait(0.02):
                return Word(failure="it was told to stop before it served")
        words = {worker.word for worker in self.workers if worker.word is not None}
        if len(words) > 1:
            return Word(failure="they read different rule bases or bundles")
        return words.pop()

    def tend(self) -> None:
        """Notice who died and start again whoever's time has come; call it now and then."""
        for worker in self.workers:
            if worker.again_at is not None:
                if time.monotonic() >= worker.again_at:
                    self._start_again(worker)
                continue
            if worker.hangs(self.start_seconds):
                _log.error("worker does not serve", worker=worker.assignment.number)
                worker.finish(0)  # found dead below
            code = worker.died()
            if code is not None and worker.pid is not None:
                self.on_death(worker.pid)
                worker.finish(0)
                pause = worker.schedule()
                _log.error(
                    "worker died",
                    worker=worker.assignment.number,
                    code=code,
                    why=worker.word.failure if worker.word is not None else None,
                    again_in_seconds=pause,
                )

    def _start_again(self, worker: Worker) -> None:
        try:
            worker.start()
        except OSError as error:  # no process or memory to be had just now
            pause = worker.schedule()
            _log.error(
                "worker not started",
                worker=worker.assignment.number,
                why=error.strerror,
                again_in_seconds=pause,
            )

    def stop(self, seconds: float) -> None:
        """Drain all, side by side; whoever is not done after ``seconds`` is killed."""
        for worker in self.workers:
            worker.stop()
        deadline = time.monotonic() + seconds
        for worker in self.workers:
            worker.finish(deadline - time.monotonic())

    def serving(self) -> int:
        """How many serve just now."""
        return sum(w.serving.is_set() and w.died() is None for w in self.workers)
