"""What is done with a slice: read, typed, scored, and put down as a part.

The same for every backend, in this process or in several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from harken_client.replay.columns import Block, ColumnConverter, Typed, counting
from harken_client.replay.journal import csv_lines
from harken_client.replay.lines import csv_text
from harken_client.replay.outcome import COLUMNS, reject_row
from harken_client.replay.part_tally import stream_bytes, tally_bytes
from harken_client.replay.parts import Content
from harken_client.replay.slices import Slice

Fault = tuple[int, str, str, str]
"""A row that has no score, by its place in the batch: field, reason, message."""


class Backend(Protocol):
    """What scores record batches of core names (see ``protos/harken/v1/replay.proto``)."""

    def score(self, batch: Any) -> tuple[Any, Sequence[Fault]]:
        """A record batch of as many rows with OUT's columns, and the rows that have no score."""
        ...


def score_slice(
    part: Slice, block: Block, converter: ColumnConverter, backend: Backend, *, as_csv: bool
) -> Content:
    """The part of a slice whose rows are ``block``."""
    typed = converter.typed(block)
    if not typed.batch.num_rows:
        return content_of(part, typed, None, (), as_csv=as_csv)
    return content_of(part, typed, *backend.score(typed.batch), as_csv=as_csv)


def content_of(
    part: Slice, typed: Typed, scores: Any, faults: Sequence[Fault], *, as_csv: bool
) -> Content:
    """The part of typed rows and their scores (None where no row could be sent)."""
    rejects = [
        (place, csv_lines([reject_row(part.first + place + 1, grumble_id, error)]))
        for place, grumble_id, error in typed.rejects
    ]
    if scores is None:
        lines = b"".join(line for _, line in rejects)
        return Content(part.number, part.rows, len(rejects), (b"", b"", lines), "", "")
    given = {"grumble_id": typed.batch.column("grumble_id"), "label": typed.labels}
    given["row"] = typed.places
    if faults:
        rejects += _refused(part, given, faults)
        rejects.sort()
        sound = pc.invert(pc.is_in(counting(scores.num_rows), pa.array([f[0] for f in faults])))
        scores = scores.filter(sound)
        given = {name: column.filter(sound) for name, column in given.items()}
    given["row"] = pc.add(given["row"], part.first + 1)
    columns = {n: given[n] if n in given else scores.column(n) for n in COLUMNS}
    if as_csv:
        out = csv_text(columns)
    else:
        out = stream_bytes(pa.RecordBatch.from_pydict({n: _plain(c) for n, c in columns.items()}))
    tally = tally_bytes(columns["level"], columns["probability"], columns["label"])
    lines = b"".join(line for _, line in rejects)
    digests = _digests(columns) if scores.num_rows else ("", "")
    return Content(part.number, part.rows, len(rejects), (out, tally, lines), *digests)


def _plain(column: Any) -> Any:
    """A column whose dictionary, if it has one, holds no null: Parquet cannot have that."""
    if not pa.types.is_dictionary(column.type) or not column.dictionary.null_count:
        return column
    known = column.dictionary.drop_null()
    places = pc.index_in(column.dictionary, value_set=known, skip_nulls=True)
    return pa.DictionaryArray.from_arrays(places.take(column.indices), known)


def _refused(
    part: Slice, given: dict[str, Any], faults: Sequence[Fault]
) -> list[tuple[int, bytes]]:
    rows = pa.array([row for row, *_ in faults], pa.int64())
    ids, places = given["grumble_id"].take(rows).to_pylist(), given["row"].take(rows).to_pylist()
    return [
        (place, csv_lines([(part.first + place + 1, grumble_id or "", *said)]))
        for place, grumble_id, (_, *said) in zip(places, ids, faults, strict=True)
    ]


def _digests(columns: dict[str, Any]) -> tuple[str, str]:
    rules, model = (columns[name][0].as_py() for name in ("rule_base_digest", "model_digest"))
    return rules, model
