"""Outcomes that are not there, or not known yet, or change their rate.

Rows that end before their outcome can be known look like rows without one. A model learns to
tell the newest rows from the others, and looks far better than it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Severity
from harken_models.check.look import Look, monday_of
from harken_models.check.measures import logit, surprise
from harken_models.history import US_PER_DAY
from harken_models.spec import ColumnLabel

FEW_ROWS, FEW_POSITIVES = 100, 20
_LEVELS = 200
_GROWTH, _CLEAR = 1.2, 3.0
"""How much commoner an open state is in the newest third than in the oldest, and by how many
standard errors: the nearer the end of the data, the more is still under way."""
_OPEN = re.compile(
    r"\b(in progress|pending|open|ongoing|awaiting|under (review|way))\b"
    r"|处理中|进行中|待处理|未完结",
    re.IGNORECASE,
)
_IMPOSSIBLE = 1e-9
_DRIFT, _UNLIKELY = 1.0, 1e-6
_STEP = 0.7
_WEEK_ROWS = 50


def too_little(look: Look) -> Iterator[Finding]:
    """No outcome at all, one class only, or too few rows to learn from."""
    if look.spec.label is None:
        yield Finding("no-label", "note")
        return
    label = look.label[look.labelled]
    rows, positives = len(label), int(label.sum())
    figures = {"positives": positives, "rows": rows}
    column = look.label_column
    if rows and positives in (0, rows):
        yield Finding("label-one-class", "error", column, rows, figures)
    elif rows < FEW_ROWS or positives < FEW_POSITIVES:
        yield Finding("few-rows", "error", None, rows, figures)


def unknown_outcomes(look: Look) -> Iterator[Finding]:
    """Values that go with no outcome yet, and a newest stretch that has hardly any."""
    found = list(_open_values(look))
    for column, field, level, rows, expected in found:
        figures = {"field": field, "level": level, "expected": round(expected, 1)}
        yield Finding("unknown-outcome", "error", column, len(rows), figures)
    stretch = _empty_end(look.without(undecided(look, found)))
    if stretch is not None:
        rows, before = stretch
        figures = {"rate": float(look.label[rows].mean()), "before": before}
        wording = f"unknown-outcome/{'complaints' if look.label_column is None else 'end'}"
        yield Finding("unknown-outcome", "error", look.label_column, len(rows), figures, wording)


_Open = tuple[str, str, str, np.ndarray, float]


def undecided(look: Look, found: list[_Open] | None = None) -> np.ndarray:
    """Rows whose negative outcome is not to be believed; bool, one for each row."""
    mask = np.zeros(len(look.frame), dtype=bool)
    for _, _, _, rows, _ in _open_values(look) if found is None else found:
        mask[rows] = True
    if found is None:
        stretch = _empty_end(look.without(mask))
        if stretch is not None:
            mask[stretch[0]] = True
    return mask


def _open_values(look: Look) -> Iterator[_Open]:
    """(column, field, value, rows, positives expected) of values without any positive.

    Such a value is common, its having no positive is no chance, and it says by its name that
    all is not over, or grows towards the end of the data.
    """
    rows = look.usable
    if not isinstance(look.spec.label, ColumnLabel) or len(rows) < FEW_ROWS:
        return
    label = look.label[rows]
    third = np.arange(len(rows)) * 3 // len(rows)
    for column, field, codes, levels in _levelled(look, rows):
        known = codes >= 0
        n = np.bincount(codes[known], minlength=len(levels))
        hits = np.bincount(codes[known], weights=label[known], minlength=len(levels))
        for level in np.flatnonzero(n >= max(_WEEK_ROWS, 0.05 * len(rows))):
            others = len(rows) - n[level]
            rate = (label.sum() - hits[level]) / max(others, 1)
            expected = float(rate * n[level])
            if expected < 10 or hits[level] > 0.05 * expected:
                continue
            if surprise(int(hits[level]), int(n[level]), float(rate)) > _IMPOSSIBLE:
                continue
            grows = not look.spec.timeless and _grows(third[codes == level])
            if grows or _OPEN.search(str(levels[level])):
                yield column, field, str(levels[level]), rows[codes == level], expected


def _grows(third: np.ndarray) -> bool:
    """Whether clearly more of some rows lie in the newest third of the time than the oldest."""
    oldest, newest = int((third == 0).sum()), int((third == 2).sum())
    clear = newest - oldest > _CLEAR * math.sqrt(newest + oldest)
    return clear and newest > _GROWTH * oldest


_Levelled = tuple[str, str, np.ndarray, list[object]]


def _levelled(look: Look, rows: np.ndarray) -> Iterator[_Levelled]:
    """Columns of few values (column, field, codes, values): the fields, then what nothing maps."""
    label = look.spec.label
    seen = {label.column} if isinstance(label, ColumnLabel) else set()
    for field in look.fields:
        if field.kind in ("category", "flag") and field.column not in seen:
            seen.add(field.column)
            yield field.column, field.name, field.codes[rows], field.levels
    raw_rows = look.frame["_raw"].to_numpy()[rows]
    seen |= {one.column for one in look.sources}
    for column in look.main:
        if column not in seen:
            codes, levels = pd.factorize(look.main[column].iloc[raw_rows])
            if 1 < len(levels) <= _LEVELS:
                yield str(column), str(column), codes, list(levels)


def _empty_end(look: Look) -> tuple[np.ndarray, float] | None:
    """The newest rows, if hardly any of them is positive, and the rate before them.

    Newest is what is younger than the horizon, or the last tenth where there is none; or all that
    comes after the last positive.
    """
    rows = look.usable
    unfit = look.spec.events is not None or look.spec.timeless
    if unfit or look.spec.label is None or len(rows) < FEW_ROWS or not look.label[rows].any():
        return None
    start, share = len(rows) - len(rows) // 10, 0.25
    if look.spec.horizon_days > 0:
        times = look.ordering_us[rows]
        since = int(times[-1]) - round(look.spec.horizon_days * US_PER_DAY)
        start, share = int(np.searchsorted(times, since, side="right")), 0.5
    after_all = int(np.flatnonzero(look.label[rows])[-1]) + 1
    for first, most in ((start, share), (after_all, 0.0)):
        before, after = look.label[rows[:first]], look.label[rows[first:]]
        if min(len(before), len(after)) < _WEEK_ROWS or not before.any():
            continue
        rate = float(before.mean())
        chance = surprise(int(after.sum()), len(after), rate)
        if after.mean() <= most * rate and chance < _UNLIKELY:
            return rows[first:], rate
    return None


def drifting_label(look: Look) -> Iterator[Finding]:
    """Weeks whose rate of positives is another than the whole data's; or a step at the split."""
    rows = look.usable
    label = look.label[rows]
    if len(rows) < FEW_ROWS or not 0 < label.sum() < len(rows):
        return
    odd = list(_odd_weeks(look.week[rows], label))
    if odd:
        figures = {
            "weeks": [monday_of(week) for week, _, _ in odd],
            "rates": [hits / n for _, n, hits in odd],
            "overall": float(label.mean()),
            "odd_weeks": len(odd),
        }
        count = sum(n for _, n, _ in odd)
        yield Finding("drift-label", "warning", look.label_column, count, figures)
    else:
        yield from _step_at_split(look, label)


