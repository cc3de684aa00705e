"""A second rule base, scored beside the active one on a share of the live traffic.

Callers never wait for it: an answered grumble is put into a short queue, or left out and
counted where that is full. One thread works on the queue and rests a multiple of what it
worked, so that calls keep the interpreter to themselves most of the time.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from harken_server.assignment import ShadowCounts
from harken_server.grumble import Grumble, Score

if TYPE_CHECKING:
    from harken_rules import RuleBase

    from harken_server.scoring import Scorer

WAITING = 256
"""Grumbles that may wait for the shadow."""
REST = 4.0
"""Seconds of rest for a second of work."""

_log = structlog.get_logger("harken.worker")


class Shadow:
    """Scores with ``scorer`` what the rule base ``active_digest`` has scored already.

    The counts are of one pair of rule bases: they begin anew when the active one changes.
    """

    def __init__(
        self, scorer: Scorer, active_digest: str, share: float, rest: float = REST
    ) -> None:
        self._scorer = scorer
        self.share = share
        self._rest = rest
        self._waiting: queue.Queue[tuple[Grumble, Score]] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._counting = threading.Lock()
        self._active_digest = active_digest
        self._scored = self._skipped = self._failed = 0
        self._transitions: Counter[tuple[int, int]] = Counter()
        threading.Thread(target=self._work, daemon=True, name="shadow").start()

    @property
    def digest(self) -> str:
        """The digest of the shadow's rule base."""
        return self._scorer.snapshot.rule_base_digest

    @property
    def base(self) -> RuleBase:
        """The shadow's rule base."""
        return self._scorer.snapshot.base

    def offer(self, answered: Iterable[tuple[Grumble, Score]]) -> None:
        """Take a share of what was answered; never waits."""
        for grumble, score in answered:
            if random.random() >= self.share:
                continue
            try:
                self._waiting.put_nowait((grumble, score))
            except queue.Full:
                self._count(score, None, skipped=True)

    def follow(self, active_digest: str) -> None:
        """Count anew, beside another active rule base."""
        with self._counting:
            self._active_digest = active_digest
            self._scored = self._skipped = self._failed = 0
            self._transitions = Counter()

    def counts(self) -> ShadowCounts:
        """How it has done so far."""
        with self._counting:
            return ShadowCounts(
                self._active_digest,
                self.digest,
                self._scored,
                self._skipped,
                self._failed,
                self._transitions.copy(),
            )

    def close(self) -> None:
        """End, without what still waits."""
        self._closing.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                grumble, score = self._waiting.get(timeout=0.5)
            except queue.Empty:
                continue
            started = time.perf_counter()
            self._count(score, self._level(grumble))
            self._closing.wait(self._rest * (time.perf_counter() - started))

    def _level(self, grumble: Grumble) -> int | None:
        try:
            return self._scorer.score(grumble._replace(explain=False)).level
        except Exception as error:  # whatever it is, it is the shadow's alone
            _log.debug("shadow failed", kind=type(error).__name__)
            return None

    def _count(self, score: Score, level: int | None, skipped: bool = False) -> None:
        with self._counting:
            if score.rule_base_digest != self._active_digest:
                return  # answered before the active rule base changed
            if skipped:
                self._skipped += 1
            elif level is None:
                self._failed += 1
            else:
                self._scored += 1
                self._transitions[score.level, level] += 1
