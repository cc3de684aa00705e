"""Remembering what was answered: each distinct signature is asked once.

Looking up takes no lock; a dictionary's ``get`` is atomic. When all tables together hold as
many answers as allowed, the older half of the fullest one is forgotten.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from harken_rules.boxes import Signature

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class MemoStats:
    """Look-ups answered from memory and by the engine; answers held and allowed."""

    hits: int
    misses: int
    size: int
    capacity: int


class Memo(Generic[Answer]):
    """Answers by signature, for some tables; ``answers[table]`` is read without a lock."""

    def __init__(self, tables: int, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a memo holds at least one answer")
        self.answers: list[dict[Signature, Answer]] = [{} for _ in range(tables)]
        self._capacity = capacity
        self._size = 0
        self._asked = 0
        self._missed = 0
        self._lock = threading.Lock()

    def count(self, asked: int) -> None:
        """Counts look-ups."""
        with self._lock:
            self._asked += asked

    def store(self, table: int, signature: Signature, answer: Answer) -> None:
        """Keeps an answer that was not there, and counts the miss."""
        with self._lock:
            self._missed += 1
            if signature in self.answers[table]:  # another thread was quicker
                return
            if self._size >= self._capacity:
                self._forget()
            self.answers[table][signature] = answer
            self._size += 1

    def stats(self) -> MemoStats:
        """How the memo has done so far."""
        with self._lock:
            # A look-up under way may have missed before it is counted.
            hits = max(self._asked - self._missed, 0)
            return MemoStats(hits, self._missed, self._size, self._capacity)

    def _forget(self) -> None:
        fullest = max(self.answers, key=len)
        for signature in list(itertools.islice(fullest, (len(fullest) + 1) // 2)):
            del fullest[signature]
            self._size -= 1
