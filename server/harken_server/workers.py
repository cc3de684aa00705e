"""A worker as its parent sees it: a fresh process, for grpcio does not survive a fork."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

from harken_server.assignment import Answer, Assignment, Order, Word

BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before a worker is started again, longer each time it dies young."""
YOUNG_SECONDS = 30.0
COMMAND = (sys.executable, "-m", "harken_server.data_plane")
GONE = Answer(failure="it ended")


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
        self.since: datetime | None = None
        self.process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Answer]] = {}
        self._telling = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self.process.pid if self.process is not None else None

    def launch(self) -> None:
        """Start the process; it loads what it needs of Python and waits for its assignment."""
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self._environment},
            text=True,
            encoding="utf-8",
        )

    def start(self) -> None:
        """Have it serve, in a process launched already if there is one; ``word`` and
        ``serving`` are set when it has said how it went."""
        self.serving.clear()
        self.word, self.since, self.again_at = None, None, None
        self._started = time.monotonic()
        if not self.alive():
            self.launch()
        process = self.process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(self.assignment.to_json() + "\n")
            process.stdin.flush()  # and stays open: its end would mean that we are gone
        except BrokenPipeError:
            self.word = Word(failure="the process ended at once")
        self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._listener.start()

    def tell(self, order: Order) -> Future[Answer]:
        """Give an order to a worker that serves; a worker that ends has answered ``GONE``."""
        answer: Future[Answer] = Future()
        process = self.process
        with self._telling:
            order = replace(order, id=next(self._ids))
            self._waiting[order.id] = answer
            try:
                if process is None or process.stdin is None or not self.serving.is_set():
                    raise BrokenPipeError
                process.stdin.write(order.to_json() + "\n")
                process.stdin.flush()
            except (OSError, ValueError):  # gone, or being stopped
                self._waiting.pop(order.id, None)
                answer.set_result(GONE)
        return answer

    def serves(self, word: Word) -> None:
        """Note what it serves from now on; ``since`` is of the rule base."""
        former, self.word = self.word, word
        if self.since is None or former is None or former.rule_base_digest != word.rule_base_digest:
            self.since = datetime.now(UTC)

    def alive(self) -> bool:
        """Is there a process?"""
        return self.process is not None and self.process.poll() is None

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

    def kill(self) -> None:
        """End it at once; ``died`` will say so."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def finish(self, seconds: float) -> None:
        """Wait for its end; kill it if it takes longer than ``seconds``."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._listener is not None:
            self._listener.join(1.0)
        with self._telling:
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        try:
            self.word = word = Word.from_json(process.stdout.readline())
            if word.serves:
                self.serves(word)
                self.serving.set()
            for line in process.stdout:
                answer = Answer.from_json(line)
                waiting = self._waiting.pop(answer.id, None)
                if waiting is not None:
                    waiting.set_result(answer)
        except ValueError:  # closed under us: the parent is stopping
            pass
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        """Nobody answers any more."""
        with self._telling:
            self.serving.clear()
            waiting = [self._waiting.pop(each) for each in list(self._waiting)]
        for answer in waiting:
            answer.set_result(GONE)
