"""Windowed history of a customer as of the moment each grumble is observed.

Counted are other grumbles and complaints of the same customer in ``[observe - window,
observe)``: the grumble itself and whatever happens at or after ``observe_time`` never count,
so nothing of the future leaks into training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

US_PER_DAY = 86_400_000_000
NEVER = 2**62
"""Microseconds: a time that does not come."""
WINDOW_DAYS = 90
"""No count looks further back: what grows with the length of the data says nothing of people."""

EXTENDED = (
    "grumble_count_7d",
    "complaint_count_7d",
    "same_point_count_30d",
    "open_grumble_count",
    "days_since_complaint",
    "days_since_same_point",
)
"""Attributes that ``history: extended`` adds; ``open_grumble_count`` only where a log says which
grumbles are open."""


class EventIndex:
    """Events sorted by (group, time), so that any window is two binary searches.

    Building it takes O(n log n), a count O(log n). Groups are small non-negative integers;
    an event or query of group -1 belongs to nobody.
    """

    def __init__(self, groups: np.ndarray, times_us: np.ndarray) -> None:
        known = groups >= 0
        self._times = np.unique(times_us[known])
        # A group's events have consecutive keys: group first, then the rank of the time.
        # Ranks keep the key far from the end of int64, which microseconds would not.
        self._stride = len(self._times) + 1
        ranks = np.searchsorted(self._times, times_us[known])
        self._keys = np.sort(groups[known].astype(np.int64) * self._stride + ranks)

    def count(self, groups: np.ndarray, since_us: np.ndarray, until_us: np.ndarray) -> np.ndarray:
        """Events of each group in ``[since, until)``; int64, 0 for group -1."""
        base = groups.astype(np.int64) * self._stride
        low = np.searchsorted(self._keys, base + np.searchsorted(self._times, since_us))
        high = np.searchsorted(self._keys, base + np.searchsorted(self._times, until_us))
        return np.where(groups >= 0, high - low, 0)

    def latest(
        self, groups: np.ndarray, until_us: np.ndarray, but_us: np.ndarray | None = None
    ) -> np.ndarray:
        """The time of each group's last event before ``until``; -1 where there is none.

        ``but_us`` names one event of each group, by its time, that is passed over; -1: none.
        """
        base = groups.astype(np.int64) * self._stride
        at = np.searchsorted(self._keys, base + np.searchsorted(self._times, until_us)) - 1
        if but_us is not None and len(self._keys):
            own = base + np.searchsorted(self._times, but_us)
            at = at - ((but_us >= 0) & (at >= 0) & (self._keys[np.maximum(at, 0)] == own))
        found = (groups >= 0) & (at >= 0)
        keys = self._keys[np.where(found, at, 0)] if len(self._keys) else np.zeros_like(base)
        found &= keys >= base
        times = self._times[np.where(found, keys - base, 0)] if len(self._times) else base
        return np.where(found, times, -1)

    def first(self, groups: np.ndarray, since_us: np.ndarray) -> np.ndarray:
        """The time of each group's first event at or after ``since``; NEVER if there is none."""
        base = groups.astype(np.int64) * self._stride
        at = np.searchsorted(self._keys, base + np.searchsorted(self._times, since_us))
        if not len(self._keys):
            return np.full(len(base), NEVER)
        keys = self._keys[np.minimum(at, len(self._keys) - 1)]
        found = (groups >= 0) & (at < len(self._keys)) & (keys < base + self._stride)
        return np.where(found, self._times[np.where(found, keys - base, 0)], NEVER)


class Spans(NamedTuple):
    """When grumbles were open: one row a span, a grumble by its row in the table of grumbles."""

    grumble: np.ndarray
    since_us: np.ndarray
    until_us: np.ndarray
    """``NEVER``: not closed."""


def add_history(
    frame: pd.DataFrame,
    complaints: pd.DataFrame,
    grumbles: pd.DataFrame | None = None,
    own: np.ndarray | None = None,
) -> pd.DataFrame:
    """The frame with its five history counts (float64; NaN where the customer is unknown).

    ``frame`` holds ``customer_id``, ``voice_time_us``, ``observe_time_us`` and perhaps
    ``point``; ``complaints`` holds ``customer_id`` and ``complaint_time_us``. Where the frame
    has several moments of a grumble, ``grumbles`` has each grumble once, with the same columns,
    and ``own`` says which of its rows a row of the frame belongs to.
    """
    past = _Past.of(frame, complaints, grumbles, own)
    counts: dict[str, np.ndarray] = {}
    for days in (30, 90):
        counts[f"grumble_count_{days}d"] = past.grumbled(days)
        counts[f"complaint_count_{days}d"] = past.complained(days)
    if past.same_point is not None:
        counts["same_point_count_90d"] = past.again(90)
    if "days_since_contact" not in frame:
        counts["days_since_contact"] = past.days_since_contact()
    return frame.assign(**past.of_the_known(counts))


def extended_history(
    frame: pd.DataFrame,
    complaints: pd.DataFrame,
    grumbles: pd.DataFrame | None = None,
    own: np.ndarray | None = None,
    spans: Spans | None = None,
) -> dict[str, np.ndarray]:
    """The columns that ``history: extended`` adds, of the same arguments as ``add_history``.

    Without ``spans`` nobody knows which grumbles were open, and they are not counted.
    """
    past = _Past.of(frame, complaints, grumbles, own)
    counts = {"grumble_count_7d": past.grumbled(7), "complaint_count_7d": past.complained(7)}
    if past.same_point is not None:
        counts["same_point_count_30d"] = past.again(30)
        latest = past.same_point.latest(past.pair, past.observe, past.own_pair_us)
        days = np.where(past.pair < 0, np.nan, _days(past.observe, latest))
        counts["days_since_same_point"] = days
    if spans is not None:
        counts["open_grumble_count"] = past.still_open(spans)
    last = past.complaints.latest(past.customer, past.observe)
    counts["days_since_complaint"] = _days(past.observe, last)
    return past.of_the_known(counts)


