"""Each grumble once, with the log of what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harken_models.columns import Converted
from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.events import Log, closed_times, event_spec, is_time, read_times
from harken_models.history import NEVER, Spans
from harken_models.spec import ATTRIBUTE_PREFIX, AttributeField, DatasetSpec, FieldSpec
from harken_models.tables import Tables
from harken_models.timetext import NOT_A_TIME
from harken_models.typedrows import (
    BadRow,
    as_columns,
    bad_rows,
    convert,
    object_column,
    read_attribute,
    read_field,
)


@dataclass(frozen=True, slots=True)
class Cases:
    """Grumbles and their log.

    ``table`` has a row for each grumble, typed, as it stood when it was first known: its index
    is the row of the main table, ``observe_time_us`` the first moment at which it is scored.
    ``code`` is its number in the log, ``closed_us`` when the main table says that it was closed
    (NOT_A_TIME: it does not say).
    """

    table: pd.DataFrame
    code: np.ndarray
    log: Log
    closed_us: np.ndarray
    bad: list[BadRow]
    by_event: pd.DataFrame | None
    """The main table is the log: its typed rows, in the order of the log."""
    values: Mapping[str, np.ndarray]
    """A log of its own: the columns it gives, in its order."""

    def at(self, grumble: np.ndarray, moment_us: np.ndarray, place: np.ndarray) -> pd.DataFrame:
        """The typed row of grumbles at moments, as known then; the index is the main table's.

        ``place`` is each one's last event up to its moment.
        """
        columns = {"voice_time_us": self.voice_us[grumble], "observe_time_us": moment_us}
        if self.by_event is not None:
            frame = self.by_event.iloc[place]
            # Who grumbled does not change, whatever a later row says.
            lasting = [name for name in ("grumble_id", "customer_id") if name in self.table]
            columns |= {name: self.table[name].to_numpy()[grumble] for name in lasting}
        else:
            frame = self.table.iloc[grumble]
            columns |= {key: _as_of(column, place) for key, column in self.values.items()}
        return frame.assign(**as_columns(columns, frame.index))

    @property
    def voice_us(self) -> np.ndarray:
        return self.table["voice_time_us"].to_numpy(np.int64)

    def place(self, grumble: np.ndarray, moment_us: np.ndarray) -> np.ndarray:
        """Each one's last event up to and at its moment; -1 where there is none."""
        return self.log.last(self.code[grumble], moment_us)

    def is_open(self, grumble: np.ndarray, moment_us: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Which grumbles stand open at their moment, as far as the log tells."""
        shut = self.closed_us[grumble]
        open_then = ~is_time(shut) | (moment_us < shut)
        if len(self.log):
            open_then &= (place < 0) | ~self.log.closing[place]
        return np.asarray(open_then)

    def ended_us(self, end_us: int) -> np.ndarray:
        """When each grumble was closed for good, as seen at the end of the data; NOT_A_TIME: it
        was not. This is about the outcome: no moment before it may know of it."""
        ended = np.where(self.closed_us <= end_us, self.closed_us, NOT_A_TIME)
        final = self.log.start[self.code + 1] - 1
        some = final >= self.log.start[self.code]
        if some.any():
            final = np.where(some, final, 0)
            closed = some & self.log.closing[final] & ~is_time(ended)
            ended = np.where(closed, self.log.time_us[final], ended)
        return ended

    def spans(self) -> Spans:
        """When each grumble was open."""
        log, count = self.log, len(self.table)
        # Duplicates of an id share a log; its spans are told of the first of them.
        owner = np.full(log.cases, -1)
        owner[self.code[::-1]] = np.arange(count)[::-1]
        stands = np.flatnonzero(log.stands() & (owner[log.case] >= 0))
        case, shut = log.case[stands], log.closing[stands]
        same = np.concatenate([[False], case[1:] == case[:-1]])[: len(case)]
        was_shut = np.concatenate([[False], shut[:-1]])[: len(case)] & same
        opens, closes = stands[was_shut & ~shut], stands[shut & ~was_shut]
        grumble = np.concatenate([np.arange(count), owner[log.case[opens]]])
        since = np.concatenate([self.voice_us, log.time_us[opens]])
        order = np.lexsort((since, grumble))
        grumble, since = grumble[order], since[order]
        # Opening and closing take turns, so the k-th closing ends the k-th span.
        until = np.full(len(grumble), NEVER)
        ends = owner[log.case[closes]]
        closes = closes[np.lexsort((log.time_us[closes], ends))]
        ends = owner[log.case[closes]]
        until[np.searchsorted(grumble, ends) + _rank(ends)] = log.time_us[closes]
        shut_us = self.closed_us[grumble]
        until = np.where(is_time(shut_us), np.minimum(until, shut_us), until)
        return Spans(grumble, since, until)


def read_cases(spec: DatasetSpec, tables: Tables) -> Cases:
    """The grumbles of a dataset with a log. Raises DataError."""
    if event_spec(spec).table is None:
        return _from_main(spec, tables.main)
    return _from_own(spec, tables)


def _from_main(spec: DatasetSpec, main: pd.DataFrame) -> Cases:
    """The main table is the log: a grumble is first known by its first event."""
    typed, bad = convert(spec, main)
    names, times = read_times(spec, main, "", bad)
    closed = closed_times(spec, main, bad)
    good = np.ones(len(main), dtype=bool)
    good[[one.row - 1 for one in bad]] = False
    rows = np.flatnonzero(good)
    log = _log(spec, main, names, times, rows)
    if "voice_time_us" in typed:
        voice = typed["voice_time_us"].reindex(log.row[log.start[:-1]]).to_numpy(np.int64)
        early = log.row[log.time_us < voice[log.case]]
        if len(early):
            bad.extend(_before_voice(spec, main, early))
            log = _log(spec, main, names, times, np.setdiff1d(rows, early))
    by_event = typed.loc[log.row]
    first, final = log.start[:-1], log.start[1:] - 1
    table = by_event.iloc[first]
    if "voice_time_us" not in table:
        table = table.assign(voice_time_us=log.time_us[first])
    # Nothing is known of a grumble before its first event.
    observe = table.get("observe_time_us", table["voice_time_us"]).to_numpy(np.int64)
    table = table.assign(observe_time_us=np.maximum(observe, log.time_us[first]))
    if "grumble_id" not in table:
        table = table.assign(grumble_id=object_column(names[log.row[first]], table.index))
    shut = np.full(len(table), NOT_A_TIME) if closed is None else closed[log.row[final]]
    return Cases(table, np.arange(log.cases), log, shut, bad, by_event, {})


def _log(
    spec: DatasetSpec, raw: pd.DataFrame, names: np.ndarray, times: np.ndarray, rows: np.ndarray
) -> Log:
    codes, distinct = pd.factorize(names[rows])
    return Log(spec, raw, (codes.astype(np.int64), times[rows], rows), len(distinct))


def _before_voice(spec: DatasetSpec, main: pd.DataFrame, rows: np.ndarray) -> list[BadRow]:
    texts = main[event_spec(spec).time.column].iloc[rows]
    return [
        BadRow(int(row) + 1, "events.time", str(text)[:80], "is before voice_time")
        for row, text in zip(rows, texts, strict=True)
    ]


def _from_own(spec: DatasetSpec, tables: Tables) -> Cases:
    """The main table has a row a grumble, a table of its own the events."""
    events = event_spec(spec)
    name = events.table or ""
    raw = tables.others.get(name)
    if raw is None:
        raise DataError(f"{spec.file}: events.table: {name!r} is not among the tables read")
    table, bad = convert(spec, tables.main, events.values)
    closed = closed_times(spec, tables.main, bad)
    lost: list[BadRow] = []
    names, times = read_times(spec, raw, name, lost)
    values: dict[str, np.ndarray] = {}
    for field, source in events.values.items():
        key = field if field in CORE_FIELDS else ATTRIBUTE_PREFIX + field
        done = _read_value(spec, raw, field, source)
        lost.extend(bad_rows(done, raw, field, source, name))
        values[key] = done.values
    ids = pd.Index(pd.unique(table["grumble_id"]))
    case = ids.get_indexer(pd.Index(names))
    case[[one.row - 1 for one in lost]] = -1
    rows = np.flatnonzero(case >= 0)
    log = Log(spec, raw, (case[rows].astype(np.int64), times[rows], rows), len(ids))
    code = ids.get_indexer(pd.Index(table["grumble_id"]))
    first_us = np.full(len(ids), NOT_A_TIME)
    some = log.start[:-1] < log.start[1:]
    first_us[some] = log.time_us[log.start[:-1][some]]
    table = _with_voice(table, first_us[code])
    wrong = _wrong_voice(spec, tables.main, table, first_us[code])
    bad = [*bad, *wrong]
    keep = ~np.isin(table.index.to_numpy() + 1, [one.row for one in bad])
    table, code = table[keep], code[keep]
    shut = np.full(len(tables.main), NOT_A_TIME) if closed is None else closed
    kept = {key: column[log.row] for key, column in values.items()}
    return Cases(table, code, log, shut[table.index], [*bad, *lost], None, kept)


def _read_value(spec: DatasetSpec, raw: pd.DataFrame, field: str, source: FieldSpec) -> Converted:
    if field in CORE_FIELDS:
        return read_field(spec, raw, field, source)
    declared = spec.attributes.get(field, AttributeField(source, "category"))
    return read_attribute(spec, raw, field, replace(declared, source=source))


def _with_voice(table: pd.DataFrame, first_us: np.ndarray) -> pd.DataFrame:
    if "voice_time_us" in table:
        return table
    given = table.get("observe_time_us", pd.Series(first_us, table.index))
    return table.assign(voice_time_us=first_us, observe_time_us=given)


def _wrong_voice(
    spec: DatasetSpec, main: pd.DataFrame, table: pd.DataFrame, first_us: np.ndarray
) -> list[BadRow]:
    """Grumbles without any time of their own, or voiced after something had happened to them."""
    if "voice_time" not in spec.fields:
        nothing = table.index[~is_time(first_us)]
        return [BadRow(int(row) + 1, "voice_time", "", "has no event") for row in nothing]
    late = table.index[is_time(first_us) & (table["voice_time_us"].to_numpy() > first_us)]
    texts = main[spec.fields["voice_time"].column].loc[late]
    return [
        BadRow(int(row) + 1, "voice_time", str(text)[:80], "is after its first event")
        for row, text in zip(late, texts, strict=True)
    ]


def _as_of(column: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A log's column at places, missing where there is none (-1)."""
    nothing = None if column.dtype == object else np.nan
    if np.issubdtype(column.dtype, np.integer):
        nothing = NOT_A_TIME
    padded = np.append(column, np.array([nothing], dtype=column.dtype))
    return np.asarray(padded[place])


def _rank(groups: np.ndarray) -> np.ndarray:
    """0, 1, … within each group of a sorted array."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)
