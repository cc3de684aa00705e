"""Times of whole columns as microseconds UTC, where Arrow reads them as Python does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from harken_client.requests import EPOCH

_UTC = pa.timestamp("us", "UTC")
_LOCAL = pa.timestamp("us")
# Python's datetimes end with these; a zone may move a time by a day at most.
_FIRST, _LAST = (
    (datetime(year, month, day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    for year, month, day in ((1, 1, 2), (9999, 12, 30))
)


class Instants:
    """Reads columns of times; those without an offset are in ``zone``.

    Every answer is a column of ``timestamp[us, UTC]``, or None where the cells must be read
    one by one: some are wrong, missing, written in a way that only Python reads, or lie in an
    hour that the clock skips.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = "UTC" if zone is UTC else zone.key if isinstance(zone, ZoneInfo) else None

    def of_text(self, column: Any) -> Any:
        """Of ISO 8601 texts, all with an offset or none."""
        if column.null_count or not len(column):
            return None
        for kind in (_UTC, _LOCAL):
            try:
                return self._checked(column.cast(kind))
            except pa.ArrowInvalid:
                continue
        return None

    def of_typed(self, column: Any) -> Any:
        """Of timestamps or dates."""
        kind = column.type
        if column.null_count:
            return None
        if pa.types.is_date(kind):
            return self._checked(column.cast(_LOCAL))
        if pa.types.is_timestamp(kind):
            return self._checked(column.cast(pa.timestamp("us", kind.tz and "UTC"), safe=False))
        return None

    def _checked(self, times: Any) -> Any:
        if len(times):
            ends = pc.min_max(times.cast(pa.int64()))
            if not _FIRST <= ends["min"].as_py() <= ends["max"].as_py() <= _LAST:
                return None
        if times.type.tz is not None:
            return times
        if self._zone is None:
            return None
        if self._zone == "UTC":
            return times.cast(_UTC)
        try:
            return pc.assume_timezone(times, self._zone, ambiguous="earliest").cast(_UTC)
        except pa.ArrowInvalid:  # an hour that the clock skips, or a zone unknown to Arrow
            return None
