"""A loaded data set as one flat file with core names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from harken_models.core import CORE_FIELDS
from harken_models.dataset import Dataset
from harken_models.errors import DataError
from harken_models.spec import ATTRIBUTE_PREFIX
from harken_models.timetext import NOT_A_TIME, times_us


def between(dataset: Dataset, since: str | None, until: str | None) -> Dataset:
    """The grumbles observed in ``[since, until)``. Raises DataError for what is no time."""
    observed = dataset.frame["observe_time_us"]
    keep = np.ones(len(observed), dtype=bool)
    if since is not None:
        keep &= (observed >= _time(since, dataset.spec.time_zone)).to_numpy()
    if until is not None:
        keep &= (observed < _time(until, dataset.spec.time_zone)).to_numpy()
    return replace(dataset, frame=dataset.frame[keep].reset_index(drop=True))


def flat_frame(dataset: Dataset) -> pd.DataFrame:
    """Core names in canonical order, ``attr_*``, and ``label`` (0, 1, missing).

    Times are UTC timestamps, counts nullable integers, flags nullable booleans. A row that the
    specification excludes has no label: it is scored and does not count.
    """
    frame = dataset.frame
    out: dict[str, pd.Series] = {}
    for name, core in CORE_FIELDS.items():
        if core.type == "time":
            out[name] = pd.to_datetime(frame[f"{name}_us"], unit="us", utc=True)
        elif name in frame:
            out[name] = frame[name]
            if core.type == "integer":
                out[name] = frame[name].astype("Int64")
            elif core.type == "flag":
                out[name] = frame[name].astype("boolean")
    for name in map(str, frame.columns):
        if name.startswith(ATTRIBUTE_PREFIX):
            kind = dataset.spec.attributes[name.removeprefix(ATTRIBUTE_PREFIX)].type
            out[name] = frame[name].astype("boolean") if kind == "flag" else frame[name]
    label = frame["label"].mask(frame["excluded"])
    out["label"] = label.astype("Int64")
    return pd.DataFrame(out)


def _time(text: str, time_zone: str) -> int:
    value = int(times_us(pd.Series([text]), None, time_zone)[0])
    if value == NOT_A_TIME:
        raise DataError(f"{text!r} is not a time; write 2014-10-01 or 2014-10-01T08:00:00")
    return value
