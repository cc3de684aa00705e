"""The same figures for parts of the rows: by segment, category, channel, month, age, attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from harken_models.evaluation.bootstrap import distance_interval, interval, plain, resampled
from harken_models.evaluation.metrics import Ranked, Sums
from harken_models.evaluation.scored import AGES, OLDEST, Scored

FEWEST = 10
"""With fewer complaints (or fewer grumbles without one) a part is counted, not measured."""
MOST_VALUES = 40
RESAMPLES = 200
MEASURED = ("auc", "brier", "log_loss", "ece", "recall", "workload_reduction")
_AGES = (*(name for _, name in AGES), OLDEST)


def slices(rows: Scored, line: float, resamples: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Of every slice its parts, largest first (months and ages in their order).

    ``recall`` and ``workload_reduction`` are those of the warning line. ``predicted`` and ``rate``
    are the mean probability and the share of complaints.
    """
    return {
        by: parts(rows, values, line, resamples, seed, by in ("month", "age"))
        for by, values in rows.slices.items()
    }


def parts(
    rows: Scored, values: np.ndarray, line: float, resamples: int, seed: int, ordered: bool = False
) -> list[dict[str, Any]]:
    """The figures of the rows with each of ``values`` (objects; None: unknown)."""
    names = _names(values, ordered)
    places = [np.flatnonzero(values == name) for name in names]
    return [
        {"value": name, **figures}
        for name, figures in zip(names, measured(rows, places, line, resamples, seed), strict=True)
    ]


def measured(
    rows: Scored, places: list[np.ndarray], line: float, resamples: int, seed: int
) -> list[dict[str, Any]]:
    """The figures of several sets of row numbers, under the same drawings."""
    ranked = [Ranked(rows.label[rows_of], rows.probability[rows_of]) for rows_of in places]
    told = [FEWEST <= len(each.hits) <= each.size - FEWEST for each in ranked]
    chosen = [(r, rows_of) for r, rows_of, t in zip(ranked, places, told, strict=True) if t]

    def statistic(_: Scored, weight: np.ndarray) -> np.ndarray:
        return np.array([_figures(r.sums(weight[rows_of]), line) for r, rows_of in chosen])

    values = iter(statistic(rows, rows.weight))
    drawn = iter(())  # nothing to measure, nothing drawn
    if chosen:
        few = min(resamples, RESAMPLES)
        drawn = iter(np.moveaxis(resampled(rows, statistic, few, seed), 0, 1))
    found = []
    for rows_of, is_told in zip(places, told, strict=True):
        weight = rows.weight[rows_of]
        figures: dict[str, Any] = {
            "rows": len(rows_of),
            "grumbles": len(np.unique(rows.grumble[rows_of]))
            if len(rows.grumble)
            else len(rows_of),
            "positives": int(rows.label[rows_of].sum()),
            "rate": plain(float(np.average(rows.label[rows_of], weights=weight))),
            "predicted": plain(float(np.average(rows.probability[rows_of], weights=weight))),
        }
        if is_told:
            figures |= _with_intervals(next(values), next(drawn))
        found.append(figures)
    return found


def _figures(sums: Sums, line: float) -> list[float]:
    recall, _, reduction = sums.line(line)
    ranked = sums.ranked
    return [
        sums.auc(), sums.mean(ranked.square), sums.mean(ranked.loss), sums.calibration_error(),
        float(recall), float(reduction),
    ]  # fmt: skip


def _with_intervals(values: np.ndarray, drawn: np.ndarray) -> dict[str, Any]:
    return {
        name: (distance_interval if name == "ece" else interval)(
            values[place], drawn[:, place]
        ).to_plain()
        for place, name in enumerate(MEASURED)
    }


def _names(values: np.ndarray, ordered: bool) -> list[str | None]:
    counts: dict[str | None, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    if ordered:
        return sorted(counts, key=lambda n: (_AGES.index(n) if n in _AGES else 0, str(n)))
    return sorted(counts, key=lambda n: (n is None, -counts[n], str(n)))[:MOST_VALUES]
