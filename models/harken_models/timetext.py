"""Times of any column as microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

_OFFSET = r"(?:[zZ]|(?::|T\d\d|T\d{4})\d\d(?:[.,]\d+)?\s*[+-]\d\d(?::?\d\d)?)$"
"""Z, or hours and perhaps minutes behind a time of day: the -16 of a date is none."""
ISO = "ISO8601"
"""The format of texts like 2014-10-16T09:30:00+08:00, with or without time and offset."""
NOT_A_TIME = np.iinfo(np.int64).min
"""What stands for a text that is no time (pandas' own NaT)."""


def times_us(column: pd.Series, formats: str | Sequence[str] | None, time_zone: str) -> np.ndarray:
    """Microseconds UTC, int64, one for each row; ``NOT_A_TIME`` where there is none.

    ``formats``: strptime formats, each tried on the texts that those before it cannot read; none:
    ISO 8601. Times that a file holds as such (Parquet, Excel) need none.

    A time without an offset is read in ``time_zone``; one that the clock shows twice (autumn)
    is the earlier, one that it skips (spring) the hour after, as Python's ``fold=0`` has it.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _microseconds(column)
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return _microseconds(_localise(column, time_zone))
    # Dates repeat a great deal, so each distinct text is parsed once.
    codes, distinct = pd.factorize(column)
    values = np.asarray(distinct, dtype=object)
    result = np.full(len(values) + 1, NOT_A_TIME, dtype=np.int64)
    # An Excel column may hold texts among its times.
    stamps = np.array([isinstance(value, datetime) for value in values], dtype=bool)
    if stamps.any():
        result[:-1][stamps] = _stamps_us(values[stamps], time_zone)
    texts = pd.Series([_text(value) for value in values], dtype=object)
    wanted = (formats,) if isinstance(formats, str) else formats or (ISO,)
    for form in wanted:
        left = np.flatnonzero((result[:-1] == NOT_A_TIME) & ~stamps)
        if not len(left):
            break
        result[left] = _parsed_us(texts.iloc[left], form, time_zone)
    return result[codes]


def _parsed_us(texts: pd.Series, form: str, time_zone: str) -> np.ndarray:
    result = np.full(len(texts), NOT_A_TIME, dtype=np.int64)
    if form == ISO:
        has_offset = texts.str.contains(_OFFSET, regex=True).to_numpy(dtype=bool)
    else:
        has_offset = np.full(len(texts), "%z" in form)
    if has_offset.any():
        aware = pd.to_datetime(texts[has_offset], utc=True, format=form, errors="coerce")
        result[has_offset] = _microseconds(aware)
    if (~has_offset).any():
        naive = pd.to_datetime(texts[~has_offset], format=form, errors="coerce")
        result[~has_offset] = _microseconds(_localise(naive, time_zone))
    return result


def _stamps_us(stamps: np.ndarray, time_zone: str) -> np.ndarray:
    """Excel's own times, which have no offset."""
    naive = pd.to_datetime(pd.Series(stamps), errors="coerce")
    return _microseconds(_localise(naive, time_zone))


def _text(value: object) -> str:
    """20140116.0 is the date 20140116 that a column with gaps has made a fraction of."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


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
