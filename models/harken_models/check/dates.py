"""The ways in which one column writes its dates.

Two ways in one column are the commonest silent damage of an export that passed through a
spreadsheet: 03/11 and 11/03 both read as dates, of different days.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harken_models.timeshapes import time_shapes
from harken_models.timetext import ISO

MOSTLY = 0.9
_LETTERS = (
    ("%Y", "YYYY"), ("%y", "YY"), ("%m", "MM"), ("%d", "DD"), ("%b", "Mon"), ("%B", "Month"),
    ("%H", "hh"), ("%I", "hh"), ("%M", "mm"), ("%S", "ss"), ("%f", "ffffff"), ("%p", "AM/PM"),
    ("%z", "+hhmm"),
)  # fmt: skip


def ways_of(texts: Sequence[str], hours: bool) -> tuple[dict[str, int], bool]:
    """How many of the texts write their date each way, as DD/MM/YYYY; with ``hours``, their time
    of day, too.

    And whether there is a way whose day and month could be swapped, as no text tells them apart.
    """
    shapes = time_shapes(texts)
    found: dict[str, int] = {}
    for form, count in shapes.counts.items():
        way = _shown(form, hours)
        found[way] = found.get(way, 0) + count
    return found, bool(shapes.unsettled)


def formats_if_times(texts: np.ndarray, declared: Sequence[str]) -> tuple[str, ...]:
    """The formats in which the distinct texts are times, the declared first; none: they are not.

    Plain numbers are never taken for seconds since 1970: they are as likely amounts.
    """
    counts = time_shapes(texts).counts
    if sum(counts.values()) >= MOSTLY * len(texts):
        return (*declared, *counts)
    return ()


def _shown(form: str, hours: bool) -> str:
    if form == ISO:
        return "YYYY-MM-DD"
    shown = form if hours else form.partition("%H")[0].partition("%I")[0].rstrip(" T,")
    for code, letters in _LETTERS:
        shown = shown.replace(code, letters)
    return shown
