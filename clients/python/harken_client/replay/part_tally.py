"""The summary's counts by columns: what a part keeps for it, and how parts are added up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harken_client.replay.tally import EXACT, SHIFT, SMALLEST, Heap, Tally

GATHERED = 1 << 20
"""Rows added up at a time."""


def tally_bytes(level: Any, probability: Any, label: Any) -> Any:
    """The columns of a part that a summary needs, as an Arrow stream."""
    arrays = [level.cast(pa.int8()), probability, label]
    return stream_bytes(pa.RecordBatch.from_arrays(arrays, ["level", "probability", "label"]))


def stream_bytes(batch: Any) -> Any:
    """A record batch as an Arrow stream, in a buffer."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def add_up(sections: Iterable[bytes]) -> Tally:
    """The tally of all parts."""
    tally, gathered, rows = Tally(), list[Any](), 0
    for section in sections:
        batch = pa.ipc.open_stream(section).read_next_batch()
        gathered.append(batch)
        rows += batch.num_rows
        if rows >= GATHERED:
            _add(tally, pa.Table.from_batches(gathered))
            gathered, rows = [], 0
    if gathered:
        _add(tally, pa.Table.from_batches(gathered))
    return tally


def _add(tally: Tally, table: Any) -> None:
    counts = table.group_by(["level", "label"], use_threads=False).aggregate([([], "count_all")])
    for level, label, rows in zip(*(counts[n].to_pylist() for n in _COUNTS), strict=True):
        tally.levels[level] += rows
        if label is not None:
            tally.outcomes[level, label] += rows
    known = table.filter(pc.is_valid(table["label"])).select(["probability", "label"])
    if tally.labelled > EXACT:
        tally.add_heaps(*_heaps(known))
        return
    negatives, positives = (
        known.filter(pc.equal(known["label"], label))["probability"].combine_chunks()
        for label in (0, 1)
    )
    tally.add_exact(_doubles(negatives), _doubles(positives))


_COUNTS = ("level", "label", "count_all")


def _doubles(column: Any) -> bytes:
    return b"".join(_data(chunk) for chunk in _chunks(column))


def _chunks(column: Any) -> list[Any]:
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]


def _data(chunk: Any) -> bytes:
    start = 8 * chunk.offset
    return bytes(chunk.buffers()[1] or b"")[start : start + 8 * len(chunk)]


def _heaps(known: Any) -> tuple[dict[int, Heap], float]:
    """Heaps by bin, and the sum of squared distances between probability and outcome."""
    probability, label = (known[name].combine_chunks() for name in ("probability", "label"))
    if isinstance(probability, pa.ChunkedArray):  # combined to no chunk at all
        return {}, 0.0
    clipped = pc.max_element_wise(probability, SMALLEST)
    bins = pc.shift_right(clipped.view(pa.int64()), SHIFT)
    table = pa.table({"bin": bins, "label": label, "p": probability})
    found = table.group_by("bin", use_threads=False).aggregate(
        [("label", "count"), ("label", "sum"), ("p", "sum"), ("p", "min"), ("p", "max")]
    )
    names = ("bin", "label_count", "label_sum", "p_sum", "p_min", "p_max")
    heaps = {
        key: Heap(rows - positives, positives, total, lowest, highest)
        for key, rows, positives, total, lowest, highest in zip(
            *(found[name].to_pylist() for name in names), strict=True
        )
    }
    away = pc.subtract(probability, label.cast(pa.float64()))
    return heaps, pc.sum(pc.multiply(away, away)).as_py() or 0.0
