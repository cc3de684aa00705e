"""How features are computed from fields.

Every formula is written once, with operators that mean the same IEEE operation for a Python
number and for a numpy column, so one row and a million rows give identical bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

US_PER_HOUR = 3_600_000_000
US_PER_DAY = 86_400_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def open_hours(observe_us: Any, voice_us: Any, _offset_us: int) -> Any:
    """Hours from voice to observation."""
    return (observe_us - voice_us) / US_PER_HOUR


def hour_of_day(voice_us: Any, offset_us: int) -> Any:
    """0 to 23, by the operator's standard time."""
    return (voice_us + offset_us) // US_PER_HOUR % 24


def day_of_week(voice_us: Any, offset_us: int) -> Any:
    """0 (Monday) to 6; 1970-01-01 was a Thursday."""
    return ((voice_us + offset_us) // US_PER_DAY + 3) % 7


def total(first: Any, second: Any, _offset_us: int) -> Any:
    """The sum of two counts; missing if either is."""
    return first + second


def share(some: Any, others: Any, _offset_us: int) -> Any:
    """What share ``some`` are of both counts together; missing where both are none."""
    with np.errstate(over="ignore"):
        return part(some, some + others, _offset_us)


def part(some: Any, every: Any, _offset_us: int) -> Any:
    """What share ``some`` are of ``every``; missing where there are none."""
    if isinstance(every, np.ndarray):
        result = np.full(every.shape, math.nan)
        with np.errstate(over="ignore", invalid="ignore"):  # as quietly as Python divides
            return np.divide(some, every, out=result, where=every != 0)
    return some / every if every else math.nan


COPY = "copy"
"""The formula of a feature that is its only input."""

JOINT = "joint"
"""The formula of a category made of two codes, ``point|segment`` for example."""

FORMULAS: Mapping[str, Callable[..., Any]] = {
    "open_hours": open_hours,
    "hour_of_day": hour_of_day,
    "day_of_week": day_of_week,
    "total": total,
    "share": share,
    "part": part,
}
