"""Exact measures of probabilities against outcomes, in plain Python.

``positives`` and ``negatives`` are the probabilities of the rows that did and did not end
in a complaint. Ties are taken into account everywhere; a measure that its data cannot
give is ``None``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of like probability: mean predicted probability and the share that complained."""

    lowest: float
    highest: float
    rows: int
    mean_probability: float
    complaint_rate: float


def auc(positives: Iterable[float], negatives: Iterable[float]) -> float | None:
    """Area under the ROC curve: the share of pairs ranked rightly, ties counting half."""
    pos, neg = sorted(positives), sorted(negatives)
    if not pos or not neg:
        return None
    twice = sum(bisect_left(neg, p) + bisect_right(neg, p) for p in pos)
    return twice / (2 * len(pos) * len(neg))


def average_precision(positives: Iterable[float], negatives: Iterable[float]) -> float | None:
    """Sum over distinct probabilities, from the highest, of recall gained × precision."""
    pos, neg = sorted(positives, reverse=True), sorted(negatives)
    if not pos:
        return None
    found, terms = 0, []
    for probability, ties in groupby(pos):
        gained = sum(1 for _ in ties)
        found += gained
        above = len(neg) - bisect_left(neg, probability)
        terms.append(gained * found / (found + above))
    return math.fsum(terms) / len(pos)


def brier(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Mean squared difference between probability and outcome."""
    rows = len(positives) + len(negatives)
    if not rows:
        return None
    total = math.fsum([(1 - p) ** 2 for p in positives] + [p**2 for p in negatives])
    return total / rows


def calibration(
    positives: Iterable[float], negatives: Iterable[float], bins: int = 10
) -> tuple[Bin, ...]:
    """Rows in ``bins`` of about equal size by probability; equal probabilities stay together."""
    rows = sorted([(p, 1) for p in positives] + [(p, 0) for p in negatives])
    result, start = [], 0
    size, larger = divmod(len(rows), bins)  # the first bins take what is left over
    for number in range(1, bins + 1):
        end = max(start, size * number + min(number, larger))
        while 0 < end < len(rows) and rows[end][0] == rows[end - 1][0]:
            end += 1
        if end > start:
            result.append(_bin(rows[start:end]))
        start = end
    return tuple(result)


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """Mean distance between predicted and seen share, weighted by rows."""
    rows = sum(item.rows for item in bins)
    if not rows:
        return None
    gaps = (item.rows * abs(item.mean_probability - item.complaint_rate) for item in bins)
    return math.fsum(gaps) / rows


def _bin(rows: Sequence[tuple[float, int]]) -> Bin:
    return Bin(
        lowest=rows[0][0],
        highest=rows[-1][0],
        rows=len(rows),
        mean_probability=math.fsum(p for p, _ in rows) / len(rows),
        complaint_rate=sum(outcome for _, outcome in rows) / len(rows),
    )
