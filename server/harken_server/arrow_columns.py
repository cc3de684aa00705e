"""An Arrow record batch with core names, as the columns that the scorer takes.

A dictionary column stays coded: its rows are never looked at as text. Null is missing, as an
absent field is in ``Score``. Columns can say what a ``ScoreRequest`` cannot, a fraction of a
month or a channel that nobody knows; such cells are found here, and their rows get a status.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from harken_models.core import CHANNELS, RESOLUTION_STATES, VIP_TIERS
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.attributes import Attributes
from harken_server.columns import GrumbleColumns
from harken_server.errors import Reason, ScoringError, Violation, clip
from harken_server.grumble import AttributeValue, Grumble
from harken_server.limits import CODES, LATEST_US, MAX_ATTRIBUTES, MAX_CODE, MAX_TEXT, RANGES

MAX_ROWS = 65_536
"""Rows of a batch."""
MAX_COLUMNS = 1024
"""Columns of a batch; core fields and attributes are some hundred at most."""

ATTRIBUTE = "attr_"
IDS = ("grumble_id", "customer_id")
TIMES = ("voice_time", "observe_time")
FLAGS = ("dissatisfied", "company_responsible", "problem_exists", "corporate_contact")
WHOLE = frozenset(RANGES) - {"monthly_spend_yuan", "use_minutes", "data_mb", "days_since_contact"}
"""The numbers that are whole."""
REQUIRED = ("grumble_id", "voice_time")
ENUMS = {
    "channel": ("Channel", frozenset(CHANNELS)),
    "resolution_state": ("ResolutionState", frozenset(RESOLUTION_STATES)),
    "vip_tier": ("VipTier", frozenset(VIP_TIERS)),
}
"""The fields whose codes the API closes: the enum's name in ``harken.v1`` and its codes."""
_INT32 = 2**31
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Blame(NamedTuple):
    """Rows, as a mask, that have the same thing wrong with them, and how to say it of one."""

    rows: NDArray[np.bool_]
    say: Callable[[int], Violation]


class BatchError(ScoringError):
    """A batch that cannot be read as a whole; every violation's field is ``record_batch``."""


def unreadable(reason: Reason, *messages: str) -> BatchError:
    """The error that says ``messages`` of a batch, a sentence each."""
    return BatchError([Violation(reason, "record_batch", words) for words in messages])


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch as columns, and what of it columns cannot say.

    ``wrong`` has cells that no ``ScoreRequest`` could hold; they are missing in ``grumbles``.
    ``suspects`` are rows with cells that only ``Score`` itself can judge: attributes that might
    be refused, and NaN, which is not null and not a number; they are missing too.
    ``ignored`` is how many undeclared attributes each row has, None where no row has any.
    """

    grumbles: GrumbleColumns
    wrong: Sequence[Blame]
    suspects: NDArray[np.bool_]
    ignored: NDArray[np.int64] | None
    attributes: Mapping[str, Any] = field(repr=False)
    """The attributes' Arrow columns, by name without ``attr_``."""
    nans: Mapping[str, NDArray[np.bool_]] = field(repr=False)
    """The core fields that have a NaN somewhere, and in which rows."""

    def doubtful(self) -> list[int]:
        """The rows that need another look, in order."""
        masks = [blame.rows for blame in self.wrong]
        return np.flatnonzero(np.logical_or.reduce([self.suspects, *masks])).tolist()

    def blamed(self, row: int) -> list[Violation]:
        """What is wrong with the cells of ``row`` that no ``ScoreRequest`` could hold."""
        return [blame.say(row) for blame in self.wrong if blame.rows[row]]

    def grumble(self, row: int, kinds: Mapping[str, str]) -> Grumble:
        """One row as ``Scorer.violations`` takes it, with every suspicious cell as it was sent."""
        found: dict[str, AttributeValue] = {}
        for name, column in self.attributes.items():
            value = column[row].as_py()
            if value is not None:
                found[name] = float(value) if type(value) is int else value
        if len(found) > MAX_ATTRIBUTES:  # said already, and then none of them is looked at
            found = {}
        nans: dict[str, Any] = {name: nan for name, rows in self.nans.items() if rows[row]}
        return self.grumbles.grumble(row, kinds)._replace(attributes=found, **nans)


