"""What the training rows looked like, so that later rows can be compared with them.

Of each feature the bundle keeps how many rows fell where: of a number its tenths, of a category
its levels. The population stability index then says how far other rows have moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from harken_models.features import FeatureSpec

_TENTHS = 10
_LEVELS = 20
"""Levels of a category that are told apart; the rarer ones are compared together."""
_HALF = 0.5
"""Added to each count, so that an empty bin does not make the index endless."""


@dataclass(frozen=True, slots=True)
class ColumnReference:
    """How many training rows had what.

    A number: ``counts`` of ``x < edges[0]``, between the edges, from the last edge on, missing.
    A category: ``counts`` of ``levels`` in order, of every other level, missing; codes are those
    of the matrix.
    """

    kind: Literal["number", "category"]
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    counts: tuple[int, ...]

    def bins(self, column: np.ndarray) -> np.ndarray:
        """The place in ``counts`` of each value: an encoded column, or a category's texts."""
        if self.kind == "category":
            if column.dtype == object:
                place = {level: code for code, level in enumerate(self.levels)}
                other = len(self.levels)
                return np.array(
                    [other + 1 if v is None or v != v else place.get(v, other) for v in column],
                    dtype=np.int64,
                )
            missing = len(self.levels) + 1
            return np.where(np.isnan(column), missing, column).astype(np.int64)
        bins = np.searchsorted(self.edges, column, side="right")
        return np.where(np.isnan(column), len(self.edges) + 1, bins)

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a text file."""
        where = self.levels if self.kind == "category" else self.edges
        name = "levels" if self.kind == "category" else "edges"
        return {"kind": self.kind, name: list(where), "counts": list(self.counts)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ColumnReference:
        """The reverse. Raises KeyError, TypeError or ValueError if it is not."""
        if plain["kind"] not in ("number", "category"):
            raise ValueError(f"a column cannot be of kind {plain['kind']!r}")
        edges = tuple(map(float, plain.get("edges", ())))
        levels = tuple(map(str, plain.get("levels", ())))
        counts = tuple(map(int, plain["counts"]))
        if len(counts) != len(edges) + len(levels) + 2:
            raise ValueError(f"{len(counts)} counts do not fit")
        return cls(plain["kind"], edges, levels, counts)


@dataclass(frozen=True, slots=True)
class DriftReference:
    """The training rows: every feature by name, the probabilities, and how many rows."""

    columns: Mapping[str, ColumnReference]
    probability: ColumnReference
    rows: int

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a text file."""
        return {
            "rows": self.rows,
            "probability": self.probability.to_plain(),
            "columns": {name: column.to_plain() for name, column in self.columns.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DriftReference:
        """The reverse. Raises KeyError, TypeError or ValueError if it is not."""
        columns = {
            str(name): ColumnReference.from_plain(own) for name, own in plain["columns"].items()
        }
        return cls(columns, ColumnReference.from_plain(plain["probability"]), int(plain["rows"]))


def fit_reference(
    features: FeatureSpec, matrix: np.ndarray, probability: np.ndarray
) -> DriftReference:
    """The reference of encoded training rows (rows × features) and their probabilities."""
    columns = {
        feature.name: _category(feature.categories, column)
        if feature.type in ("category", "ordinal")
        else _number(column)
        for feature, column in zip(features.features, matrix.T, strict=True)
    }
    return DriftReference(columns, _number(probability), len(matrix))


def psi(ref: ColumnReference, column: np.ndarray) -> float:
    """The population stability index of a column against the reference; NaN of no rows.

    What it would be by chance alone, for so many rows and bins, is taken off: a small month of
    an unchanged population gives about 0. By custom .1 is worth a look, .25 another population.
    """
    if not len(column):
        return float("nan")
    then = np.array(ref.counts, dtype=np.float64)
    now = np.bincount(ref.bins(column), minlength=len(then)).astype(np.float64)
    if ref.kind == "category":
        then, now = _pooled(then, now)
    bins = int(((then + now) > 0).sum())
    chance = (bins - 1) * (1 / then.sum() + 1 / now.sum())
    p, q = then + _HALF, now + _HALF
    p, q = p / p.sum(), q / q.sum()
    return max(float(((q - p) * np.log(q / p)).sum() - chance), 0.0)


def _pooled(then: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The levels most frequent in training, the rest together, missing."""
    kept = np.argsort(-then[:-2], kind="stable")[:_LEVELS]
    rest = np.setdiff1d(np.arange(len(then) - 1), kept)

    def of(counts: np.ndarray) -> np.ndarray:
        return np.array([*counts[kept], counts[rest].sum(), counts[-1]])

    return of(then), of(now)


def _number(column: np.ndarray) -> ColumnReference:
    known = column[~np.isnan(column)]
    shares = np.arange(1, _TENTHS) / _TENTHS
    edges = np.unique(np.quantile(known, shares)).tolist() if len(known) else []
    return _counted(ColumnReference("number", tuple(edges), (), ()), column, len(edges) + 2)


def _category(levels: Sequence[str], column: np.ndarray) -> ColumnReference:
    return _counted(ColumnReference("category", (), tuple(levels), ()), column, len(levels) + 2)


def _counted(ref: ColumnReference, column: np.ndarray, size: int) -> ColumnReference:
    counts = np.bincount(ref.bins(column), minlength=size).tolist()
    return ColumnReference(ref.kind, ref.edges, ref.levels, tuple(counts))
