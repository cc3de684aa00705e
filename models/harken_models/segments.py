"""Six value segments: k-means on brand, age, tenure and spend, named as the domain names them.

The domain reference (its §4.1) describes each segment by brand, mean age, and how tenure and
spend compare. Those descriptions are where the clusters start and what they are named by.
Serving takes the nearest centroid by elementwise loops in a fixed order, so one row and
columns agree to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from harken_models.coded import Coded, Columns, as_coded, read_table, slices, value_table
from harken_models.columnencoder import read_numbers
from harken_models.core import BRANDS, SEGMENTS
from harken_models.values import Places, number_of

NUMBERS = ("age_years", "tenure_months", "monthly_spend_yuan")
BRAND_WEIGHT = 3.0
"""Distance between two brands, in standard deviations: segments keep within a brand."""
_FOREIGN = BRAND_WEIGHT * BRAND_WEIGHT
"""What another brand adds to a squared distance."""
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


@dataclass(frozen=True)
class SegmentModel:
    """Centroids in standard units.

    ``scaling``: mean, standard deviation and highest value (beyond it, a spend counts as it) of
    each number. A customer is placed when the brand and at least two of the three numbers are
    known; a number that is missing adds no distance.
    """

    scaling: tuple[tuple[float, float, float], ...]
    centroids: tuple[tuple[str, str, tuple[float, ...]], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The segments, in the order of the centroids."""
        return tuple(name for name, _, _ in self.centroids)

    def one(self, row: Mapping[str, object]) -> str | None:
        """The nearest segment of one row, None where too little is known.

        Raises FeatureError for a number that is none.
        """
        return self.nearest(row.get("brand"), [number_of(name, row.get(name)) for name in NUMBERS])

    def nearest(self, brand: object, numbers: Sequence[float | None]) -> str | None:
        """The nearest segment by brand and NUMBERS; None or NaN is missing."""
        if brand is None or brand != brand:
            return None
        scaled = [
            None if x is None or x != x else ((high if x > high else x) - mean) / deviation
            for x, (mean, deviation, high) in zip(numbers, self.scaling, strict=True)
        ]
        if None not in scaled and isinstance(brand, str):
            found = self._nearest_of_brand(brand, scaled)  # type: ignore[arg-type]
            if found is not None:
                return found
        elif scaled.count(None) > 1:
            return None
        best, nearest = math.inf, None
        for name, own_brand, centre in self.centroids:
            distance = 0.0 if brand == own_brand else _FOREIGN
            for x, c in zip(scaled, centre, strict=True):
                if x is not None:
                    distance = distance + (x - c) * (x - c)
            if distance < best:
                best, nearest = distance, name
        return nearest

    def _nearest_of_brand(self, brand: str, scaled: tuple[float, float, float]) -> str | None:
        """The nearest centroid of the brand where no other brand's can be nearer."""
        x, y, z = scaled
        best, nearest = _FOREIGN, None
        for name, (a, b, c) in self._of_brand.get(brand, ()):
            distance = (x - a) * (x - a) + (y - b) * (y - b) + (z - c) * (z - c)
            if distance < best:
                best, nearest = distance, name
        return nearest

    @cached_property
    def _of_brand(self) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
        return {
            brand: [(name, centre) for name, own, centre in self.centroids if own == brand]
            for _, brand, _ in self.centroids
        }

    def many(self, columns: Columns, rows: int) -> np.ndarray:
        """The nearest segments of columns: objects, None where too little is known."""
        return Coded(self.codes(columns, np.arange(rows)), self.names).objects()

    def codes(self, columns: Columns, rows: np.ndarray) -> np.ndarray:
        """Of the rows of these numbers the place of the nearest segment in ``names``, -1 where
        too little is known: int32, as many as ``rows``."""
        brand = as_coded(columns.get("brand"), int(rows.max(initial=-1)) + 1)
        brands = Places(self._of_brand, len(self._of_brand) + 1, len(self._of_brand))
        read_brand = read_table(brand, value_table(brand, brands).astype(np.intp))
        readers = [read_numbers(name, columns) for name in NUMBERS]
        result = np.empty(len(rows), dtype=np.int32)
        for part in slices(len(rows)):
            own, numbers = read_brand(rows[part]), [read(rows[part]) for read in readers]
            result[part] = self._codes(own, numbers)
        return result

    def _codes(self, brand: np.ndarray, numbers: list[np.ndarray]) -> np.ndarray:
        """By brand as a place in ``_of_brand``, after it strange ones and missing."""
        foreign, centres = self._arrays
        distance = foreign[:, brand]  # centroids × rows, so that one operation does all
        unknown = np.zeros(len(brand), dtype=np.int8)
        for x, (mean, deviation, high), own in zip(numbers, self.scaling, centres, strict=True):
            absent = np.broadcast_to(x != x, brand.shape)
            gap = (np.where(x > high, high, x) - mean) / deviation - own
            distance += np.where(absent, 0.0, gap * gap)
            unknown += absent
        nearest: np.ndarray = distance.argmin(axis=0)  # of equal ones the first
        infinite = distance.min(axis=0) == np.inf
        nearest[infinite | (brand == len(self._of_brand) + 1) | (unknown > 1)] = -1
        return nearest

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """What a brand adds, centroids × brands; the centres, numbers × centroids × 1."""
        brands = [*self._of_brand, None, None]
        foreign = [[0.0 if own == b else _FOREIGN for b in brands] for _, own, _ in self.centroids]
        centres = np.array([centre for _, _, centre in self.centroids])
        return np.array(foreign), centres.T[:, :, None]

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
    from sklearn.cluster import KMeans  # takes a second, which serving need not wait

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
    from scipy.optimize import linear_sum_assignment

    gaps = ((reference[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return [int(cluster) for cluster in linear_sum_assignment(gaps)[1]]
