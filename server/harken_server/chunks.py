"""Chunks of historical grumbles, scored by columns: what a replay does, with a server or without.

``Score`` is the law: a row of a chunk gets exactly what ``Score`` would answer, or the very
violations that it would refuse the grumble with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any

import numpy as np
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.arrow_columns import ReadBatch, read_batch
from harken_server.columns import CodedResult, GrumbleColumns, ScoredColumns, used
from harken_server.errors import MisfitError, ScoringError
from harken_server.scoring import Scorer

SLICE_ROWS = 8192
"""Rows scored at a time: their columns stay in the processor's cache, and calls that wait for the
interpreter get it in between."""
PIECE = 256
"""Doubtful rows looked at, or faults written, at a time: a millisecond each where all is wrong."""
MAX_FURTHER = 65_536
"""Violations that the refusals of a chunk name beside each row's first. A chunk that is wrong
everywhere would take a gigabyte, and its answer more than the 64 MiB that Harken's client reads."""
CODED = (
    "segment",
    "behaviour_type",
    "tolerance",
    "treatment",
    "contact_policy",
    "strategies",
    "owner",
    "supporting_departments",
    "escalation_chain",
    "reasons",
    "warnings",
)
"""The columns of an answer that hold codes."""
IGNORED = "attribute-ignored"
"""The warning that an undeclared attribute was not looked at; a row has it once for each."""


class ScoredChunk:
    """The scores of a whole chunk, put together from those of its slices.

    As ``ScoredColumns``, whose parts it holds; ``errors`` are by the row's place in the chunk.
    """

    def __init__(
        self,
        slices: Sequence[ScoredColumns],
        errors: Mapping[int, ScoringError],
        ignored: NDArray[np.int64] | None,
    ) -> None:
        self.rows = sum(each.rows for each in slices)
        self.errors = errors
        self._slices = slices
        self._ignored = ignored
        self._refused = np.array(list(self.errors), np.int64)
        self.level = self._joined("level", 0)
        self.probability = self._joined("probability", np.nan)
        self.severity = self._joined("severity", np.nan)
        self.reply_deadline_us = self._joined("reply_deadline_us", -1)
        self.resolve_deadline_us = self._joined("resolve_deadline_us", -1)

    def codes(self, name: str) -> CodedResult:
        """A row's value of ``name`` is ``values[codes[row]]``; the code is -1 where it has none."""
        codes, values = self._of_slices(name)
        if len(self._refused):
            codes = codes.copy()
            codes[self._refused] = -1
        if name == "warnings" and self._ignored is not None:
            return _with_ignored(codes, values, self._ignored)
        return codes, values

    def _of_slices(self, name: str) -> CodedResult:
        if len(self._slices) == 1:
            return self._slices[0].codes(name)
        places: dict[object, int] = {}
        parts = []
        for codes, values in (each.codes(name) for each in self._slices):
            table = [places.setdefault(value, len(places)) for value in values]
            parts.append(np.array([*table, -1], np.int32)[codes])
        return np.concatenate(parts), tuple(places)

    def _joined(self, name: str, refused: float) -> NDArray[Any]:
        parts = [getattr(each, name) for each in self._slices]
        joined: NDArray[Any] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if len(self._refused):
            joined = joined.copy()
            joined[self._refused] = refused
        return joined


def score_chunk(
    scorer: Scorer,
    batch: Any,
    rows_of_slice: Callable[[], int] = lambda: SLICE_ROWS,
    between: Callable[[], None] = lambda: None,
) -> ScoredChunk:
    """Score a ``pyarrow.RecordBatch``, valid in Arrow's sense, with core names as its columns.

    ``rows_of_slice`` is asked before each slice, ``between`` called after each but the last.
    It is called while doubtful rows are looked at, too. Raises ``BatchError`` where the batch as
    a whole cannot be read.
    """
    snapshot = scorer.snapshot
    now_us = time.time_ns() // 1000
    read = read_batch(batch, snapshot.attributes, snapshot.base.facts, now_us)
    slices: list[ScoredColumns] = []
    errors = _Refusals()
    first, rows = 0, read.grumbles.rows
    while first < rows:
        if first:
            between()
        last = min(rows, first + rows_of_slice())
        scored = scorer.score_columns(part(read.grumbles, first, last))
        for row, error in scored.errors.items():
            errors.add(first + row, error)
        slices.append(replace(scored, errors={}))
        first = last
    for place, row in enumerate(read.doubtful()):
        if place % PIECE == PIECE - 1:
            between()
        doubted = _refusal(scorer, read, row)
        if doubted is not None:
            errors.add(row, doubted)
    return ScoredChunk(slices, dict(sorted(errors.found.items())), read.ignored)


class _Refusals:
    """Errors by row, which together name no more than ``MAX_FURTHER`` violations beside each
    row's first."""

    def __init__(self) -> None:
        self.found: dict[int, ScoringError] = {}
        self._room = MAX_FURTHER

    def add(self, row: int, error: ScoringError) -> None:
        """Keep ``error``, in place of another of the same row."""
        before = self.found.get(row)
        if before is not None:
            self._room += len(before.violations) - 1
        further = len(error.violations) - 1
        if further > self._room:
            further, error = 0, ScoringError(error.violations[:1])
        self._room -= further
        self.found[row] = error


def part(grumbles: GrumbleColumns, first: int, last: int) -> GrumbleColumns:
    """The rows from ``first`` to before ``last``, hardly copying any."""
    if (first, last) == (0, grumbles.rows):
        return grumbles

    def cut(name: str, column: Any) -> tuple[str, Any]:
        if isinstance(column, Coded):
            codes, values = column.codes[first:last], column.values
            # Every value is looked at; a slice of many must not pay for those of all others.
            few = len(values) <= last - first
            return name, Coded(codes, values) if few else Coded(*used((codes, values)))
        return name, column[first:last]

    columns = dict(starmap(cut, grumbles.columns.items()))
    lengths = dict(starmap(cut, grumbles.lengths.items()))
    return GrumbleColumns(last - first, columns, lengths)


def _refusal(scorer: Scorer, read: ReadBatch, row: int) -> ScoringError | None:
    """What ``Score`` would say of a row that needs another look; None if it is sound after all."""
    wrong = read.blamed(row)
    try:
        more = scorer.violations(read.grumble(row, scorer.snapshot.attributes.kinds))
    except MisfitError as misfit:
        return misfit
    said = {violation.field for violation in wrong}
    found = [*wrong, *(each for each in more if each.field not in said)]
    return ScoringError(found) if found else None


def _with_ignored(
    codes: NDArray[np.integer[Any]], values: tuple[object, ...], ignored: NDArray[np.int64]
) -> CodedResult:
    """The warnings, and after them as many of attributes ignored as each row has."""
    most = int(ignored.max()) + 1
    pairs = np.where(codes < 0, -1, codes.astype(np.int64) * most + ignored)
    distinct, places = np.unique(pairs, return_inverse=True)
    none = int(distinct[0] < 0)
    told = []
    for pair in distinct[none:].tolist():
        said = values[pair // most]
        told.append((*(said if isinstance(said, tuple) else ()), *(IGNORED,) * (pair % most)))
    return (places - none).astype(np.int32), tuple(told)
