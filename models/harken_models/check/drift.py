"""Fields that are not in the newest rows what they were before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Severity
from harken_models.check.look import Field, Look
from harken_models.check.measures import common_levels, deciles, stability_index

_STRONG, _NOTABLE = 0.5, 0.25
_NEW = 0.20
_ROWS = 50


def drifting_fields(look: Look) -> Iterator[Finding]:
    """Fields whose values the newest rows share out otherwise than those before them."""
    rows, cut = look.usable, look.cut
    if min(cut, len(rows) - cut) < _ROWS:
        return
    for field in look.fields:
        codes = _cells(field, rows, cut)
        index = stability_index(codes[:cut], codes[cut:])
        if index >= _NOTABLE:
            severity: Severity = "warning" if index >= _STRONG else "note"
            figures = {"field": field.name, "psi": index}
            yield Finding("drift-field", severity, field.column, len(rows) - cut, figures)


def _cells(field: Field, rows: np.ndarray, cut: int) -> np.ndarray:
    if field.kind in ("category", "flag"):
        return common_levels(field.codes[rows])
    values = field.values[rows]
    return deciles(values, values[:cut])


def new_levels(look: Look) -> Iterator[Finding]:
    """Categories whose newest rows have values that nothing could be learnt about."""
    rows, cut = look.usable, look.cut
    if min(cut, len(rows) - cut) < _ROWS:
        return
    for field in look.fields:
        if field.kind != "category":
            continue
        codes = field.codes[rows]
        fresh = ~np.isin(codes[cut:], codes[:cut]) & (codes[cut:] >= 0)
        share = float(fresh.mean())
        if share > _NEW:
            examples = [str(field.levels[code]) for code in np.unique(codes[cut:][fresh])[:5]]
            figures = {"field": field.name, "share": share, "examples": examples}
            yield Finding("new-levels", "warning", field.column, int(fresh.sum()), figures)


_PLAINER = frozenset(
    {"time-travel", "leak-later", "leak-filled", "leak-strong", "mixed-types", "two-date-formats"}
)
DETECTORS = (
    Detector("new-levels", new_levels, _PLAINER, in_time=True),
    Detector("drift-field", drifting_fields, _PLAINER | {"new-levels"}, in_time=True),
)
