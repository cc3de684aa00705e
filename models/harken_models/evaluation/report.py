"""A bundle on an operator's data: everything that is measured, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from harken_models.bundle import Bundle
from harken_models.dataset import Dataset
from harken_models.evaluation.ages import ages
from harken_models.evaluation.bootstrap import RESAMPLES, plain
from harken_models.evaluation.capacity import PER_DAY, capacity_curve
from harken_models.evaluation.drifted import drift
from harken_models.evaluation.judged import Judged, iso, judged_rows, windows_of
from harken_models.evaluation.scored import Scored, score
from harken_models.evaluation.slices import slices
from harken_models.evaluation.whole import Line, Whole, differences, line_of

Plain = dict[str, Any]
Progress = Callable[[str, int, int], None]
_DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """``capacity``: further calls a day. ``warning_line``: a probability. ``since``, ``every``:
    which rows (see ``judged_rows``). ``block`` "week" resamples whole weeks instead of customers,
    for data whose weeks differ more than its customers."""

    capacity: tuple[int, ...] = ()
    warning_line: float | None = None
    since: str | None = None
    every: bool = False
    block: Literal["group", "week"] = "group"
    resamples: int = RESAMPLES
    seed: int = 1


def evaluate_bundle(
    bundle: Bundle,
    dataset: Dataset,
    options: EvaluateOptions,
    against: Bundle | None = None,
    progress: Progress = lambda _what, _done, _of: None,
) -> Plain:
    """Measure ``bundle`` on the rows it cannot have learnt from; beside ``against``, on those that
    neither can.

    Raises DataError where there are none, FeatureError where a column is of a wrong type.
    """
    bundles = (bundle,) if against is None else (bundle, against)
    judged = judged_rows(dataset, bundles, options.since, options.every)
    return evaluate_rows(bundle, dataset, judged, options, against, progress)


def evaluate_rows(
    bundle: Bundle,
    dataset: Dataset,
    judged: Judged,
    options: EvaluateOptions = EvaluateOptions(),
    against: Bundle | None = None,
    progress: Progress = lambda _what, _done, _of: None,
) -> Plain:
    """The same on rows that are chosen already."""
    steps = 5 if against is None else 6
    resamples, seed = options.resamples, options.seed
    progress("scoring", 0, steps)
    rows = _blocks(score(bundle, dataset, judged.rows), options.block)
    line = line_of(rows, options.warning_line)
    progress("figures and their intervals", 1, steps)
    whole = Whole(rows, line, resamples, seed)
    progress("calls a day", 2, steps)
    per_day = tuple(sorted({*PER_DAY, *options.capacity}))
    days = () if dataset.spec.timeless else per_day
    capacity = capacity_curve(rows, days, resamples, seed) if days else []
    progress("slices", 3, steps)
    by = slices(rows, line.probability, resamples, seed)
    hours = () if dataset.spec.snapshots is None else dataset.spec.snapshots.at_hours
    progress("ages and drift", 4, steps)
    found: Plain = {
        **_head(bundle, dataset, judged, rows, options),
        **whole.to_plain(),
        "capacity": capacity,
        "slices": by,
        "age": ages(rows, hours, line.probability, resamples, seed),
        "drift": drift(bundle, dataset, judged.rows, rows.probability),
        "against": None,
    }
    if against is not None:
        progress("the other bundle", 5, steps)
        found["against"] = _against(against, dataset, judged, whole, rows, options)
    progress("done", steps, steps)
    return found


def _head(
    bundle: Bundle, dataset: Dataset, judged: Judged, rows: Scored, options: EvaluateOptions
) -> Plain:
    features = bundle.parts.features
    has = {*dataset.frame.columns, "segment"}
    own = {f.name for f in features.features if f.attribute}
    missing = [
        name.removesuffix("_us")
        for name in features.inputs
        if (f"attr_{name}" if name in own else name) not in has
    ]
    timeless = dataset.spec.timeless
    return {
        "model_digest": bundle.digest,
        "dataset": dataset.spec.dataset,
        "simulated": dataset.spec.simulated,
        "rows": len(rows),
        "grumbles": len(np.unique(rows.grumble)),
        "groups": len(np.unique(rows.group)),
        "positives": int(rows.label.sum()),
        "rate": plain(float(np.average(rows.label, weights=rows.weight))),
        "predicted": plain(float(np.average(rows.probability, weights=rows.weight))),
        "window": {
            "from": None if timeless else iso(int(rows.observe_us.min())),
            "to": None if timeless else iso(int(rows.observe_us.max())),
            "start": None if judged.start_us is None else iso(judged.start_us),
            "days": 0 if timeless else len(np.unique(rows.day)),
            "rows_in_training_window": judged.in_training,
        },
        "tested_in_time": bool(windows_of(bundle).get("test_start")),
        "intervals": {"by": options.block, "resamples": options.resamples, "seed": options.seed},
        "bad_rows": len(dataset.bad_rows),
        "missing_fields": missing,
        "base_rate_shift": plain(bundle.parts.calibration.shift),
    }


def _against(
    against: Bundle,
    dataset: Dataset,
    judged: Judged,
    whole: Whole,
    rows: Scored,
    options: EvaluateOptions,
) -> Plain:
    other = rows.with_probability(score(against, dataset, judged.rows).probability)
    line: Line = line_of(other, options.warning_line)
    theirs = Whole(other, line, options.resamples, options.seed)
    found = theirs.to_plain()
    return {
        "model_digest": against.digest,
        "figures": found["figures"],
        "line": found["line"],
        "recall_targets": found["recall_targets"],
        "differences": differences(whole, theirs),
    }


def _blocks(rows: Scored, block: str) -> Scored:
    return replace(rows, group=rows.day // _DAYS_A_WEEK) if block == "week" else rows
