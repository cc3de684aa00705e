"""Columns that hold nothing, or always the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Severity
from harken_models.check.look import Field, Look

_MOSTLY = 0.95
_HALF = 0.5


def unvarying(look: Look) -> Iterator[Finding]:
    """Columns with a single value in all rows that have an outcome (in all, if none has)."""
    rows = _rows(look)
    for field in _given(look) if len(rows) else ():
        missing = field.missing[rows]
        if missing.all():
            yield Finding("empty-column", "warning", field.column, len(rows), _of(field))
        elif not missing.any():
            codes = field.codes[rows]
            if (codes == codes[0]).all():
                value = field.levels[codes[0]]
                shown = f"{value:g}" if isinstance(value, float) else str(value)
                figures = {**_of(field), "value": shown}
                yield Finding("constant-column", "warning", field.column, len(rows), figures)


def mostly_missing(look: Look) -> Iterator[Finding]:
    """Columns that hold something in few rows only."""
    rows = _rows(look)
    for field in _given(look) if len(rows) else ():
        count = int(field.missing[rows].sum())
        share = count / len(rows)
        if _HALF <= share < 1:
            severity: Severity = "warning" if share > _MOSTLY else "note"
            figures = {**_of(field), "share": share}
            yield Finding("mostly-missing", severity, field.column, count, figures)


def _rows(look: Look) -> np.ndarray:
    return look.usable if len(look.usable) else look.first


def _given(look: Look) -> list[Field]:
    """What the file gives; a count of what lay before is often 0 everywhere at opening."""
    return [one for one in look.fields if not one.counted]


def _of(field: Field) -> dict[str, object]:
    return {"field": field.name}


DETECTORS = (
    Detector("constant-column", unvarying),
    Detector("mostly-missing", mostly_missing),
)
