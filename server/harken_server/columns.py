"""Many grumbles by columns, and their scores by columns; no transport.

A column of texts names each distinct one once (``Coded``: codes, -1 missing, and values);
numbers and flags are float64 with NaN for missing; times are int64 microseconds. A column that
is not there is missing in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from harken_rules import Fired, RuleBase
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.errors import ScoringError
from harken_server.grumble import CORE, KINDS, Grumble
from harken_server.texts import chain_of, many, reason_code

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Column = Coded | Floats | Integers

TIMES = ("voice_time_us", "observe_time_us")


@dataclass(frozen=True, slots=True, eq=False)
class GrumbleColumns:
    """``rows`` grumbles.

    ``columns`` by name: core fields, and sound attributes that rule base or bundle declare.
    Both times must be there. ``grumble_id`` and ``customer_id`` need a column only where the
    rule base declares them; ``lengths`` has the characters of each id, 0 for a missing one, to
    be held to the limits. ``originals`` are the grumbles themselves, where there are any;
    rows ``aside`` are only placeholders, with which nothing is ever wrong.
    Raises ValueError for a column of another length, KeyError for a time that is absent.
    """

    rows: int
    columns: Mapping[str, Column]
    lengths: Mapping[str, Integers]
    originals: Sequence[Grumble] | None = None
    aside: Set[int] = frozenset()

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if len(column) != self.rows:
                raise ValueError(f"column {name!r} has {len(column)} rows, not {self.rows}")
        for name in TIMES:
            self.columns[name]

    def grumble(self, row: int, kinds: Mapping[str, str]) -> Grumble:
        """One row as ``Scorer.score`` takes it; an id that has no column as so many ``x``.

        ``kinds`` are those of the declared attributes.
        """
        if self.originals is not None:
            return self.originals[row]
        values: dict[str, Any] = {"grumble_id": ""}
        attributes = {}
        for name, lengths in self.lengths.items():
            values[name] = "x" * int(lengths[row]) or values.get(name)
        for name, column in self.columns.items():
            if name in CORE:
                values[name] = value_at(column, row, KINDS[name])
            else:
                value = value_at(column, row, bool if kinds.get(name) == "flag" else float)
                if value is not None:
                    attributes[name] = value
        return Grumble(**values, attributes=attributes)


def value_at(column: Column, row: int, kind: type) -> Any:
    """One row's value as a grumble has it, ``None`` where it is missing."""
    if isinstance(column, Coded):
        code = int(column.codes[row])
        return None if code < 0 else column.values[code]
    value = column[row].item()
    if value != value:
        return None
    if kind is bool and value in (0, 1):
        return bool(value)
    return int(value) if kind is int and float(value).is_integer() else value


CodedResult = tuple[NDArray[Any], tuple[Any, ...]]
"""``values[codes[row]]`` is a row's value; the code is -1 in rows with an error."""
_LISTS = ("strategies", "supporting_departments", "warnings")


@dataclass(frozen=True, slots=True, eq=False)
class ScoredColumns:
    """The scores of ``rows`` grumbles, without texts; arrays of shape (rows,).

    ``errors`` holds what ``Scorer.score`` would raise for a row. There ``level`` is 0,
    ``probability`` and ``severity`` are NaN. Deadlines are microseconds, -1 where there is none.
    ``told`` has what the rule base ``base`` and the model say, as they say it: results by their
    names, ``segment``, ``behaviour_type``, and as ``reasons`` the rules that fired.
    """

    rows: int
    errors: Mapping[int, ScoringError]
    level: Integers
    probability: Floats
    severity: Floats
    reply_deadline_us: Integers
    resolve_deadline_us: Integers
    told: Mapping[str, CodedResult]
    base: RuleBase

    def codes(self, name: str) -> CodedResult:
        """``(codes int32 (rows,), values)`` of a part of the scores; values are distinct.

        They are texts or ``None`` for ``segment``, ``behaviour_type``, ``tolerance``,
        ``treatment``, ``contact_policy`` and ``owner``, tuples of texts for ``strategies``,
        ``supporting_departments``, ``escalation_chain``, ``reasons`` and ``warnings``.
        """
        if name == "reasons":
            return recoded(used(self.told[name]), _codes_of_reasons())
        if name == "escalation_chain":
            return recoded(self.told["escalation"], lambda code: chain_of(self.base, code))
        if name in _LISTS:
            codes, values = used(self.told[name])
            if None not in values:  # then they are distinct as they are, and may be thousands
                return codes, values
        return recoded(self.told[name], many if name in _LISTS else lambda code: code)


def _codes_of_reasons() -> Callable[[tuple[Fired, ...]], tuple[str, ...]]:
    """Fired rules to their codes. Thousands of lists name the same few rules, and these cannot be
    hashed: they are known by their identity, which they keep as long as the lists are there."""
    known: dict[int, str] = {}

    def codes(fired: tuple[Fired, ...]) -> tuple[str, ...]:
        for each in fired:
            if id(each) not in known:
                known[id(each)] = reason_code(each)
        return tuple([known[id(each)] for each in fired])

    return codes


def used(result: CodedResult) -> CodedResult:
    """The same rows, with those values only that some row has: others may be remembered too."""
    codes, values = result
    has = np.bincount(codes + 1, minlength=len(values) + 1)[1:] > 0
    places = np.append(np.cumsum(has, dtype=np.int32) - 1, np.int32(-1))
    return places[codes], tuple(compress(values, has.tolist()))


def recoded(result: CodedResult, change: Callable[[Any], Any]) -> CodedResult:
    """The same rows with ``change`` of each value; values that become equal become one."""
    codes, values = result
    places: dict[Any, int] = {}
    table = [places.setdefault(change(value), len(places)) for value in values]
    return np.array([*table, -1], dtype=np.int32)[codes], tuple(places)


def combined(results: Sequence[CodedResult]) -> tuple[Integers, list[tuple[Any, ...]]]:
    """Which rows have the same values in all of ``results``.

    For each row the place of its own among the distinct tuples of values that follow; in rows
    with an error it may be any.
    """
    key, possible = np.zeros(len(results[0][0]), dtype=np.int64), 1
    for codes, values in results:
        size = len(values) + 1
        if possible > 2**62 // size:
            seen, key = np.unique(key, return_inverse=True)
            possible = len(seen)
        if size > 2:
            key = key * size + (codes + 1)
            possible *= size
    first, index = grouped(key, possible)
    held = [[values[code] for code in codes[first].tolist()] for codes, values in results]
    return index, list(zip(*held, strict=True))


def grouped(key: Integers, possible: int) -> tuple[Integers, Integers]:
    """A row of each distinct key (below ``possible``), and for each row the place of its own."""
    if possible > 50_000:  # too many to count
        _, first, index = np.unique(key, return_index=True, return_inverse=True)
        return first, index
    table = np.full(possible, -1, dtype=np.int64)
    table[key] = np.arange(len(key))
    held = np.flatnonzero(table >= 0)
    first = table[held]
    table[held] = np.arange(len(held))
    return first, table[key]
