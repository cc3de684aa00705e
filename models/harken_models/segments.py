"""Six value segments: k-means on brand, age, tenure and spend, named as the domain names them.

The domain reference (its §4.1) describes each segment by brand, mean age, and how tenure and
spend compare. Those descriptions are where the clusters start and what they are named by.
Serving takes the nearest centroid by elementwise loops in a fixed order, so one row and
columns agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from harken_models.core import BRANDS, SEGMENTS

NUMBERS = ("age_years", "tenure_months", "monthly_spend_yuan")
BRAND_WEIGHT = 3.0
"""Distance between two brands, in standard deviations: segments keep within a brand."""
_SAMPLE = 60_000

# Brand, mean age in years, and tenure and spend as quantiles of the brand's customers.
_REFERENCE: Mapping[str, tuple[str, float, float, float]] = {
    "gotone_1": ("gotone", 33, 0.80, 0.85),
    "gotone_2": ("gotone", 31, 0.35, 0.35),
    "mzone_1": ("mzone", 22, 0.25, 0.40),
    "mzone_2": ("mzone", 34, 0.80, 0.60),
    "easyown_1": ("easyown", 25, 0.30, 0.75),
    "easyown_2": ("easyown", 39, 0.70, 0.25),
}


@dataclass(frozen=True, slots=True)
class SegmentModel:
    """Centroids in standard units.

    ``scaling``: mean, standard deviation and highest value (beyond it, a spend counts as it) of
    each number. A customer is placed when the brand and at least two of the three numbers are
    known; a number that is missing adds no distance.
    """

    scaling: tuple[tuple[float, float, float], ...]
    centroids: tuple[tuple[str, str, tuple[float, ...]], ...]

    def one(self, row: Mapping[str, object]) -> str | None:
        """The nearest segment of one row, None where too little is known."""
        brand = row.get("brand")
        numbers = [_float(row.get(name)) for name in NUMBERS]
        known = sum(x == x for x in numbers)
        if brand is None or known < 2:
            return None
        scaled = [
            ((high if x > high else x) - mean) / deviation
            for x, (mean, deviation, high) in zip(numbers, self.scaling, strict=True)
        ]
        best, nearest = float("inf"), None
        for name, own_brand, centre in self.centroids:
            distance = 0.0 if brand == own_brand else BRAND_WEIGHT * BRAND_WEIGHT
            for x, c in zip(scaled, centre, strict=True):
                gap = x - c
                distance = distance + (gap * gap if x == x else 0.0)
            if distance < best:
                best, nearest = distance, name
        return nearest

    def many(self, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        """The nearest segments of columns: objects, None where too little is known."""
        brand = columns.get("brand", np.full(rows, None))
        numbers = [
            np.asarray(columns.get(name, np.full(rows, np.nan)), dtype=np.float64)
            for name in NUMBERS
        ]
        known = sum((x == x).astype(int) for x in numbers)
        scaled = [
            (np.where(x > high, high, x) - mean) / deviation
            for x, (mean, deviation, high) in zip(numbers, self.scaling, strict=True)
        ]
        best = np.full(rows, np.inf)
        nearest = np.full(rows, None, dtype=object)
        for name, own_brand, centre in self.centroids:
            distance = np.where(brand == own_brand, 0.0, BRAND_WEIGHT * BRAND_WEIGHT)
            for x, c in zip(scaled, centre, strict=True):
                gap = x - c
                distance = distance + np.where(x == x, gap * gap, 0.0)
            better = distance < best
            best = np.where(better, distance, best)
            nearest[better] = name
        nearest[pd.isna(brand) | (known < 2)] = None
        return nearest

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a text file."""
        return {
            "scaling": {
                name: {"mean": mean, "deviation": deviation, "high": high}
                for name, (mean, deviation, high) in zip(NUMBERS, self.scaling, strict=True)
            },
            "centroids": {
                name: {"brand": brand, **dict(zip(NUMBERS, centre, strict=True))}
                for name, brand, centre in self.centroids
            },
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SegmentModel:
        """The reverse of ``to_plain``. Raises KeyError, TypeError or ValueError."""
        scaling = tuple(
            (float(s["mean"]), float(s["deviation"]), float(s["high"]))
            for s in (plain["scaling"][name] for name in NUMBERS)
        )
        centroids = tuple(
            (str(name), str(c["brand"]), tuple(float(c[number]) for number in NUMBERS))
            for name, c in plain["centroids"].items()
        )
        return cls(scaling, centroids)


def fit_segments(frame: pd.DataFrame) -> SegmentModel | None:
    """Six segments of the customers in ``frame``; None where the data has no such profile."""
    if not {"brand", *NUMBERS} <= set(frame):
        return None
    known = frame.loc[:, ["brand", *NUMBERS]].dropna()
    if "customer_id" in frame:
        # A customer counts once, however often heard.
        known = known[~frame.loc[known.index, "customer_id"].duplicated()]
    known = known.iloc[:: max(len(known) // _SAMPLE, 1)]
    if known["brand"].value_counts().reindex(BRANDS, fill_value=0).min() < 20:
        return None
    scaling, points = [], []
    for name in NUMBERS:
        values = known[name].to_numpy(dtype=np.float64)
        high = float(np.quantile(values, 0.99))
        values = np.minimum(values, high)
        scaling.append((float(values.mean()), float(values.std()) or 1.0, high))
        points.append((values - scaling[-1][0]) / scaling[-1][1])
    # Brands as corners at mutual distance BRAND_WEIGHT.
    corners = (known["brand"].to_numpy()[:, None] == np.array(BRANDS)) * (BRAND_WEIGHT / 2**0.5)
    table = np.column_stack([*points, corners])
    start = _starting_points(known, table, scaling)
    fitted = KMeans(len(SEGMENTS), init=start, n_init=1, max_iter=100).fit(table)
    order = _name_clusters(fitted.cluster_centers_, start)
    centroids = []
    for name, cluster in zip(SEGMENTS, order, strict=True):
        centre = fitted.cluster_centers_[cluster]
        brand = BRANDS[int(centre[len(NUMBERS) :].argmax())]
        centroids.append((name, brand, tuple(float(c) for c in centre[: len(NUMBERS)])))
    return SegmentModel(tuple(scaling), tuple(centroids))


def _starting_points(
    known: pd.DataFrame, table: np.ndarray, scaling: list[tuple[float, float, float]]
) -> np.ndarray:
    start = []
    for name in SEGMENTS:
        brand, age, tenure, spend = _REFERENCE[name]
        mine = table[(known["brand"] == brand).to_numpy()]
        mean, deviation, _ = scaling[0]
        quantiles = [np.quantile(mine[:, 1], tenure), np.quantile(mine[:, 2], spend)]
        start.append([(age - mean) / deviation, *quantiles, *mine[0, len(NUMBERS) :]])
    return np.array(start)


def _name_clusters(centres: np.ndarray, reference: np.ndarray) -> list[int]:
    """For each segment the cluster that fits its description, all together at least distance."""
    gaps = ((reference[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return [int(cluster) for cluster in linear_sum_assignment(gaps)[1]]


def _float(value: object) -> float:
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]
