"""Deadlines: some hours after the observation, exact to the microsecond."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

US_PER_HOUR = 3_600_000_000


@lru_cache(maxsize=4096)
def microseconds(hours: int | float | Decimal) -> int:
    """Microseconds of a rule's ``hours``, the decimal taken as it is written."""
    exact = hours if isinstance(hours, Decimal) else Decimal(str(hours))
    return int(exact * US_PER_HOUR)
