"""Sets of small numbers as bits of an integer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_, or_

_BLOCK = 64


def codes_in(mask: int) -> Iterator[int]:
    """The codes in a bit set, ascending."""
    if mask.bit_length() > _BLOCK:  # taking single bits out of a long integer is slow
        for first, last in runs(mask):
            yield from range(first, last + 1)
        return
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def runs(mask: int) -> Iterator[tuple[int, int]]:
    """The contiguous runs of a bit set, ascending: (first, last)."""
    first = 0
    while mask:
        skipped = (mask & -mask).bit_length() - 1
        mask >>= skipped
        length = (~mask & (mask + 1)).bit_length() - 1
        yield first + skipped, first + skipped + length - 1
        first += skipped + length
        mask >>= length


class Holders:
    """Which of some sets hold each number below ``size``; sets of sets are bits as well."""

    def __init__(self, size: int, masks: Sequence[int]) -> None:
        toggles = [0] * (size + 1)
        for index, mask in enumerate(masks):
            for first, last in runs(mask):
                toggles[first] ^= 1 << index
                toggles[last + 1] ^= 1 << index
        self._holding: list[int] = []
        held = 0
        for toggle in toggles[:-1]:
            held ^= toggle
            self._holding.append(held)
        self._everyone = (1 << len(masks)) - 1
        starts = range(0, size, _BLOCK)
        chunks = [self._holding[start : start + _BLOCK] for start in starts]
        self._any = [reduce(or_, chunk) for chunk in chunks]
        self._all = [reduce(and_, chunk) for chunk in chunks]

    def of_any(self, mask: int) -> int:
        """The sets that hold some number of ``mask``."""
        return reduce(or_, self._parts(mask, self._any), 0)

    def of_all(self, mask: int) -> int:
        """The sets that hold every number of ``mask``."""
        return reduce(and_, self._parts(mask, self._all), self._everyone)

    def groups(self, mask: int, among: int) -> dict[int, int]:
        """Which ``among`` the sets hold a number of ``mask``: for each answer its greatest."""
        found: dict[int, int] = {}
        for first, last in runs(mask):
            for number, held in enumerate(self._holding[first : last + 1], first):
                found[held & among] = number
        return found

    def _parts(self, mask: int, blocks: Sequence[int]) -> Iterator[int]:
        """What holds each number; a block's together where ``mask`` has all of it."""
        for first, last in runs(mask):
            head, tail = -(-first // _BLOCK), (last + 1) // _BLOCK
            if head >= tail:
                yield from self._holding[first : last + 1]
            else:
                yield from self._holding[first : head * _BLOCK]
                yield from blocks[head:tail]
                yield from self._holding[tail * _BLOCK : last + 1]