def check_schema(schema: Any) -> None:
    """Raises ``BatchError`` naming every column that cannot be read, before any row is."""
    if len(schema) > MAX_COLUMNS:
        words = f"the batch has {len(schema)} columns; at most {MAX_COLUMNS} are read"
        raise unreadable(Reason.FIELD_INVALID, words)
    names: list[str] = schema.names
    absent = [f"the batch has no column '{name}'" for name in REQUIRED if name not in names]
    if absent:
        raise unreadable(Reason.FIELD_REQUIRED, *absent)
    found = [f"two columns are called {clip(n)}" for n in sorted(set(names)) if names.count(n) > 1]
    for column in schema:
        kind = _kind_of(column.name)
        if kind is None:
            found.append(f"no core field is called {clip(column.name)}{_hint(column.name)}")
        elif not pa.types.is_null(column.type) and not kind.fits(column.type):
            words = f"column {clip(column.name)} has the type {clip(column.type)}; it needs"
            found.append(f"{words} {kind.needs}")
    if found:
        raise unreadable(Reason.FIELD_INVALID, *found)


def read_batch(batch: Any, declared: Attributes, facts: Collection[str], now_us: int) -> ReadBatch:
    """The rows of ``batch``, a ``pyarrow.RecordBatch`` that is valid in Arrow's sense.

    ``facts`` are the names of the rule base's: an id is handed on as a column only where it is
    one of them. ``now_us`` counts where no ``observe_time`` is given. Raises ``BatchError``.
    """
    check_schema(batch.schema)
    if not 1 <= batch.num_rows <= MAX_ROWS:
        words = f"a batch holds 1 to {MAX_ROWS} rows, not {batch.num_rows}"
        raise unreadable(Reason.BATCH_SIZE, words)
    return _Reading(batch, declared).read(facts, now_us)


