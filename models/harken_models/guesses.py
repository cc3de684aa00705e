"""Which column is which field, by what it is called and what it holds. Guesses, for a draft."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from harken_models.core import CORE_FIELDS
from harken_models.errors import DataError
from harken_models.fieldnames import (
    CUSTOMER,
    LATER,
    LOG_COUNTS,
    OPENED,
    OTHER_TIME,
    channels,
    core_named,
    normal,
)
from harken_models.guesslog import LogGuess, changing, codes, column_times, find_log
from harken_models.labelguess import LabelGuess, guess_label, two_valued
from harken_models.numbertext import as_numbers
from harken_models.sniffing import Sniffed, SniffedColumn
from harken_models.timetext import ISO, NOT_A_TIME

_RUNNING = ("change_count", "handover_count", "hours_since_change")


@dataclass(frozen=True, slots=True)
class Guess:
    """A column under a name: of a core field, or the attribute's own. ``map``: its codes."""

    name: str
    column: SniffedColumn
    because: str = ""
    map: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guesses:
    """A whole draft. ``time_formats``: those of the time that leads; ``time_doubt``: what is
    unsure of them; ``groups``: the column that rows of data without time are grouped by."""

    fields: tuple[Guess, ...]
    attributes: tuple[Guess, ...]
    left_out: tuple[Guess, ...]
    log: LogGuess | None
    label: LabelGuess | None
    two_valued: tuple[SniffedColumn, ...]
    timeless: bool
    time_formats: tuple[str, ...]
    time_doubt: str
    has_offsets: bool
    groups: str | None
    history: bool


def guess(sniffed: Sniffed, label: str | None, time: str | None, case: str | None) -> Guesses:
    """What each column may be. Raises DataError for a named column that is not there."""
    for name in (label, time, case):
        if name is not None:
            sniffed.column(name)
    if time is not None and sniffed.column(time).kind != "time":
        shown = ", ".join(map(repr, sniffed.column(time).examples[:3]))
        raise DataError(f"{sniffed.file}: {time!r} does not look like a time: {shown}")
    log = find_log(sniffed, case, time, CUSTOMER)
    outcome = guess_label(sniffed, label, log)
    picker = _Picker(sniffed, log, None if outcome is None else outcome.column)
    picker.pick_id(case)
    picker.pick_customer()
    voice = picker.pick_time(time)
    picker.pick_known()
    attributes, left_out = picker.rest()
    lead = log.time if log is not None else voice
    customer = next((g.column for g in picker.fields if g.name == "customer_id"), None)
    return Guesses(
        fields=tuple(sorted(picker.fields, key=lambda g: list(CORE_FIELDS).index(g.name))),
        attributes=tuple(attributes),
        left_out=tuple(left_out),
        log=log,
        label=outcome,
        two_valued=tuple(two_valued(sniffed)),
        timeless=lead is None,
        time_formats=() if lead is None else lead.formats or (ISO,),
        time_doubt="" if lead is None else lead.confirm,
        has_offsets=lead is not None and _has_offsets(lead),
        groups=case or (None if customer is None else customer.name),
        history=lead is not None and customer is not None
        and customer.distinct * 1.1 < sniffed.rows,
    )  # fmt: skip


