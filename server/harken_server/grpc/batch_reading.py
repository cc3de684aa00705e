"""The requests of a batch as columns, read from its bytes (see ``wire``).

A small batch, or one with many requests that are out of the ordinary (with attributes, with
``explain``, with a field of a later version), is read request by request instead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from harken.v1 import grumble_pb2
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.columns import Column, GrumbleColumns
from harken_server.errors import ScoringError
from harken_server.grpc import reading
from harken_server.grpc.convert import ENUMS, US, Diagnose, language_of
from harken_server.grpc.wire import ABSENT, BYTES, DOUBLE, FIELDS, NO_FIELD, VARINT, Numbers, Wire
from harken_server.grumble import CORE, KINDS, Grumble
from harken_server.limits import MAX_CODE
from harken_server.snapshot import Snapshot
from harken_server.transposing import IDS, GrumbleBatch, batch_of, languages_of

LEAST = 100
"""Requests from which columns are the faster way."""
_SHARE = 8
"""One request in so many may be read by itself."""

_PARTS: tuple[Any, ...] = (grumble_pb2.Grumble, grumble_pb2.CustomerProfile, grumble_pb2.History)
"""The parts of a request; their fields there are 1, 2 and 3."""
_EXPLAIN, _LANGUAGE = 5, 6
_PLACES = {
    field.name: (field.number, part)
    for part, message in enumerate(_PARTS)
    for field in message.DESCRIPTOR.fields
}
_TEXTS, _FLAGS, _WHOLE, _DOUBLES = (
    [
        name
        for name in CORE
        if KINDS[name] is kind and name in _PLACES and name not in (*IDS, *ENUMS)
    ]
    for kind in (str, bool, int, float)
)
_CODES = {
    name: tuple(names[number] for number in range(len(names))) for name, (_, names) in ENUMS.items()
}
_TIMES = ("voice_time", "observe_time")
_INT32_MAX = 2**31 - 1
_LATEST = 2**40
"""Seconds beyond all reason, whose microseconds are still an int64."""


def _form(field: Any) -> int:
    if field.type in (field.TYPE_STRING, field.TYPE_MESSAGE):
        return BYTES
    return DOUBLE if field.type == field.TYPE_DOUBLE else VARINT


def _forms(expected: dict[int, int]) -> NDArray[np.uint8]:
    return np.array([expected.get(number, NO_FIELD) for number in range(FIELDS)], dtype=np.uint8)


_REQUEST_FORMS = _forms({1: BYTES, 2: BYTES, 3: BYTES, _EXPLAIN: VARINT, _LANGUAGE: BYTES})
_TIME_FORMS = _forms({1: VARINT, 2: VARINT})
_PART_FORMS = [
    _forms({field.number: _form(field) for field in message.DESCRIPTOR.fields})
    for message in _PARTS
]


def _each(forms: Sequence[NDArray[np.uint8]], rows: int) -> NDArray[np.uint8]:
    """The forms of so many messages of each kind, one kind after the other."""
    return np.repeat(np.array(forms), rows, axis=0).T.copy()


class BatchRequest:
    """A ``BatchScoreRequest`` with the bytes that it was read from."""

    DESCRIPTOR = reading.BatchScoreRequest.DESCRIPTOR

    def __init__(self, data: bytes, requests: Sequence[Any]) -> None:
        self.data = data
        self.requests = requests

    @classmethod
    def FromString(cls, data: bytes) -> BatchRequest:  # noqa: N802 -- protobuf's name
        """Raises protobuf's ``DecodeError``."""
        return cls(data, reading.BatchScoreRequest.FromString(data).requests)


def read_batch(batch: BatchRequest, snapshot: Snapshot, diagnose: Diagnose) -> GrumbleBatch:
    """What a batch asks for; requests that cannot be read are among its ``apart``."""
    requests = batch.requests
    # An id that rules read would need a column; no rule base that makes sense has one.
    if len(requests) >= LEAST and not any(name in snapshot.base.facts for name in IDS):
        found = _Columns(batch).read(snapshot, diagnose)
        if found is not None:
            return found
    return batch_of([_one(request, diagnose) for request in requests], snapshot)


