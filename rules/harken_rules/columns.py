"""Many rows at once: signatures column-wise, each distinct one answered once.

Per decision the classes of its facts are combined into one integer a row (mixed radix); the
distinct integers are looked up, or asked; results and derived cells are gathered back. What
a row is told is the very object that ``RuleEngine.decide`` would return.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harken_rules.column_cells import Coded, Codes, column_codes
from harken_rules.outcomes import Outcome, compose, ranked
from harken_rules.verdict import FactError, Fired, Result, Verdict

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
        engine: RuleEngine,
        rows: int,
        errors: Mapping[int, FactError],
        decisions: Sequence[Answers | None],
    ) -> None:
        self.rows = rows
        self.errors = errors
        self._engine = engine
        self._decisions = decisions

    def __len__(self) -> int:
        return self.rows

    def values(self, name: str) -> npt.NDArray[np.object_]:
        """A result of every row, shape (rows,), as ``Verdict.results`` has it.

        ``None`` where it is missing and in rows with an error. Raises KeyError if no decision
        yields ``name``.
        """
        codes, values = self.coded(name)
        distinct = np.empty(len(values) + 1, dtype=object)
        for place, value in enumerate(values):
            distinct[place] = value
        return distinct[codes]

    def coded(self, name: str) -> tuple[Index, tuple[Result, ...]]:
        """A result of every row as ``(codes, values)``: ``values[codes[row]]``, codes (rows,).

        The values are distinct; the code is -1 in rows with an error. Raises KeyError if no
        decision yields ``name``.
        """
        answers = self.answers(self._engine.yielding(name))
        places: dict[Result, int] = {}
        table = np.array(
            [
                places.setdefault(dict(outcome.results)[name], len(places))
                for outcome in answers.outcomes
            ],
            dtype=np.int64,
        )
        codes = table[answers.chosen]
        if self.errors:
            codes[list(self.errors)] = -1
        return codes, tuple(places)

    def reasons(self) -> tuple[Index, tuple[tuple[Fired, ...], ...]]:
        """The reasons of every row as ``(codes, values)``, as ``Verdict.reasons`` has them.

        Codes have shape (rows,), -1 in rows with an error; the values are distinct. Raises
        LookupError if a decision that gives reasons was not asked for.
        """
        places: dict[tuple[tuple[str, str], ...], int] = {}
        values: list[tuple[Fired, ...]] = []
        reasoning = [
            self.answers(index)
            for index, plan in enumerate(self._engine.plans)
            if plan.table.decision.reasons
        ]
        codes = np.zeros(self.rows, dtype=np.int64)
        lists: list[tuple[tuple[tuple[float, Fired], ...], ...]] = [()]
        for answers in reasoning:
            key = codes * len(answers.outcomes) + answers.chosen
            held, codes = np.unique(key, return_inverse=True)
            pairs = [divmod(each, len(answers.outcomes)) for each in held.tolist()]
            lists = [(*lists[a], answers.outcomes[b].reasons) for a, b in pairs]
        table = np.zeros(len(lists), dtype=np.int64)
        for at, each in enumerate(lists):
            found = ranked(each)
            name = tuple((fired.decision, fired.rule_id) for fired in found)
            table[at] = places.setdefault(name, len(places))
            if table[at] == len(values):
                values.append(found)
        codes = table[codes]
        if self.errors:
            codes[list(self.errors)] = -1
        return codes, tuple(values)

    def answers(self, decision: int) -> Answers:
        """One decision's outcomes, and which is each row's; rows with an error have no say.

        Raises LookupError if it was not asked for.
        """
        answers = self._decisions[decision]
        if answers is None:
            raise LookupError(self._engine.plans[decision].table.decision.name)
        return answers

    def verdict(self, row: int) -> Verdict:
        """One row's whole verdict; raises its FactError, or IndexError if no such row is."""
        if not 0 <= row < self.rows:
            raise IndexError(row)
        if row in self.errors:
            raise self.errors[row]
        answers = [self.answers(decision) for decision in range(len(self._decisions))]
        return compose([each.outcomes[each.chosen[row]] for each in answers])


def decide_columns(
    engine: RuleEngine,
    columns: Mapping[str, object],
    rows: int,
    results: Collection[str] | None = None,
) -> ColumnVerdicts:
    """See ``RuleEngine.decide_columns``."""
    codes: dict[int, Codes] = {}
    errors: dict[int, FactError] = {}
    for name in engine.given:
        told = columns.get(name)
        if told is None:
            continue
        column = told if isinstance(told, Coded) else np.asarray(told)
        if column.shape != (rows,):
            raise ValueError(f"column {name!r} has shape {column.shape}, expected ({rows},)")
        codes[engine.slot(name)], wrong = column_codes(engine.cells[name], column)
        for row, error in wrong.items():
            errors.setdefault(row, error)
    wanted = None if results is None else behind(engine, results)
    decisions: list[Answers | None] = []
    for index, plan in enumerate(engine.plans):
        if wanted is not None and index not in wanted:
            decisions.append(None)
            continue
        answers = answer(engine, index, plan, codes, rows)
        for place, slot in enumerate(plan.derived):
            derived = np.array([each.derived[place][1] for each in answers.outcomes], np.int32)
            codes[slot] = derived[answers.chosen]
        decisions.append(answers)
    engine.count((rows - len(errors)) * sum(each is not None for each in decisions))
    return ColumnVerdicts(engine, rows, errors, tuple(decisions))


def behind(engine: RuleEngine, results: Collection[str]) -> set[int]:
    """The decisions that yield ``results`` and all that these rest on."""
    wanted = {engine.yielding(name) for name in results}
    slots = {slot for index in wanted for slot in engine.plans[index].slots}
    for index in range(len(engine.plans) - 1, -1, -1):  # each stands after those it rests on
        plan = engine.plans[index]
        if index in wanted or not slots.isdisjoint(plan.derived):
            wanted.add(index)
            slots.update(plan.slots)
    return wanted


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
