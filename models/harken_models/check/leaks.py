"""Fields that know the outcome: too good alone, or filled only when it has come.

A field's strength is measured out of fold: a row's level is rated by the rows of other grumbles
and customers, so that a field of many levels gains nothing by naming its rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding
from harken_models.check.look import Field, Look
from harken_models.check.measures import auc, deciles, out_of_fold_rates

CERTAIN = 0.97
"""An AUC that no single field has honestly."""
SUSPECT = ((0.90, 0.10), (0.80, 0.20))
"""An AUC, and how far ahead of the best of the other fields it is, that is hardly honest."""
NOTABLE = (0.75, 0.15)
"""The same, for a note."""
_FILLED_AUC = 0.75
_PURE = 0.98
_ROWS = 50
_LIFT = 3.0
_FEWEST = 5
"""Rows of either outcome without which nothing is said about a field's strength."""


def too_strong(look: Look) -> Iterator[Finding]:
    """A single field that predicts the outcome as no honest one does."""
    label = look.label[look.usable]
    if min(label.sum(), (1 - label).sum()) < _FEWEST:
        return
    fields = [one for one in look.fields if not one.counted]
    strengths = {field.name: _strength(field, look, label) for field in fields}
    for field in fields:
        alone = strengths[field.name]
        second = _rival([one for name, one in strengths.items() if name != field.name])
        figures = {"field": field.name, "auc": alone, "second": second}
        rows = len(look.usable)
        suspect = any(alone >= least and alone - second >= ahead for least, ahead in SUSPECT)
        if alone >= CERTAIN or suspect:
            yield Finding("leak-strong", "error", field.column, rows, figures)
        elif (pure := _telling_level(field, look, label)) is not None:
            level, count, share = pure
            figures = {"field": field.name, "level": level, "share": share}
            wording = "leak-strong/level"
            yield Finding("leak-strong", "error", field.column, count, figures, wording)
        elif alone >= NOTABLE[0] and alone - second >= NOTABLE[1]:
            yield Finding("leak-strong", "note", field.column, rows, figures)


def _rival(others: list[float]) -> float:
    """The best of the other fields; or the next, if that one is notable itself: two leaks must
    not excuse each other. Three strong fields are nothing odd."""
    ranked = sorted([*others, 0.5, 0.5], reverse=True)
    return ranked[1] if ranked[0] >= NOTABLE[0] else ranked[0]


def _strength(field: Field, look: Look, label: np.ndarray) -> float:
    """The AUC that the field alone has on rows that did not rate it."""
    rows, part = look.usable, look.part
    if field.kind == "category":
        return auc(out_of_fold_rates(field.codes[rows], label, part), label)
    values = field.values[rows]
    tenth = deciles(values, values)
    raw = auc(np.where(np.isnan(values), -np.inf, values), label)
    return max(raw, 1 - raw, auc(out_of_fold_rates(tenth, label, part), label))


def _telling_level(field: Field, look: Look, label: np.ndarray) -> tuple[str, int, float] | None:
    """A level that all but says the outcome, where the outcome is otherwise rare."""
    if field.kind not in ("category", "flag"):
        return None
    codes = field.codes[look.usable]
    known = codes >= 0
    if not known.any():
        return None
    rows = np.bincount(codes[known])
    hits = np.bincount(codes[known], weights=label[known])
    for wanted, count in ((label.mean(), hits), (1 - label.mean(), rows - hits)):
        share = count / np.maximum(rows, 1)
        telling = (rows >= _ROWS) & (share >= _PURE) & (share >= _LIFT * wanted)
        if telling.any():
            level = int(np.argmax(np.where(telling, rows, 0)))
            return str(field.levels[level]), int(rows[level]), float(share[level])
    return None


def filled_late(look: Look) -> Iterator[Finding]:
    """A field whose being filled, or not, says the outcome by itself."""
    label = look.label[look.usable]
    if min(label.sum(), (1 - label).sum()) < _FEWEST:
        return
    for field in look.fields:
        missing = field.missing[look.usable]
        if field.counted or missing.all() or not missing.any():
            continue
        alone = auc(missing.astype(np.float64), label)
        best = max(alone, 1 - alone)
        figures = {
            "field": field.name,
            "auc": best,
            "rate_filled": float(label[~missing].mean()),
            "rate_missing": float(label[missing].mean()),
        }
        pure = any(_says_it(label[side], label) for side in (missing, ~missing))
        if best >= _FILLED_AUC or pure:
            yield Finding("leak-filled", "error", field.column, int((~missing).sum()), figures)


def _says_it(some: np.ndarray, label: np.ndarray) -> bool:
    """Whether nearly all of some rows have one outcome that is three times as rare elsewhere."""
    if len(some) < _ROWS:
        return False
    positive = some.mean() >= max(_PURE, _LIFT * label.mean())
    negative = (1 - some).mean() >= max(_PURE, _LIFT * (1 - label).mean())
    return bool(positive or negative)


_PLAINER = frozenset({"time-travel", "leak-later", "constant-column", "empty-column"})
DETECTORS = (
    Detector("leak-filled", filled_late, _PLAINER),
    Detector("leak-strong", too_strong, _PLAINER | {"leak-filled"}),
)