class _Picker:
    """Takes columns for fields, one after the other; what is taken is not taken again."""

    def __init__(self, sniffed: Sniffed, log: LogGuess | None, label: str | None) -> None:
        self.sniffed = sniffed
        self.log = log
        self.fields: list[Guess] = []
        self.taken = {label}
        self.groups = None if log is None else codes(sniffed.frame[log.case])

    def take(
        self,
        name: str,
        column: SniffedColumn,
        because: str = "",
        codes_of: Mapping[str, str] | None = None,
    ) -> None:
        self.taken.add(column.name)
        self.fields.append(Guess(name, column, because, codes_of or {}))

    def left(self, *kinds: str) -> list[SniffedColumn]:
        return [c for c in self.sniffed.columns if c.name not in self.taken and c.kind in kinds]

    def pick_id(self, case: str | None) -> None:
        named = self.log.case if self.log is not None else case
        alone = [c for c in self.left("id") if c.distinct >= 0.95 * self.sniffed.rows]
        others = self.left("id", "category", "number", "text", "flag", "constant")
        if named is not None:
            self.take("grumble_id", self.sniffed.column(named))
        elif alone:
            shared = self.sniffed.rows - alone[0].missing - alone[0].distinct
            said = f"please confirm: {shared} rows have the id of another" if shared else ""
            self.take("grumble_id", alone[0], said)
        elif any(column.kind == "time" for column in self.sniffed.columns):
            if not others:
                raise DataError(f"{self.sniffed.file}: no column could be the id of a grumble")
            best = max(others, key=lambda column: column.distinct)
            self.take("grumble_id", best, "please confirm: no column tells every row apart")

    def pick_customer(self) -> None:
        for column in self.left("id", "category", "number"):
            if CUSTOMER.search(normal(column.name)) and column.distinct > 1:
                self.take("customer_id", column)
                break

    def pick_time(self, time: str | None) -> SniffedColumn | None:
        """The time at which a grumble is voiced; in a log it must be one for the whole grumble."""
        times = [c for c in self.left("time") if not LATER.search(c.name)]
        if self.log is not None and self.groups is not None:
            frame, groups = self.sniffed.frame, self.groups
            times = [
                c
                for c in times
                if c.name != self.log.time.name
                and OPENED.search(c.name)
                and changing(frame[c.name], groups) < 0.01
                and self.before(c, self.log.time) > 0.99
            ]
        elif time is not None:
            times = [self.sniffed.column(time)]
        if not times:
            return None
        best = max(times, key=self.likelihood)
        self.take("voice_time", best)
        return best

    def likelihood(self, column: SniffedColumn) -> float:
        opened = 2 * bool(OPENED.search(column.name))
        other = 3 * bool(OTHER_TIME.search(column.name))
        return opened - other - 2 * (column.missing > 0.5 * self.sniffed.rows)

    def before(self, first: SniffedColumn, second: SniffedColumn) -> float:
        """The share of rows in which one time is not after the other."""
        one = column_times(self.sniffed.frame, first)
        two = column_times(self.sniffed.frame, second)
        known = (one != NOT_A_TIME) & (two != NOT_A_TIME)
        return float((one[known] <= two[known]).mean()) if known.any() else 0.0

    def pick_known(self) -> None:
        """Core fields by their names."""
        for column in self.left("category", "number", "flag"):
            core = core_named(column.name)
            if core is None or any(g.name == core for g in self.fields):
                continue
            if core == "channel":
                self.take(core, column, "please confirm", channels(_texts(self.sniffed, column)))
            elif self.fits(core, column):
                self.take(core, column)

    def fits(self, name: str, column: SniffedColumn) -> bool:
        core = CORE_FIELDS[name]
        if core.type == "category":
            told = _texts(self.sniffed, column)
            return column.kind == "category" and (not core.values or told <= set(core.values))
        if core.type == "flag":
            return column.kind == "flag"
        if core.type not in ("number", "integer") or column.kind != "number" or column.odd:
            return False
        values = _numbers(self.sniffed, column)
        whole = core.type == "number" or bool((values == np.floor(values)).all())
        return whole and bool(((values >= core.low) & (values <= core.high)).all())

    def rest(self) -> tuple[list[Guess], list[Guess]]:
        """What is left: attributes, and columns left out, with the reason."""
        attributes: list[Guess] = []
        left_out: list[Guess] = []
        used = {*CORE_FIELDS, *(_RUNNING if self.log is not None else ())}
        for column in self.sniffed.columns:
            if column.name in self.taken or (self.log and column.name == self.log.time.name):
                continue
            why = self.why_not(column)
            if why:
                left_out.append(Guess(column.name, column, why))
                continue
            name = normal(column.name) or "field"
            if self.log is not None and name in LOG_COUNTS:
                name = LOG_COUNTS[name]
            elif name in used:
                name = next(f"{name}_{n}" for n in range(2, 1000) if f"{name}_{n}" not in used)
            used.add(name)
            because = f"please confirm: {column.confirm}" if column.confirm else ""
            attributes.append(Guess(name, column, because))
        return attributes, left_out

    def why_not(self, column: SniffedColumn) -> str:
        simple = {
            "empty": "is empty",
            "constant": "is the same in every row",
            "id": "names a thing; it is no property of the grumble",
            "text": "is free text",
        }
        if column.kind in simple:
            return simple[column.kind]
        if column.kind == "time":
            return self.why_not_time(column)
        if LATER.search(column.name) and not CORE_FIELDS.keys() & {normal(column.name)}:
            return "its name says that it is known only at the end"
        if column.kind == "category" and column.distinct > max(50, 0.5 * self.sniffed.rows):
            return "has a text of its own in nearly every row"
        return ""

    def why_not_time(self, column: SniffedColumn) -> str:
        voice = next((g.column for g in self.fields if g.name == "voice_time"), None)
        if LATER.search(column.name):
            return "is a time at the end, though it may stand in every row: it is not known before"
        said = "is a time: map it as observe_time if grumbles are scored then"
        if voice is not None and self.before(column, voice) > 0.95:
            said = "is an earlier time: days_since: true makes an attribute of it"
        return said


def _has_offsets(column: SniffedColumn) -> bool:
    if column.formats:
        return all("%z" in form for form in column.formats)
    return all(re.search(r"(?:Z|[+-]\d\d:?\d\d)$", text) for text in column.examples)


def _texts(sniffed: Sniffed, column: SniffedColumn) -> set[str]:
    told = sniffed.frame[column.name].dropna().map(lambda value: str(value).strip()).unique()
    return set(told) - {"", *column.missing_words}


def _numbers(sniffed: Sniffed, column: SniffedColumn) -> np.ndarray:
    values = sniffed.frame[column.name]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = as_numbers(values, sniffed.format)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.asarray(numbers[~np.isnan(numbers)])
