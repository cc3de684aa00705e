"""All workers: keeping them alive, and having them change what they serve together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from harken_server.assignment import Answer, Order, ShadowCounts, Word
from harken_server.workers import Worker

SWAP_SECONDS = 10.0
"""What a worker gets for an order that takes no work; it is killed if it takes longer."""
COUNT_SECONDS = 5.0

_log = structlog.get_logger("harken.control")


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker just now; ``since`` is when it began to serve this rule base."""

    number: int
    serving: bool
    rule_base_digest: str
    model_digest: str
    since: datetime | None


@dataclass(slots=True)
class Crew:
    """All workers. ``on_death`` is told the process id of each that ends unasked; one that
    does not serve ``start_seconds`` after its start is killed and started again.
    ``reload_seconds`` is what a worker gets to load another rule base."""

    workers: list[Worker]
    on_death: Callable[[int], None]
    start_seconds: float = 120.0
    reload_seconds: float = 60.0
    word: Word = field(default_factory=Word, init=False)
    """What all serve."""
    since: datetime | None = field(default=None, init=False)
    """When all began to serve it."""
    _shadow_digest: str = field(default="", init=False)
    _changing: threading.Lock = field(default_factory=threading.Lock, init=False)

    def launch(self) -> None:
        """Start the processes; they are told what to serve by ``start``."""
        for worker in self.workers:
            worker.launch()

    def start(
        self, rules: Path, seconds: float, stopping: threading.Event, digest: str = ""
    ) -> Word:
        """Start all with the rule base in ``rules``; returns what all serve, or the first word
        of one that does not. Where ``digest`` is given, nobody serves another rule base."""
        for worker in self.workers:
            worker.assignment = replace(
                worker.assignment, rules=str(rules), rule_base_digest=digest
            )
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
        self.word, self.since = words.pop(), datetime.now(UTC)
        for worker in self.workers:
            worker.assignment = replace(
                worker.assignment,
                rule_base_digest=self.word.rule_base_digest,
                model_digest=self.word.model_digest,
            )
        return self.word

    def reload(self, rules: Path, digest: str = "") -> tuple[str, ...]:
        """Have every worker serve the rule base in ``rules``; returns the problems, if any.

        Where ``digest`` is given, a folder that reads as another rule base is a problem.
        All load it beside the one they serve; only when all have are they told to swap. If any
        cannot load it, dies over it or takes longer than ``reload_seconds``, all go on as they
        were. From the swap on there is no way back: a worker that fails then is started again,
        with the new rule base, as is one that was dead meanwhile.
        """
        with self._changing:
            workers, answers, problems = self._prepare(Order("prepare", rules=str(rules)))
            read = {answer.digest for answer in answers}
            if not problems and len(read) > 1:
                problems.append("the workers read different rule bases")
            elif not problems and digest and read != {digest}:
                problems.append(f"the workers read {answers[0].digest} in its folder")
            if problems:
                self._order(workers, Order("drop"))
                return tuple(problems)
            self.word = replace(
                self.word, rule_base=answers[0].rule_base, rule_base_digest=answers[0].digest
            )
            self._swap(workers, rules=str(rules), rule_base_digest=answers[0].digest)
            self.since = datetime.now(UTC)
            return ()

    def reload_bundle(self, bundle: Path, digest: str, compiled: bool = False) -> tuple[str, ...]:
        """Have every worker serve the model bundle in ``bundle``, which must read as ``digest``.

        The rule base stays. Goes like ``reload``, and returns the problems, if any.
        """
        with self._changing:
            rules, served = self.workers[0].assignment.rules, self.word.rule_base_digest
            order = Order("prepare", rules=rules, bundle=str(bundle), compiled=compiled)
            workers, answers, problems = self._prepare(order)
            read = {(answer.digest, answer.model_digest) for answer in answers}
            if not problems and read != {(served, digest)}:
                problems.append("the workers read another bundle, or another rule base beside it")
            if problems:
                self._order(workers, Order("drop"))
                return tuple(problems)
            self.word = replace(self.word, model_digest=digest)
            self._swap(workers, bundle=str(bundle), model_digest=digest, compiled=compiled)
            return ()

    def set_shadow(self, rules: Path | None, share: float) -> tuple[str, ...]:
        """Score the rule base in ``rules`` beside the active one for ``share`` of the calls.

        ``None`` ends it. If any worker cannot, none does, and the problems are returned.
        """
        folder = None if rules is None else str(rules)
        with self._changing:
            workers, problems = self._awake()
            order = Order("shadow", rules=folder, share=share)
            answers = self._tell(workers, order, self.reload_seconds)
            problems += _problems(workers, answers)
            if problems:
                folder = None
                self._order(workers, Order("shadow"))
            for worker in self.workers:
                worker.assignment = replace(worker.assignment, shadow=folder, shadow_share=share)
            self._shadow_digest = answers[0].digest if folder is not None else ""
            return tuple(problems)

    def shadow_counts(self) -> ShadowCounts | None:
        """How the shadow has done, over all workers; ``None`` where there is none.

        What a worker counted goes with it when it dies.
        """
        pair = (self.word.rule_base_digest, self._shadow_digest)
        if not self._shadow_digest:
            return None
        serving = [worker for worker in self.workers if worker.serving.is_set()]
        total = ShadowCounts(*pair)
        for answer in self._tell(serving, Order("counts"), COUNT_SECONDS):
            counts = answer.counts
            if counts is not None and (counts.rule_base_digest, counts.shadow_digest) == pair:
                total = total.plus(counts)
        return total

    def states(self) -> list[WorkerState]:
        """Every worker just now, by number."""
        states = []
        for worker in self.workers:
            word = worker.word or Word()
            serving = worker.serving.is_set() and worker.alive()
            number = worker.assignment.number
            states.append(
                WorkerState(number, serving, word.rule_base_digest, word.model_digest, worker.since)
            )
        return states

    def tend(self) -> None:
        """Notice who died and start again whoever's time has come; call it now and then.

        Does nothing while the rule base changes: nobody is started with one that is on its way
        out, and whoever is started later gets what the change has left.
        """
        if not self._changing.acquire(blocking=False):
            return
        try:
            for worker in self.workers:
                self._tend(worker)
        finally:
            self._changing.release()

    def stop(self, seconds: float) -> None:
        """Drain all, side by side; whoever is not done after ``seconds`` is killed."""
        for worker in self.workers:
            worker.stop()
        deadline = time.monotonic() + seconds
        for worker in self.workers:
            worker.finish(deadline - time.monotonic())

    def serving(self) -> int:
        """How many serve just now."""
        return sum(w.serving.is_set() and w.alive() for w in self.workers)

    def _awake(self) -> tuple[list[Worker], list[str]]:
        """The workers that serve, once those that are starting do; and what is wrong with that."""
        deadline = time.monotonic() + self.reload_seconds
        workers = [worker for worker in self.workers if worker.alive()]
        for worker in workers:
            while worker.alive() and not worker.serving.is_set() and time.monotonic() < deadline:
                time.sleep(0.02)
        late = [w for w in workers if w.alive() and not w.serving.is_set()]
        problems = [f"worker {worker.assignment.number} is still starting" for worker in late]
        serving = [worker for worker in workers if worker.serving.is_set()]
        return serving, problems if serving else [*problems, "no worker serves just now"]

    def _prepare(self, order: Order) -> tuple[list[Worker], list[Answer], list[str]]:
        """Everyone who serves, their answers to ``order``, and what speaks against a swap."""
        workers, problems = self._awake()
        answers = self._tell(workers, order, self.reload_seconds)
        return workers, answers, problems + _problems(workers, answers)

    def _swap(self, workers: Sequence[Worker], **assigned: Any) -> None:
        """All serve what is prepared, and whoever is started again has ``assigned`` to load."""
        for worker in self.workers:
            worker.assignment = replace(worker.assignment, **assigned)
        self._order(workers, Order("swap"))

    def _tell(self, workers: Sequence[Worker], order: Order, seconds: float) -> list[Answer]:
        """Everyone's answer to ``order``, each given at once, within ``seconds`` of now."""
        deadline = time.monotonic() + seconds
        waiting = [worker.tell(order) for worker in workers]
        return [_answer(each, deadline, seconds) for each in waiting]

    def _order(self, workers: Sequence[Worker], order: Order) -> None:
        """Tell those who have no choice; whoever fails at it is killed, and started again."""
        answers = self._tell(workers, order, SWAP_SECONDS)
        for worker, answer in zip(workers, answers, strict=True):
            if not answer.done:
                number = worker.assignment.number
                _log.error("worker fails", worker=number, order=order.do, why=answer.failure)
                worker.kill()
            elif order.do == "swap":
                worker.serves(self.word)

    def _tend(self, worker: Worker) -> None:
        if worker.again_at is not None:
            if time.monotonic() >= worker.again_at:
                self._start_again(worker)
            return
        if worker.alive() and worker.hangs(self.start_seconds):
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


def _answer(waiting: Future[Answer], deadline: float, seconds: float) -> Answer:
    try:
        return waiting.result(max(0.0, deadline - time.monotonic()))
    except TooLate:
        return Answer(failure=f"it does not answer within {seconds:g} seconds")


def _problems(workers: Sequence[Worker], answers: Sequence[Answer]) -> list[str]:
    """What the rule base's authors can mend, each said once, and whatever else went wrong."""
    found = list(dict.fromkeys(each for answer in answers for each in answer.problems))
    for worker, answer in zip(workers, answers, strict=True):
        if answer.failure:
            found.append(f"worker {worker.assignment.number}: {answer.failure}")
    return found
