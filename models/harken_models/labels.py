"""Was a grumble followed by a complaint? Only where that can be known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from harken_models.history import EventIndex, group_codes
from harken_models.spec import ColumnLabel, ComplaintsLabel


class Outcome(NamedTuple):
    """What came of each row."""

    label: np.ndarray
    """1.0, 0.0, NaN: unknown."""
    known_us: np.ndarray
    """When it was known, whatever it is."""
    share: np.ndarray | None = None
    """What part of a complaint the row stands for; None: all rows for a whole one."""


class Complained:
    """Which complaints belong to which grumble.

    ``table`` holds each grumble once: ``customer_id``, ``voice_time_us``, and ``category`` where
    the label asks for the same; ``complaints`` holds ``customer_id``, ``complaint_time_us`` and
    perhaps ``category``. What has no category may be of any.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        complaints: pd.DataFrame,
        label: ComplaintsLabel,
        horizon_us: int,
    ) -> None:
        self.customer, who = group_codes(table["customer_id"], complaints["customer_id"])
        self.voice_us = table["voice_time_us"].to_numpy(np.int64)
        when = complaints["complaint_time_us"].to_numpy(np.int64)
        unknown = np.full(len(table), -1), np.full(len(complaints), -1)
        self._category, category = unknown
        if "category" in table and "category" in complaints:
            self._category, category = group_codes(table["category"], complaints["category"])
        self._stride = max(self._category.max(initial=-1), category.max(initial=-1)) + 2
        if label.credit == "nearest":
            blamed = self._nearest(who, category, when, horizon_us, label.same_category)
            self._asked = [(np.arange(len(table)), EventIndex(blamed, when))]
        elif label.same_category:
            # Of the grumble's category or of none; a grumble without one takes any.
            blank, unsaid = self._category < 0, category < 0
            pair, pairs = self._pair(self.customer, self._category), self._pair(who, category)
            self._asked = [
                (pair, EventIndex(pairs, when)),
                (_only(~blank, self.customer), EventIndex(_only(unsaid, who), when)),
                (_only(blank, self.customer), EventIndex(who, when)),
            ]
        else:
            self._asked = [(self.customer, EventIndex(who, when))]

    def count(self, grumble: np.ndarray, since_us: np.ndarray, until_us: np.ndarray) -> np.ndarray:
        """Complaints in ``[since, until)`` that belong to each grumble."""
        counts = [index.count(group[grumble], since_us, until_us) for group, index in self._asked]
        return np.asarray(np.sum(counts, axis=0))

    def first(self, grumble: np.ndarray, since_us: np.ndarray) -> np.ndarray:
        """The time of the first at or after ``since``; ``NEVER`` where there is none."""
        times = [index.first(group[grumble], since_us) for group, index in self._asked]
        return np.asarray(np.min(times, axis=0))

    def _pair(self, customer: np.ndarray, category: np.ndarray) -> np.ndarray:
        """The same number for the same customer and category; -1 where either is unknown."""
        unknown = (customer < 0) | (category < 0)
        return np.where(unknown, -1, customer * self._stride + category)

    def _nearest(
        self,
        who: np.ndarray,
        category: np.ndarray,
        when: np.ndarray,
        horizon_us: int,
        same_only: bool,
    ) -> np.ndarray:
        """The grumble that each complaint is put down to; -1: none.

        The customer's last one before it: of the same category if one was voiced within the
        horizon, else of any.
        """
        mine, theirs = self._pair(self.customer, self._category), self._pair(who, category)
        alike = last_before(mine, self.voice_us, theirs, when)
        other = last_before(self.customer, self.voice_us, who, when)
        if not len(self.voice_us):
            return other
        if same_only:
            # One of another category is out of the question; one of none is not.
            blank = _only(self._category < 0, self.customer)
            unsaid = last_before(blank, self.voice_us, _only(category >= 0, who), when)
            later = (unsaid >= 0) & ((alike < 0) | (self.voice_us[unsaid] > self.voice_us[alike]))
            other = np.where(category < 0, other, np.where(later, unsaid, alike))
        soon = (alike >= 0) & (when - self.voice_us[alike] <= horizon_us)
        return np.where(soon, alike, other)


