"""Requests as the columns of a chunk, and a chunk's answer row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from google.protobuf.timestamp_pb2 import Timestamp
from harken.v1 import grumble_pb2, replay_pb2, score_pb2, scoring_pb2

PARTS = {
    "grumble": grumble_pb2.Grumble,
    "customer": grumble_pb2.CustomerProfile,
    "history": grumble_pb2.History,
}
FIELDS = [(part, f) for part, kind in PARTS.items() for f in kind.DESCRIPTOR.fields]
TIME = pa.timestamp("us", tz="UTC")
CODED = [f.name for f in replay_pb2.ReplayScoresResponse.DESCRIPTOR.fields if f.number >= 13]


def name_of(field: Any, number: int) -> str:
    names = [v.name for v in field.enum_type.values]
    return names[number].removeprefix(names[0].removesuffix("UNSPECIFIED")).lower()


def value_of(request: scoring_pb2.ScoreRequest, part: str, field: Any) -> Any:
    """What a request says of a core field, as columns hold it; None where it says nothing."""
    message = getattr(request, part)
    given = dict(message.ListFields()).get(field)
    if isinstance(given, Timestamp):
        return given.seconds * 1_000_000 + given.nanos // 1000
    return name_of(field, given) if field.enum_type and given is not None else given


def type_of(field: Any) -> pa.DataType:
    if field.message_type is not None:
        return TIME
    if field.type in (field.TYPE_STRING, field.TYPE_ENUM):
        return pa.utf8()
    kinds = {field.TYPE_BOOL: pa.bool_(), field.TYPE_INT32: pa.int32()}
    return kinds.get(field.type, pa.float64())


def batch_of(
    requests: Sequence[scoring_pb2.ScoreRequest],
    *,
    plain: bool = False,
    blank: bool = False,
    keep_empty: bool = True,
) -> pa.RecordBatch:
    """The requests as rows. ``plain``: no dictionaries; ``blank``: unsaid texts are empty."""
    columns: dict[str, pa.Array] = {}
    for part, field in FIELDS:
        kind = type_of(field)
        values = [value_of(request, part, field) for request in requests]
        if not keep_empty and not any(v is not None for v in values):
            continue
        if blank and kind == pa.utf8():
            values = ["" if v is None else v for v in values]
        column = pa.array(values, kind, from_pandas=False)
        coded = kind == pa.utf8() and not plain and not field.name.endswith("_id")
        columns[field.name] = column.dictionary_encode() if coded else column
    for name in sorted({name for request in requests for name in request.attributes}):
        kinds = [r.attributes[name].WhichOneof("kind") for r in requests if name in r.attributes]
        (kind,) = {kind for kind in kinds if kind}
        column = pa.array(
            [getattr(r.attributes[name], kind) if name in r.attributes else None for r in requests],
            {"text": pa.utf8(), "number": pa.float64(), "flag": pa.bool_()}[kind],
            from_pandas=False,
        )
        columns[f"attr_{name}"] = column.dictionary_encode() if kind == "text" else column
    return pa.RecordBatch.from_pydict(columns)


def stream_of(batch: pa.RecordBatch, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_batch(batch)
    return sink.getvalue().to_pybytes()


def chunk_of(batch: pa.RecordBatch, sequence: int = 0) -> replay_pb2.ReplayScoresRequest:
    return replay_pb2.ReplayScoresRequest(sequence=sequence, record_batch=stream_of(batch))


def rows_of(answer: replay_pb2.ReplayScoresResponse) -> list[Any]:
    """For each row a tuple of what was answered, or its status."""
    faults = {fault.row: fault.status for fault in answer.faults}
    lists = [coded_lists(getattr(answer, name)) for name in CODED]
    numbers = (
        answer.level,
        [p.hex() for p in answer.probability],
        [s.hex() for s in answer.severity],
        answer.reply_deadline_time_us,
        answer.resolve_deadline_time_us,
    )
    rows: list[Any] = list(zip(*numbers, *lists, strict=True))
    assert len(rows) == answer.row_count
    for row, status in faults.items():
        assert rows[row] == (0, "nan", "nan", -1, -1, *[()] * len(CODED))
        rows[row] = status
    return rows


def coded_lists(column: replay_pb2.CodeColumn) -> list[tuple[str, ...]]:
    values = [tuple(each.codes) for each in column.values]
    assert len(set(values)) == len(values)
    return [values[place] for place in column.index]


def row_of(score: score_pb2.Score) -> tuple[Any, ...]:
    """A ``Score`` as ``rows_of`` gives one."""

    def deadline(name: str) -> int:
        if not score.HasField(name):
            return -1
        stamp = getattr(score, name)
        return int(stamp.seconds * 1_000_000 + stamp.nanos // 1000)

    def codes(name: str) -> tuple[str, ...]:
        value = getattr(score, name)
        if isinstance(value, str):
            return (value,) if value else ()
        if name == "owner":
            return (value.code,) if value.code else ()
        return tuple(each.code for each in value)

    return (
        score.level,
        score.probability.hex(),
        score.severity.hex(),
        deadline("reply_deadline_time"),
        deadline("resolve_deadline_time"),
        *map(codes, CODED),
    )
