"""Rows of a data set with what a bundle says of them: what every figure is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from harken_models.bundle import Bundle
from harken_models.dataset import Dataset
from harken_models.featurebuild import model_columns
from harken_models.spec import ATTRIBUTE_PREFIX

US_PER_HOUR = 3_600_000_000
MOST_LEVELS = 12
"""An attribute with more levels than these is no slice."""
AGES = ((1.0, "<1h"), (6.0, "1-6h"), (24.0, "6-24h"), (72.0, "1-3d"), (168.0, "3-7d"))
OLDEST = ">7d"


def _nothing() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Scored:
    """Arrays of one length, a row each.

    ``label`` 1.0 or 0.0; ``weight`` as in training; ``group``: rows that stand or fall together
    (a customer's, else a grumble's); ``slices``: objects, None unknown. ``grumble``, ``snapshot``
    and ``day`` (local, days since 1970) are empty where nobody needs them.
    """

    label: np.ndarray
    probability: np.ndarray
    weight: np.ndarray
    group: np.ndarray
    observe_us: np.ndarray
    open_hours: np.ndarray
    slices: Mapping[str, np.ndarray] = field(default_factory=lambda: MappingProxyType({}))
    grumble: np.ndarray = field(default_factory=_nothing)
    snapshot: np.ndarray = field(default_factory=_nothing)
    day: np.ndarray = field(default_factory=_nothing)

    def __len__(self) -> int:
        return len(self.label)

    def with_probability(self, probability: np.ndarray) -> Scored:
        """The same rows as another model sees them."""
        return replace(self, probability=probability)


def scored_of(
    label: np.ndarray,
    probability: np.ndarray,
    weight: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> Scored:
    """Rows of which only outcomes and probabilities are known; each its own group."""
    rows = len(label)
    nothing = np.zeros(rows)
    return Scored(
        np.asarray(label, dtype=np.float64),
        np.asarray(probability, dtype=np.float64),
        np.ones(rows) if weight is None else weight,
        np.arange(rows) if group is None else group,
        nothing.astype(np.int64),
        nothing,
    )


def score(bundle: Bundle, dataset: Dataset, rows: np.ndarray) -> Scored:
    """What ``bundle`` says of the labelled ``rows`` (row numbers) of ``dataset``.

    Raises FeatureError where a column has another type than the bundle's.
    """
    frame = dataset.frame.iloc[rows].reset_index(drop=True)
    assessed = bundle.assess_columns(model_columns(frame), len(frame))
    observe = frame["observe_time_us"].to_numpy(np.int64)
    hours = (observe - frame["voice_time_us"].to_numpy(np.int64)) / US_PER_HOUR
    local = _local(observe, dataset.spec.time_zone)
    case = grumbles_of(dataset)[rows]
    return Scored(
        label=frame["label"].to_numpy(np.float64),
        probability=assessed.probability,
        weight=weights_of(dataset)[rows],
        group=_groups(frame, case, dataset),
        observe_us=observe,
        open_hours=hours,
        slices=MappingProxyType(_slices(frame, assessed.segment, local, hours, dataset)),
        grumble=case,
        snapshot=_hidden(frame, "_snapshot", np.ones(len(frame), dtype=np.int32)),
        day=local.to_numpy().astype("datetime64[D]").astype(np.int64),
    )


def grumbles_of(dataset: Dataset) -> np.ndarray:
    """Which grumble each row of the frame is of, as numbers."""
    frame = dataset.frame
    rows = np.arange(len(frame), dtype=np.int64)
    if dataset.spec.snapshots is not None or "grumble_id" not in frame:
        return _hidden(frame, "_group", rows)
    numbers, names = pd.factorize(frame["grumble_id"])
    return np.where(numbers >= 0, numbers, rows + len(names))


def weights_of(dataset: Dataset) -> np.ndarray:
    """What each row of the frame counts for in training."""
    return _hidden(dataset.frame, "_weight", np.ones(len(dataset.frame)))


def _hidden(frame: pd.DataFrame, name: str, otherwise: np.ndarray) -> np.ndarray:
    return frame[name].to_numpy() if name in frame else otherwise


def _groups(frame: pd.DataFrame, case: np.ndarray, dataset: Dataset) -> np.ndarray:
    """What to resample, as numbers: customers, or the groups that the data is split by; a grumble
    of which nothing is known stands alone."""
    own = case if dataset.spec.split.groups is None else _hidden(frame, "_group", case)
    if dataset.spec.split.groups is not None or "customer_id" not in frame:
        return np.unique(own, return_inverse=True)[1]
    customers, names = pd.factorize(frame["customer_id"])
    strangers = np.unique(own, return_inverse=True)[1] + len(names)
    return np.where(customers >= 0, customers, strangers)


def _local(observe_us: np.ndarray, time_zone: str) -> pd.Series:
    times = pd.Series(pd.to_datetime(observe_us, unit="us", utc=True))
    return times.dt.tz_convert(time_zone).dt.tz_localize(None)


def _slices(
    frame: pd.DataFrame,
    segment: np.ndarray,
    local: pd.Series,
    hours: np.ndarray,
    dataset: Dataset,
) -> dict[str, np.ndarray]:
    found = {"segment": np.asarray(segment, dtype=object)}
    for name in ("category", "channel"):
        if name in frame:
            found[name] = frame[name].to_numpy(dtype=object)
    if not dataset.spec.timeless:
        found["month"] = local.dt.strftime("%Y-%m").to_numpy(dtype=object)
        bounds = [hour for hour, _ in AGES]
        names = np.array([*(name for _, name in AGES), OLDEST], dtype=object)
        found["age"] = names[np.searchsorted(bounds, hours, side="right")]
    for name, attribute in dataset.spec.attributes.items():
        column = frame.get(ATTRIBUTE_PREFIX + name)
        if attribute.type == "number" or column is None:
            continue
        if column.nunique() <= MOST_LEVELS:
            found[name] = _texts(column, attribute.type == "flag")
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _texts(column: pd.Series, flag: bool) -> np.ndarray:
    values = column.to_numpy(dtype=object, copy=True)
    if flag:
        values = np.where(values == 1, "true", "false").astype(object)
    values[pd.isna(column).to_numpy()] = None
    return values
