"""Values that cannot be read, and columns that hold things of two kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from harken_models.check.dates import ways_of
from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Severity
from harken_models.check.look import Look
from harken_models.check.sources import Source
from harken_models.timetext import NOT_A_TIME
from harken_models.typedrows import BadRow

_ORDER = ("is before", "is after")
"""How the reasons of bad rows begin whose times contradict each other."""
_BAD_SHARE = 0.01
_STRAYS = 3


def bad_values(look: Look) -> Iterator[Finding]:
    """Values that do not fit their field; their rows are left out of everything."""
    for field, reason, bad_rows, total in _faults(look):
        if reason.startswith(_ORDER):
            continue
        texts = Counter(bad.value for bad in bad_rows)
        share = len(bad_rows) / total
        figures = {
            "field": field,
            "reason": reason,
            "share": share,
            "first_rows": [bad.row for bad in bad_rows[:5]],
            "texts": [text for text, _ in texts.most_common(5)],
        }
        severity: Severity = "error" if share > _BAD_SHARE else "warning"
        wording = "" if any(texts) else "bad-values/missing"
        column = look.column_of(field)
        yield Finding("bad-values", severity, column, len(bad_rows), figures, wording)


def impossible_order(look: Look) -> Iterator[Finding]:
    """Rows whose times contradict each other."""
    for field, reason, bad_rows, total in _faults(look):
        if reason.startswith(_ORDER):
            rows = [bad.row for bad in bad_rows]
            yield _contradiction(look, field, reason, rows, total)
    closed = next((one for one in look.sources if one.name == "closed_time"), None)
    times = None if closed is None else look.times_of(closed)
    if closed is not None and times is not None:
        place = look.frame["_raw"].to_numpy()[look.first]
        then, voiced = times[place], look.frame["voice_time_us"].to_numpy()[look.first]
        early = np.flatnonzero((then != NOT_A_TIME) & (then < voiced))
        if len(early):
            rows = [int(row) + 1 for row in place[early]]
            yield _contradiction(look, "closed_time", "is before voice_time", rows, len(place))


def _contradiction(look: Look, field: str, reason: str, rows: list[int], total: int) -> Finding:
    share = len(rows) / total
    figures = {"field": field, "reason": reason, "share": share, "first_rows": rows[:5]}
    severity: Severity = "error" if share > _BAD_SHARE else "warning"
    return Finding("impossible-order", severity, look.column_of(field), len(rows), figures)


def _faults(look: Look) -> Iterator[tuple[str, str, list[BadRow], int]]:
    """Bad rows of one field and reason, and how many rows their table has."""
    faults: dict[tuple[str, str, str], list[BadRow]] = {}
    for bad in look.dataset.bad_rows:
        faults.setdefault((bad.table, bad.field, bad.reason), []).append(bad)
    for (name, field, reason), bad_rows in faults.items():
        table = look.raw.tables.others.get(name, look.main)
        yield field, reason, bad_rows, max(len(table), 1)


def mixed_types(look: Look) -> Iterator[Finding]:
    """Numbers among words in one column."""
    seen: set[str] = set()
    for source in look.sources:
        if source.column in seen or source.kind not in ("number", "category"):
            continue
        seen.add(source.column)
        found = _numbers_with_words(source) if source.kind == "number" else _words_with(source)
        if found is not None:
            yield found


def _numbers_with_words(source: Source) -> Finding | None:
    words, counts = source.texts
    if not len(words):
        return None
    numbers = _are_numbers(words, source)
    total, odd = int(counts.sum()), int(counts[~numbers].sum())
    if not odd or odd > 0.5 * total:  # not a number column at all: bad-values says it
        return None
    return _mixed(source, words[~numbers], counts[~numbers], odd, total, "mixed-types/number")


def _words_with(source: Source) -> Finding | None:
    """Words without any digit beside numbers, and many of either: that is no list of codes."""
    words, counts = source.texts
    if not len(words) or source.spec.map is not None:
        return None
    numbers = _are_numbers(words, source)
    plain = ~numbers & ~np.array([any(map(str.isdigit, word)) for word in words], dtype=bool)
    total, odd = int(counts.sum()), int(counts[numbers].sum())
    lists = plain.sum() >= 10 or (numbers.sum() >= 10 and plain.sum() >= 2)
    if not lists or not 0.05 * total <= odd <= 0.95 * total or counts[plain].sum() < 0.05 * total:
        return None
    return _mixed(source, words[numbers], counts[numbers], odd, total, "mixed-types/category")


def _mixed(
    source: Source, words: np.ndarray, counts: np.ndarray, odd: int, total: int, wording: str
) -> Finding:
    commonest = words[np.argsort(-counts, kind="stable")[:5]]
    figures = {"field": source.name, "share": odd / total, "texts": list(commonest)}
    return Finding("mixed-types", "warning", source.column, odd, figures, wording)


def _are_numbers(words: np.ndarray, source: Source) -> np.ndarray:
    text = pd.Series(words, dtype=object).astype(str)
    if source.written.thousands:
        text = text.str.replace(source.written.thousands, "", regex=False)
    if source.written.decimal != ".":
        text = text.str.replace(source.written.decimal, ".", regex=False)
    values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    return np.asarray(np.isfinite(values))


def two_date_formats(look: Look) -> Iterator[Finding]:
    """Dates written in two ways in one column, or in a way that can be read in two."""
    seen: set[str] = set()
    unread = {row.field for row in look.dataset.bad_rows}
    for source in look.sources:
        if source.kind != "time" or source.column in seen:
            continue
        seen.add(source.column)
        words, counts = source.texts
        # A time of day that is left out here and there is no matter as long as all can be read.
        ways, ambiguous = ways_of(list(words), hours=source.name in unread)
        # One stray text is a slip, which bad-values names.
        common = {way: n for way, n in ways.items() if n >= max(_STRAYS, len(words) / 2000)}
        ranked = sorted(common.items(), key=lambda item: (-item[1], item[0]))
        figures = {"field": source.name, "ways": dict(ranked)}
        if len(ranked) > 1 and not _declared(source, look, len(ranked)):
            odd = sum(n for _, n in ranked[1:])
            yield Finding("two-date-formats", "error", source.column, odd, figures)
        elif ambiguous:
            rows, wording = int(counts.sum()), "two-date-formats/ambiguous"
            yield Finding("two-date-formats", "note", source.column, rows, figures, wording)


def _declared(source: Source, look: Look, ways: int) -> bool:
    """Whether the specification names a format for each way, and they all read."""
    bad = any(row.field == source.name for row in look.dataset.bad_rows)
    return len(look.spec.formats_of(source.spec)) >= ways and not bad


_KINDS = frozenset({"mixed-types", "two-date-formats"})
DETECTORS = (
    Detector("two-date-formats", two_date_formats),
    Detector("mixed-types", mixed_types),
    Detector("bad-values", bad_values, _KINDS),
    Detector("impossible-order", impossible_order, _KINDS, in_time=True),
)
