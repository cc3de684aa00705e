"""How strongly a grumble point goes with complaints, in each segment.

For every point, and every point × segment, the complaint rate is shrunk towards what is known
above it (a point towards the overall rate, a cell towards its point) by a beta-binomial prior
whose strength is estimated from the data. The coefficient is the log of the shrunk lift:
positive where the point leads to more complaints than grumbles do on average, negative where to
fewer. It is a fact for the rules; the model does not see it, as it is made of outcomes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from harken_models.coded import Column, PairTable, as_coded, slices

COLUMNS = (
    "point", "segment", "grumbles", "complaints", "rate", "shrunk_rate", "lift", "risk_ratio",
    "coefficient",
)  # fmt: skip
_WEAKEST, _STRONGEST = 5.0, 2000.0


@dataclass(frozen=True)
class AssociationTable:
    """``cells`` has COLUMNS; ``segment`` is empty for a point over all segments."""

    cells: pd.DataFrame

    @cached_property
    def _coefficients(self) -> dict[tuple[str, str], float]:
        keys = zip(self.cells["point"], self.cells["segment"], strict=True)
        values = map(float, self.cells["coefficient"])
        return dict(zip(keys, values, strict=True))

    def one(self, point: object, segment: object) -> float | None:
        """Log lift of the cell, of its point where the cell is unknown, None if that is too."""
        if point is None:
            return None
        table = self._coefficients
        found = table.get((point, segment)) if segment is not None else None  # type: ignore[arg-type]
        return found if found is not None else table.get((point, ""))  # type: ignore[arg-type]

    @cached_property
    def _pairs(self) -> PairTable:
        def cell(point: str | None, segment: str | None) -> float:
            found = self.one(point, segment)
            return math.nan if found is None else found

        return PairTable(self.cells["point"], self.cells["segment"], cell)

    def many(self, points: Column, segments: Column) -> np.ndarray:
        """Log lift of each row; NaN where unknown."""
        left, right = as_coded(points), as_coded(segments)
        read, rows = self._pairs.read(left, right), len(left.codes)
        result = np.empty(rows)
        for part in slices(rows):
            result[part] = read(part)
        return result


def fit_association(
    points: np.ndarray, segments: np.ndarray, label: np.ndarray
) -> AssociationTable:
    """The table of labelled grumbles; ``points`` and ``segments`` hold None where unknown."""
    data = pd.DataFrame({"point": points, "segment": segments, "label": label})
    total, complaints = len(data), float(label.sum())
    overall = complaints / total
    groups = data.dropna(subset="point").groupby("point")["label"].agg(["size", "sum"])
    strength = prior_strength(groups["size"].to_numpy(), groups["sum"].to_numpy(), overall)
    rows = []
    shrunk: dict[str, float] = {}
    for point, n, k in zip(groups.index, groups["size"], groups["sum"], strict=True):
        shrunk[str(point)] = (k + strength * overall) / (n + strength)
        rows.append(_cell(str(point), "", n, k, shrunk[str(point)], total, complaints))
    cells = data.dropna().groupby(["point", "segment"])["label"].agg(["size", "sum"])
    pairs = [(str(key[0]), str(key[1])) for key in cells.index.to_list()]
    expected = np.array([shrunk[point] for point, _ in pairs])
    inner = prior_strength(cells["size"].to_numpy(), cells["sum"].to_numpy(), expected)
    for (name, segment), n, k in zip(pairs, cells["size"], cells["sum"], strict=True):
        rate = (k + inner * shrunk[name]) / (n + inner)
        rows.append(_cell(name, segment, n, k, rate, total, complaints))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return AssociationTable(frame.sort_values(["point", "segment"], ignore_index=True))


def prior_strength(
    sizes: np.ndarray, complaints: np.ndarray, expected: np.ndarray | float
) -> float:
    """Strength (as a number of grumbles) of the beta prior, by the method of moments.

    Within a group, grumbles agree by an intra-class correlation ``1 / (strength + 1)``; it is
    what the squared gaps between observed and expected rates show beyond binomial chance.
    """
    p = np.broadcast_to(np.asarray(expected, dtype=np.float64), sizes.shape)
    chance = p * (1 - p)
    room = float((chance * (sizes - 1)).sum())
    beyond = float((sizes * (complaints / np.maximum(sizes, 1) - p) ** 2 - chance).sum())
    if room <= 0 or beyond <= 0:
        return _STRONGEST
    return min(max(room / beyond - 1, _WEAKEST), _STRONGEST)


def _cell(
    point: str, segment: str, n: float, k: float, shrunk: float, total: int, complaints: float
) -> tuple[object, ...]:
    overall = complaints / total
    outside = (complaints - k + overall) / (total - n + 1)
    lift = shrunk / overall
    values = (k / n, shrunk, lift, shrunk / outside, math.log(lift))
    return (point, segment, int(n), int(k), *(round(float(value), 6) for value in values))
