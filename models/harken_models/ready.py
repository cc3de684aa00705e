"""A loaded data set as models are fitted to it: features, matrix, outcomes, weights, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from harken_models.association import AssociationTable, fit_association
from harken_models.bundle import with_segments
from harken_models.candidates import SURE
from harken_models.dataset import Dataset
from harken_models.encodings import FitData
from harken_models.errors import TrainingError
from harken_models.featurebuild import build_features, model_columns
from harken_models.features import FeatureSpec
from harken_models.segments import SegmentModel, fit_segments
from harken_models.spec import ATTRIBUTE_PREFIX
from harken_models.split import Split, groups_of, known_us, weights_of

MAXIMUM_ATTRIBUTES = 64
"""A request carries no more."""


@dataclass(frozen=True, slots=True)
class Ready:
    """``frame`` has the segments that serving would see; ``clusters``: rows that stand or fall
    together when figures are resampled (a customer's, else a group's)."""

    frame: pd.DataFrame
    data: FitData
    segments: SegmentModel | None
    clusters: np.ndarray

    def association(self, rows: np.ndarray) -> AssociationTable:
        """Grumble points against complaints, counted over ``rows``."""
        nothing = np.full(len(self.frame), None)
        points = self.frame["point"].to_numpy() if "point" in self.frame else nothing
        segments = self.frame["segment"].to_numpy()
        return fit_association(points[rows], segments[rows], self.data.label[rows])

    def pieces(self, rows: np.ndarray) -> Mapping[str, np.ndarray]:
        """Where there are snapshots: those of ``rows`` at opening, and those in flight."""
        if "_snapshot" not in self.frame:
            return {}
        first = self.frame["_snapshot"].to_numpy()[rows] == 1
        if first.all():
            return {}
        return {"at opening": rows[first], "in flight": rows[~first]}


def make_ready(dataset: Dataset, split: Split) -> Ready:
    """Fit segments and features to the rows that may be learnt from, and encode all.

    Raises TrainingError where no feature is left, or more attributes than a request can carry.
    """
    frame, known = dataset.frame, split.final.train
    segments = fit_segments(frame.iloc[known])
    columns = with_segments(model_columns(frame), len(frame), segments)
    frame = frame.assign(segment=pd.Series(columns["segment"], dtype=object))
    features = build_features(frame.iloc[known], dataset.spec)
    matrix = features.encode_columns(columns, len(frame))
    label = frame["label"].to_numpy(np.float64)
    group = groups_of(frame)
    features = with_supported_signs(features, matrix[known], label[known], group[known])
    attributes = sum(feature.attribute for feature in features.features)
    if not features.features:
        raise TrainingError(
            f"{dataset.spec.dataset}: nothing to learn from: every mapped field and attribute is "
            "empty, constant, or too rare in the rows before the test; map more columns"
        )
    if attributes > MAXIMUM_ATTRIBUTES:
        raise TrainingError(
            f"{dataset.spec.dataset}: {attributes} attributes vary, and a request carries at most "
            f"{MAXIMUM_ATTRIBUTES}: leave some out under attributes in the specification"
        )
    data = FitData(
        matrix=matrix,
        label=label,
        weight=weights_of(frame),
        times=frame["observe_time_us"].to_numpy(np.int64),
        known=known_us(frame, dataset.spec),
        spec=features,
        group=group,
    )
    return Ready(frame, data, segments, _clusters(frame, group))


def with_supported_signs(
    features: FeatureSpec, matrix: np.ndarray, label: np.ndarray, group: np.ndarray
) -> FeatureSpec:
    """The features without those monotone signs that the rows contradict beyond doubt.

    The domain gives a sign to what a field means: the longer unresolved, the likelier. In one
    export such a field may mean something else (hours until the other party was told), and then
    the sign would only hide what the data says. Rows of one group count as one witness.
    """
    witnesses = np.sqrt(len(np.unique(group)) / len(group))
    kept = [
        replace(feature, monotone=0)
        if feature.monotone and feature.monotone * _trend(column, label) * witnesses < -SURE
        else feature
        for feature, column in zip(features.features, matrix.T, strict=True)
    ]
    return replace(features, features=tuple(kept))


def _trend(column: np.ndarray, label: np.ndarray) -> float:
    """By how many standard errors complaints rank above the others (Mann and Whitney's test, ties
    at their mean rank)."""
    there = ~np.isnan(column)
    ranks, positive = rankdata(column[there]), label[there] > 0
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m or ranks[0] == ranks.min() == ranks.max():
        return 0.0
    expected = n * (n + m + 1) / 2
    error = np.sqrt(n * m / (n + m - 1) * ranks.var())
    return float((ranks[positive].sum() - expected) / error)


def grouped(dataset: Dataset, groups: str | None) -> Dataset:
    """The data set split by the values of a field or attribute instead of by time."""
    spec, frame = dataset.spec, dataset.frame
    if groups is None or spec.split.groups == groups:
        return dataset
    column = next((name for name in (groups, ATTRIBUTE_PREFIX + groups) if name in frame), None)
    if column is None:
        raise TrainingError(f"{spec.dataset}: there is no field {groups!r} to group the rows by")
    codes = pd.factorize(frame[column])[0]
    alone = np.arange(len(frame)) + codes.max(initial=-1) + 1
    return replace(
        dataset,
        spec=replace(spec, split=replace(spec.split, groups=groups)),
        frame=frame.assign(_group=np.where(codes < 0, alone, codes).astype(np.int64)),
    )


def _clusters(frame: pd.DataFrame, own: np.ndarray) -> np.ndarray:
    if "customer_id" not in frame:
        return own
    customers, names = pd.factorize(frame["customer_id"])
    return np.asarray(np.where(customers >= 0, customers, own + len(names)))
