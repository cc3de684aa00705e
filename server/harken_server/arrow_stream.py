"""Bytes that claim to be an Arrow IPC stream of one record batch, read without trusting them.

Nothing is allocated by what the bytes say of themselves: compressed buffers, whose size once
unpacked only they know, are refused before any is unpacked, types before any row is read. What
is left lies within the bytes as they came, and is validated before anybody looks at it.
"""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa

from harken_server.arrow_columns import MAX_ROWS, check_schema, unreadable
from harken_server.errors import Reason

_HEADER, _DATA, _COMPRESSION = 2, 1, 3
"""Places of fields in Arrow's tables Message, DictionaryBatch and RecordBatch (its Message.fbs)."""
_NO_STREAM = "the bytes are no Arrow IPC stream of a schema and one record batch"


def open_batch(data: bytes) -> Any:
    """The ``pyarrow.RecordBatch`` of a stream, on ``data`` itself.

    Raises ``BatchError`` for bytes that are no such stream, for columns that cannot be read, for
    compressed buffers, and for a number of rows that is not allowed.
    """
    buffer = pa.py_buffer(data)
    try:
        _look_through(buffer)
        with pa.ipc.open_stream(buffer) as reader:
            schema = reader.schema
            _ = schema.names, str(schema)  # names that are no UTF-8 fail here
            check_schema(schema)
            batch = reader.read_next_batch()
            if not 1 <= batch.num_rows <= MAX_ROWS:
                words = f"a batch holds 1 to {MAX_ROWS} rows, not {batch.num_rows}"
                raise unreadable(Reason.BATCH_SIZE, words)
            batch.validate(full=True)
    except (pa.ArrowException, OSError, StopIteration, UnicodeDecodeError):
        raise unreadable(Reason.MESSAGE_UNDECODABLE, _NO_STREAM) from None
    return batch


def _look_through(buffer: Any) -> None:
    """Refuse what is not one schema, dictionaries, one batch; and compression anywhere in it."""
    kinds = []
    for message in pa.ipc.MessageReader.open_stream(buffer):
        kind = message.type
        if kind != "schema" and _is_compressed(message.metadata, kind):
            words = "the batch's buffers are compressed; send them uncompressed"
            raise unreadable(Reason.FIELD_INVALID, words)
        kinds.append(kind)
    if kinds.count("record batch") > 1:
        raise unreadable(Reason.FIELD_INVALID, "there is more than one record batch; send one")
    if kinds[:1] != ["schema"] or kinds[-1:] != ["record batch"]:
        raise unreadable(Reason.MESSAGE_UNDECODABLE, _NO_STREAM)


def _is_compressed(metadata: Any, kind: str) -> bool:
    """Does a message declare compressed buffers? Arrow has verified its metadata by now.

    pyarrow has no way to ask, so the one field is looked up in the metadata, a flatbuffer: a
    table begins with the distance back to its list of field offsets, which a field that is
    absent has as 0, or which ends before it.
    """
    data = memoryview(metadata)

    def field(table: int, place: int) -> int:
        offsets = table - struct.unpack_from("<i", data, table)[0]
        at = 4 + 2 * place
        if at >= struct.unpack_from("<H", data, offsets)[0]:
            return 0
        offset: int = struct.unpack_from("<H", data, offsets + at)[0]
        return table + offset if offset else 0

    def child(table: int, place: int) -> int:
        at = field(table, place)
        if not at:
            raise unreadable(Reason.MESSAGE_UNDECODABLE, _NO_STREAM)
        return at + int(struct.unpack_from("<I", data, at)[0])

    batch = child(struct.unpack_from("<I", data, 0)[0], _HEADER)
    if kind == "dictionary":
        batch = child(batch, _DATA)
    return field(batch, _COMPRESSION) != 0
