"""Counting what a summary says, in memory that does not grow with the file.

Up to ``EXACT`` known outcomes every probability is kept, and measures are exact. Beyond, only
bins are: each is a 4,096th of an octave wide (12 bits of the fraction), rows in one bin count
as ties, and how much that can change the AUC is counted, too.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harken_client.replay import metrics
from harken_client.replay.metrics import Bin

EXACT = 50_000
SHIFT = 40
"""Bits of a double that a bin does not look at."""
SMALLEST = 2.0**-30
"""All below is one bin."""


@dataclass(slots=True)
class Heap:
    """Rows of like probability in a bin: counts of both outcomes, and the probabilities."""

    negatives: int = 0
    positives: int = 0
    total: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf

    def add(self, other: Heap) -> None:
        """Put another heap on this one."""
        self.negatives += other.negatives
        self.positives += other.positives
        self.total += other.total
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    @property
    def rows(self) -> int:
        return self.negatives + self.positives


@dataclass(frozen=True, slots=True)
class Measures:
    """Of probabilities against outcomes; None where the data cannot give one.

    ``auc_error`` is the most by which ``auc`` may be wrong: 0 where it is exact.
    """

    auc: float | None
    ap: float | None
    brier: float | None
    calibration: tuple[Bin, ...]
    auc_error: float


@dataclass(slots=True)
class Tally:
    """Levels of all rows, and the outcomes known of some: by level and by probability."""

    levels: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[tuple[int, int]] = field(default_factory=Counter)
    _exact: tuple[array[float], array[float]] = field(
        default_factory=lambda: (array("d"), array("d"))
    )
    _heaps: dict[int, Heap] = field(default_factory=dict)
    _squares: float = 0.0
    """Of the distances between probability and outcome, of rows in heaps."""

    @property
    def labelled(self) -> int:
        """Rows whose outcome is known."""
        return self.outcomes.total()

    @property
    def positives(self) -> int:
        """Of those the ones that complained."""
        return sum(rows for (_, label), rows in self.outcomes.items() if label)

    @property
    def held(self) -> int:
        """Probabilities and heaps in memory."""
        return len(self._exact[0]) + len(self._exact[1]) + len(self._heaps)

    def add(self, level: int, probability: float, label: int | None) -> None:
        """Count one row."""
        self.levels[level] += 1
        if label is None:
            return
        self.outcomes[level, label] += 1
        self._exact[label].append(probability)
        if self.crowded:
            self._make_heaps()

    def add_exact(self, negatives: bytes | memoryview, positives: bytes | memoryview) -> None:
        """Add the probabilities of rows otherwise counted already, as doubles."""
        for held, more in zip(self._exact, (negatives, positives), strict=True):
            held.frombytes(more)
        if self.crowded:
            self._make_heaps()

    def add_heaps(self, heaps: Mapping[int, Heap], squares: float) -> None:
        """The same of rows that are in heaps."""
        self._squares += squares
        for key, heap in heaps.items():
            self._heaps.setdefault(key, Heap()).add(heap)

    @property
    def crowded(self) -> bool:
        """Are there more outcomes than are kept exactly?"""
        return len(self._exact[0]) + len(self._exact[1]) > EXACT

    @property
    def in_heaps(self) -> bool:
        """Is it over with exactness?"""
        return bool(self._heaps)

    def measures(self) -> Measures:
        """What the outcomes say of the probabilities."""
        negatives, positives = self._exact
        if not self._heaps:
            return Measures(
                auc=metrics.auc(positives, negatives),
                ap=metrics.average_precision(positives, negatives),
                brier=metrics.brier(positives, negatives),
                calibration=metrics.calibration(positives, negatives),
                auc_error=0.0,
            )
        self._make_heaps()
        heaps = [self._heaps[key] for key in sorted(self._heaps)]
        auc, error = _auc(heaps)
        rows = sum(heap.rows for heap in heaps)
        return Measures(
            auc, _average_precision(heaps), self._squares / rows, _calibration(heaps), error
        )

    def _make_heaps(self) -> None:
        heaps: dict[int, Heap] = {}
        for label, probabilities in enumerate(self._exact):
            for p in probabilities:
                one = Heap(1 - label, label, p, p, p)
                heaps.setdefault(key_of(p), Heap()).add(one)
        self.add_heaps(heaps, math.fsum(_squares(*self._exact)))
        for probabilities in self._exact:
            del probabilities[:]


def key_of(probability: float) -> int:
    """The bin of a probability: the first bits of the double, which sort as the numbers do."""
    bits: int = struct.unpack("<q", struct.pack("<d", max(probability, SMALLEST)))[0]
    return bits >> SHIFT


def _squares(negatives: Sequence[float], positives: Sequence[float]) -> Iterable[float]:
    yield from (p**2 for p in negatives)
    yield from ((1 - p) ** 2 for p in positives)


def _auc(heaps: Sequence[Heap]) -> tuple[float | None, float]:
    positives = sum(heap.positives for heap in heaps)
    negatives = sum(heap.negatives for heap in heaps)
    if not positives or not negatives:
        return None, 0.0
    below = twice = tied = 0
    for heap in heaps:
        twice += heap.positives * (2 * below + heap.negatives)
        tied += heap.positives * heap.negatives
        below += heap.negatives
    pairs = 2 * positives * negatives
    return twice / pairs, tied / pairs


def _average_precision(heaps: Sequence[Heap]) -> float | None:
    positives = sum(heap.positives for heap in heaps)
    if not positives:
        return None
    found = above = 0
    terms = []
    for heap in reversed(heaps):
        found += heap.positives
        above += heap.rows
        terms.append(heap.positives * found / above)
    return math.fsum(terms) / positives


def _calibration(heaps: Sequence[Heap], bins: int = 10) -> tuple[Bin, ...]:
    """As :func:`metrics.calibration`; no heap is split."""
    rows = sum(heap.rows for heap in heaps)
    found: list[Bin] = []
    gathered, done = Heap(), 0
    for heap in heaps:
        gathered.add(heap)
        # The first bins take what is left over.
        number, (size, larger) = len(found) + 1, divmod(rows, bins)
        while number < bins and done >= size * number + min(number, larger):
            number += 1
        if done + gathered.rows >= size * number + min(number, larger):
            done += gathered.rows
            found.append(_bin(gathered))
            gathered = Heap()
    return tuple(found)


def _bin(heap: Heap) -> Bin:
    return Bin(
        heap.lowest, heap.highest, heap.rows, heap.total / heap.rows, heap.positives / heap.rows
    )
