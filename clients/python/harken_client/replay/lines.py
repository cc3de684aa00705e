"""OUT's rows of CSV by columns: the same text that ``csv`` writes row by row.

Each column becomes a column of texts, coded columns by quoting their distinct texts. Then one
call joins the cells of every row, and because the last cell ends with the line feed, the joined
column's own memory is the file's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harken_client.replay.journal import csv_lines
from harken_client.replay.outcome import COLUMNS, TIMES

_SPECIAL = (b'"', b",", b"\r", b"\n")
_SECOND = 1_000_000
_GLANCE = 512
"""Rows that tell whether a column has few distinct numbers."""


def csv_text(columns: Mapping[str, Any]) -> Any:
    """The lines of OUT, as a buffer of UTF-8, for Arrow columns named as in ``COLUMNS``.

    Texts are utf8 or dictionaries of it, times microseconds UTC, ``label`` int8.
    """
    rows = len(columns["row"])
    if not rows:
        return b""
    cells = [_cells(name, columns[name]) for name in COLUMNS[:-1]]
    ends = pa.array(["\n", "0\n", "1\n"])
    label = columns["label"].cast(pa.int32())
    cells.append(ends.take(pc.add(label, 1).fill_null(0)))
    joined = pc.binary_join_element_wise(
        *cells, pa.scalar(","), null_handling="replace", null_replacement=""
    )
    _, offsets, data = joined.buffers()
    size = pa.Array.from_buffers(pa.int32(), rows + 1, [None, offsets])[rows].as_py()
    return data.slice(0, size)


def _cells(name: str, column: Any) -> Any:
    kind = column.type
    if name in TIMES:
        return _times(column)
    if pa.types.is_dictionary(kind):
        quoted = _texts(column.dictionary)
        if len(quoted) == 1 and not column.null_count:
            return quoted[0]
        return quoted.take(column.indices)
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_integer(kind):
        return column.cast(pa.string())
    return _texts(column)


def _texts(column: Any) -> Any:
    """Quoted where ``csv`` quotes; which is asked of all texts at once first."""
    data = bytes(column.buffers()[2] or b"")
    if not any(special in data for special in _SPECIAL):
        return column
    special = pc.match_substring_regex(column, '[",\r\n]').fill_null(False)
    mended = [csv_lines([(text, "")])[:-2].decode() for text in column.filter(special).to_pylist()]
    return pc.replace_with_mask(column, special, pa.array(mended, pa.string()))


def _floats(column: Any) -> Any:
    """As ``repr`` has them. Arrow writes the same shortest digits, but small and large ones, and
    whole ones, in another way."""
    if len(column[:_GLANCE].dictionary_encode().dictionary) < _GLANCE // 2:
        return _by_distinct(column)
    size = pc.abs(column)
    same = pc.and_(
        pc.and_(pc.greater_equal(size, 1e-4), pc.less(size, 1e6)),
        pc.not_equal(column, pc.trunc(column)),
    ).fill_null(True)
    texts = column.cast(pa.string())
    if not same.false_count:
        return texts
    others = pc.invert(same)
    return pc.replace_with_mask(texts, others, _by_distinct(column.filter(others)))


def _by_distinct(column: Any) -> Any:
    distinct = column.dictionary_encode()
    said = pa.array([repr(number) for number in distinct.dictionary.to_pylist()], pa.string())
    return said.take(distinct.indices)


def _times(column: Any) -> Any:
    """ISO 8601 with a Z; a fraction of six digits where there is one."""
    exact = column.cast(pa.int64())
    seconds = pc.divide(exact, _SECOND)
    texts = _iso(seconds.cast(pa.timestamp("s")), len("2026-03-01T08:00:00"))
    same = pc.equal(pc.multiply(seconds, _SECOND), exact).fill_null(True)
    if not same.false_count:
        return texts
    others = pc.invert(same)
    rest = exact.filter(others).cast(pa.timestamp("us"))
    mended = _iso(rest, len("2026-03-01T08:00:00.000000"))
    return pc.replace_with_mask(texts, others, mended)


def _iso(times: Any, size: int) -> Any:
    """Arrow writes a space where ISO 8601 has a T; its own Z costs more than all the rest."""
    texts = times.cast(pa.string()).cast(pa.binary())
    texts = pc.binary_replace_slice(texts, start=10, stop=11, replacement=b"T")
    return pc.binary_replace_slice(texts, start=size, stop=size, replacement=b"Z").cast(pa.string())
