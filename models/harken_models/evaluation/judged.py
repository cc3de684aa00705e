"""Which rows of a data set a bundle is judged on: those that it cannot have learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harken_models.bundle import Bundle
from harken_models.dataset import Dataset
from harken_models.errors import DataError
from harken_models.timetext import NOT_A_TIME, times_us


@dataclass(frozen=True, slots=True)
class Judged:
    """Row numbers, in order; the time they begin at (None: all rows), and how many of them lie
    in the time that a model was trained on."""

    rows: np.ndarray
    start_us: int | None
    in_training: int


def judged_rows(
    dataset: Dataset, bundles: tuple[Bundle, ...], since: str | None, every: bool
) -> Judged:
    """The labelled, not excluded rows from the later start of the bundles' tests on.

    ``since`` (a time, local where it has no offset) or ``every`` overrule that start. A grumble's
    snapshots belong together and are judged if the first of them is. Raises DataError where
    nothing is left, or only one outcome.
    """
    frame = dataset.frame
    usable = np.flatnonzero(frame["label"].notna().to_numpy() & ~frame["excluded"].to_numpy())
    windows = [windows_of(bundle) for bundle in bundles]
    times = _times(dataset, windows[0].get("by"))
    start = None
    if since is not None:
        start = _since(since, dataset)
    elif not every and not dataset.spec.timeless:
        starts = [us(window["test_start"]) for window in windows if window.get("test_start")]
        start = max(starts, default=None)
    rows = usable if start is None else usable[times[usable] >= start]
    _check(rows, usable, dataset, start)
    trained = [_overlap(times[rows], window.get("training") or {}) for window in windows]
    return Judged(rows, start, 0 if dataset.spec.timeless else max(trained))


def us(text: str) -> int:
    """Microseconds of a time in a manifest."""
    return int(pd.Timestamp(text).value) // 1000  # nanoseconds


def iso(time_us: int) -> str:
    """A time as manifests write it."""
    return str(pd.Timestamp(int(time_us), unit="us", tz="UTC").isoformat())


def windows_of(bundle: Bundle) -> Mapping[str, Any]:
    """What the manifest says of training and test, empty where it says nothing."""
    found = bundle.manifest.get("windows")
    return found if isinstance(found, Mapping) else {}


def _times(dataset: Dataset, by: object) -> np.ndarray:
    times = dataset.frame["voice_time_us" if by == "voice_time" else "observe_time_us"]
    if "_group" in dataset.frame:
        times = times.groupby(dataset.frame["_group"]).transform("min")
    return times.to_numpy(np.int64)


def _since(text: str, dataset: Dataset) -> int:
    found = int(times_us(pd.Series([text]), None, dataset.spec.time_zone)[0])
    if found == NOT_A_TIME:
        raise DataError(f"{text!r} is not a time; write 2014-10-01 or 2014-10-01T08:00:00")
    return found


def _check(rows: np.ndarray, usable: np.ndarray, dataset: Dataset, start: int | None) -> None:
    positives = int(dataset.frame["label"].to_numpy()[rows].sum())
    if 0 < positives < len(rows):
        return
    if not len(usable):
        raise DataError("no row of the data has a known outcome, so nothing can be measured")
    found = f"{len(rows)} rows with a known outcome, {positives} of them positive"
    if start is None or positives or len(rows):
        raise DataError(f"nothing can be measured on {found}; both outcomes are needed")
    raise DataError(
        f"no row with a known outcome is from {iso(start)[:10]} on, where the model's test begins; "
        "give --since a time, or --all"
    )


def _overlap(times: np.ndarray, training: Mapping[str, Any]) -> int:
    if not training.get("from") or not training.get("to"):
        return 0
    return int(((times >= us(training["from"])) & (times <= us(training["to"]))).sum())
