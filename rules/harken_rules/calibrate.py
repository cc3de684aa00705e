"""Cut-offs that give the levels their wanted shares: arithmetic on counts, nothing else.

A row's number falls into a grid place (how many multiples of the step it has reached), so that
cut-offs on the grid are compared with integers, exactly. What a row's level would be in each
band is known beforehand: adjustments after the banding are thereby part of the question, and
the shares of *final* levels are a function of the cut-offs alone. Each share is monotone in
each cut-off; they are moved one at a time, then in neighbouring pairs, until none helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np
import numpy.typing as npt

Profile = tuple[int | None, ...]
"""A row's final level for each band that its number could fall into."""

MAX_PLACES = 2_000_000
PAIR_REACH = 60
"""Neighbouring cut-offs are tried together this many occupied places to either side."""
_EXACT = Context(prec=60)


class CalibrationError(Exception):
    """No cut-offs can be computed; one sentence says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """``cuts`` ascending, and the shares of ``levels`` that they give."""

    cuts: tuple[Decimal, ...]
    levels: tuple[int | None, ...]
    shares: tuple[float, ...]


def grid_place(number: Decimal, step: Decimal, reached: bool) -> int:
    """The highest multiple of ``step`` that ``number`` reaches (or, if not ``reached``, exceeds).

    A cut-off of ``g`` steps has the number above it exactly if the place is at least ``g``.
    """
    steps = _EXACT.divide(number, step)
    if reached:
        return int(steps.to_integral_value(ROUND_FLOOR))
    return int(steps.to_integral_value(ROUND_CEILING)) - 1


class Histogram:
    """Rows by profile and grid place; ``fixed`` are rows whose number is missing, by level."""

    def __init__(
        self,
        counts: Mapping[tuple[int, Profile], int],
        fixed: Mapping[int | None, int] | None = None,
    ) -> None:
        if not counts:
            raise CalibrationError("no row has the number that the cut-offs are compared with")
        self.profiles = tuple(dict.fromkeys(profile for _, profile in counts))
        self.bands = len(self.profiles[0])
        places = [place for place, _ in counts]
        self.first = min(places) - self.bands
        width = max(places) - self.first + self.bands + 2
        if width > MAX_PLACES:
            raise CalibrationError(
                f"the numbers spread over more than {MAX_PLACES:,} steps; give a greater --step"
            )
        held = np.zeros((len(self.profiles), width), dtype=np.int64)
        rows = {profile: row for row, profile in enumerate(self.profiles)}
        for (place, profile), number in counts.items():
            held[rows[profile], place - self.first] += number
        # reaching[p, g]: rows of profile p that a cut-off at g has above it.
        self.reaching = held[:, ::-1].cumsum(axis=1)[:, ::-1]
        levels = {level for profile in self.profiles for level in profile} | set(fixed or {})
        self.levels = tuple(sorted(levels, key=lambda level: (level is None, level or 0)))
        self.fixed = np.array([(fixed or {}).get(level, 0) for level in self.levels])
        self.total = int(held.sum() + self.fixed.sum())
        # lands[b, l, p]: 1 where profile p has level l in band b.
        self.lands = np.array(
            [
                [[profile[band] == level for profile in self.profiles] for level in self.levels]
                for band in range(self.bands)
            ],
            dtype=np.int64,
        )
        everywhere = self.reaching.sum(axis=0)
        self.distinct = np.append(np.flatnonzero(np.diff(everywhere)), width - 1)
        """For each set of rows that a cut-off can have above it, the highest such place."""

    def numbers(self, cuts: Sequence[int]) -> npt.NDArray[np.int64]:
        """Rows of each level under cut-offs at these places, counted from ``first``."""
        found = self.fixed + self.lands[0] @ self.reaching[:, 0]
        for band, cut in enumerate(cuts, start=1):
            found = found + (self.lands[band] - self.lands[band - 1]) @ self.reaching[:, cut]
        return np.asarray(found)

    def shares(self, cuts: Sequence[int]) -> tuple[float, ...]:
        """The same as shares of all rows."""
        return tuple((self.numbers(cuts) / self.total).tolist())


def calibrate(
    rows: Histogram, targets: Mapping[int, float], step: Decimal, present: Iterable[Decimal]
) -> Calibrated:
    """The cut-offs, multiples of ``step``, whose shares come closest to ``targets``.

    Close is the sum of squared differences of the levels' shares. A ``present`` cut-off stays
    where it does as well.
    """
    wanted = np.array([targets.get(level or 0, 0.0) for level in rows.levels]) * rows.total
    search = _Search(rows, wanted)
    cuts = search.settle(search.start(targets))
    cuts = _kept(rows, cuts, [_exact_place(cut, step, rows.first) for cut in present])
    found = tuple(step * (cut + rows.first) for cut in cuts)
    return Calibrated(found, rows.levels, rows.shares(cuts))


class _Search:
    def __init__(self, rows: Histogram, wanted: npt.NDArray[np.float64]) -> None:
        self.rows = rows
        self.wanted = wanted
        self.end = rows.reaching.shape[1] - 1

    def start(self, targets: Mapping[int, float]) -> list[int]:
        """Quantiles of the number itself, as if nothing were adjusted after the banding."""
        above = self.rows.reaching.sum(axis=0)
        shares = [targets[level] for level in sorted(targets)]
        cuts: list[int] = []
        for band in range(1, self.rows.bands):
            share = sum(shares[band:]) * above[0]
            nearest = int(np.abs(above - share).argmin())
            cuts.append(max(nearest, cuts[-1] + 1 if cuts else 1))
        for place in range(len(cuts) - 1, -1, -1):  # leave room for those above
            cuts[place] = min(cuts[place], self.end - (len(cuts) - place))
        return cuts

    def loss(self, cuts: Sequence[int]) -> float:
        """Squared differences, in rows."""
        return float(((self.rows.numbers(cuts) - self.wanted) ** 2).sum())

    def settle(self, cuts: list[int]) -> list[int]:
        """Move cut-offs until no single one and no neighbouring pair can be moved to advantage."""
        while True:
            before = self.loss(cuts)
            for place in range(len(cuts)):
                cuts = self.best(cuts, place)
            if self.loss(cuts) < before:
                continue
            for place in range(len(cuts) - 1):
                cuts = self.best_pair(cuts, place)
            if self.loss(cuts) >= before:
                return cuts

    def best(self, cuts: list[int], place: int) -> list[int]:
        """With the cut-off at ``place`` where the loss is least; as it was among equals."""
        low = cuts[place - 1] + 1 if place else 1
        high = cuts[place + 1] - 1 if place + 1 < len(cuts) else self.end
        if low > high:
            return cuts
        rows = self.rows
        change = rows.lands[place + 1] - rows.lands[place]
        rest = rows.numbers(cuts) - change @ rows.reaching[:, cuts[place]]
        numbers = rest[:, None] + change @ rows.reaching[:, low : high + 1]
        losses = ((numbers - self.wanted[:, None]) ** 2).sum(axis=0)
        least = int(losses.argmin())
        if losses[least] >= self.loss(cuts):
            return cuts
        return [*cuts[:place], low + least, *cuts[place + 1 :]]

    def best_pair(self, cuts: list[int], place: int) -> list[int]:
        """With two neighbouring cut-offs moved together, if that is better."""
        middle = int(np.searchsorted(self.rows.distinct, cuts[place]))
        near = self.rows.distinct[max(middle - PAIR_REACH, 0) : middle + PAIR_REACH]
        low = cuts[place - 1] + 1 if place else 1
        high = cuts[place + 2] - 1 if place + 2 < len(cuts) else self.end
        best, least = cuts, self.loss(cuts)
        for first in near[(near >= low) & (near < high)].tolist():
            tried = [*cuts[:place], first, max(cuts[place + 1], first + 1), *cuts[place + 2 :]]
            tried = self.best(tried, place + 1)
            if self.loss(tried) < least:
                best, least = tried, self.loss(tried)
        return best


def _kept(rows: Histogram, cuts: list[int], present: Sequence[int | None]) -> list[int]:
    """The same division of the rows by present cut-offs where they do, else amid the gap."""
    above = rows.reaching.sum(axis=0)
    settled: list[int] = []
    for place, cut in enumerate(cuts):
        same = np.flatnonzero(above == above[cut])
        low = max(int(same[0]), settled[-1] + 1 if settled else 1)
        high = min(int(same[-1]), cuts[place + 1] - 1 if place + 1 < len(cuts) else len(above) - 1)
        now = present[place] if place < len(present) else None
        settled.append(now if now is not None and low <= now <= high else (low + high) // 2)
    return settled


def _exact_place(cut: Decimal, step: Decimal, first: int) -> int | None:
    """Where a present cut-off stands; None if it is no multiple of the step."""
    steps = _EXACT.divide(cut, step)
    return int(steps) - first if steps == steps.to_integral_value() else None
