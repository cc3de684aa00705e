"""Categories as complaint rates: no row's rate may know the row's own outcome.

A level's rate is shrunk: it starts as ``smoothing`` rows of the average, a joint category's
level as so many rows of its first part's rate (a company's issue as the company). Serving looks
rates up in tables counted over all rows of training; training itself rates each row

* ``target``: by the other seven of eight parts of the data, a group wholly in one of them;
* ``ordered``: by the rows whose outcome was known before the row's moment, its group left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harken_models.features import JOINT, Feature, FeatureSpec
from harken_models.timetext import NOT_A_TIME
from harken_models.trials import Trial

Statistics = Mapping[int, np.ndarray]
"""Of each category feature (by position) the rate of each level."""

_PARTS = 8
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class FitData:
    """What a model is fitted to, a row each: float64 but for times, all of one length.

    ``times`` and ``known``: µs UTC of the observation, and of when the outcome was known.
    ``group``: rows of one number belong together (None: each by itself).
    """

    matrix: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    times: np.ndarray
    known: np.ndarray
    spec: FeatureSpec
    group: np.ndarray | None = None


def encoded(data: FitData, rows: np.ndarray, trial: Trial) -> tuple[Statistics, np.ndarray]:
    """Statistics counted from ``rows`` (none for native codes), and the rows as training input."""
    train = data.matrix[rows]
    if not trial.rated:
        return {}, train
    counting = _in_parts if trial.encoding == "target" else _in_time
    statistics = rate_tables(data, rows, trial.smoothing)
    for index, column in counting(data, rows, trial.smoothing).items():
        train[:, index] = column
    return statistics, train


def rate_tables(data: FitData, rows: np.ndarray, smoothing: float) -> Statistics:
    """Of each category the rates of its levels over ``rows``."""
    codes = _Codes(data, rows)
    weight, positive = _weights(data, rows)
    overall = np.full(1, positive.sum() / weight.sum())
    tables: dict[int, np.ndarray] = {}
    for index, feature, first in codes.in_order():
        level = codes.of(index)
        count = np.bincount(level, weights=weight, minlength=feature.levels)
        found = np.bincount(level, weights=positive, minlength=feature.levels)
        prior = _prior(first, tables, overall)
        tables[index] = (found + smoothing * prior) / (count + smoothing)
    return dict(sorted(tables.items()))


def apply_statistics(matrix: np.ndarray, statistics: Statistics) -> np.ndarray:
    """The matrix with each category's code replaced by its level's rate."""
    if not statistics:
        return matrix
    result = matrix.copy(order="K")
    for index, table in statistics.items():
        result[:, index] = table[matrix[:, index].astype(np.int64)]
    return result


def append_statistics(matrix: np.ndarray, statistics: Statistics) -> np.ndarray:
    """The matrix with one more column for each of the statistics: the levels' rates."""
    if not statistics:
        return matrix
    rows, width = matrix.shape
    result = np.empty((rows, width + len(statistics)), order="F")
    result[:, :width] = matrix
    for place, (index, table) in enumerate(statistics.items(), width):
        result[:, place] = table[matrix[:, index].astype(np.int64)]
    return result


class _Codes:
    """The categories among the columns of some rows, first parts before the joint ones."""

    def __init__(self, data: FitData, rows: np.ndarray) -> None:
        self._spec, self._matrix, self._rows = data.spec, data.matrix, rows

    def of(self, index: int) -> np.ndarray:
        """A category's codes, int64."""
        return np.asarray(self._matrix[self._rows, index].astype(np.int64))

    def in_order(self) -> Iterator[tuple[int, Feature, _First | None]]:
        """Position, feature and, of a joint one, what its first part is."""
        categories = [(i, f) for i, f in enumerate(self._spec.features) if f.type == "category"]
        places = {f.inputs[0]: i for i, f in categories if len(f.inputs) == 1}
        for index, feature in sorted(categories, key=lambda pair: pair[1].formula == JOINT):
            at = places.get(feature.inputs[0]) if feature.formula == JOINT else None
            if at is None:
                yield index, feature, None
            else:
                yield index, feature, _First(at, _levels(feature, self._spec.features[at]))


@dataclass(frozen=True, slots=True)
class _First:
    """The first part of a joint category: its position, and its level for each joint level
    (-1: several or none)."""

    index: int
    levels: np.ndarray


def _levels(joint: Feature, first: Feature) -> np.ndarray:
    place = {category: level for level, category in enumerate(first.categories)}
    levels = []
    for category in joint.categories:
        parts = category.split("|")
        starts = ("|".join(parts[:cut]) for cut in range(1, len(parts)))
        levels.append(next((place[s] for s in starts if s in place), len(first.categories)))
    return np.array([*levels, -1, -1])


