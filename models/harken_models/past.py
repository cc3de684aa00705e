"""A customer's and a grumble's past as fields of a request: for the system that asks.

Plain Python without pandas, for one grumble at one moment. ``history`` and ``running`` compute
the same for whole tables at training; both give the same bits, and the tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harken_models.spec import Running

US_PER_HOUR = 3_600_000_000
US_PER_DAY = 86_400_000_000
_WINDOW_DAYS = 90

_NEVER = 2**62


class PastGrumble(NamedTuple):
    """Another grumble of the same customer; all times in microseconds UTC.

    ``open_spans`` are the times from which and until which it was open, until None where it
    still is; None alone: from its voice on.
    """

    voice_us: int
    point: str | None = None
    open_spans: Sequence[tuple[int, int | None]] | None = None


def past_of(
    grumbles: Sequence[PastGrumble],
    complaints: Sequence[int],
    voice_us: int,
    observe_us: int,
    point: str | None,
    extended: bool,
) -> dict[str, float | None]:
    """The history of a grumble's customer, as of ``observe_us``.

    ``grumbles`` are the customer's others (this one left out), ``complaints`` the times of the
    customer's complaints. What happened at or after ``observe_us`` does not count, wherever it
    stands in the lists. The names are core fields, and with ``extended`` the attributes of
    ``history: extended`` too; None is missing.
    """
    earlier = [g for g in grumbles if g.voice_us < observe_us]
    complained = [t for t in complaints if t < observe_us]
    same = [g.voice_us for g in earlier if g.point == point]
    result: dict[str, float | None] = {}
    for days in (30, 90):
        since = observe_us - days * US_PER_DAY
        result[f"grumble_count_{days}d"] = _since((g.voice_us for g in earlier), since)
        result[f"complaint_count_{days}d"] = _since(complained, since)
    since = observe_us - 90 * US_PER_DAY
    result["same_point_count_90d"] = None if point is None else _since(same, since)
    before = [t for t in (*(g.voice_us for g in earlier), *complained) if t < voice_us]
    result["days_since_contact"] = _days_since(before, voice_us)
    if not extended:
        return result
    week, month = observe_us - 7 * US_PER_DAY, observe_us - 30 * US_PER_DAY
    result["grumble_count_7d"] = _since((g.voice_us for g in earlier), week)
    result["complaint_count_7d"] = _since(complained, week)
    result["same_point_count_30d"] = None if point is None else _since(same, month)
    result["open_grumble_count"] = float(sum(_is_open(g, complained, observe_us) for g in earlier))
    result["days_since_complaint"] = _days_since(complained, observe_us)
    result["days_since_same_point"] = None if point is None else _days_since(same, observe_us)
    return result


def running_of(
    events: Sequence[tuple[int, Mapping[str, str]]],
    running: Mapping[str, Running],
    observe_us: int,
) -> dict[str, float | None]:
    """Running attributes of one grumble, counted over its events up to and at ``observe_us``.

    ``events`` are (microseconds UTC, texts by column); of events at one instant the order is
    that in which they came. A column that is absent or empty is missing.
    """
    known = sorted((e for e in events if e[0] <= observe_us), key=lambda event: event[0])
    result: dict[str, float | None] = {}
    for name, how in running.items():
        counted = _counted(known, how)
        if how.kind == "hours_since":
            hours = (observe_us - counted[-1]) / US_PER_HOUR if counted else None
            result[name] = hours
        else:
            result[name] = float(len(counted))
    return result


def _since(times: Iterable[int], since_us: int) -> float:
    return float(sum(time >= since_us for time in times))


def _days_since(times: Sequence[int], moment_us: int) -> float | None:
    """Days from the last of the times; None where there is none within 90 days."""
    if not times:
        return None
    days = (moment_us - max(times)) / US_PER_DAY
    return None if days > _WINDOW_DAYS else days


def _is_open(grumble: PastGrumble, complaints: Sequence[int], moment_us: int) -> bool:
    """Opened (or opened again) within 90 days before the moment, neither closed nor complained
    about since."""
    spans = grumble.open_spans
    ended = min((t for t in complaints if t >= grumble.voice_us), default=_NEVER)
    for since, until in ((grumble.voice_us, None),) if spans is None else spans:
        end = min(_NEVER if until is None else until, ended)
        if moment_us - _WINDOW_DAYS * US_PER_DAY <= since < moment_us <= end:
            return True
    return False


def _counted(events: Sequence[tuple[int, Mapping[str, str]]], how: Running) -> list[int]:
    """The times of the events that a running attribute counts."""
    if how.column is None:
        return [time for time, _ in events]
    counted: list[int] = []
    seen: set[str] = set()
    before, away = None, False
    for time, texts in events:
        value = texts.get(how.column)
        if not value:
            continue
        if how.kind == "distinct":
            hit = value not in seen
        elif how.kind == "changes":
            hit = before is not None and value != before
        else:
            hit = value in how.values and (away or how.kind != "returns")
            if value in how.values or value in how.after:
                away = value in how.after
        if hit:
            counted.append(time)
        seen.add(value)
        before = value
    return counted
