"""Training, validation and test time, with the label horizon purged between them.

A label is known only ``horizon`` after its grumble is observed. A model that is to be judged
from time T on must not have learnt from labels that were not yet known at T, so grumbles
observed within the horizon before T are purged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harken_models.errors import TrainingError
from harken_models.spec import DatasetSpec

US_PER_DAY = 86_400_000_000
SMALL = 50_000
"""Below this many rows before the test, five rolling folds judge instead of one."""
FEWEST = 10
"""Complaints (and grumbles without one) that a piece of data must hold."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to learn from and, later in time, to judge on."""

    train: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, slots=True)
class Split:
    """``folds`` lie wholly before the test; ``final`` learns from all that was known by then."""

    folds: tuple[Fold, ...]
    final: Fold
    test_start_us: int


def split_by_time(frame: pd.DataFrame, spec: DatasetSpec) -> Split:
    """Split the labelled, not excluded rows of a loaded dataset.

    The test is the last ``test_fraction`` of them, from a time on (rows of one time never part).
    Small data gets five rolling folds, each learning from the past of the next piece of time
    (half as long as ``validation_fraction``), because one small piece chooses by luck. Large
    data gets one fold.
    """
    usable = np.flatnonzero(frame["label"].notna().to_numpy() & ~frame["excluded"].to_numpy())
    if len(usable) < 200:
        raise TrainingError(
            f"only {len(usable)} rows have a known outcome; at least 200 are needed"
        )
    label = frame["label"].to_numpy()
    times = frame[f"{spec.split.by}_us"].to_numpy()
    horizon_us = round(spec.horizon_days * US_PER_DAY)
    # Whatever time orders the rows, a label is known a horizon after the observation. Without
    # a horizon the outcome is no later event, and nothing is to be purged.
    known_us = frame["observe_time_us"].to_numpy() + horizon_us if horizon_us else times
    test_start = _quantile(times[usable], 1 - spec.split.test_fraction)
    before = usable[_known_by(times[usable], known_us[usable], test_start)]
    final = Fold(before, usable[times[usable] >= test_start])
    _check(final, label)
    pieces, share = 1, spec.split.validation_fraction
    if len(before) < SMALL:
        pieces, share = 5, min(share / 2, 0.15)
    bounds = [_quantile(times[before], 1 - share * left) for left in range(pieces, 0, -1)]
    folds = []
    for start, end in zip(bounds, [*bounds[1:], test_start], strict=True):
        held_out = before[(times[before] >= start) & (times[before] < end)]
        fold = Fold(before[_known_by(times[before], known_us[before], start)], held_out)
        if _enough(fold.train, label) and _enough(fold.held_out, label):
            folds.append(fold)
    if not folds:
        raise TrainingError(
            f"no held-out time before the test has {FEWEST} complaints, or too little is known "
            "before it: give more data or a shorter horizon"
        )
    return Split(tuple(folds), final, test_start)


def _quantile(times: np.ndarray, share: float) -> int:
    ordered = np.sort(times)
    return int(ordered[min(int(share * len(ordered)), len(ordered) - 1)])


def _known_by(times: np.ndarray, known_us: np.ndarray, start: int) -> np.ndarray:
    """Rows before ``start`` whose outcome had been seen by then."""
    return (times < start) & (known_us <= start)


def _enough(rows: np.ndarray, label: np.ndarray) -> bool:
    positives = label[rows].sum()
    return bool(FEWEST <= positives <= len(rows) - FEWEST)


def _check(final: Fold, label: np.ndarray) -> None:
    for rows, what in ((final.train, "learn from"), (final.held_out, "be judged on")):
        if not _enough(rows, label):
            raise TrainingError(
                f"a model would have to {what} {len(rows)} rows with {int(label[rows].sum())} "
                "complaints; give more data, a shorter horizon or other fractions under split"
            )
