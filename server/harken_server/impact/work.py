"""Impact on a whole history, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harken_rules import RuleBase, RuleEngine

from harken_server.history.facts import facts_of
from harken_server.history.pool import work_through
from harken_server.history.rows import usable_rows
from harken_server.history.source import History, RawChunk
from harken_server.impact.compare import Comparer
from harken_server.impact.tally import Tally

MEMO = 1 << 18
"""Answers that an engine keeps: a history asks more different questions than a day's calls."""


@dataclass(frozen=True, slots=True)
class ImpactWork:
    """What every process does; the bases are sent whole, so that all see the same."""

    old: RuleBase
    new: RuleBase
    bundle: Path
    history: History

    def prepare(self) -> Callable[[RawChunk], Tally]:
        """Load the bundle and build both engines."""
        from harken_models import load_bundle

        bundle = load_bundle(self.bundle)
        old, new = (RuleEngine(base, memo_size=MEMO) for base in (self.old, self.new))
        comparer = Comparer(old, new, bundle.parts.features.utc_offset_hours)

        def tally_of(chunk: RawChunk) -> Tally:
            rows, refused = usable_rows(self.history, chunk)
            tally = comparer.compare(rows, facts_of(rows, bundle))
            tally.read = len(chunk)
            if refused.rows:
                tally.refused["history"] = refused
            return tally

        return tally_of


def impact_of(
    work: ImpactWork,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Tally:
    """The whole history's tally. Raises HistoryError."""
    whole = Tally()
    for tally in work_through(work.history, work, processes, progress):
        whole.merge(tally)
    return whole
