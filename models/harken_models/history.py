"""Windowed history of a customer as of the moment each grumble is observed.

Counted are other grumbles and complaints of the same customer in ``[observe - window,
observe)``: the grumble itself and whatever happens at or after ``observe_time`` never count,
so nothing of the future leaks into training.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

US_PER_DAY = 86_400_000_000


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

    def latest(self, groups: np.ndarray, until_us: np.ndarray) -> np.ndarray:
        """The time of each group's last event before ``until``; -1 where there is none."""
        base = groups.astype(np.int64) * self._stride
        at = np.searchsorted(self._keys, base + np.searchsorted(self._times, until_us)) - 1
        found = (groups >= 0) & (at >= 0)
        keys = self._keys[np.where(found, at, 0)] if len(self._keys) else np.zeros_like(base)
        found &= keys >= base
        times = self._times[np.where(found, keys - base, 0)] if len(self._times) else base
        return np.where(found, times, -1)


def add_history(frame: pd.DataFrame, complaints: pd.DataFrame) -> pd.DataFrame:
    """The frame with its five history counts (float64; NaN where the customer is unknown).

    ``frame`` holds ``customer_id``, ``voice_time_us``, ``observe_time_us`` and perhaps
    ``point``; ``complaints`` holds ``customer_id`` and ``complaint_time_us``.
    """
    customers, complainants = group_codes(frame["customer_id"], complaints["customer_id"])
    voice = frame["voice_time_us"].to_numpy()
    observe = frame["observe_time_us"].to_numpy()
    unknown = customers < 0
    grumbles = EventIndex(customers, voice)
    complained = EventIndex(complainants, complaints["complaint_time_us"].to_numpy(np.int64))
    counts: dict[str, np.ndarray] = {}
    for days in (30, 90):
        since = observe - days * US_PER_DAY
        own = (voice >= since) & (voice < observe)
        counts[f"grumble_count_{days}d"] = grumbles.count(customers, since, observe) - own
        counts[f"complaint_count_{days}d"] = complained.count(customers, since, observe)
    if "point" in frame:
        points = pd.factorize(frame["point"])[0].astype(np.int64)
        both = np.where(
            (points < 0) | unknown, -1, customers * (points.max(initial=0) + 1) + points
        )
        pairs = pd.factorize(np.where(both < 0, np.nan, both))[0].astype(np.int64)
        since = observe - 90 * US_PER_DAY
        own = (voice >= since) & (voice < observe)
        same = EventIndex(pairs, voice).count(pairs, since, observe) - own
        counts["same_point_count_90d"] = np.where(pairs < 0, np.nan, same)
    if "days_since_contact" not in frame:
        counts["days_since_contact"] = _days_since(grumbles, complained, customers, voice)
    columns = {name: np.where(unknown, np.nan, count) for name, count in counts.items()}
    return frame.assign(**columns)


def _days_since(
    grumbles: EventIndex, complaints: EventIndex, customers: np.ndarray, voice: np.ndarray
) -> np.ndarray:
    """Days from the customer's last grumble or complaint to this grumble's voice.

    NaN where there is none within 90 days: like the counts, it never looks further back.
    """
    last = np.maximum(grumbles.latest(customers, voice), complaints.latest(customers, voice))
    days = (voice - last) / US_PER_DAY
    return np.where((last < 0) | (days > 90), np.nan, days)


def group_codes(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The same small integer for the same id on both sides; -1 where there is no id."""
    both = pd.concat([first.astype(object), second.astype(object)], ignore_index=True)
    codes = pd.factorize(both)[0].astype(np.int64)
    return codes[: len(first)], codes[len(first) :]
