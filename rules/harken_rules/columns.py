"""Many rows at once: the same chain of groups as for one row, column by column.

A slice of rows that fits in the processor's cache goes through at a time: each given column adds
its numbers to the keys of the groups that read it, each group's keys are looked up, and what the
answers add is gathered for the groups after it. All that is kept of a row is the place of its
answer in each group; results are gathered from these when somebody asks for them, and are the very
objects that ``RuleEngine.decide`` would return.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harken_rules.chain import Chain
from harken_rules.column_cells import Coded, Codes, Column
from harken_rules.column_groups import ColumnMemory, said_in
from harken_rules.column_parts import CodeIndex, Index, Indexed, Table, indexed
from harken_rules.outcomes import Outcome, compose
from harken_rules.verdict import FactError, Fired, Result, Verdict

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

SLICE = 16384
"""Rows that go through at a time."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One decision's outcomes and, for each row, which of them is its own."""

    outcomes: tuple[Outcome, ...]
    chosen: Index


class ColumnVerdicts:
    """The verdicts on the rows of ``RuleEngine.decide_columns``; gathered when asked for.

    ``errors`` maps each row that has an unacceptable value to the FactError that ``decide``
    would raise.
    """

    def __init__(
        self,
        engine: RuleEngine,
        chain: Chain,
        rows: int,
        errors: Mapping[int, FactError],
        memory: ColumnMemory,
        places: Sequence[Index],
    ) -> None:
        self.rows = rows
        self._engine = engine
        self.errors = errors
        self._chain = chain
        self._memory = memory
        self._places = places
        self._wrong = np.array(list(errors), dtype=np.int64)

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

        The values are distinct, among them some that only other rows had; what a code stands for
        seldom changes from one call to another. The code is -1 in rows with an error. Raises
        KeyError if no decision yields ``name``, LookupError if it was not asked for.
        """
        place, at = self._home(self._engine.yielding(name))
        numbers, values = self._memory.groups[place].results(at, name)
        codes = numbers[self._places[place]]
        codes[self._wrong] = -1
        return codes, values

    def reasons(self) -> tuple[Index, tuple[tuple[Fired, ...], ...]]:
        """The reasons of every row as ``(codes, values)``, as ``Verdict.reasons`` has them.

        As ``coded``; only of the decisions that were asked for.
        """
        given = []
        for place in self._chain.weighing:
            numbers, weights = self._memory.groups[place].weights()
            given.append((numbers[self._places[place]], weights))
        codes, values = self._memory.reasons.find(given, self.rows)
        codes[self._wrong] = -1
        return codes, values

    def answers(self, decision: int) -> Answers:
        """One decision's outcomes, and which is each row's; rows with an error have no say.

        Among the outcomes are some that only other rows had. Raises LookupError if the decision
        was not asked for.
        """
        place, at = self._home(decision)
        numbers, outcomes = self._memory.groups[place].outcomes(at)
        return Answers(outcomes, numbers[self._places[place]])

    def verdict(self, row: int) -> Verdict:
        """One row's whole verdict; raises its FactError, or IndexError if no such row is."""
        if not 0 <= row < self.rows:
            raise IndexError(row)
        if row in self.errors:
            raise self.errors[row]
        outcomes = []
        for decision in range(len(self._engine.plans)):
            place, at = self._home(decision)
            answer = self._memory.groups[place].answers[self._places[place][row]]
            outcomes.append(said_in(answer).outcomes[at])
        return compose(outcomes)

    def _home(self, decision: int) -> tuple[int, int]:
        home = self._chain.decisions.get(decision)
        if home is None:
            raise LookupError(self._engine.plans[decision].table.decision.name)
        return home


def decide_columns(
    engine: RuleEngine,
    columns: Mapping[str, object],
    rows: int,
    results: Collection[str] | None = None,
) -> ColumnVerdicts:
    """See ``RuleEngine.decide_columns``."""
    chain = engine.chain(results)
    sources = []
    for name in engine.given:
        told = columns.get(name)
        if told is not None:
            column = told if isinstance(told, Coded) else np.asarray(told)
            if column.shape != (rows,):
                raise ValueError(f"column {name!r} has shape {column.shape}, expected ({rows},)")
            sources.append(Source(chain, name, column))
    verdicts = walked(engine, chain, sources, rows)
    engine.count((rows - len(verdicts.errors)) * len(chain.wanted))
    return verdicts


def decide_codes(engine: RuleEngine, codes: Mapping[str, Codes], rows: int) -> ColumnVerdicts:
    """The verdicts on rows of which the given facts' cell codes are known."""
    chain = engine.chain()
    sources = [Source(chain, name, CodeIndex(each)) for name, each in codes.items()]
    return walked(engine, chain, sources, rows)


def walked(
    engine: RuleEngine, chain: Chain, sources: Sequence[Source], rows: int
) -> ColumnVerdicts:
    """Takes all rows along the chain, slice by slice."""
    memory = chain.for_columns()
    places = [np.empty(rows, dtype=np.int64) for _ in chain.groups]
    errors: dict[int, FactError] = {}
    for begin in range(0, rows, SLICE):
        end = min(begin + SLICE, rows)
        keys = Keys(chain, end - begin)
        for source in sources:
            for row, error in source.add(keys, begin, end).items():
                errors.setdefault(row, error)
        for group, words, whole in zip(memory.groups, keys.words, places, strict=True):
            found = whole[begin:end]
            group.find(words, found)
            for reader, parts in zip(group.readers, group.parts, strict=True):
                for word, part in enumerate(parts):
                    keys.add(reader, word, part.array(), found)
    return ColumnVerdicts(engine, chain, rows, errors, memory, places)


class Keys:
    """The keys of every group for some rows, as they add up: one array for each word."""

    def __init__(self, chain: Chain, rows: int) -> None:
        self.words = [
            [np.zeros(rows, dtype=np.int64) for _ in range(words)] for words in chain.words
        ]
        self._buffer = np.empty(rows, dtype=np.int64)

    def add(self, reader: int, word: int, table: Table, index: Index) -> None:
        """Adds to a group's keys what ``table`` has at each row's index."""
        table.take(index, out=self._buffer, mode="clip")
        self.words[reader][word] += self._buffer


class Source:
    """A given column, and what its indices add to each word of the keys of its readers."""

    def __init__(self, chain: Chain, name: str, column: Column | CodeIndex) -> None:
        given = chain.for_columns().given(name)
        self._column: Indexed
        if isinstance(column, CodeIndex):
            self._column = column
        else:
            self._column = indexed(chain.engine.cells[name], column, given.pieces)
        self._tables = [
            (reader, word, self._column.table(table)) for reader, word, table in given.tables
        ]

    def add(self, keys: Keys, begin: int, end: int) -> Mapping[int, FactError]:
        """Adds what rows ``begin`` to ``end`` have; answers their errors."""
        index = self._column.index(begin, end)
        for reader, word, table in self._tables:
            keys.add(reader, word, table, index)
        return self._column.errors(begin, end)


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
