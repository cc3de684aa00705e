"""Remembering what was made of an object, by the object's identity.

Looking up a tuple of texts by its value means looking at each of the texts, which lie all over
the memory; by identity it is one step. That serves where the same is said with the same object:
the engine's results, and what is made of them. An object that is kept keeps its identity to
itself, so that nothing is ever taken for another; one that is not met again costs a place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")

MOST = 16384
"""Things kept; when there are more, all are forgotten."""


class Kept(Generic[Thing, Made]):
    """``make``, made once for each object; safe in any thread."""

    def __init__(self, make: Callable[[Thing], Made], most: int = MOST) -> None:
        self._make = make
        self._most = most
        self._made: dict[int, tuple[Made, Thing]] = {}

    def __call__(self, thing: Thing) -> Made:
        found = self._made.get(id(thing))
        if found is None:
            found = self._made[id(thing)] = self._made_of(thing)
        return found[0]

    def __len__(self) -> int:
        return len(self._made)

    def _made_of(self, thing: Thing) -> tuple[Made, Thing]:
        if len(self._made) >= self._most:
            self._made.clear()
        return self._make(thing), thing


class KeptTogether(Generic[Made]):
    """The same for several objects together."""

    def __init__(self, make: Callable[[tuple[Any, ...]], Made], most: int = MOST) -> None:
        self._make = make
        self._most = most
        self._made: dict[tuple[int, ...], tuple[Made, tuple[Any, ...]]] = {}

    def __call__(self, things: tuple[Any, ...]) -> Made:
        key = tuple(map(id, things))
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= self._most:
                self._made.clear()
            found = self._made[key] = self._make(things), things
        return found[0]
