"""Grumbles as values turned into columns, and those set aside that columns cannot hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isnan
from typing import Any

import numpy as np
from harken_rules.column_cells import Coded

from harken_server.attributes import Attributes
from harken_server.columns import TIMES, Column, Floats, GrumbleColumns
from harken_server.grumble import CORE, KINDS, NO_ATTRIBUTES, Grumble
from harken_server.limits import sound
from harken_server.snapshot import Snapshot

IDS = ("grumble_id", "customer_id")
_NOTHING = Grumble("-", 0, 0)


def columns_of(
    grumbles: Sequence[Grumble], snapshot: Snapshot
) -> tuple[GrumbleColumns, set[int]]:
    """The columns of some grumbles, and the rows that have to be looked at one by one.

    Those are of numbers that would be lost in a column (NaN, integers beyond int64) and of
    attributes that are not sound.
    """
    wanted = snapshot.base.facts
    try:
        fields = dict(zip(Grumble._fields, zip(*grumbles, strict=True), strict=True))
        columns, odd = _core(fields, wanted)
    except (OverflowError, TypeError, ValueError):
        odd = {row for row, each in enumerate(grumbles) if not sound(each, (each.language,))}
        fit = [_NOTHING if row in odd else each for row, each in enumerate(grumbles)]
        fields = dict(zip(Grumble._fields, zip(*fit, strict=True), strict=True))
        columns, more = _core(fields, wanted)
        odd |= more
    lengths = {
        name: np.fromiter(map(len, (text or "" for text in fields[name])), np.int64, len(grumbles))
        for name in IDS
    }
    if any(fields["attributes"]):
        own, unsound = _own(list(fields["attributes"]), snapshot.attributes)
        columns |= own
        odd |= unsound
    return GrumbleColumns(len(grumbles), columns, lengths, grumbles), odd


def _core(
    fields: dict[str, tuple[Any, ...]], wanted: Collection[str]
) -> tuple[dict[str, Column], set[int]]:
    columns: dict[str, Column] = {}
    odd: set[int] = set()
    for name in CORE:
        values, kind = fields[name], KINDS[name]
        if name in TIMES:
            columns[name] = np.array(values, dtype=np.int64)
        elif kind is not str:
            column = columns[name] = numbers(values)
            if kind is float:
                odd |= not_numbers(values, column)
        elif name not in IDS or name in wanted:
            columns[name] = coded(values)
    return columns, odd


def _own(
    given: list[Any], attributes: Attributes
) -> tuple[dict[str, Column], set[int]]:
    """The declared attributes' columns, and the rows whose attributes are not sound."""
    unsound = {row for row, each in enumerate(given) if each and attributes.violations(each)}
    for row in unsound:
        given[row] = NO_ATTRIBUTES
    columns: dict[str, Column] = {}
    for name, kind in attributes.kinds.items():
        if name not in CORE:
            values = tuple([each.get(name) for each in given])
            columns[name] = coded(values) if kind == "text" else numbers(values)
    return columns, unsound


def coded(values: tuple[Any, ...]) -> Coded:
    """Texts, each distinct one once."""
    places = {value: place for place, value in enumerate(dict.fromkeys((None, *values)), -1)}
    codes = np.fromiter(map(places.__getitem__, values), np.int64, len(values))
    return Coded(codes, tuple(places)[1:])


def numbers(values: tuple[Any, ...]) -> Floats:
    """Numbers or flags; NaN where there is none."""
    return np.array(values, dtype=np.float64)


def not_numbers(values: tuple[Any, ...], column: Floats) -> set[int]:
    """The rows that were given as NaN, which is not the same as missing."""
    absent = np.flatnonzero(np.isnan(column)).tolist()
    return {row for row in absent if values[row] is not None and isnan(values[row])}
