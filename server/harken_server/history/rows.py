"""Raw rows typed and held to the limits of the API; what cannot be used is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from harken_models.core import CORE_FIELDS
from harken_models.dataset import typed_rows
from harken_models.errors import DataError
from harken_models.spec import ATTRIBUTE_PREFIX
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.grumble import Grumble
from harken_server.history import HistoryError
from harken_server.history.source import History, RawChunk
from harken_server.limits import CODES, LATEST_US, MAX_CODE, MAX_TEXT, RANGES, violations

Array = NDArray[np.generic]
KEPT = 20
"""Faults that are shown; all are counted."""
US_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with one row of the file: its number from 1, the field, a sentence."""

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.field}: {self.reason}"


@dataclass(slots=True)
class Refused:
    """Rows that were left out. ``fields`` counts their faults by field, ``first`` shows some."""

    rows: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    first: list[Fault] = field(default_factory=list)

    def add(self, faults: list[Fault]) -> None:
        """Count rows that were not counted before."""
        self.rows += len({fault.row for fault in faults})
        self.fields.update(fault.field for fault in faults)
        self.first = sorted([*self.first, *faults])[:KEPT]

    def merge(self, other: Refused) -> None:
        """Add what another chunk counted."""
        self.rows += other.rows
        self.fields.update(other.fields)
        self.first = sorted([*self.first, *other.first])[:KEPT]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a chunk that can be used.

    ``columns`` by core or attribute name: float64 with NaN, objects with None, int64 for
    ``voice_time_us`` and ``observe_time_us``; ``numbers`` are the rows' numbers in the file,
    ``label`` the outcomes (1.0, 0.0, NaN: unknown).
    """

    numbers: NDArray[np.int64]
    columns: Mapping[str, Array]
    label: NDArray[np.float64]
    probability: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.numbers)

    def cut(self, keep: NDArray[np.bool_]) -> Rows:
        """The rows marked."""
        given = self.probability
        return Rows(
            self.numbers[keep],
            {name: column[keep] for name, column in self.columns.items()},
            self.label[keep],
            None if given is None else given[keep],
        )


def usable_rows(history: History, chunk: RawChunk) -> tuple[Rows, Refused]:
    """Type a chunk's rows and hold them to the limits. Raises HistoryError."""
    refused = Refused()
    raw = chunk.frame()
    try:
        frame, bad, label = typed_rows(history.spec, raw)
    except DataError as error:
        raise HistoryError(f"{history.path}: {error}") from None
    refused.add([Fault(chunk.first + b.row - 1, b.field, f"{b.value!r} {b.reason}") for b in bad])
    places = frame.index.to_numpy(np.int64)
    rows = Rows(
        chunk.first + places,
        {
            name.removeprefix(ATTRIBUTE_PREFIX): frame[name].to_numpy()
            for name in map(str, frame)
            # A core field is never overruled by an attribute of its name.
            if name.removeprefix(ATTRIBUTE_PREFIX) == name
            or name.removeprefix(ATTRIBUTE_PREFIX) not in CORE_FIELDS
        },
        label,
        _probability(raw, history.probability, places),
    )
    wrong = _beyond_limits(rows, set(history.spec.attributes))
    if not wrong:
        return rows, refused
    refused.add(wrong)
    return rows.cut(~np.isin(rows.numbers, [fault.row for fault in wrong])), refused


def open_hours(rows: Rows) -> NDArray[np.float64]:
    """Hours from voice to observation, as a single score computes them."""
    hours = (rows.columns["observe_time_us"] - rows.columns["voice_time_us"]) / US_PER_HOUR  # type: ignore[operator]
    return np.asarray(hours, dtype=np.float64)


def coded(column: Array) -> Coded:
    """A column of codes, each distinct one once."""
    codes, distinct = pd.factorize(column)
    return Coded(codes, tuple(np.asarray(distinct, dtype=object)))


def _probability(
    raw: pd.DataFrame, column: str | None, places: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    if column is None:
        return None
    values = pd.to_numeric(raw[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return values[places]


def _beyond_limits(rows: Rows, attributes: set[str]) -> list[Fault]:
    """What the API would refuse: found by columns, put into words row by row."""
    found: list[Fault] = []
    voice, observe = rows.columns["voice_time_us"], rows.columns["observe_time_us"]
    for name, times in (("voice_time", voice), ("observe_time", observe)):
        for place in np.flatnonzero((times < 0) | (times >= LATEST_US)):  # type: ignore[operator]
            found.append(_said(rows, int(place), f"{name}_us", name))
    for name, (low, high) in RANGES.items():
        column = rows.columns.get(name)
        if column is not None:
            for place in np.flatnonzero((column < low) | (column > high)):  # type: ignore[operator]
                found.append(_said(rows, int(place), name, name))
    for name in (*CODES, *sorted(attributes)):
        column = rows.columns.get(name)
        if column is None or column.dtype != object:
            continue
        most = MAX_TEXT if name in attributes else MAX_CODE
        if max(map(len, filter(None, column.tolist())), default=0) <= most:
            continue
        held = coded(column)
        long = [code for code, value in enumerate(held.values) if len(str(value)) > most]
        for place in np.flatnonzero(np.isin(held.codes, long)) if long else ():
            words = f"has {len(str(column[place]))} characters; at most {most} are allowed"
            found.append(Fault(int(rows.numbers[place]), name, words))
    if rows.probability is not None:
        p = rows.probability
        for place in np.flatnonzero(~((p >= 0) & (p <= 1))):
            words = "is not a number from 0 to 1" if p[place] == p[place] else "is missing"
            found.append(Fault(int(rows.numbers[place]), "probability", words))
    return found


def _said(rows: Rows, place: int, core: str, name: str) -> Fault:
    """The scorer's own words for a value that is out of its range."""
    given = {"voice_time_us": 0, "observe_time_us": 0, core: rows.columns[core][place].item()}
    for each in violations(Grumble(grumble_id="-", **given), ("en",)):
        if each.field == name:
            return Fault(int(rows.numbers[place]), name, each.message)
    return Fault(int(rows.numbers[place]), name, "is out of range")
