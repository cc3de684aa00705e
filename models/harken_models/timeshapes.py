"""How a column's texts write times: strptime formats, and which of day and month comes first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from harken_models.timetext import ISO

_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_LONG = "(?:january|february|march|april|june|july|august|september|october|november|december)"
_DATES = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
    (r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", "%Y%m%d"),
    (rf"\d{{1,2}}-{_MONTHS}-\d{{4}}", "%d-%b-%Y"),
    (rf"\d{{1,2}}-{_MONTHS}-\d{{2}}", "%d-%b-%y"),
    (rf"\d{{1,2}} {_MONTHS} \d{{4}}", "%d %b %Y"),
    (rf"\d{{1,2}} {_LONG} \d{{4}}", "%d %B %Y"),
    (rf"{_MONTHS} \d{{1,2}}, \d{{4}}", "%b %d, %Y"),
    (rf"{_LONG} \d{{1,2}}, \d{{4}}", "%B %d, %Y"),
)
_TIMES = (
    ("", ""),
    (r"\d{1,2}:\d{2} ?[ap]m", "%I:%M{space}%p"),
    (r"\d{1,2}:\d{2}:\d{2} ?[ap]m", "%I:%M:%S{space}%p"),
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    (r"\d{1,2}:\d{2}:\d{2}\.\d{1,9}", "%H:%M:%S.%f"),
    (r"\d{1,2}时\d{1,2}分", "%H时%M分"),
    (r"\d{1,2}时\d{1,2}分\d{1,2}秒", "%H时%M分%S秒"),
    (r"\d{6}", "%H%M%S"),
)
_TIMES_READ = tuple((re.compile(pattern, re.IGNORECASE), form) for pattern, form in _TIMES)
_DATES_READ = tuple((re.compile(pattern, re.IGNORECASE), form) for pattern, form in _DATES)
_PARTED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_BETWEEN = re.compile(r"T|, |  ?|(?=$)|(?=\d{6}$)")
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})"
_ZONE = re.compile(rf"(.*\d)( ?){_OFFSET}$")
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
    rf"(?: ?{_OFFSET})?)?"
)
DAY_FIRST, MONTH_FIRST = "%d{0}%m{0}", "%m{0}%d{0}"


@dataclass(frozen=True, slots=True)
class TimeShapes:
    """How many texts are written each way, by strptime format (``ISO8601`` for ISO 8601 itself).

    ``other``: texts that are no times. ``unsettled``: formats whose day and month could as well
    be the other way round, as nothing shows which is which; they are given day first.
    """

    counts: dict[str, int]
    other: int
    unsettled: tuple[str, ...]


def time_shapes(texts: Iterable[str]) -> TimeShapes:
    """The formats of texts."""
    plain: dict[str, int] = {}
    parted: dict[tuple[str, str], list[int]] = {}
    other = 0
    for text in texts:
        found = _parted_shape(text)
        if found is not None:
            mark, rest, first, second = found
            kept = parted.setdefault((mark, rest), [0, 0, 0])
            kept[1 if first > 12 else 2 if second > 12 else 0] += 1
            continue
        shape = _shape(text)
        if shape is None:
            other += 1
        else:
            plain[shape] = plain.get(shape, 0) + 1
    unsettled = []
    settled = _settled(parted)
    for (mark, rest), (either, day, month) in parted.items():
        ways = [order for order, sure in ((DAY_FIRST, day), (MONTH_FIRST, month)) if sure]
        if not ways:
            way = settled.get(mark)
            ways = [way or DAY_FIRST]
            if way is None:
                unsettled.append(DAY_FIRST.format(mark) + rest)
        for order in ways:
            sure = day if order == DAY_FIRST else month
            shape = order.format(mark) + rest
            plain[shape] = plain.get(shape, 0) + sure + (either if order == ways[0] else 0)
    return TimeShapes(plain, other, tuple(unsettled))


def formats_of(texts: Iterable[str]) -> dict[str, int]:
    """How many of the texts are times in each format; a text that is none is left out."""
    return time_shapes(texts).counts


def swapped(form: str) -> str:
    """The same format with day and month the other way round."""
    return form.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _settled(parted: dict[tuple[str, str], list[int]]) -> dict[str, str]:
    """By its mark, the order that longer or shorter times of the same column show."""
    found: dict[str, str] = {}
    for (mark, _), (_, day, month) in parted.items():
        if bool(day) != bool(month):
            found[mark] = DAY_FIRST if day else MONTH_FIRST
    return found


def _parted_shape(text: str) -> tuple[str, str, int, int] | None:
    """Of 16/10/2014 9:30: the mark, the format from the year on, and the first two numbers."""
    found = _PARTED.match(text)
    if found is None:
        return None
    first, second = int(found[1]), int(found[3])
    rest = _rest(text[found.end() :])
    if rest is None or not (0 < first <= 31 and 0 < second <= 31) or min(first, second) > 12:
        return None
    return found[2], ("%Y" if len(found[4]) == 4 else "%y") + rest, first, second


def _shape(text: str) -> str | None:
    if _ISO.fullmatch(text):
        return ISO
    for pattern, form in _DATES_READ:
        found = pattern.match(text)
        if found is not None:
            rest = _rest(text[found.end() :])
            if rest is not None:
                return form + rest
    return None


@lru_cache(maxsize=65_536)
def _rest(text: str) -> str | None:
    """The format of what follows a date; None if it is no time of day."""
    zone = _ZONE.fullmatch(text)
    if zone is not None:
        inner = _rest(zone[1])
        return None if not inner else f"{inner}{zone[2]}%z"
    between = _BETWEEN.match(text)
    if between is None:
        return None
    clock = text[between.end() :]
    for pattern, form in _TIMES_READ:
        if pattern.fullmatch(clock):
            space = " " if " " in clock else ""
            return between[0] + form.format(space=space)
    return None
