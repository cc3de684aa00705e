"""Grumbles as values turned into columns, and those set aside that have to be scored alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from harken_rules.column_cells import Coded

from harken_server.attributes import Attributes
from harken_server.columns import TIMES, CodedResult, Column, Floats, GrumbleColumns
from harken_server.errors import ScoringError
from harken_server.grumble import CORE, KINDS, NO_ATTRIBUTES, Grumble
from harken_server.limits import sound
from harken_server.snapshot import Snapshot

IDS = ("grumble_id", "customer_id")
_NOTHING = Grumble("-", 0, 0)


class GrumbleBatch(NamedTuple):
    """Grumbles by columns, with their originals.

    The rows aside have an error in ``errors`` or are to be scored by themselves. ``languages``
    are those of the other rows, ``noted`` the rows that have attributes.
    """

    columns: GrumbleColumns
    languages: CodedResult
    errors: Mapping[int, ScoringError]
    noted: Collection[int] = ()


def batch_of(grumbles: Sequence[Grumble | ScoringError], snapshot: Snapshot) -> GrumbleBatch:
    """The batch of some grumbles; what is an error already stays one.

    Set aside is whatever columns cannot hold (numbers that are NaN, integers beyond int64), what
    asks for an explanation, and what is not sound in its attributes or its language.
    """
    errors = {row: each for row, each in enumerate(grumbles) if isinstance(each, ScoringError)}
    fit = [_NOTHING if isinstance(each, ScoringError) else each for each in grumbles]
    originals = fit
    try:
        fields = _fields(fit)
        columns, aside = _core(fields, snapshot.base.facts)
    except OverflowError:
        beyond = {row for row, each in enumerate(fit) if not sound(each, (each.language,))}
        fields = _fields([_NOTHING if row in beyond else each for row, each in enumerate(fit)])
        columns, aside = _core(fields, snapshot.base.facts)
        aside |= beyond
    lengths = {name: _lengths(fields[name]) for name in IDS}
    noted = [row for row, each in enumerate(fields["attributes"]) if each]
    if noted:
        own, unsound = _own(list(fields["attributes"]), noted, snapshot.attributes)
        columns |= own
        aside |= unsound
    aside |= {row for row, each in enumerate(fields["explain"]) if each}
    languages, unknown = languages_of(fields["language"], snapshot.base.languages)
    rows = frozenset(aside | unknown | errors.keys())
    made = GrumbleColumns(len(fit), columns, lengths, originals, rows)
    return GrumbleBatch(made, languages, errors, noted)


def languages_of(asked: Sequence[str], known: Collection[str]) -> tuple[CodedResult, set[int]]:
    """The languages as a result, and the rows that ask for one that is not known."""
    places = {language: place for place, language in enumerate(known)}
    distinct = set(asked)
    unknown = set()
    if not distinct.issubset(known):
        unknown = {row for row, each in enumerate(asked) if each not in known}
    if len(distinct) == 1:
        one = asked[0] if not unknown else next(iter(known))
        return (np.zeros(len(asked), dtype=np.int64), (one,)), unknown
    codes = np.fromiter((places.get(each, 0) for each in asked), np.int64, len(asked))
    return (codes, tuple(known)), unknown


def _fields(grumbles: Sequence[Grumble]) -> dict[str, tuple[Any, ...]]:
    columns = zip(*grumbles, strict=True) if grumbles else ((),) * len(Grumble._fields)
    return dict(zip(Grumble._fields, columns, strict=True))


def _core(
    fields: Mapping[str, tuple[Any, ...]], wanted: Collection[str]
) -> tuple[dict[str, Column], set[int]]:
    """The core fields' columns, of ids only those ``wanted``; and the rows with a NaN."""
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
    given: list[Any], rows: Collection[int], attributes: Attributes
) -> tuple[dict[str, Column], set[int]]:
    """The declared attributes' columns, and the rows whose attributes are not sound."""
    unsound = {row for row in rows if attributes.violations(given[row])}
    for row in unsound:
        given[row] = NO_ATTRIBUTES
    columns: dict[str, Column] = {}
    for name, kind in attributes.kinds.items():
        if name not in CORE:
            values = tuple([each.get(name) for each in given])
            columns[name] = coded(values) if kind == "text" else numbers(values)
    return columns, unsound


def coded(values: Sequence[Any]) -> Coded:
    """Texts, each distinct one once."""
    places = {value: place for place, value in enumerate(dict.fromkeys((None, *values)), -1)}
    codes = np.fromiter(map(places.__getitem__, values), np.int64, len(values))
    return Coded(codes, tuple(places)[1:])


def numbers(values: Sequence[Any]) -> Floats:
    """Numbers or flags; NaN where there is none."""
    return np.array(values, dtype=np.float64)


def not_numbers(values: Sequence[Any], column: Floats) -> set[int]:
    """The rows that were given as NaN, which is not the same as missing."""
    absent = np.flatnonzero(np.isnan(column)).tolist()
    return {row for row in absent if values[row] is not None and isnan(values[row])}


def _lengths(texts: Sequence[str | None]) -> Any:
    return np.fromiter((len(text) if text else 0 for text in texts), np.int64, len(texts))
