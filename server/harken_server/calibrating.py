"""What calibration needs of a history: each row's number, and its level in every band."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from harken_rules import RuleBase, RuleEngine
from harken_rules.calibrate import Profile, grid_place
from harken_rules.column_cells import Coded, Column
from harken_rules.cutoffs import Scale, forced
from harken_rules.exact import canonical
from numpy.typing import NDArray

from harken_server.history.facts import facts_of, for_rules
from harken_server.history.pool import work_through
from harken_server.history.rows import Refused, Rows, usable_rows
from harken_server.history.source import History, RawChunk
from harken_server.impact.compare import refused_by
from harken_server.impact.counting import Values, counted

LEVEL = "level"
Outcome = bool | None
"""Whether a complaint followed; ``None`` where that is not known."""


@dataclass(slots=True)
class Banded:
    """Rows by (grid place, final level in each band, outcome); a place of None: number missing.

    ``present`` are rows by (final level, outcome) as the base is.
    """

    read: int = 0
    rows: Counter[tuple[int | None, Profile, Outcome]] = field(default_factory=Counter)
    present: Counter[tuple[int | None, Outcome]] = field(default_factory=Counter)
    refused: Refused = field(default_factory=Refused)

    def merge(self, other: Banded) -> None:
        """Add another chunk's counts."""
        self.read += other.read
        self.rows.update(other.rows)
        self.present.update(other.present)
        self.refused.merge(other.refused)


@dataclass(frozen=True, slots=True)
class BandingWork:
    """What every process does."""

    base: RuleBase
    scale: Scale
    step: Decimal
    bundle: Path
    history: History

    def prepare(self) -> Callable[[RawChunk], Banded]:
        """Load the bundle; build the base's engine and one in which each band is forced."""
        from harken_models import load_bundle

        bundle = load_bundle(self.bundle)
        engine = RuleEngine(self.base)
        bands = [
            RuleEngine(forced(self.base, self.scale, band)) for band in range(len(self.scale.bands))
        ]

        def banded(chunk: RawChunk) -> Banded:
            rows, refused = usable_rows(self.history, chunk)
            found = Banded(read=len(chunk), refused=refused)
            if len(rows):
                facts = for_rules(facts_of(rows, bundle), self.base)
                self._count(found, rows, facts, engine, bands)
            return found

        return banded

    def _count(
        self,
        found: Banded,
        rows: Rows,
        facts: Mapping[str, Column],
        engine: RuleEngine,
        bands: list[RuleEngine],
    ) -> None:
        derived = any(self.scale.fact in each.results for each in self.base.decisions)
        wanted = [LEVEL, self.scale.fact] if derived else [LEVEL]
        decided = engine.decide_columns(facts, len(rows), results=wanted)
        if decided.errors:
            found.refused.merge(refused_by(decided, rows))
        keep = np.ones(len(rows), dtype=bool)
        keep[list(decided.errors)] = False
        if derived:
            codes, values = decided.coded(self.scale.fact)
            number = Values(codes[keep], values)
        else:
            number = values_of_column(facts[self.scale.fact], keep)
        place = number.mapped([self._place(value) for value in number.values])
        outcome = _outcome(rows.label[keep])
        level = Values(*decided.coded(LEVEL)).cut(keep)
        found.present.update(dict(counted(level, outcome)))
        finals = []
        for band in bands:
            levels = band.decide_columns(facts, len(rows), results=[LEVEL])
            finals.append(Values(*levels.coded(LEVEL)).cut(keep))
        for (at, known, *profile), count in counted(place, outcome, *finals):
            found.rows[at, tuple(profile), known] += count

    def _place(self, value: Any) -> int | None:
        if value is None:
            return None
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
        return grid_place(canonical(exact), self.step, self.scale.reached)


def banded_rows(
    work: BandingWork,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Banded:
    """The whole history's counts. Raises HistoryError."""
    whole = Banded()
    for found in work_through(work.history, work, processes, progress):
        whole.merge(found)
    return whole


def values_of_column(column: Column, keep: NDArray[np.bool_]) -> Values:
    """A given number of the rows kept; missing is None."""
    if isinstance(column, Coded):
        raise TypeError("a number is no column of codes")
    kept = np.asarray(column, dtype=np.float64)[keep]
    distinct, codes = np.unique(kept, return_inverse=True)
    values = tuple(None if value != value else value for value in distinct.tolist())
    return Values(codes.astype(np.int64), values)


def _outcome(label: NDArray[np.float64]) -> Values:
    codes = np.where(label == label, label, 2).astype(np.int64)
    return Values(codes, (False, True, None))
