"""The challenger: a regularised logistic regression that can also serve.

Categories are one-hot over the same pooled levels. Numbers are clipped to the range of
training and standardised, with a step for each of a few quantile bins (effects are seldom
straight) and an indicator for missing. Where a feature is monotone, its slope and the rise
from each bin to the next are held to its sign. The fitted model is plain numbers;
its sum is taken term by term in a fixed order, one elementwise multiplication and addition at
a time, so that one row and columns agree to the last bit (a matrix product would not).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add, getitem
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, logit

from harken_models.coded import slices
from harken_models.features import Feature, FeatureSpec
from harken_models.logistic_terms import LevelTerm, NumberTerm

_BINS = 10
_ITERATIONS = 200
"""A nearly converged challenger is as good: the validation log-loss judges it."""


@dataclass(frozen=True)
class LogisticModel:
    """Intercept and one term a feature, in the order of the feature specification."""

    intercept: float
    terms: tuple[NumberTerm | LevelTerm, ...]

    def one(self, values: Sequence[float]) -> float:
        """Log-odds of one encoded row."""
        # Added one after the other, as the columns are: sum() may round less often.
        return reduce(add, map(getitem, self._by_value, values), self.intercept)

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of encoded rows (rows × features)."""
        z = np.full(len(matrix), self.intercept)
        for part in slices(len(matrix)):
            rows, sums = matrix[part], z[part]
            for index, term in enumerate(self.terms):
                sums += term.many(rows[:, index])
        return z

    @cached_property
    def _by_value(self) -> list[Mapping[float, float]]:
        return [term.by_value for term in self.terms]

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
    matrix: np.ndarray,
    label: np.ndarray,
    spec: FeatureSpec,
    inverse_penalty: float,
    weight: np.ndarray | None = None,
) -> LogisticModel:
    """Fit on encoded rows; ``inverse_penalty`` is C: the weight of the summed log-loss beside
    half the squared norm of the coefficients. ``weight``: of each row (None: all weigh 1)."""
    if weight is not None and (weight == 1.0).all():
        weight = None
    blocks = [
        _block(feature, column) for feature, column in zip(spec.features, matrix.T, strict=True)
    ]
    design = sparse.csr_array(sparse.hstack([block.columns for block in blocks], format="csr"))
    signs = np.concatenate([block.signs for block in blocks])
    coefficients, intercept = _minimise(design, label, signs, inverse_penalty, weight)
    terms: list[NumberTerm | LevelTerm] = []
    at = 0
    for block, column in zip(blocks, matrix.T, strict=True):
        mine = [float(value) for value in coefficients[at : at + len(block.signs)]]
        at += len(mine)
        bare = block.term(mine)
        average = np.average(bare.many(column), weights=weight)
        terms.append(replace(bare, average=float(average)))
    return LogisticModel(intercept, tuple(terms))


def _minimise(
    design: sparse.csr_array,
    label: np.ndarray,
    signs: np.ndarray,
    inverse_penalty: float,
    weight: np.ndarray | None,
) -> tuple[np.ndarray, float]:
    """Coefficients and intercept; a coefficient of sign +1 or -1 has that sign or is zero."""
    from scipy import optimize

    rows = len(label) if weight is None else float(weight.sum())
    outcome = 2.0 * label - 1.0
    penalty = 1.0 / (inverse_penalty * rows)

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        inner = weights[:-1]
        margin = outcome * (design @ inner + weights[-1])
        pull = -outcome * expit(-margin) / rows
        pull = pull if weight is None else pull * weight
        loss = np.average(np.logaddexp(0.0, -margin), weights=weight)
        value = loss + 0.5 * penalty * (inner @ inner)
        return float(value), np.append(design.T @ pull + penalty * inner, pull.sum())

    bounds = [(0.0 if s > 0 else None, 0.0 if s < 0 else None) for s in [*signs, 0]]
    start = np.append(np.zeros(len(signs)), logit(np.average(label, weights=weight)))
    found = optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": _ITERATIONS, "gtol": 1e-5, "ftol": 1e-9},
    )  # fmt: skip
    return found.x[:-1], float(found.x[-1])


@dataclass(frozen=True, slots=True)
class _LevelBlock:
    """A category's columns of the design matrix: one a level."""

    columns: sparse.csr_array
    signs: np.ndarray

    def term(self, coefficients: list[float]) -> LevelTerm:
        return LevelTerm(tuple(coefficients), 0.0)


@dataclass(frozen=True, slots=True)
class _NumberBlock:
    """A number's columns: standardised value, missing, and (none for a flag) one a bin.

    Of a monotone number the columns after the second say instead whether the value has reached
    each edge, so that a coefficient is the rise there and can be held to a sign.
    """

    columns: sparse.csr_array
    signs: np.ndarray
    low: float
    high: float
    mean: float
    scale: float
    edges: tuple[float, ...]
    rising: bool

    def term(self, coefficients: list[float]) -> NumberTerm:
        slope, missing, *steps = coefficients
        if self.rising:
            steps = [0.0, *np.cumsum(steps).tolist()]
        return NumberTerm(
            self.low, self.high, self.mean, self.scale, slope, missing, 0.0, self.edges,
            tuple(steps) or (0.0,),
        )  # fmt: skip


def _block(feature: Feature, column: np.ndarray) -> _LevelBlock | _NumberBlock:
    """The feature's columns of the design matrix."""
    if feature.type == "category":
        columns = _one_hot(column.astype(np.int64), feature.levels)
        return _LevelBlock(columns, np.zeros(feature.levels))
    missing = np.isnan(column)
    known = column[~missing]
    if not len(known):
        known = np.zeros(1)
    low, high = (float(q) for q in np.quantile(known, (0.001, 0.999)))
    inside = np.clip(known, low, high)
    mean, scale = float(inside.mean()), float(inside.std()) or 1.0
    standard = np.where(missing, 0.0, (np.clip(column, low, high) - mean) / scale)
    parts = [sparse.csr_array(np.column_stack([standard, missing]))]
    signs = [feature.monotone, 0]
    edges: tuple[float, ...] = ()
    if feature.type != "flag":
        quantiles = np.quantile(known, np.arange(1, _BINS) / _BINS)
        edges = tuple(float(edge) for edge in np.unique(quantiles) if edge > known.min())
    if edges and feature.monotone:
        reached = np.where(missing, -np.inf, column)[:, None] >= np.array(edges)
        parts.append(sparse.csr_array(reached.astype(float)))
        signs += [feature.monotone] * len(edges)
    elif edges:
        bins = np.searchsorted(edges, column, side="right")
        parts.append(_one_hot(bins, len(edges) + 1).multiply(~missing[:, None]))
        signs += [0] * (len(edges) + 1)
    columns = sparse.csr_array(sparse.hstack(parts))
    rising = bool(feature.monotone)
    return _NumberBlock(columns, np.array(signs), low, high, mean, scale, edges, rising)


def _one_hot(codes: np.ndarray, width: int) -> sparse.csr_array:
    rows = np.arange(len(codes))
    return sparse.csr_array((np.ones(len(codes)), (rows, codes)), shape=(len(codes), width))
