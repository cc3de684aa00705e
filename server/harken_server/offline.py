"""A replay without a server: the same core, in the process of whoever replays.

The client finds ``open_backend`` by the entry point ``offline`` of the group ``harken.replay``,
once in each of its processes, and knows nothing else of this package.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harken_server.arrow_columns import MAX_ROWS
from harken_server.chunks import CODED, ScoredChunk, score_chunk
from harken_server.errors import HarkenServerError, ScoringError
from harken_server.heap import settle
from harken_server.paths import path_of
from harken_server.scoring import Scorer
from harken_server.settings import shipped
from harken_server.snapshot import build_snapshot, read_base

Fault = tuple[int, str, str, str]
"""Row in the batch from 0, field as a path in ``ScoreRequest`` (empty where none is to blame),
reason, message."""

_TIME = pa.timestamp("us", tz="UTC")
_CODES = pa.dictionary(pa.int32(), pa.utf8())
RESULT_SCHEMA = pa.schema(
    [
        ("level", pa.int32()),
        ("probability", pa.float64()),
        ("severity", pa.float64()),
        *((name, _CODES) for name in CODED),
        ("reply_deadline_time", _TIME),
        ("resolve_deadline_time", _TIME),
        ("rule_base_digest", _CODES),
        ("model_digest", _CODES),
        ("decision_id", pa.utf8()),
    ]
)
"""Of the batches that ``score`` gives. Several codes are joined by ``;``; null is nothing, and
everything in a row that has a fault."""


class OfflineBackend:
    """Scores record batches with one rule base and one bundle; not for several threads."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.rule_base_digest = scorer.snapshot.rule_base_digest
        self.model_digest = scorer.snapshot.model_digest

    def score(self, batch: Any) -> tuple[Any, list[Fault]]:
        """The scores of a ``pyarrow.RecordBatch`` and the faults of rows that have none.

        ``batch`` has core names and up to 65,536 rows, as ``ReplayScoresRequest`` says; what
        comes is a record batch of as many rows, of ``RESULT_SCHEMA``. Raises ``ValueError`` for
        a batch that cannot be read.
        """
        try:
            chunk = score_chunk(self._scorer, batch, lambda: MAX_ROWS)  # nobody waits: all at once
        except ScoringError as error:
            raise ValueError(str(error)) from None
        return self._result(chunk), [_fault(row, error) for row, error in chunk.errors.items()]

    def close(self) -> None:
        """Let go of everything; the backend cannot be used after it."""
        del self._scorer

    def _result(self, chunk: ScoredChunk) -> Any:
        refused = np.zeros(chunk.rows, np.bool_)
        refused[list(chunk.errors)] = True
        codes = {name: _joined(*chunk.codes(name)) for name in CODED}
        columns = {
            "level": pa.array(chunk.level, pa.int32(), mask=refused),
            "probability": pa.array(chunk.probability, mask=refused),
            "severity": pa.array(chunk.severity, mask=refused),
            **codes,
            "reply_deadline_time": _times(chunk.reply_deadline_us),
            "resolve_deadline_time": _times(chunk.resolve_deadline_us),
            "rule_base_digest": _same(self.rule_base_digest, refused),
            "model_digest": _same(self.model_digest, refused),
            "decision_id": _decision_ids(refused),
        }
        return pa.record_batch([columns[name] for name in RESULT_SCHEMA.names], RESULT_SCHEMA)


def open_backend(
    rules: Path | None, bundle: Path | None, compiled: bool, threads: int
) -> OfflineBackend:
    """Ready to score: ``rules`` and ``bundle`` are folders, the shipped ones where ``None``.

    ``threads`` are the model's; ``compiled`` uses the compiled model where it can be had. Raises
    ``ValueError`` with a line for everything that keeps the two from being served.
    """
    try:
        backend = OfflineBackend(_scorer(rules, bundle, compiled, threads))
    except HarkenServerError as error:
        raise ValueError(str(error)) from None
    settle()
    return backend


def _scorer(rules: Path | None, bundle: Path | None, compiled: bool, threads: int) -> Scorer:
    from harken_models import BundleError, load_bundle  # takes seconds

    base = read_base(rules or shipped("harken_rules", "base"))
    try:
        loaded = load_bundle(bundle or shipped("harken_models", "default"), threads, compiled)
    except BundleError as error:
        raise ValueError(f"bundle: {error}") from None
    return Scorer(build_snapshot(base, loaded))


def _joined(codes: np.ndarray, values: tuple[object, ...]) -> Any:
    """A column of codes; distinct lists stay distinct texts, for no code holds a ``;``."""
    texts = [";".join(v) if isinstance(v, tuple) else v or "" for v in values]
    missing = (codes < 0) | np.array([not text for text in texts] + [True])[codes]
    indices = pa.array(codes, pa.int32(), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.utf8()))


def _times(microseconds: np.ndarray) -> Any:
    return pa.array(microseconds, pa.int64(), mask=microseconds < 0).cast(_TIME)


def _same(text: str, refused: np.ndarray) -> Any:
    places = pa.array(np.zeros(len(refused), np.int32), mask=refused)
    return pa.DictionaryArray.from_arrays(places, pa.array([text]))


def _decision_ids(refused: np.ndarray) -> Any:
    """As with a server: an id of the batch, a hyphen, and the row's place in it."""
    rows = pa.array(np.arange(len(refused)), mask=refused).cast(pa.utf8())
    return pc.binary_join_element_wise(uuid.uuid4().hex, rows, "-")


def _fault(row: int, error: ScoringError) -> Fault:
    first = error.violations[0]
    said = [f"{path_of(v.field)}: {v.message}" if v.field else v.message for v in error.violations]
    return row, path_of(first.field), error.reason.value, "; ".join(said)
