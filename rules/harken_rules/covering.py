"""What boxes cover together: the question behind gaps, hidden rules and rules without effect.

Boxes are not subtracted from each other, which may leave more pieces than there is memory for.
Instead the inputs are split, one fact at a time, into the values that the boxes still in play
tell apart; where no box is left, there is an input that none covers. Sets of boxes are bits of
an integer, so that many boxes cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from harken_rules.bits import Holders, codes_in
from harken_rules.boxes import Box

Found = dict[int, int]
"""Slot to code: an input, whatever the other slots hold."""

_COMPARED = 64
_CELLS = 100
"""So many bits of a grid count as a unit of work, which bounds the memory that grids take."""


class TooMuchWorkError(Exception):
    """A question about boxes takes more work than it was allowed."""


class Work:
    """Bounds what is done: ``each`` for one question, ``total`` for all of them.

    A unit is a look at one fact by up to a thousand boxes, well below a microsecond.
    """

    def __init__(self, total: int = 6_000_000, each: int = 600_000) -> None:
        self._total, self._each, self._left = total, each, 0

    def begin(self) -> None:
        """A new question is asked."""
        self._left = self._each

    def spend(self, units: int) -> None:
        """Raises TooMuchWorkError where nothing is left."""
        self._left -= units
        self._total -= units
        if self._left < 0 or self._total < 0:
            raise TooMuchWorkError


class Grid:
    """Boxes laid out by what they accept; ``sizes`` counts the codes of each slot.

    Raises TooMuchWorkError where they are too many.
    """

    def __init__(self, sizes: Sequence[int], boxes: Sequence[Box], work: Work) -> None:
        work.begin()
        work.spend(sum(sizes) * len(boxes) // _CELLS)
        self.sizes = tuple(sizes)
        self.whole: Box = tuple((1 << size) - 1 for size in sizes)
        self.every = (1 << len(boxes)) - 1
        self._unit = 1 + len(boxes) // 1000
        self._slots = [
            Holders(size, [box[slot] for box in boxes]) for slot, size in enumerate(self.sizes)
        ]
        self._full = [slot.of_all(mask) for slot, mask in zip(self._slots, self.whole, strict=True)]

    def meeting(self, region: Box) -> int:
        """The boxes that share some input with ``region``."""
        found = self.every
        for slot, mask, whole in zip(self._slots, region, self.whole, strict=True):
            if mask != whole:
                found &= slot.of_any(mask)
        return found

    def containing(self, region: Box) -> int:
        """The boxes that all of ``region`` lies in."""
        found = self.every
        for holding in self._everywhere(region):
            found &= holding
        return found

    def uncovered(self, region: Box, boxes: int, work: Work) -> Found | None:
        """An input in ``region`` that none of ``boxes`` covers, or None if there is none.

        Raises TooMuchWorkError.
        """

        def settled(alive: int, covering: int) -> bool | None:
            return None if alive and not covering else not alive

        return self._search(region, boxes, settled, work, monotone=True)

    def undecided(self, region: Box, boxes: int, good: int, work: Work) -> Found | None:
        """An input in ``region`` whose first box is not among ``good``; boxes win in order.

        An input without any box counts. Raises TooMuchWorkError.
        """

        def settled(alive: int, covering: int) -> bool | None:
            if not alive:
                return True
            first = alive & -alive
            if covering & first:
                return not good & first
            # A box that covers everything left hides all that come after it.
            least = covering & -covering
            rivals = alive & (least - 1) if covering else alive
            return False if covering and not (rivals | least) & ~good else None

        return self._search(region, boxes, settled, work, monotone=False)

    def together(self, boxes: int, work: Work) -> set[int]:
        """Every set of ``boxes`` that some input is in, and in no other of them.

        Raises TooMuchWorkError.
        """
        work.begin()
        found = {boxes}
        for slot, whole, full in zip(self._slots, self.whole, self._full, strict=True):
            work.spend(self._unit)
            if boxes & ~full:
                groups = slot.groups(whole, boxes)
                work.spend(self._unit * len(groups) * len(found))
                found = {alive & group for alive in found for group in groups}
        return found

    def _everywhere(self, region: Box) -> list[int]:
        """For each slot the boxes that accept all that ``region`` does."""
        known = zip(self._slots, region, self.whole, self._full, strict=True)
        return [full if mask == whole else slot.of_all(mask) for slot, mask, whole, full in known]

    def _search(
        self,
        region: Box,
        boxes: int,
        settled: Callable[[int, int], bool | None],
        work: Work,
        *,
        monotone: bool,
    ) -> Found | None:
        """Split ``region`` until ``settled`` says of the boxes left, and of those among them that
        cover everything left, whether this is (True) or cannot be (False) what is looked for.

        ``monotone``: what is found among some boxes is found among fewer of them as well.
        """
        work.begin()
        for corner in _corners(region):
            alive = self.meeting(corner) & boxes
            if settled(alive, alive):
                return {slot: mask.bit_length() - 1 for slot, mask in enumerate(corner)}
        full = self._everywhere(region)
        slots = sum(1 << slot for slot in range(len(region)))
        pending: list[tuple[int, int, _Path]] = [(self.meeting(region) & boxes, slots, None)]
        seen: set[tuple[int, int]] = set()
        while pending:
            alive, slots, path = pending.pop()
            if (alive, slots) in seen:
                continue
            seen.add((alive, slots))
            work.spend(self._unit * (1 + slots.bit_count()))
            covering, widest, most = alive, -1, 0
            for slot in codes_in(slots):
                narrow = alive & ~full[slot]
                covering &= ~narrow
                if narrow.bit_count() > most:
                    widest, most = slot, narrow.bit_count()
            answer = settled(alive, covering)
            if answer:
                return dict(_unfold(path))
            if answer is None:
                if covering and not monotone:
                    alive &= ((covering & -covering) << 1) - 1
                work.spend(self._unit * region[widest].bit_count())
                groups = self._slots[widest].groups(region[widest], alive)
                patterns = _least(groups) if monotone else groups
                rest = slots & ~(1 << widest)
                for pattern in sorted(patterns, key=int.bit_count, reverse=True):
                    pending.append((pattern, rest, (path, widest, groups[pattern])))
        return None


_Path = tuple["_Path", int, int] | None


def _unfold(path: _Path) -> Iterator[tuple[int, int]]:
    while path is not None:
        path, slot, code = path
        yield slot, code


def _corners(region: Box) -> Iterator[Box]:
    """The inputs of ``region`` at either end of every fact: where bands of numbers leave one."""
    yield tuple(mask & -mask for mask in region)
    yield tuple(1 << (mask.bit_length() - 1) for mask in region)


def _least(patterns: Collection[int]) -> list[int]:
    """The patterns that hold no other: where those are covered, the others are."""
    if 0 in patterns:
        return [0]
    kept: list[int] = []
    for pattern in sorted(patterns, key=int.bit_count):
        if not any(other & pattern == other for other in kept[:_COMPARED]):
            kept.append(pattern)
    return kept
