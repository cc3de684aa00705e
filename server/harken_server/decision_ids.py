"""Ids of decisions: 128 random bits as 32 hexadecimal digits."""

from __future__ import annotations

import os
from collections import deque

DIGITS = 32
_AT_ONCE = 256
"""Made in stock: asking the system for random bits costs more than having them."""
_ready: deque[str] = deque()


def new_id() -> str:
    """An id that nobody was given before; safe in any thread."""
    try:
        return _ready.pop()
    except IndexError:
        digits = new_digits(_AT_ONCE)
        _ready.extend(id_of(digits, number) for number in range(1, _AT_ONCE))
        return id_of(digits, 0)


def new_digits(count: int) -> str:
    """So many ids, one after the other."""
    return os.urandom(DIGITS // 2 * count).hex()


def id_of(digits: str, number: int) -> str:
    """One of these ids, counted from 0."""
    return digits[DIGITS * number : DIGITS * (number + 1)]


os.register_at_fork(after_in_child=_ready.clear)
