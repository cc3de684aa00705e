"""Deadlines: some hours after the observation, exact to the microsecond."""

from __future__ import annotations

from decimal import Decimal

from harken_server.kept import Kept

US_PER_HOUR = 3_600_000_000


def _exactly(hours: object) -> int:
    exact = hours if isinstance(hours, Decimal) else Decimal(str(hours))
    return int(exact * US_PER_HOUR)


microseconds = Kept(_exactly)
"""Microseconds of a rule's hours, the decimal taken as it is written."""
