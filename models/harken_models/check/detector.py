"""What every detector is: an id, a function, and what would explain its findings away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harken_models.check.finding import Finding
from harken_models.check.look import Look


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of finding; ``docs/data-check.md`` has a heading for its id.

    ``unless``: ids that, found on the same column, say it better (a date that lies in the future
    also predicts too well, and drifts). ``in_time``: it asks what comes first, so it waits until
    the times themselves can be read.
    """

    id: str
    run: Callable[[Look], Iterable[Finding]]
    unless: frozenset[str] = frozenset()
    in_time: bool = False
