"""Whether a file is a log of changes, and what in it closes a grumble or hands it over."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harken_models.sniffing import Sniffed, SniffedColumn
from harken_models.timetext import NOT_A_TIME, times_us

REPEATS = 1.5
"""Rows a grumble, from which on a file is taken for a log."""
_CLOSED = re.compile(
    r"\b(?:close[ds]?|cancel\w*|resolved?|complete[ds]?|done|finished)\b|关闭|完结|办结|归档|撤销",
    re.IGNORECASE,
)
_STATE = re.compile(r"stat(?:e|us)|lifecycle|phase|状态|环节", re.IGNORECASE)
_HANDS = (
    re.compile(r"resource|agent|owner|handler|operator|assigned?_?to|处理人|坐席|受理人", re.I),
    re.compile(r"group|team|queue|department|部门|班组", re.I),
)
_MANY = 0.3
"""The most of the grumbles that a drafted ``reaches`` is to be true of."""


@dataclass(frozen=True, slots=True)
class LogGuess:
    """``case`` names the grumble, ``time`` the event; ``closed``: column and texts of a closed
    state; ``hands``: the column of who has it; ``reaches``: how many hand-overs few come to, and
    how many grumbles do, of how many."""

    case: str
    time: SniffedColumn
    closed: tuple[str, tuple[str, ...]] | None = None
    hands: str | None = None
    reaches: tuple[int, int, int] | None = None


def find_log(
    sniffed: Sniffed, case: str | None, time: str | None, customers: re.Pattern[str]
) -> LogGuess | None:
    """The log that the file is, None if a row is a grumble.

    It is one if ``case`` is named and repeats, or if no column tells every row apart, one that
    names things repeats, and a time changes within it. ``customers``: names that are never it.
    """
    candidates = [sniffed.column(case)] if case is not None else _cases(sniffed, customers)
    for candidate in candidates:
        if sniffed.rows < REPEATS * max(candidate.distinct, 1):
            continue
        groups = codes(sniffed.frame[candidate.name])
        times = [sniffed.column(time)] if time is not None else list(_times(sniffed))
        shares = {column.name: changing(sniffed.frame[column.name], groups) for column in times}
        times = [column for column in times if shares[column.name] >= 0.5]
        if not times:
            continue
        event = max(times, key=lambda column: shares[column.name])
        return _described(sniffed, candidate.name, groups, event)
    return None


def codes(column: pd.Series) -> np.ndarray:
    """Whole numbers for the distinct values of a column, -1 where there is none."""
    return np.asarray(pd.factorize(column.replace("", None))[0])


def changing(column: pd.Series, groups: np.ndarray) -> float:
    """The share of the groups of several rows in which a column has more than one value."""
    pairs = pd.DataFrame({"group": groups, "value": pd.factorize(column)[0]})
    pairs = pairs[pairs["group"] >= 0]
    several = pairs["group"].value_counts() > 1
    values = pairs.drop_duplicates()["group"].value_counts()
    return float((values[several[several].index] > 1).mean()) if several.any() else 0.0


def column_times(frame: pd.DataFrame, column: SniffedColumn) -> np.ndarray:
    """The times of a column in microseconds, without regard to the zone."""
    texts = frame[column.name]
    if not pd.api.types.is_datetime64_any_dtype(texts.dtype):
        texts = texts.map(lambda value: value.strip() if isinstance(value, str) else value)
    return times_us(texts, column.formats, "UTC")


def _cases(sniffed: Sniffed, customers: re.Pattern[str]) -> list[SniffedColumn]:
    ids = [column for column in sniffed.columns if column.kind == "id"]
    if any(column.distinct >= 0.95 * sniffed.rows for column in ids):
        return []
    ids = [column for column in ids if not customers.search(column.name)]
    return sorted(ids, key=lambda column: -column.distinct)


def _times(sniffed: Sniffed) -> tuple[SniffedColumn, ...]:
    return tuple(column for column in sniffed.columns if column.kind == "time")


def _described(sniffed: Sniffed, case: str, groups: np.ndarray, event: SniffedColumn) -> LogGuess:
    frame = sniffed.frame
    known = (groups >= 0) & (column_times(frame, event) != NOT_A_TIME)
    order = np.lexsort((column_times(frame, event)[known], groups[known]))
    rows = np.flatnonzero(known)[order]
    groups = groups[rows]
    last = np.append(groups[1:] != groups[:-1], True)
    categories = [column for column in sniffed.columns if column.kind == "category"]
    hands = _hands(frame, categories, rows, groups)
    return LogGuess(
        case,
        event,
        _closed(frame, categories, rows, last),
        hands,
        None if hands is None else _reaches(frame[hands].iloc[rows], groups),
    )


def _closed(
    frame: pd.DataFrame, categories: list[SniffedColumn], rows: np.ndarray, last: np.ndarray
) -> tuple[str, tuple[str, ...]] | None:
    """The column whose words for an end stand at the ends of grumbles, and hardly before."""
    best, found = 0.3, None
    for column in sorted(categories, key=lambda one: (not _STATE.search(one.name), one.distinct)):
        texts = frame[column.name].iloc[rows].astype(str).str.strip()
        words = [word for word in texts.unique() if _CLOSED.search(word)]
        if not words:
            continue
        closed = texts.isin(words).to_numpy()
        score = float(closed[last].mean()) - float(closed[~last].mean() if (~last).any() else 0)
        if score > best:
            best, found = score, (column.name, tuple(sorted(words)))
    return found


def _hands(
    frame: pd.DataFrame, categories: list[SniffedColumn], rows: np.ndarray, groups: np.ndarray
) -> str | None:
    for pattern in _HANDS:
        for column in categories:
            moving = changing(frame[column.name].iloc[rows], groups)
            if pattern.search(column.name) and moving >= 0.1:
                return column.name
    return None


def _reaches(hands: pd.Series, groups: np.ndarray) -> tuple[int, int, int] | None:
    """The fewest hand-overs that no more than ``_MANY`` of the grumbles come to."""
    values = pd.factorize(hands.replace("", None))[0]
    told = values >= 0
    values, groups = values[told], groups[told]
    moved = (groups[1:] == groups[:-1]) & (values[1:] != values[:-1])
    counts = np.bincount(groups[1:][moved], minlength=int(groups.max(initial=0)) + 1)
    for least in range(1, 20):
        come = int((counts >= least).sum())
        if 0 < come <= _MANY * len(counts):
            return least, come, len(counts)
    return None
