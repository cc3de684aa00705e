"""Answers to chunks as they travel, turned into Arrow columns without an object a value.

Packed numbers of fixed width lie in a message as they lie in an Arrow column, and packed small
numbers take a byte each, so columns are cut out of the message's bytes and wrapped. Whatever
is not such a column is left to protobuf, as are columns packed in another way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from google.rpc import status_pb2
from harken.v1 import replay_pb2

from harken_client.errors import ServerFault, from_status
from harken_client.replay.columns import counting
from harken_client.replay.outcome import TIMES, reject_row
from harken_client.replay.work import Fault

_FIELDS = replay_pb2.ReplayScoresResponse.DESCRIPTOR.fields_by_name
CODED = tuple(
    name
    for name, field in _FIELDS.items()
    if field.message_type is not None
    and field.message_type.full_name == replay_pb2.CodeColumn.DESCRIPTOR.full_name
)
"""Columns of codes."""
_DOUBLES, _DEADLINES = ("probability", "severity"), tuple(f"{name}_us" for name in TIMES)
_NUMBERS = {name: field.number for name, field in _FIELDS.items()}
_CUT = {_NUMBERS[name] for name in (*_DOUBLES, *_DEADLINES, "level", *CODED)}
_INDEX = replay_pb2.CodeColumn.DESCRIPTOR.fields_by_name["index"].number
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a chunk: its ``head`` has all but the columns.

    ``scores`` is a record batch of OUT's columns, a row for every row of the chunk.
    """

    head: Any
    scores: Any
    faults: Sequence[Fault]


def sequence_of(data: bytes) -> int:
    """The number of the chunk that an answer belongs to."""
    head, _ = _split(data, _CUT)
    return int(replay_pb2.ReplayScoresResponse.FromString(head).sequence)


def read_answer(data: bytes, rows: int) -> Answer:
    """The answer to a chunk of ``rows`` rows.

    Raises HarkenError where the chunk as a whole has no answer.
    """
    rest, cut = _split(data, _CUT)
    head = replay_pb2.ReplayScoresResponse.FromString(rest)
    if head.HasField("status"):
        raise from_status(head.status)
    columns = {name: _column(data, name, cut, rows) for name in _COLUMNS}
    if head.row_count != rows or any(len(column) != rows for column in columns.values()):
        raise ServerFault(f"the server answered {head.row_count} of {rows} rows")
    for name in ("rule_base_digest", "model_digest"):
        columns[name] = _constant(getattr(head, name), rows)
    places = counting(rows).cast(pa.string())
    columns["decision_id"] = pc.binary_join_element_wise(head.decision_id, places, "-")
    faults = [_fault(fault.row, fault.status) for fault in head.faults]
    arrays = [columns[name] for name in _SCHEMA.names]
    return Answer(head, pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA), faults)


_CODES = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", "UTC")
_COLUMNS = ("level", *_DOUBLES, *TIMES, *CODED)
_SCHEMA = pa.schema(
    [("level", pa.int32())]
    + [(name, pa.float64()) for name in _DOUBLES]
    + [(name, _TIME) for name in TIMES]
    + [(name, _CODES) for name in (*CODED, "rule_base_digest", "model_digest")]
    + [("decision_id", pa.string())]
)


def no_scores(rows: int) -> Any:
    """What stands in for the scores of rows that were not sent."""
    return pa.RecordBatch.from_arrays([pa.nulls(rows, f.type) for f in _SCHEMA], schema=_SCHEMA)


def _column(data: bytes, name: str, cut: dict[int, list[memoryview]], rows: int) -> Any:
    if name in CODED:
        return _codes(b"".join(cut.get(_NUMBERS[name], ())), rows)
    wire = f"{name}_us" if name in TIMES else name
    pieces = cut.get(_NUMBERS[wire], ())
    if name == "level":
        return _small(b"".join(pieces), rows, lambda: _parsed(data).level)
    kind = pa.int64() if name in TIMES else pa.float64()
    column = _fixed(b"".join(pieces), kind, lambda: getattr(_parsed(data), wire))
    if name not in TIMES:
        return column
    none = pc.less(column, 0)
    return pc.if_else(none, pa.scalar(None, pa.int64()), column).cast(_TIME)


def _parsed(data: bytes) -> Any:
    return replay_pb2.ReplayScoresResponse.FromString(data)


def _fixed(packed: bytes, kind: Any, parse: Any) -> Any:
    if len(packed) % 8 or sys.byteorder != "little":
        return pa.array(list(parse()), kind)
    return pa.Array.from_buffers(kind, len(packed) // 8, [None, pa.py_buffer(packed)])


def _small(packed: bytes, rows: int, parse: Any) -> Any:
    """Numbers from 0 up; as many bytes as numbers means that each fits into one."""
    if len(packed) == rows:
        buffers = [None, pa.py_buffer(packed)]
        return pa.Array.from_buffers(pa.uint8(), rows, buffers).cast(pa.int32())
    return pa.array(list(parse()), pa.int32())


def _codes(data: bytes, rows: int) -> Any:
    """A ``CodeColumn`` as a dictionary of texts; several codes are joined, none is null."""
    rest, cut = _split(data, {_INDEX})
    lists = replay_pb2.CodeColumn.FromString(rest).values
    packed = b"".join(cut.get(_INDEX, ()))
    index = _small(packed, rows, lambda: replay_pb2.CodeColumn.FromString(data).index)
    texts = [";".join(each.codes) for each in lists]
    if "" in texts:
        places = {text: place for place, text in enumerate(dict.fromkeys(filter(None, texts)))}
        index = pa.array([places.get(text) for text in texts], pa.int32()).take(index)
        texts = list(places)
    return pa.DictionaryArray.from_arrays(index, pa.array(texts, pa.string()))


def _constant(text: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), [text])


def _fault(row: int, status: status_pb2.Status) -> Fault:
    _, _, field, reason, message = reject_row(row, "", from_status(status))
    return row, str(field), str(reason), str(message)


def _split(data: bytes, wanted: set[int]) -> tuple[bytes, dict[int, list[memoryview]]]:
    """The message without the length-delimited fields ``wanted``, and those fields' contents."""
    rest, cut = bytearray(), dict[int, list[memoryview]]()
    for number, whole, content in _fields(memoryview(data)):
        if content is not None and number in wanted:
            cut.setdefault(number, []).append(content)
        else:
            rest += whole
    return bytes(rest), cut


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview | None]]:
    """Number, all bytes, and content (of length-delimited fields) of every field."""
    at = 0
    while at < len(data):
        start = at
        key, at = _varint(data, at)
        content, kind = None, key & 7
        if kind == _LENGTH:
            size, at = _varint(data, at)
            content = data[at : at + size]
            at += size
        elif kind == _VARINT:
            _, at = _varint(data, at)
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            at = len(data) + 1
        if at > len(data):
            raise ServerFault("the server's answer cannot be read")
        yield key >> 3, data[start:at], content


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise ServerFault("the server's answer cannot be read")
