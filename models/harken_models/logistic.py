"""The challenger: a regularised logistic regression that can also serve.

Categories are one-hot over the same pooled levels. Numbers are clipped to the range of
training and standardised, with a step for each of a few quantile bins (effects are seldom
straight) and an indicator for missing. The fitted model is plain numbers;
its sum is taken term by term in a fixed order, one elementwise multiplication and addition at
a time, so that one row and columns agree to the last bit (a matrix product would not).
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from harken_models.features import Feature, FeatureSpec

_BINS = 10


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """``coefficient * (clip(x) - mean) / scale + steps[bin of x]``; ``missing`` if there is no x.

    Bin i holds ``edges[i - 1] <= x < edges[i]``. ``average`` is the term's mean in training:
    what an explanation counts from.
    """

    low: float
    high: float
    mean: float
    scale: float
    coefficient: float
    missing: float
    average: float
    edges: tuple[float, ...] = ()
    steps: tuple[float, ...] = (0.0,)

    def one(self, x: float) -> float:
        if x != x:
            return self.missing
        clipped = self.low if x < self.low else (self.high if x > self.high else x)
        step = self.steps[bisect_right(self.edges, x)]
        return (clipped - self.mean) / self.scale * self.coefficient + step

    def many(self, x: np.ndarray) -> np.ndarray:
        clipped = np.where(x < self.low, self.low, np.where(x > self.high, self.high, x))
        step = np.asarray(self.steps)[np.searchsorted(self.edges, x, side="right") * (x == x)]
        term = (clipped - self.mean) / self.scale * self.coefficient + step
        return np.where(x != x, self.missing, term)


@dataclass(frozen=True, slots=True)
class LevelTerm:
    """One coefficient for each level of a category: its categories, pooled, missing."""

    coefficients: tuple[float, ...]
    average: float

    def one(self, x: float) -> float:
        return self.coefficients[int(x)]

    def many(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.coefficients)[x.astype(np.int64)]


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Intercept and one term a feature, in the order of the feature specification."""

    intercept: float
    terms: tuple[NumberTerm | LevelTerm, ...]

    def one(self, values: Sequence[float]) -> float:
        """Log-odds of one encoded row."""
        z = self.intercept
        for term, x in zip(self.terms, values, strict=True):
            z = z + term.one(x)
        return z

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of encoded rows (rows × features)."""
        z = np.full(len(matrix), self.intercept)
        for index, term in enumerate(self.terms):
            z = z + term.many(matrix[:, index])
        return z

    def explain(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Base value and each feature's departure from its training mean, in log-odds."""
        base = self.intercept + sum(term.average for term in self.terms)
        departures = [t.one(x) - t.average for t, x in zip(self.terms, values, strict=True)]
        return base, departures

    def to_plain(self, names: Sequence[str]) -> dict[str, Any]:
        """Plain values for a text file."""
        terms = {}
        for name, term in zip(names, self.terms, strict=True):
            fields = term.__dataclass_fields__
            plain = {key: getattr(term, key) for key in fields}
            terms[name] = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
        return {"intercept": self.intercept, "terms": terms}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], spec: FeatureSpec) -> LogisticModel:
        """The reverse of ``to_plain``. Raises KeyError, TypeError or ValueError if it is not."""
        terms: list[NumberTerm | LevelTerm] = []
        for feature in spec.features:
            term = plain["terms"][feature.name]
            if feature.type == "category":
                coefficients = tuple(map(float, term["coefficients"]))
                if len(coefficients) != feature.levels:
                    raise ValueError(f"{feature.name} needs {feature.levels} coefficients")
                terms.append(LevelTerm(coefficients, float(term["average"])))
            else:
                plain_term: dict[str, Any] = {
                    k: tuple(map(float, v)) if isinstance(v, list) else float(v)
                    for k, v in term.items()
                }
                number = NumberTerm(**plain_term)
                if len(number.steps) != len(number.edges) + 1:
                    raise ValueError(f"{feature.name} needs one step more than edges")
                terms.append(number)
        if len(plain["terms"]) != len(terms):
            raise ValueError("there are terms of features that the specification does not have")
        return cls(float(plain["intercept"]), tuple(terms))


def fit_logistic(
    matrix: np.ndarray, label: np.ndarray, spec: FeatureSpec, inverse_penalty: float
) -> LogisticModel:
    """Fit on encoded rows; ``inverse_penalty`` is scikit-learn's C."""
    blocks: list[sparse.csr_array] = []
    shapes = []
    for feature, column in zip(spec.features, matrix.T, strict=True):
        block, shape = _block(feature, column)
        blocks.append(block)
        shapes.append(shape)
    design = sparse.csr_array(sparse.hstack(blocks, format="csr"))
    fitter = LogisticRegression(C=inverse_penalty, max_iter=200)
    with warnings.catch_warnings():
        # A nearly converged challenger is as good: the validation log-loss judges it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitter.fit(design, label)
    coefficients = fitter.coef_[0]
    terms: list[NumberTerm | LevelTerm] = []
    at = 0
    for feature, column, block, shape in zip(spec.features, matrix.T, blocks, shapes, strict=True):
        mine = [float(value) for value in coefficients[at : at + block.shape[1]]]
        at += block.shape[1]
        if feature.type == "category":
            bare: NumberTerm | LevelTerm = LevelTerm(tuple(mine), 0.0)
        else:
            assert shape is not None
            steps = tuple(mine[2:]) or (0.0,)
            low, high, mean, scale = shape.low, shape.high, shape.mean, shape.scale
            bare = NumberTerm(low, high, mean, scale, mine[0], mine[1], 0.0, shape.edges, steps)
        terms.append(replace(bare, average=float(bare.many(column).mean())))
    return LogisticModel(float(fitter.intercept_[0]), tuple(terms))


@dataclass(frozen=True, slots=True)
class _Shape:
    low: float
    high: float
    mean: float
    scale: float
    edges: tuple[float, ...]


def _block(feature: Feature, column: np.ndarray) -> tuple[sparse.csr_array, _Shape | None]:
    """The feature's columns of the design matrix, and the shape of a number.

    A number's columns: standardised value, missing, one a bin (none for a flag).
    """
    if feature.type == "category":
        return _one_hot(column.astype(np.int64), feature.levels), None
    missing = np.isnan(column)
    known = column[~missing]
    if not len(known):
        known = np.zeros(1)
    low, high = (float(q) for q in np.quantile(known, (0.001, 0.999)))
    inside = np.clip(known, low, high)
    mean, scale = float(inside.mean()), float(inside.std()) or 1.0
    standard = np.where(missing, 0.0, (np.clip(column, low, high) - mean) / scale)
    dense = np.column_stack([standard, missing])
    edges: tuple[float, ...] = ()
    if feature.type != "flag":
        quantiles = np.quantile(known, np.arange(1, _BINS) / _BINS)
        edges = tuple(float(edge) for edge in np.unique(quantiles) if edge > known.min())
    shape = _Shape(low, high, mean, scale, edges)
    if not edges:
        return sparse.csr_array(dense), shape
    bins = np.searchsorted(edges, column, side="right")
    steps = _one_hot(bins, len(edges) + 1).multiply(~missing[:, None])
    return sparse.csr_array(sparse.hstack([dense, steps])), shape


def _one_hot(codes: np.ndarray, width: int) -> sparse.csr_array:
    rows = np.arange(len(codes))
    return sparse.csr_array((np.ones(len(codes)), (rows, codes)), shape=(len(codes), width))
