"""The figures of all rows, of one model or of two beside each other, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harken_models.evaluation.bootstrap import (
    Interval,
    figure_intervals,
    interval,
    plain,
    resampled,
)
from harken_models.evaluation.metrics import BINS, FIGURES, Ranked, Sums
from harken_models.evaluation.scored import Scored

SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RECALLS = (0.80, 0.87, 0.90, 0.95)
USUAL_RECALL = 0.87
"""Where no warning line is given: the line that finds as much as ticket escalation reports."""
LINE = ("recall", "precision", "workload_reduction")
COMPARED = (*FIGURES, "workload_reduction_87")


@dataclass(frozen=True, slots=True)
class Line:
    """A warning line: a probability, and whether somebody asked for it."""

    probability: float
    given: bool


def shown_line(probability: float) -> float | None:
    """A line in six digits, rounded down: who asks for what is shown warns of no fewer."""
    return None if np.isnan(probability) else float(np.floor(probability * 1e6) / 1e6)


def line_of(rows: Scored, given: float | None) -> Line:
    """The line asked for, else the highest that finds ``USUAL_RECALL`` of the complaints."""
    if given is not None:
        return Line(given, True)
    ranked = Ranked(rows.label, rows.probability)
    return Line(float(ranked.sums(rows.weight).reductions((USUAL_RECALL,))[0][0]), False)


class Whole:
    """One model's figures, resampled once."""

    def __init__(self, rows: Scored, line: Line, resamples: int, seed: int) -> None:
        self._ranked = Ranked(rows.label, rows.probability)
        self._line = line
        sums = self._ranked.sums(rows.weight)
        self._bins = sums.bins()
        # The bins' edges stay where the data has them; what is drawn anew is who lies in them.
        edges = sums.total * (len(rows) - self._ranked.below[::-1]) / len(rows)
        inner = np.searchsorted(sums.all[1:], edges, side="right")
        self._cuts = np.array([0, *inner, len(rows)])
        self._levels = sums.reductions(RECALLS)[0]
        self.values = self._all(sums)
        self.drawn = resampled(rows, lambda _, w: self._all(self._ranked.sums(w)), resamples, seed)

    def _all(self, sums: Sums) -> np.ndarray:
        every, _, positive = sums.sums_between(self._cuts)
        rates = np.divide(positive, every, out=np.full(BINS, np.nan), where=every > 0)
        parts = (
            sums.figures(), sums.line(self._line.probability), sums.reductions(RECALLS)[1],
            sums.gains(SHARES), rates,
        )  # fmt: skip
        return np.concatenate(parts)

    def _interval(self, place: int) -> Interval:
        return interval(float(self.values[place]), self.drawn[:, place])

    def to_plain(self) -> dict[str, Any]:
        """The parts of the report that are of all rows."""
        at = len(FIGURES)
        figures = figure_intervals(self.values[:at], self.drawn[:, :at])
        line = {name: self._interval(at + place).to_plain() for place, name in enumerate(LINE)}
        at += len(LINE)
        targets = [
            {
                "recall": recall,
                "probability": shown_line(self._levels[place]),
                "workload_reduction": self._interval(at + place).to_plain(),
            }
            for place, recall in enumerate(RECALLS)
        ]
        at += len(RECALLS)
        gains = [self._interval(at + place) for place in range(len(SHARES))]
        return {
            "figures": {name: each.to_plain() for name, each in figures.items()},
            "calibration": self._calibration(at + len(SHARES)),
            "lift": [_gain(share, each) for share, each in zip(SHARES, gains, strict=True)],
            "line": {
                "probability": shown_line(self._line.probability),
                "given": self._line.given,
                **line,
            },
            "recall_targets": targets,
        }

    def _calibration(self, at: int) -> list[dict[str, Any]]:
        every, predicted, _ = self._bins
        sizes = np.diff(self._cuts)[::-1]
        found = []
        for place in range(BINS):
            if sizes[place] and every[place] > 0:
                observed = self._interval(at + place)
                found.append(
                    {
                        "predicted": plain(predicted[place] / every[place]),
                        "observed": plain(observed.value),
                        "rows": int(sizes[place]),
                        "low": plain(observed.low),
                        "high": plain(observed.high),
                    }
                )
        return found

    def compared(self) -> tuple[np.ndarray, np.ndarray]:
        """``COMPARED`` and their resamples."""
        places = [*range(len(FIGURES)), len(FIGURES) + len(LINE) + RECALLS.index(USUAL_RECALL)]
        return self.values[places], self.drawn[:, places]


def _gain(share: float, found: Interval) -> dict[str, Any]:
    """What the top ``share`` of the rows holds: recall, and recall by share, the lift."""
    recall = found.to_plain()
    lift = Interval(found.value / share, found.low / share, found.high / share).to_plain()
    return {"share": share, "lift": lift, "recall": recall}


def differences(ours: Whole, theirs: Whole) -> dict[str, dict[str, float | None]]:
    """Ours less theirs, from the same drawings, with the paired test's ``p``.

    ``p`` is twice the smaller share of resamples on either side of nought, not less than one
    over their number.
    """
    (value, drawn), (other, other_drawn) = ours.compared(), theirs.compared()
    found = {}
    for place, name in enumerate(COMPARED):
        gap = drawn[:, place] - other_drawn[:, place]
        told = interval(float(value[place] - other[place]), gap).to_plain()
        found[name] = {**told, "p": plain(p_value(gap))}
    return found


def p_value(drawn: np.ndarray | Sequence[float]) -> float:
    """Of resampled differences: how readily they would be nought; NaN of none."""
    known = np.asarray(drawn)[~np.isnan(drawn)]
    if not len(known):
        return float("nan")
    smaller = min(float((known <= 0).mean()), float((known >= 0).mean()))
    return min(max(2 * smaller, 1 / len(known)), 1.0)
