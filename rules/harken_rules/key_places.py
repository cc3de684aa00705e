"""Where each key of a group has its place in what is remembered of it, for many keys at once.

A group of few keys has an array with a place for each. For any other the keys are hashed into
two arrays, of which at most a quarter is filled: nearly every known key is found at the first look
or the second, a few are left to a dictionary. Either way a look costs a few nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harken_rules.keys import key_of

Keys = npt.NDArray[np.int64]
"""Keys, or places (-1: not known); one dimension."""

_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


class KeyPlaces(Protocol):
    """The places of a group's keys; ``words`` has one array for each word of the keys."""

    def find(self, words: Sequence[Keys], out: Keys) -> None:
        """Writes each row's place to ``out``."""

    def unknown(self, words: Sequence[Keys], rows: Keys) -> list[int]:
        """The distinct keys of ``rows``, none of which has a place yet."""

    def add(self, keys: Sequence[int], first: int) -> None:
        """Gives places from ``first`` on to keys that have none."""


class Dense:
    """Places of keys below ``size``."""

    def __init__(self, size: int) -> None:
        self._places = np.full(size, -1, dtype=np.int64)

    def find(self, words: Sequence[Keys], out: Keys) -> None:
        """See ``KeyPlaces.find``."""
        self._places.take(words[0], out=out, mode="clip")

    def unknown(self, words: Sequence[Keys], rows: Keys) -> list[int]:
        """See ``KeyPlaces.unknown``."""
        found: list[int] = np.unique(words[0][rows]).tolist()
        return found

    def add(self, keys: Sequence[int], first: int) -> None:
        """See ``KeyPlaces.add``."""
        self._places[list(keys)] = np.arange(first, first + len(keys))


class Hashed:
    """Places of any keys of one word."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._tables = _Tables(12)

    def find(self, words: Sequence[Keys], out: Keys) -> None:
        """See ``KeyPlaces.find``."""
        keys, tables = words[0], self._tables
        tables.look(0, keys, out)
        rest = np.flatnonzero(out < 0)
        if len(rest):
            again = np.empty(len(rest), dtype=np.int64)
            tables.look(1, keys[rest], again)
            out[rest] = again
            rest = rest[again < 0]
        if len(rest):
            distinct, chosen = np.unique(keys[rest], return_inverse=True)
            known = [self._known.get(key, -1) for key in distinct.tolist()]
            out[rest] = np.array(known, dtype=np.int64)[chosen]

    def unknown(self, words: Sequence[Keys], rows: Keys) -> list[int]:
        """See ``KeyPlaces.unknown``."""
        found: list[int] = np.unique(words[0][rows]).tolist()
        return found

    def add(self, keys: Sequence[int], first: int) -> None:
        """See ``KeyPlaces.add``."""
        self._known.update(zip(keys, range(first, first + len(keys)), strict=True))
        added, places = np.array(keys, dtype=np.int64), np.arange(first, first + len(keys))
        tables = self._tables
        if len(self._known) * 4 > tables.size:
            tables = _Tables(max(len(self._known) * 8 - 1, 1).bit_length())
            added = np.fromiter(self._known.keys(), np.int64, len(self._known))
            places = np.fromiter(self._known.values(), np.int64, len(self._known))
        tables.put(added, places)
        self._tables = tables


class _Tables:
    """Two arrays of keys with their places, either addressed by a hash of its own."""

    def __init__(self, bits: int) -> None:
        self.size = 1 << bits
        self._shift = np.uint64(64 - bits)
        self._keys = np.full((2, self.size), -1, dtype=np.int64)
        self._places = np.full((2, self.size), -1, dtype=np.int64)

    def look(self, table: int, keys: Keys, out: Keys) -> None:
        slots = self._slots(table, keys)
        self._places[table].take(slots, out=out, mode="clip")
        out[self._keys[table].take(slots, mode="clip") != keys] = -1

    def put(self, keys: Keys, places: Keys) -> None:
        """Keeps keys where the slot is free; what is there stays, for somebody may look."""
        for table in range(2):
            slots = self._slots(table, keys)
            free = self._keys[table][slots] < 0
            # The place first: who sees the key finds it.
            self._places[table][slots[free]] = places[free]
            self._keys[table][slots[free]] = keys[free]
            left = self._keys[table][slots] != keys
            keys, places = keys[left], places[left]

    def _slots(self, table: int, keys: Keys) -> Keys:
        hashed = keys.view(np.uint64) * _ODD[table]
        return (hashed >> self._shift).view(np.int64)


class Wide:
    """Places of keys of several words. They take a group that reads very many facts in very many
    ways; its keys are looked up one by one."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def find(self, words: Sequence[Keys], out: Keys) -> None:
        """See ``KeyPlaces.find``."""
        out[:] = [self._known.get(key, -1) for key in whole_keys(words)]

    def unknown(self, words: Sequence[Keys], rows: Keys) -> list[int]:
        """See ``KeyPlaces.unknown``."""
        return list(dict.fromkeys(whole_keys([word[rows] for word in words])))

    def add(self, keys: Sequence[int], first: int) -> None:
        """See ``KeyPlaces.add``."""
        self._known.update(zip(keys, range(first, first + len(keys)), strict=True))


def whole_keys(words: Sequence[Keys]) -> list[int]:
    """The keys of some rows as integers."""
    return list(map(key_of, zip(*[word.tolist() for word in words], strict=True)))
