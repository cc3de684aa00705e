"""Times of any column as microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

_OFFSET = r"(?:[zZ]|(?::|T\d\d|T\d{4})\d\d(?:[.,]\d+)?\s*[+-]\d\d(?::?\d\d)?)$"
"""Z, or hours and perhaps minutes behind a time of day: the -16 of a date is none."""
NOT_A_TIME = np.iinfo(np.int64).min
"""What stands for a text that is no time (pandas' own NaT)."""


def times_us(column: pd.Series, time_format: str | None, time_zone: str) -> np.ndarray:
    """Microseconds UTC, int64, one for each row; ``NOT_A_TIME`` where there is none.

    A time without an offset is read in ``time_zone``; one that the clock shows twice (autumn)
    is the earlier, one that it skips (spring) the hour after, as Python's ``fold=0`` has it.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _microseconds(column)
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return _microseconds(_localise(column, time_zone))
    # Dates repeat a great deal, so each distinct text is parsed once.
    codes, distinct = pd.factorize(column)
    texts = pd.Series(distinct, dtype=object).astype(str)
    result = np.full(len(texts) + 1, NOT_A_TIME, dtype=np.int64)
    if time_format is not None and "%z" not in time_format:
        has_offset = np.zeros(len(texts), dtype=bool)
    elif time_format is not None:
        has_offset = np.ones(len(texts), dtype=bool)
    else:
        has_offset = texts.str.contains(_OFFSET, regex=True).to_numpy(dtype=bool)
    form = time_format or "ISO8601"
    if has_offset.any():
        aware = pd.to_datetime(texts[has_offset], utc=True, format=form, errors="coerce")
        result[:-1][has_offset] = _microseconds(aware)
    if (~has_offset).any():
        naive = pd.to_datetime(texts[~has_offset], format=form, errors="coerce")
        result[:-1][~has_offset] = _microseconds(_localise(naive, time_zone))
    return result[codes]


def _localise(column: pd.Series, time_zone: str) -> pd.Series:
    first = np.ones(len(column), dtype=bool)
    local = column.dt.tz_localize(time_zone, ambiguous=first, nonexistent=pd.Timedelta(hours=1))
    return pd.Series(local)


def _microseconds(column: pd.Series) -> np.ndarray:
    utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(utc.to_numpy(dtype="datetime64[us]").astype(np.int64))


def utc_offset_hours(time_zone: str) -> float:
    """The zone's standard offset in hours: without daylight saving."""
    zone = ZoneInfo(time_zone)
    offsets = (datetime(2024, month, 15, tzinfo=zone).utcoffset() for month in (1, 7))
    return min(offset.total_seconds() for offset in offsets if offset is not None) / 3600