@dataclass(frozen=True, slots=True)
class _Past:
    """What is asked, row by row, and the indexes that answer."""

    customer: np.ndarray
    voice: np.ndarray
    observe: np.ndarray
    own: np.ndarray
    """The row's grumble among the indexed ones."""
    owners: np.ndarray
    """The customer of each indexed grumble."""
    voices: np.ndarray
    grumbles: EventIndex
    complaints: EventIndex
    pair: np.ndarray
    """Customer and point; -1 where either is unknown."""
    own_pair_us: np.ndarray
    """When this grumble was voiced about its present point; -1 where it was about another."""
    same_point: EventIndex | None

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        complaints: pd.DataFrame,
        grumbles: pd.DataFrame | None,
        own: np.ndarray | None,
    ) -> _Past:
        table = frame if grumbles is None else grumbles
        own = np.arange(len(frame)) if own is None else own
        owners, complainants = group_codes(table["customer_id"], complaints["customer_id"])
        voices = table["voice_time_us"].to_numpy()
        pair, own_pair_us, same_point = np.full(len(frame), -1), np.full(len(frame), -1), None
        if "point" in frame:
            now, first = group_codes(frame["point"], table["point"])
            stride = max(now.max(initial=0), first.max(initial=0)) + 1
            pair, pairs = _pairs(owners[own], now, stride), _pairs(owners, first, stride)
            own_pair_us = np.where(pair == pairs[own], voices[own], -1)
            same_point = EventIndex(pairs, voices)
        return cls(
            owners[own],
            frame["voice_time_us"].to_numpy(),
            frame["observe_time_us"].to_numpy(),
            own,
            owners,
            voices,
            EventIndex(owners, voices),
            EventIndex(complainants, complaints["complaint_time_us"].to_numpy(np.int64)),
            pair,
            own_pair_us,
            same_point,
        )

    def of_the_known(self, counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """NaN where the customer is unknown."""
        return {name: np.where(self.customer < 0, np.nan, n) for name, n in counts.items()}

    def _inside(self, days: int, time_us: np.ndarray) -> np.ndarray:
        return (time_us >= self.observe - days * US_PER_DAY) & (time_us < self.observe)

    def grumbled(self, days: int) -> np.ndarray:
        count = self.grumbles.count(self.customer, self.observe - days * US_PER_DAY, self.observe)
        return np.asarray(count - self._inside(days, self.voice))

    def complained(self, days: int) -> np.ndarray:
        since = self.observe - days * US_PER_DAY
        return self.complaints.count(self.customer, since, self.observe)

    def again(self, days: int) -> np.ndarray:
        """Grumbles about the same point; NaN where it is unknown."""
        assert self.same_point is not None, "asked only where there are points"
        count = self.same_point.count(self.pair, self.observe - days * US_PER_DAY, self.observe)
        count = count - (self._inside(days, self.own_pair_us) & (self.own_pair_us >= 0))
        return np.where(self.pair < 0, np.nan, count)

    def days_since_contact(self) -> np.ndarray:
        """Days from the customer's last grumble or complaint to this grumble's voice."""
        last = np.maximum(
            self.grumbles.latest(self.customer, self.voice),
            self.complaints.latest(self.customer, self.voice),
        )
        return _days(self.voice, last)

    def still_open(self, spans: Spans) -> np.ndarray:
        """The customer's other grumbles that stand open, opened in the last 90 days and not
        complained about since they were voiced."""
        who = self.owners[spans.grumble]
        ended = self.complaints.first(who, self.voices[spans.grumble])
        until = np.minimum(spans.until_us, spans.since_us + WINDOW_DAYS * US_PER_DAY)
        until = np.minimum(until, ended)
        some = until >= spans.since_us
        since, until, who = spans.since_us[some], until[some], who[some]
        # Opened before, less those closed before: what is left is open.
        long_ago = np.full(len(self.observe), -NEVER)
        everyone = EventIndex(who, since).count(self.customer, long_ago, self.observe)
        everyone -= EventIndex(who, until).count(self.customer, long_ago, self.observe)
        grumble = spans.grumble[some]
        mine = EventIndex(grumble, since).count(self.own, long_ago, self.observe)
        mine -= EventIndex(grumble, until).count(self.own, long_ago, self.observe)
        return np.asarray(everyone - mine)


def _pairs(customers: np.ndarray, points: np.ndarray, stride: int) -> np.ndarray:
    return np.where((customers < 0) | (points < 0), -1, customers * stride + points)


def _days(moment_us: np.ndarray, last_us: np.ndarray) -> np.ndarray:
    """Days from the last time to the moment; NaN where there is none within 90 days."""
    days = (moment_us - last_us) / US_PER_DAY
    return np.where((last_us < 0) | (days > WINDOW_DAYS), np.nan, days)


def group_codes(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The same small integer for the same id on both sides; -1 where there is no id."""
    both = pd.concat([first.astype(object), second.astype(object)], ignore_index=True)
    codes = pd.factorize(both)[0].astype(np.int64)
    return codes[: len(first)], codes[len(first) :]