def complaint_outcome(
    complained: Complained,
    credit: str,
    grumble: np.ndarray,
    observe_us: np.ndarray,
    horizon_us: int,
    end_us: int,
) -> Outcome:
    """The outcome of grumbles at their moments.

    1.0: a complaint of theirs in ``(observe, observe + horizon]``. NaN (left out): the horizon
    had not passed when the data ends, the customer is unknown, or the grumble had already become
    a complaint, one made in ``[voice, observe]``: nothing is left to predict. Complaints that
    came soon are not known sooner: to learn from them first would lift the base rate.
    """
    # Whole microseconds: (a, b] is [a + 1, b + 1).
    followed = complained.count(grumble, observe_us + 1, observe_us + horizon_us + 1) > 0
    already = complained.count(grumble, complained.voice_us[grumble], observe_us + 1) > 0
    customer = complained.customer[grumble]
    known = (customer >= 0) & (observe_us + horizon_us <= end_us) & ~already
    label = np.where(known, followed.astype(np.float64), np.nan)
    share = None
    if credit == "shared":
        share = np.ones(len(label))
        rows = np.flatnonzero(label == 1.0)
        cause = complained.first(grumble[rows], observe_us[rows] + 1)
        share[rows] = _shares(customer[rows], cause, grumble[rows])
    return Outcome(label, observe_us + horizon_us, share)


def complaint_labels(
    frame: pd.DataFrame, complaints: pd.DataFrame, horizon_us: int, end_us: int
) -> np.ndarray:
    """1.0, 0.0 or NaN for each grumble of a frame with one moment a grumble."""
    every = ComplaintsLabel("")
    complained = Complained(frame, complaints, every, horizon_us)
    observe_us = frame["observe_time_us"].to_numpy(np.int64)
    grumble = np.arange(len(frame))
    return complaint_outcome(complained, "all", grumble, observe_us, horizon_us, end_us).label


def column_label(label: ColumnLabel, texts: np.ndarray) -> np.ndarray:
    """1.0, 0.0 or NaN for each text of the label's column (None: blank)."""
    blank = 0.0 if label.blank_is == "negative" else np.nan
    missing, known = pd.isna(texts), pd.Series(texts, dtype=object)
    result = np.where(missing, blank, np.where(known.isin(label.positive), 1.0, 0.0))
    if label.negative:
        stray = ~missing & ~known.isin([*label.positive, *label.negative]).to_numpy()
        result = np.where(stray, np.nan, result)
    return np.asarray(result, dtype=np.float64)


def last_before(
    owners: np.ndarray, times_us: np.ndarray, who: np.ndarray, when_us: np.ndarray
) -> np.ndarray:
    """For each (who, when) the place of the owner's last time up to and at it; -1: none."""
    distinct = np.unique(times_us)
    stride = len(distinct) + 1
    order = np.lexsort((times_us, owners))
    keys = owners[order] * stride + np.searchsorted(distinct, times_us[order])
    place = np.searchsorted(keys, who * stride + np.searchsorted(distinct, when_us, "right")) - 1
    if not len(order):
        return np.full(len(who), -1)
    found = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (who >= 0) & (owners[found] == who), found, -1)


def _only(some: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return np.where(some, groups, -1)


def _shares(customer: np.ndarray, cause_us: np.ndarray, grumble: np.ndarray) -> np.ndarray:
    """One over the number of grumbles that a row's complaint makes positive."""
    causes = np.unique(np.stack([customer, cause_us]), axis=1, return_inverse=True)[1].ravel()
    pairs = np.unique(np.stack([causes, grumble]), axis=1)
    grumbles = np.bincount(pairs[0].astype(np.int64), minlength=causes.max(initial=-1) + 1)
    return np.asarray(1.0 / grumbles[causes])
