"""Many rows at once: signatures column-wise, each distinct one answered once.

Per decision the classes of its facts are combined into one integer a row (mixed radix); the
distinct integers are looked up, or asked; results and derived cells are gathered back. What
a row is told is the very object that ``RuleEngine.decide`` would return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harken_rules.column_cells import Codes, column_codes, python_value, tidy
from harken_rules.outcomes import Outcome, compose
from harken_rules.verdict import FactError, Verdict

if TYPE_CHECKING:
    from harken_rules.engine import Plan, RuleEngine

Index = npt.NDArray[np.int64]

KEY_LIMIT = 2**63 - 1
"""Combined keys stay within int64."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One decision's distinct outcomes and, for each row, which of them is its own."""

    outcomes: tuple[Outcome, ...]
    chosen: Index


class ColumnVerdicts:
    """The verdicts on the rows of ``RuleEngine.decide_columns``; composed when asked for.

    ``errors`` maps each row that has an unacceptable value to the FactError that ``decide``
    would raise.
    """

    def __init__(
        self,
        rows: int,
        columns: Mapping[str, npt.NDArray[Any]],
        errors: Mapping[int, FactError],
        answers: Mapping[str, int],
        decisions: tuple[Answers, ...],
    ) -> None:
        self.rows = rows
        self.errors = errors
        self._columns = columns
        self._places = answers
        self._decisions = decisions

    def __len__(self) -> int:
        return self.rows

    def values(self, name: str) -> npt.NDArray[np.object_]:
        """A result of every row, shape (rows,), as ``Verdict.results`` has it.

        ``None`` where it is missing and in rows with an error. Raises KeyError if no decision
        yields ``name``.
        """
        answers = self._decisions[self._places[name]]
        distinct = np.empty(len(answers.outcomes), dtype=object)
        for place, outcome in enumerate(answers.outcomes):
            distinct[place] = dict(outcome.results)[name]
        gathered = distinct[answers.chosen]
        if self.errors:
            gathered[list(self.errors)] = None
        return gathered

    def verdict(self, row: int) -> Verdict:
        """One row's whole verdict; raises its FactError, or IndexError if no such row is."""
        if not 0 <= row < self.rows:
            raise IndexError(row)
        if row in self.errors:
            raise self.errors[row]
        facts = {}
        for name, column in self._columns.items():
            value = python_value(column[row])
            if value is not None:
                facts[name] = value
        return compose([each.outcomes[each.chosen[row]] for each in self._decisions], facts)


def decide_columns(engine: RuleEngine, columns: Mapping[str, object], rows: int) -> ColumnVerdicts:
    """See ``RuleEngine.decide_columns``."""
    given: dict[str, npt.NDArray[Any]] = {}
    codes: dict[int, Codes] = {}
    errors: dict[int, FactError] = {}
    for name in engine.given:
        if columns.get(name) is None:
            continue
        column = np.asarray(columns[name])
        if column.shape != (rows,):
            raise ValueError(f"column {name!r} has shape {column.shape}, expected ({rows},)")
        given[name] = tidy(engine.cells[name], column)
        codes[engine.slot(name)], wrong = column_codes(engine.cells[name], given[name])
        for row, error in wrong.items():
            errors.setdefault(row, error)
    decisions: list[Answers] = []
    for plan in engine.plans:
        answers = answer(engine, len(decisions), plan, codes, rows)
        for place, slot in enumerate(plan.derived):
            derived = np.array([each.derived[place][1] for each in answers.outcomes], np.int32)
            codes[slot] = derived[answers.chosen]
        decisions.append(answers)
    engine.count((rows - len(errors)) * len(decisions))
    places = {
        name: index
        for index, plan in enumerate(engine.plans)
        for name in plan.table.decision.results
    }
    return ColumnVerdicts(rows, given, errors, places, tuple(decisions))


def answer(
    engine: RuleEngine, decision: int, plan: Plan, codes: Mapping[int, Codes], rows: int
) -> Answers:
    """One decision's outcomes for all rows. A row with an error is answered as if its fact
    were missing; nobody is shown that."""
    if not rows:
        return Answers((), np.zeros(0, dtype=np.int64))
    parts = [
        (np.asarray(classes, dtype=np.int64)[codes[slot]] if slot in codes else None, size)
        for slot, classes, size in zip(plan.slots, plan.classes, plan.table.sizes, strict=True)
    ]
    absent = [classes[0] for classes in plan.classes]
    key, possible = np.zeros(rows, dtype=np.int64), 1
    for (column, size), missing in zip(parts, absent, strict=True):
        if possible > KEY_LIMIT // size:
            seen, key = np.unique(key, return_inverse=True)
            possible = len(seen)
        key = key * size + (missing if column is None else column)
        possible *= size
    first, chosen = distinct(key, possible)
    held = [
        [missing] * len(first) if column is None else column[first].tolist()
        for (column, _), missing in zip(parts, absent, strict=True)
    ]
    found = zip(*held, strict=True) if held else [()]
    outcomes = tuple([engine.outcome(decision, signature) for signature in found])
    return Answers(outcomes, chosen)


def distinct(key: Index, possible: int) -> tuple[Index, Index]:
    """A row of each distinct key (below ``possible``), and for every row the place of its own."""
    if possible > 1024 + 4 * len(key):  # too many to count; sort
        _, first, chosen = np.unique(key, return_index=True, return_inverse=True)
        return first, chosen.astype(np.int64, copy=False)
    table = np.full(possible, -1, dtype=np.int64)
    table[key] = np.arange(len(key))
    held = np.flatnonzero(table >= 0)
    first = table[held]
    table[held] = np.arange(len(held))
    return first, table[key]
