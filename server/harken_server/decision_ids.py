"""Ids of decisions: 128 random bits as 32 hexadecimal digits."""

from __future__ import annotations

import os
from collections import deque

_AT_ONCE = 256
"""Made in stock: asking the system for random bits costs more than having them."""
_ready: deque[str] = deque()


def new_id() -> str:
    """An id that nobody was given before; safe in any thread."""
    try:
        return _ready.pop()
    except IndexError:
        one, *others = new_ids(_AT_ONCE)
        _ready.extend(others)
        return one


def new_ids(count: int) -> list[str]:
    """So many ids."""
    digits = os.urandom(16 * count).hex()
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


os.register_at_fork(after_in_child=_ready.clear)