def _prior(
    first: _First | None, tables: Mapping[int, np.ndarray], overall: np.ndarray
) -> np.ndarray:
    """What a level starts with: the overall rate, or that of its first part. Tables may have
    a further axis, of parts; ``overall`` is that axis."""
    if first is None:
        return overall
    known = tables[first.index]
    widened = np.concatenate([known, np.broadcast_to(overall, (1, *known.shape[1:]))])
    return np.asarray(widened[first.levels])  # -1 takes the last, which is overall


def _weights(data: FitData, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weight = data.weight[rows]
    return weight, weight * data.label[rows]


def _groups(data: FitData, rows: np.ndarray) -> np.ndarray:
    """Each row's group as a number from 0, in order of appearance."""
    if data.group is None:
        return np.arange(len(rows))
    return np.asarray(pd.factorize(data.group[rows])[0])


def _in_parts(data: FitData, rows: np.ndarray, smoothing: float) -> dict[int, np.ndarray]:
    """Each row's rates from the seven parts that it is not in."""
    codes = _Codes(data, rows)
    weight, positive = _weights(data, rows)
    part = _groups(data, rows) % _PARTS

    def elsewhere(level: np.ndarray, levels: int, amounts: np.ndarray) -> np.ndarray:
        """(levels × parts): the sum over all parts but this."""
        size = levels * _PARTS
        inside = np.bincount(level * _PARTS + part, weights=amounts, minlength=size)
        table = inside.reshape(levels, _PARTS)
        return np.asarray(table.sum(axis=1, keepdims=True) - table)

    nothing = np.zeros(len(rows), dtype=np.int64)
    overall = (elsewhere(nothing, 1, positive) / elsewhere(nothing, 1, weight))[0]
    tables: dict[int, np.ndarray] = {}
    for index, feature, first in codes.in_order():
        level = codes.of(index)
        count = elsewhere(level, feature.levels, weight)
        found = elsewhere(level, feature.levels, positive)
        prior = _prior(first, tables, overall)
        tables[index] = (found + smoothing * prior) / (count + smoothing)
    return {index: table[codes.of(index), part] for index, table in tables.items()}


def _in_time(data: FitData, rows: np.ndarray, smoothing: float) -> dict[int, np.ndarray]:
    """Each row's rates from the rows whose outcome was known before it was observed."""
    codes = _Codes(data, rows)
    weight, positive = _weights(data, rows)
    group = _groups(data, rows)
    known = np.where(data.known[rows] == NOT_A_TIME, _NEVER, data.known[rows])
    moments = _Moments(known, data.times[rows], (weight, positive))
    alone = group.max(initial=-1) + 1 == len(rows)

    def before(level: np.ndarray) -> Sequence[np.ndarray]:
        sums = moments.before(level)
        if alone:
            return sums
        own = moments.before(np.unique(level * len(rows) + group, return_inverse=True)[1])
        return [every - mine for every, mine in zip(sums, own, strict=True)]

    base = positive.sum() / weight.sum()
    count, found = before(np.zeros(len(rows), dtype=np.int64))
    overall = (found + smoothing * base) / (count + smoothing)
    rates: dict[int, np.ndarray] = {}
    for index, _, first in codes.in_order():
        level = codes.of(index)
        prior = overall
        if first is not None:
            prior = np.where(first.levels[level] < 0, overall, rates[first.index])
        count, found = before(level)
        rates[index] = (found + smoothing * prior) / (count + smoothing)
    return rates


class _Moments:
    """Sums of amounts over the rows of one level whose outcome was known before a row's time.

    A row that is observed at the very moment at which its outcome is known is not before it.
    """

    def __init__(self, known: np.ndarray, times: np.ndarray, amounts: Sequence[np.ndarray]) -> None:
        every = np.unique(np.concatenate([known, times]))
        self._known, self._asked = np.searchsorted(every, known), np.searchsorted(every, times)
        self._size = len(every)
        self._amounts = amounts

    def before(self, level: np.ndarray) -> Sequence[np.ndarray]:
        """Of each amount the sums, by row; ``level``: small whole numbers."""
        keys = level * self._size + self._known
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        start = np.searchsorted(keys, level * self._size)
        end = np.searchsorted(keys, level * self._size + self._asked)
        totals = (np.append(0.0, np.cumsum(amount[order])) for amount in self._amounts)
        return [total[end] - total[start] for total in totals]