class _Reading:
    """One batch being read; collects columns, and what is wrong in which row."""

    def __init__(self, batch: Any, declared: Attributes) -> None:
        self._rows: int = batch.num_rows
        self._declared = declared
        named = zip(batch.schema.names, batch.columns, strict=True)
        self._given = {name: c for name, c in named if not pa.types.is_null(c.type)}
        self._columns: dict[str, Any] = {}
        self._wrong: list[Blame] = []
        self._suspects = np.zeros(self._rows, np.bool_)
        self._nans: dict[str, NDArray[np.bool_]] = {}

    def read(self, facts: Collection[str], now_us: int) -> ReadBatch:
        self._read_times(now_us)
        for name in CODES:
            if name in self._given and (name not in IDS or name in facts):
                self._columns[name] = self._codes(name)
        for name in RANGES:
            if name in self._given:
                self._columns[name] = self._numbers(name)
        for name in FLAGS:
            if name in self._given:
                self._columns[name] = floats(self._given[name])
        attributes = {
            name.removeprefix(ATTRIBUTE): column
            for name, column in self._given.items()
            if name.startswith(ATTRIBUTE)
        }
        ignored = self._read_attributes(attributes)
        lengths = {name: _lengths(self._given[name]) for name in IDS if name in self._given}
        for name in IDS:
            lengths.setdefault(name, np.zeros(self._rows, np.int64))
        grumbles = GrumbleColumns(self._rows, self._columns, lengths)
        return ReadBatch(grumbles, self._wrong, self._suspects, ignored, attributes, self._nans)

    def _blame(self, rows: NDArray[np.bool_], say: Callable[[int], Violation]) -> None:
        if rows.any():
            self._wrong.append(Blame(rows, say))

    def _read_times(self, now_us: int) -> None:
        voiced, unvoiced = self._microseconds("voice_time")
        observed, unobserved = self._microseconds("observe_time")
        self._blame(
            unvoiced,
            lambda _: Violation(Reason.FIELD_REQUIRED, "voice_time", "voice_time is required"),
        )
        # As from_proto has it: the rest of such a row can still be judged.
        self._columns["voice_time_us"] = np.where(
            unvoiced, np.where(unobserved, 0, observed), voiced
        )
        self._columns["observe_time_us"] = np.where(unobserved, now_us, observed)

    def _microseconds(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds since 1970, and which rows have none; out of range is just out of it."""
        column = self._given.get(name)
        if column is None:
            return np.zeros(self._rows, np.int64), np.ones(self._rows, np.bool_)
        missing = _nulls(column)
        ticks = _plain(column.cast(pa.int64()).fill_null(0))
        each = _PER_SECOND[column.type.unit]
        if each > 1_000_000:
            found = ticks // (each // 1_000_000)
        else:
            factor = 1_000_000 // each
            # Clipped first: no product overflows, and what lies outside stays outside.
            found = np.clip(ticks, -1, LATEST_US // factor + 1) * factor
        return np.clip(found, -1, LATEST_US), missing

    def _codes(self, name: str) -> Coded:
        coded = coded_column(self._given[name], blank_is_missing=True)
        if name not in ENUMS:
            return coded
        kind, known = ENUMS[name]
        strange = np.array([value not in known for value in coded.values] + [False])
        if not strange.any():
            return coded
        strange = strange[coded.codes]

        def say(row: int) -> Violation:
            words = f"{name} {clip(coded[row])} is no value of {kind} in harken.v1"
            return Violation(Reason.UNKNOWN_VALUE, name, words)

        self._blame(strange, say)
        return Coded(np.where(strange, -1, coded.codes), coded.values)

    def _numbers(self, name: str) -> NDArray[np.float64]:
        column = self._given[name]
        numbers = floats(column)
        floating = pa.types.is_floating(column.type)
        if floating:
            nans = np.isnan(numbers)
            if column.null_count:
                nans &= ~_nulls(column)
            if name in WHOLE:
                with np.errstate(invalid="ignore"):
                    wrong = nans | (numbers != np.floor(numbers)) & ~np.isnan(numbers)
            elif nans.any():
                self._nans[name] = nans
                self._suspects |= nans
        if name not in WHOLE:
            return numbers
        beyond = (numbers < -_INT32) | (numbers >= _INT32)
        wrong = wrong | beyond if floating else beyond
        if not wrong.any():
            return numbers
        self._blame(wrong, lambda row: _number_violation(name, float(numbers[row])))
        return np.where(wrong, np.nan, numbers)

    def _read_attributes(self, attributes: Mapping[str, Any]) -> NDArray[np.int64] | None:
        ignored: NDArray[np.int64] | None = None
        sent = np.zeros(self._rows, np.int64)
        for name, column in attributes.items():
            kind = self._declared.kinds.get(name)
            given = ~_nulls(column)
            sent += given
            suspects = self._suspicious(name, column, kind) & given
            self._suspects |= suspects
            if kind is None:
                ignored = given + (0 if ignored is None else ignored)
            elif name not in CORE_NAMES:  # a core field is never overruled
                self._columns[name] = self._attribute(column, suspects)
        if len(attributes) > MAX_ATTRIBUTES:
            self._blame(sent > MAX_ATTRIBUTES, lambda row: _too_many(int(sent[row])))
        return ignored

    def _suspicious(self, name: str, column: Any, kind: str | None) -> NDArray[np.bool_]:
        """Which cells ``Attributes.violations`` might refuse, if they are given at all."""
        every = np.ones(self._rows, np.bool_)
        text = _is_text(column.type)
        sent = "text" if text else "flag" if pa.types.is_boolean(column.type) else "number"
        if not name or len(name) > MAX_CODE:
            return every
        if kind is not None and kind.removeprefix("whole ") != sent:
            return every
        if text:
            return _lengths(column) > MAX_TEXT
        if sent == "flag":
            return ~every
        numbers = floats(column)
        suspects = ~np.isfinite(numbers)
        if kind == "whole number":
            with np.errstate(invalid="ignore"):
                suspects |= numbers != np.floor(numbers)
        return suspects

    def _attribute(self, column: Any, suspects: NDArray[np.bool_]) -> Any:
        """A declared attribute; suspicious cells are missing, for their rows get another look."""
        if _is_text(column.type):
            coded = coded_column(column, blank_is_missing=False)
            if not suspects.any():
                return coded
            return Coded(np.where(suspects, -1, coded.codes), coded.values)
        numbers = floats(column)
        return np.where(suspects, np.nan, numbers) if suspects.any() else numbers


def _too_many(sent: int) -> Violation:
    words = f"{sent} attributes were sent; at most {MAX_ATTRIBUTES} are allowed"
    return Violation(Reason.FIELD_INVALID, "attributes", words)


def _number_violation(name: str, number: float) -> Violation:
    """Why a number is none that a ``ScoreRequest`` could hold, in the words of ``limits``."""
    if not np.isfinite(number):
        words = f"{name} is {number}; it must be a finite number"
        return Violation(Reason.FIELD_INVALID, name, words)
    if number != np.floor(number):
        return Violation(
            Reason.FIELD_INVALID, name, f"{name} is {number}; it must be a whole number"
        )
    low, high = RANGES[name]
    words = f"{name} is {number:.15g}; it must lie between {low:.15g} and {high:.15g}"
    return Violation(Reason.VALUE_OUT_OF_RANGE, name, words)


def coded_column(column: Any, *, blank_is_missing: bool) -> Coded:
    """A text column as ``Coded``: distinct values, -1 where it is null or, if so, empty."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    indices, dictionary = column.indices, column.dictionary
    missing = _nulls(indices) if indices.null_count else None
    codes = _plain(indices if missing is None else indices.fill_null(0))
    if len(dictionary) > len(codes):
        # Every value is looked at later, and those that no row has could be a million.
        distinct, codes = np.unique(codes, return_inverse=True)
        dictionary = dictionary.take(pa.array(distinct))
    codes = codes.astype(np.int32)  # a copy; the values fit, they are places of rows
    if missing is not None:
        codes[missing] = -1
    values = dictionary.to_pylist()
    places: dict[str, int] = {}
    table = [
        -1 if v is None or (blank_is_missing and not v) else places.setdefault(v, len(places))
        for v in values
    ]
    if len(places) < len(values):  # nulls, blanks or repetitions in the dictionary
        codes = np.array([*table, -1], np.int32)[codes]
    return Coded(codes, tuple(places))


def floats(column: Any) -> NDArray[np.float64]:
    """A column of numbers or flags as float64, NaN where it is null."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return _plain(column).astype(np.float64, copy=False)


def _lengths(column: Any) -> NDArray[np.int64]:
    """The characters of every text, 0 where it is null."""
    if pa.types.is_dictionary(column.type):
        lengths = np.append(_lengths(column.dictionary), 0)
        codes = _plain(column.indices.fill_null(0)).astype(np.int64)
        return np.where(_nulls(column), 0, lengths[codes])
    return _plain(pc.utf8_length(column).fill_null(0)).astype(np.int64)


def _plain(column: Any) -> NDArray[Any]:
    """As numpy has it: nulls of integers and floats become NaN."""
    array: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array


def _nulls(column: Any) -> NDArray[np.bool_]:
    """Which rows are null, in the column or in the dictionary that it points to."""
    if pa.types.is_dictionary(column.type) and column.dictionary.null_count:
        inner = np.append(_nulls(column.dictionary), False)
        outer: NDArray[np.bool_] = _plain(column.indices.is_null()).copy()
        outer |= inner[_plain(column.indices.fill_null(0)).astype(np.int64)]
        return outer
    nulls: NDArray[np.bool_] = _plain(column.is_null())
    return nulls


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: Any) -> bool:
    if pa.types.is_float16(kind):
        return False
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_time(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind)) and kind.tz is not None


@dataclass(frozen=True, slots=True)
class _Kind:
    """Which Arrow types a column may have, and how to say so."""

    fits: Callable[[Any], bool]
    needs: str


_TEXT = _Kind(_is_text, "utf8, or a dictionary of it")
_NUMBER = _Kind(_is_number, "float64, or an integer type")
_FLAG = _Kind(pa.types.is_boolean, "bool")
_TIME = _Kind(_is_time, "a timestamp with a time zone: timestamp[us, tz=UTC]")
_ANY = _Kind(
    lambda kind: _is_text(kind) or _is_number(kind) or pa.types.is_boolean(kind),
    "utf8, a dictionary of it, float64, an integer type or bool",
)
_KINDS: dict[str, _Kind] = (
    dict.fromkeys(CODES, _TEXT)
    | dict.fromkeys(RANGES, _NUMBER)
    | dict.fromkeys(FLAGS, _FLAG)
    | dict.fromkeys(TIMES, _TIME)
)
CORE_NAMES = frozenset(_KINDS) | {"voice_time_us", "observe_time_us", "open_hours"}
"""Names that an attribute cannot take over."""


def _kind_of(name: str) -> _Kind | None:
    return _ANY if name.startswith(ATTRIBUTE) else _KINDS.get(name)


def _hint(name: str) -> str:
    near: Sequence[str] = get_close_matches(name, _KINDS, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; an operator's own field is a column '{ATTRIBUTE}…'"