def _one(request: Any, diagnose: Diagnose) -> Grumble | ScoringError:
    try:
        return reading.grumble_of(request, diagnose)
    except ScoringError as error:
        return error


class _Columns:
    """One batch being read. ``odd``: the requests that have to be read by themselves."""

    def __init__(self, batch: BatchRequest) -> None:
        self.batch = batch
        self.rows = len(batch.requests)
        self.odd = np.zeros(self.rows, dtype=bool)

    def read(self, snapshot: Snapshot, diagnose: Diagnose) -> GrumbleBatch | None:
        """The batch, or ``None`` if the other way is better."""
        items = _items(self.batch.data)
        if items is None:
            return None
        self.wire = Wire(self.batch.data)
        rows, shape = self.rows, (FIELDS, len(_PARTS), self.rows)
        whole = self.wire.read(*items, _each([_REQUEST_FORMS], rows))
        sizes = whole.sizes[1:4].ravel()
        first = np.where(sizes > 0, whole.values[1:4].ravel(), 0)
        parts = self.wire.read(first, first + sizes, _each(_PART_FORMS, rows))
        self.values, self.sizes = parts.values.reshape(shape), parts.sizes.reshape(shape)
        explain = whole.values[_EXPLAIN]
        self.odd |= whole.odd | parts.odd.reshape(-1, rows).any(axis=0)
        self.odd |= (explain != ABSENT) & (explain != 0)
        columns: dict[str, Column] = {
            **self._times(),
            **self._numbers(),
            **self._enums(),
            **self._texts(),
        }
        lengths = {name: self.sizes[_PLACES[name]] for name in IDS}
        for length in lengths.values():  # in bytes; where that matters, characters are counted
            self.odd |= length > MAX_CODE
        if self.odd.sum() * _SHARE > rows:
            return None
        languages = self._languages(whole.values[_LANGUAGE], whole.sizes[_LANGUAGE])
        return self._batch(columns, lengths, languages, snapshot, diagnose)

    def _batch(
        self,
        columns: dict[str, Column],
        lengths: dict[str, Numbers],
        languages: list[str],
        snapshot: Snapshot,
        diagnose: Diagnose,
    ) -> GrumbleBatch:
        said, unknown = languages_of(languages, snapshot.base.languages)
        odd = set(np.flatnonzero(self.odd).tolist())
        observe = columns["observe_time_us"]
        originals = _Requests(self.batch.requests, odd, observe, diagnose)  # type: ignore[arg-type]
        errors = {}
        for row in odd:
            try:
                originals[row]
            except ScoringError as error:
                errors[row] = error
        aside = frozenset(odd | unknown)
        made = GrumbleColumns(self.rows, columns, lengths, originals, aside)
        return GrumbleBatch(made, said, errors)

    def _languages(self, first: Numbers, sizes: Numbers) -> list[str]:
        languages, data = ["en"] * self.rows, self.batch.data
        for row in np.flatnonzero(sizes).tolist():
            begin = int(first[row])
            languages[row] = language_of(data[begin : begin + int(sizes[row])].decode())
        return languages

    def _block(self, names: Sequence[str]) -> Numbers:
        """The values of some fields, shape (names, rows)."""
        number, part = zip(*map(_PLACES.__getitem__, names), strict=True)
        return self.values[list(number), list(part)]

    def _numbers(self) -> dict[str, Column]:
        """Flags, integers and doubles, as float64."""
        columns: dict[str, Column] = {}
        for names, most in ((_FLAGS, 1), (_WHOLE, _INT32_MAX)):
            block = self._block(names)
            there = block != ABSENT
            self.odd |= (there & (block > most)).any(axis=0)
            columns |= zip(names, np.where(there, block, np.nan), strict=True)
        block = self._block(_DOUBLES)
        found = block.view(np.float64)
        self.odd |= (np.isnan(found) & (block != ABSENT)).any(axis=0)
        return columns | dict(zip(_DOUBLES, found, strict=True))

    def _enums(self) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        for name, codes in _CODES.items():
            values = self.values[_PLACES[name]]
            unknown = values >= len(codes)
            self.odd |= unknown & (values != ABSENT)
            columns[name] = Coded(np.where(unknown, 0, values) - 1, codes[1:])
        return columns

    def _texts(self) -> dict[str, Column]:
        """Codes that are texts, each distinct one once; the empty text is missing."""
        number, part = zip(*map(_PLACES.__getitem__, _TEXTS), strict=True)
        sizes = self.sizes[list(number), list(part)]
        self.odd |= (sizes > MAX_CODE).any(axis=0)
        sizes = np.where(sizes > MAX_CODE, 0, sizes)
        first = np.where(sizes > 0, self.values[list(number), list(part)], 0)
        chosen, examples = self.wire.distinct(first, sizes)
        data = self.batch.data
        columns: dict[str, Column] = {}
        starts, ends = first.ravel()[examples].tolist(), (first + sizes).ravel()[examples].tolist()
        texts = [data[start:end].decode() for start, end in zip(starts, ends, strict=True)]
        for name, codes in zip(_TEXTS, chosen, strict=True):
            least, most = int(codes.min()), int(codes.max()) + 1
            values = tuple(filter(None, texts[least:most]))
            places = {text: place for place, text in enumerate(values)}
            table = np.array([places.get(text, -1) for text in texts[least:most]])
            columns[name] = Coded(table[codes - least], values)
        return columns

    def _times(self) -> dict[str, Column]:
        """Microseconds. Where no time to observe is sent it is the clock's; the other must be."""
        begins, sizes = (
            np.stack([table[_PLACES[name]] for name in _TIMES])
            for table in (self.values, self.sizes)
        )
        there = begins != ABSENT
        first = np.where(there, begins, 0).ravel()
        forms = _each([_TIME_FORMS], len(first))
        read = self.wire.read(first, first + sizes.ravel(), forms)
        parts = np.where(read.values[1:3] == ABSENT, 0, read.values[1:3])
        seconds, nanos = parts.reshape(2, *begins.shape)
        wrong = read.odd.reshape(begins.shape) | (seconds > _LATEST) | (nanos >= 1_000_000_000)
        self.odd |= wrong.any(axis=0) | ~there[0]
        times = np.where(wrong, 0, seconds * US + nanos // 1000)
        times[1, ~there[1]] = time.time_ns() // 1000
        times[:, self.odd] = 0
        return {f"{name}_us": times[at] for at, name in enumerate(_TIMES)}


class _Requests(Sequence[Grumble]):
    """The grumbles of requests, read when asked for; raises ``ScoringError`` where it cannot be."""

    def __init__(
        self, requests: Sequence[Any], odd: set[int], observe_us: Numbers, diagnose: Diagnose
    ) -> None:
        self._requests, self._odd = requests, odd
        self._observe_us, self._diagnose = observe_us, diagnose

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, row: int) -> Grumble: ...
    @overload
    def __getitem__(self, row: slice) -> list[Grumble]: ...
    def __getitem__(self, row: int | slice) -> Grumble | list[Grumble]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        grumble = reading.grumble_of(self._requests[row], self._diagnose)
        if row in self._odd:
            return grumble
        # Where none is sent it is the clock's, once for the batch.
        return grumble._replace(observe_time_us=int(self._observe_us[row]))


def _items(data: bytes) -> tuple[Numbers, Numbers] | None:
    """Where each request begins and ends; ``None`` if there is anything else, or a huge one."""
    first, last = [], []
    place, end = 0, len(data)
    while place < end:
        if data[place] != 0x0A:
            return None
        size = data[place + 1]
        place += 2
        if size >= 0x80:
            size = size & 0x7F | data[place] << 7
            if size >= 0x4000:
                return None
            place += 1
        first.append(place)
        place += size
        last.append(place)
    return np.array(first), np.array(last)
