"""Scoring rows without a server: the same core, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from harken_server.errors import ScoringError
from harken_server.grumble import Grumble, Score
from harken_server.scoring import Scorer


def score_rows(
    scorer: Scorer, rows: Iterable[Grumble], batch: int = 1000
) -> Iterator[Score | ScoringError]:
    """An outcome for every row, in order; holds no more than ``batch`` rows at a time."""
    waiting = iter(rows)
    while taken := list(islice(waiting, batch)):
        yield from scorer.score_batch(taken)
