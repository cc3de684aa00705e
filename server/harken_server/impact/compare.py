"""Two rule bases on the same columns of facts: every count of a tally, column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from harken_rules import RuleEngine
from harken_rules.column_cells import Coded, Column
from harken_rules.columns import ColumnVerdicts
from harken_rules.language import RuleBase
from harken_rules.verdict import Result
from numpy.typing import NDArray

from harken_server.history.facts import for_rules
from harken_server.history.rows import Fault, Refused, Rows
from harken_server.impact.counting import Values, alike, counted
from harken_server.impact.tally import Tally
from harken_server.impact.why import causes_of, sample_of

US_PER_DAY = 86_400_000_000
GROUPS = ("segment", "category")
LEVEL, LINE, TREATMENT = "level", "above_warning_line", "treatment"
SINGLE = (TREATMENT, "owner", "contact_policy", "priority", "escalation")
LISTED = ("strategies", "supporting_departments", "warnings")
LINE_LEVEL = 4
"""From here on a grumble counts as above the line in a base that draws none."""
SIDES = ("old", "new")


@dataclass(frozen=True, slots=True)
class Advice:
    """The results besides the level that are compared: of one value, and lists."""

    single: tuple[str, ...]
    listed: tuple[str, ...]


def advice_of(old: RuleBase, new: RuleBase) -> Advice:
    """What both bases tell somebody to do."""
    yielded = [{name for d in base.decisions for name in d.results} for base in (old, new)]
    both = yielded[0] & yielded[1]
    return Advice(
        tuple(name for name in SINGLE if name in both),
        tuple(name for name in LISTED if name in both),
    )


class Comparer:
    """Compares two bases on rows. Engines are shared by all of its calls."""

    def __init__(self, old: RuleEngine, new: RuleEngine, utc_offset_hours: float = 0.0) -> None:
        self.engines = (old, new)
        self.advice = advice_of(old.base, new.base)
        self._offset_us = round(utc_offset_hours * 3_600_000_000)

    def compare(self, rows: Rows, facts: Mapping[str, Column]) -> Tally:
        """The tally of ``rows``, whose facts are ``facts``."""
        verdicts = tuple(
            engine.decide_columns(for_rules(facts, engine.base), len(rows))
            for engine in self.engines
        )
        tally = Tally(read=len(rows))
        keep = np.ones(len(rows), dtype=bool)
        for side, decided in zip(SIDES, verdicts, strict=True):
            if decided.errors:
                tally.refused[side] = refused_by(decided, rows)
                keep[list(decided.errors)] = False
        places = np.flatnonzero(keep)
        tally.rows = len(places)
        if len(places):
            self._count(tally, rows, facts, verdicts, places)
        return tally

    def _count(
        self,
        tally: Tally,
        rows: Rows,
        facts: Mapping[str, Column],
        verdicts: tuple[ColumnVerdicts, ...],
        places: NDArray[np.int64],
    ) -> None:
        old, new = (result(decided, LEVEL, places) for decided in verdicts)
        tally.levels.update(dict(counted(old, new)))
        for name in GROUPS:
            if name in facts:
                group = given(facts[name], places)
                tally.groups[name] = Counter(dict(counted(group, old, new)))
        moved = ~alike(old, new)
        otherwise = self._count_advice(tally, verdicts, places) & ~moved
        tally.otherwise = int(otherwise.sum())
        above = [line_of(decided, places) for decided in verdicts]
        self._count_days(tally, rows, verdicts, above, places)
        label = rows.label[places]
        known = np.flatnonzero(label == label)
        if len(known):
            complained = Values(label[known].astype(np.int64), (False, True))
            both = [each.cut(known) for each in above]
            tally.warned.update(dict(counted(*both, complained)))
            levels = [each.cut(known) for each in (old, new)]
            tally.outcomes.update(dict(counted(*levels, complained)))
        changed = places[moved]
        tally.causes.update(causes_of(verdicts, self.engines, changed))
        names = (LEVEL, *self.advice.single, *self.advice.listed)
        tally.sample = sample_of(
            rows, verdicts, self.engines, np.sort(np.append(changed, places[otherwise])), names
        )

    def _count_advice(
        self, tally: Tally, verdicts: tuple[ColumnVerdicts, ...], places: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Count treatment, owner, strategies and so on; answers which rows' differ at all."""
        differ = np.zeros(len(places), dtype=bool)
        for name in self.advice.single:
            old, new = (result(decided, name, places) for decided in verdicts)
            tally.single[name] = Counter(dict(counted(old, new)))
            differ |= ~alike(old, new)
        for name in self.advice.listed:
            old, new = (result(decided, name, places) for decided in verdicts)
            found = tally.listed[name] = Counter()
            for which, column in (("old", old), ("new", new)):
                for (codes,), number in counted(column):
                    add(found, codes, which, number)
            changed = ~alike(old, new)
            for (before, after), number in counted(old.cut(changed), new.cut(changed)):
                add(found, [code for code in after if code not in before], "gained", number)
                add(found, [code for code in before if code not in after], "lost", number)
            differ |= changed
        return differ

    def _count_days(
        self,
        tally: Tally,
        rows: Rows,
        verdicts: tuple[ColumnVerdicts, ...],
        above: list[Values],
        places: NDArray[np.int64],
    ) -> None:
        observed = rows.columns["observe_time_us"][places].astype(np.int64)
        days = (observed + self._offset_us) // US_PER_DAY
        first = int(days.min())
        day = Values(days - first, tuple(range(first, int(days.max()) + 1)))
        for side, decided, line in zip(SIDES, verdicts, above, strict=True):
            for (when, over), number in counted(day, line):
                if over:
                    tally.lines[when, side] += number
            if TREATMENT in self.advice.single:
                treatment = result(decided, TREATMENT, places)
                for (when, code), number in counted(day, treatment):
                    tally.days[when, side, code] += number
                found = tally.peaks[side] = Counter()
                for (level, code), number in counted(result(decided, LEVEL, places), treatment):
                    if level is not None:
                        found[level, code] += number


def add(found: Counter[tuple[str, str]], codes: Iterable[Result], which: str, number: int) -> None:
    """Count rows that name ``codes``."""
    for code in codes:
        found[str(code), which] += number


def result(decided: ColumnVerdicts, name: str, places: NDArray[np.int64]) -> Values:
    """A result of the rows at ``places``, none of which has an error."""
    codes, values = decided.coded(name)
    return Values(codes[places], values)


def line_of(decided: ColumnVerdicts, places: NDArray[np.int64]) -> Values:
    """Which rows are above the warning line: as the rules say, otherwise from level 4 on."""
    try:
        said = result(decided, LINE, places)
    except KeyError:
        level = result(decided, LEVEL, places)
        return level.mapped([each is not None and each >= LINE_LEVEL for each in level.values])
    return said.mapped([each is True for each in said.values])


def given(column: Column, places: NDArray[np.int64]) -> Values:
    """A given fact of the rows at ``places``; missing is None."""
    if not isinstance(column, Coded):
        raise TypeError("groups are codes")
    codes = column.codes[places].astype(np.int64)
    return Values(np.where(codes < 0, len(column.values), codes), (*column.values, None))


def refused_by(decided: ColumnVerdicts, rows: Rows) -> Refused:
    """The rows that a rule base does not accept, in its words."""
    refused = Refused()
    refused.add(
        [
            Fault(int(rows.numbers[row]), error.fact, str(error).partition(": ")[2])
            for row, error in decided.errors.items()
        ]
    )
    return refused