def _odd_weeks(week: np.ndarray, label: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(week, rows, positives) of weeks far from the rate of all, and not by chance."""
    overall = float(label.mean())
    found, place = np.unique(week, return_inverse=True)
    counts, positives = np.bincount(place), np.bincount(place, weights=label)
    for one, n, hits in zip(map(int, found), map(int, counts), map(int, positives), strict=True):
        far = abs(logit(hits / n, n) - logit(overall, len(label))) > _DRIFT
        if n >= _WEEK_ROWS and far and surprise(hits, n, overall) < _UNLIKELY:
            yield one, n, hits


def _step_at_split(look: Look, label: np.ndarray) -> Iterator[Finding]:
    before, after = label[: look.cut], label[look.cut :]
    if min(len(before), len(after)) < _WEEK_ROWS:
        return
    was, now = float(before.mean()), float(after.mean())
    step = logit(now, len(after)) - logit(was, len(before))
    if abs(step) > _STEP and surprise(int(after.sum()), len(after), was) < _UNLIKELY:
        # Where the outcome waits for the close, the newest grumbles of a log are the quick ones.
        severity: Severity = "note" if look.spec.events is not None else "warning"
        figures = {"before": was, "after": now}
        column, wording = look.label_column, "drift-label/step"
        yield Finding("drift-label", severity, column, len(after), figures, wording)


DETECTORS = (
    Detector("few-rows", too_little),
    Detector("unknown-outcome", unknown_outcomes),
)
DRIFT = Detector("drift-label", drifting_label, in_time=True)
