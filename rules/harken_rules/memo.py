"""Remembering what was answered: each distinct question is asked once.

Looking up takes no lock; a dictionary's ``get`` is atomic. When all tables together hold as
many answers as allowed, the older half of the fullest one is forgotten.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class MemoStats:
    """Look-ups answered from memory and by the engine; answers held and allowed."""

    hits: int
    misses: int
    size: int
    capacity: int


class Ticker:
    """Counts calls: the step of a counter written in C is one that no thread comes between."""

    def __init__(self) -> None:
        self.tick: Callable[[], int] = itertools.count().__next__
        self._looks = 0

    def total(self) -> int:
        """How often ``tick`` was called; not for two threads at once."""
        self._looks += 1  # to look at the counter is to move it
        return self.tick() - self._looks + 1


class Memo(Generic[Key, Answer]):
    """Answers by key, for some tables; ``answers[table]`` is read without a lock."""

    def __init__(self, tables: int, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a memo holds at least one answer")
        self.answers: list[dict[Key, Answer]] = [{} for _ in range(tables)]
        self._capacity = capacity
        self._size = 0
        self._asked = 0
        self._tickers: dict[int, Ticker] = {}
        self._missed = 0
        self._lock = threading.Lock()

    def count(self, asked: int) -> None:
        """Counts look-ups."""
        with self._lock:
            self._asked += asked

    def store(self, table: int, key: Key, answer: Answer) -> None:
        """Keeps an answer that was not there, and counts the miss."""
        with self._lock:
            self._missed += 1
            if key in self.answers[table]:  # another thread was quicker
                return
            if self._size >= self._capacity:
                self._forget()
            self.answers[table][key] = answer
            self._size += 1
            self._kept(table, key, answer)

    def clear(self) -> None:
        """Forgets every answer; what was counted stays."""
        with self._lock:
            for table, held in enumerate(self.answers):
                for key in list(held):
                    del held[key]
                    self._gone(table, key)
            self._size = 0

    def ticker(self, asked: int) -> Callable[[], int]:
        """What counts ``asked`` look-ups at each call, without the lock."""
        with self._lock:
            return self._tickers.setdefault(asked, Ticker()).tick

    def stats(self) -> MemoStats:
        """How the memo has done so far."""
        with self._lock:
            # A look-up under way may have missed before it is counted.
            ticked = sum(asked * ticker.total() for asked, ticker in self._tickers.items())
            hits = max(self._asked + ticked - self._missed, 0)
            return MemoStats(hits, self._missed, self._size, self._capacity)

    def _forget(self) -> None:
        sizes = list(map(len, self.answers))
        table = sizes.index(max(sizes))
        fullest = self.answers[table]
        for key in list(itertools.islice(fullest, (len(fullest) + 1) // 2)):
            del fullest[key]
            self._size -= 1
            self._gone(table, key)

    def _kept(self, table: int, key: Key, answer: Answer) -> None:
        """Told of each answer that is kept, under the lock."""

    def _gone(self, table: int, key: Key) -> None:
        """Told of each answer that is forgotten, under the lock."""


class Shelves(Memo[int, Answer]):
    """A memo whose keys are small integers, which a list holds as well: the quickest look-up.

    ``shelves[table]`` is what to look keys up in: a list with ``None`` for what is not known where
    a table has few ``keys`` and all lists together at most ``slots`` places, else its dictionary.
    """

    def __init__(self, keys: Sequence[int], capacity: int, slots: int) -> None:
        super().__init__(len(keys), capacity)
        self.shelves: list[list[Answer | None] | dict[int, Answer]] = []
        for table, number in enumerate(keys):
            if number <= slots:
                slots -= number
                self.shelves.append([None] * number)
            else:
                self.shelves.append(self.answers[table])

    def _kept(self, table: int, key: int, answer: Answer) -> None:
        self.shelves[table][key] = answer

    def _gone(self, table: int, key: int) -> None:
        shelf = self.shelves[table]
        if isinstance(shelf, list):
            shelf[key] = None
