"""The rule engine: facts in, a verdict out.

A decision is a pure function of the cells its facts lie in. ``RuleEngine`` quantises facts,
goes through the decisions in dependency order, and takes each one's outcome from the memo.
What is not there is put together from the rules that match in the decision's blocks; and what
is not known of a block yet is asked of durable-rules, behind one lock. A column of facts goes
the same way, with the distinct signatures of each decision looked up once.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import getitem, itemgetter
from typing import Literal

from harken_rules.boxes import DecisionBoxes, Signature, boxes_of
from harken_rules.cells import Cells, cells_of, is_derived
from harken_rules.chain import Chain
from harken_rules.columns import ColumnVerdicts, behind, decide_columns
from harken_rules.decider import Decider
from harken_rules.durable_engine import BoxEvaluator, DurableEvaluator, Evaluator, Fault
from harken_rules.language import RuleBase
from harken_rules.memo import Memo, MemoStats
from harken_rules.outcomes import Outcome, Outcomes, compose
from harken_rules.tables import Block, Table, block_of, blocks_of, table_of
from harken_rules.verdict import EngineError, FactError, Fired, Verdict

__all__ = [
    "ColumnVerdicts",
    "EngineError",
    "FactError",
    "Fired",
    "MemoStats",
    "RuleEngine",
    "Verdict",
]


MEMO_SIZE = 2**17
"""A year's grumbles of the simulated kind need three quarters of it."""


class RuleEngine:
    """Decides on facts by the rules of one base; safe for any number of threads.

    ``memo_size`` bounds the answers kept, over all decisions, over all groups of a decider's, and
    of those once more for columns. ``evaluator`` is ``"durable"`` or, for comparison,
    ``"boxes"``.
    """

    def __init__(
        self,
        base: RuleBase,
        memo_size: int = MEMO_SIZE,
        evaluator: Literal["durable", "boxes"] = "durable",
    ) -> None:
        self.base = base
        self.cells: dict[str, Cells] = cells_of(base.facts, base.decisions)
        boxes = [boxes_of(base, decision, self.cells) for decision in base.decisions]
        self.tables: tuple[Table, ...] = tuple(map(table_of, boxes))
        results = {name for decision in base.decisions for name in decision.results}
        self.given = tuple(
            name for name, fact in base.facts.items() if not is_derived(fact, results)
        )
        self.names = tuple(base.facts)
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self._kind = evaluator
        self._blocks: list[Table] = []
        self.plans = tuple(map(self._plan, self.tables, boxes))
        self._yielding = {
            name: index
            for index, decision in enumerate(base.decisions)
            for name in decision.results
        }
        self._readers = tuple(
            (self._slots[name], name, self.cells[name].code) for name in self.given
        )
        self._steps = tuple((plan.codes, plan.classes) for plan in self.plans)
        self._memo: Memo[Signature, Outcome] = Memo(len(self.plans), memo_size)
        self._matches: Memo[Signature, tuple[int, ...]] = Memo(len(self._blocks), memo_size)
        self._lock = threading.Lock()
        self._closed = False
        self._memo_size = memo_size
        self._chains: dict[frozenset[str], Chain] = {}
        self._evaluator = self._build()

    def decide(self, facts: Mapping[str, object]) -> Verdict:
        """The verdict on one set of facts.

        A fact that is absent or ``None`` is missing; names that the base does not declare, or
        that decisions yield, are ignored. Raises FactError for the first unacceptable value in
        the order of declaration, EngineError if the engine fails.
        """
        codes = [0] * len(self._slots)
        for slot, name, code in self._readers:
            value = facts.get(name)
            if value is not None:
                codes[slot] = code(value)
        outcomes: list[Outcome] = []
        answers = self._memo.answers
        for decision, (chosen, classes) in enumerate(self._steps):
            signature: Signature = tuple(map(getitem, classes, chosen(codes)))
            outcome = answers[decision].get(signature)
            if outcome is None:
                outcome = self._ask(decision, signature)
            for slot, code_ in outcome.derived:
                codes[slot] = code_
            outcomes.append(outcome)
        self._memo.count(len(outcomes))
        return compose(outcomes)

    def decider(
        self, names: Sequence[str], results: Collection[str] | None = None
    ) -> Callable[[Sequence[object]], Verdict]:
        """``decide`` for rows given as sequences whose positions are ``names``.

        Among these may be names that are no facts. Each value is ``None`` (missing) or of its
        fact's type: str, bool, or an int or float; what only equals such a value, as 1 does True,
        may be taken for it. Verdicts and errors are those of ``decide``; a row of another length
        is a ValueError. With ``results``, only the decisions that these rest on are asked, and
        verdicts hold these results alone. Raises ValueError where a name stands twice, KeyError
        for a result that no decision yields.
        """
        return Decider(self, self.chain(results), names).written()

    def decide_columns(
        self, columns: Mapping[str, object], rows: int, results: Collection[str] | None = None
    ) -> ColumnVerdicts:
        """The verdicts on ``rows`` sets of facts, given as one array a fact.

        Numbers are float64 with NaN for missing, or integers; codes are object (``None`` is
        missing) or text arrays, or ``Coded``; booleans are bool, object, or float64 with 0, 1
        and NaN. A fact without a column is missing. With ``results``, only the decisions that
        these rest on are asked. A row with an unacceptable value spoils only itself: see
        ``ColumnVerdicts.errors``. Raises ValueError for a column of another length, KeyError
        for a result that no decision yields.
        """
        return decide_columns(self, columns, rows, results)

    def outcome(self, decision: int, signature: Signature) -> Outcome:
        """One decision's outcome for one signature of its table, from the memo if it is there."""
        return self._memo.answers[decision].get(signature) or self._ask(decision, signature)

    def slot(self, fact: str) -> int:
        """The place of a fact in declaration order."""
        return self._slots[fact]

    def known(self, decision: int) -> Mapping[Signature, Outcome]:
        """One decision's outcomes that are remembered, now and later."""
        return self._memo.answers[decision]

    def yielding(self, result: str) -> int:
        """The place among ``plans`` of the decision with this result; KeyError if none has it."""
        return self._yielding[result]

    def count(self, asked: int) -> None:
        """Counts look-ups that were made by ``outcome``."""
        self._memo.count(asked)

    def stats(self) -> MemoStats:
        """How the memo of decisions' outcomes has done so far."""
        return self._memo.stats()

    def questions(self) -> int:
        """How many questions durable-rules has been asked to fill the memos."""
        return self._matches.stats().misses

    def forget(self) -> None:
        """Forgets all that is remembered: what comes next is asked of durable-rules anew."""
        with self._lock:
            chains = list(self._chains.values())
        self._memo.clear()
        self._matches.clear()
        for chain in chains:
            chain.forget()

    def close(self) -> None:
        """Frees the engine's memory; happens of itself when nobody holds the engine any more.

        What the memo knows is still answered; anything else raises EngineError.
        """
        with self._lock:
            self._closed = True
            self._release()

    def matching(self, decision: int, signature: Signature) -> tuple[int, ...]:
        """The rules that decide, asked of durable-rules itself, past every memo."""
        found = [
            self._evaluate(index, block.signature(signature))
            for index, block in self.plans[decision].blocks
        ]
        return merged(found)

    def chain(self, results: Collection[str] | None = None) -> Chain:
        """The decisions by groups: all, or those that ``results`` rest on."""
        names = frozenset(self._yielding if results is None else results)
        with self._lock:
            found = self._chains.get(names)
            if found is None:
                wanted = behind(self, names)
                found = self._chains[names] = Chain(self, wanted, names, self._memo_size)
            return found

    def matched(self, block: int, signature: Signature) -> tuple[int, ...]:
        """The rules of a block that match a signature of its table, from memory if it is there."""
        matched = self._matches.answers[block].get(signature)
        if matched is None:
            matched = self._evaluate(block, signature)
            self._matches.store(block, signature, matched)
        return matched

    def ticker(self, asked: int) -> Callable[[], int]:
        """What counts ``asked`` look-ups at each call."""
        return self._memo.ticker(asked)

    def _ask(self, decision: int, signature: Signature) -> Outcome:
        plan = self.plans[decision]
        known, found = self._matches.answers, []
        for index, chosen, classes in plan.parts:
            part = tuple(map(getitem, classes, chosen(signature)))
            matched = known[index].get(part)
            found.append(self.matched(index, part) if matched is None else matched)
        outcome = plan.outcomes.of(merged(found))
        self._memo.store(decision, signature, outcome)
        return outcome

    def _evaluate(self, block: int, signature: Signature) -> tuple[int, ...]:
        with self._lock:
            if self._closed:
                raise EngineError("the engine is closed")
            try:
                return self._evaluator.matching(block, signature)
            except Fault:
                self._replace()
            try:
                return self._evaluator.matching(block, signature)
            except Fault as fault:
                self._replace()
                name = self._blocks[block].decision.name
                message = f"the engine failed twice on decision {name!r}: {fault}"
                raise EngineError(message) from fault

    def _replace(self) -> None:
        # What failed may hold a pending question: it is never touched again, not even freed.
        self._release.detach()
        self._evaluator = self._build()

    def _plan(self, table: Table, boxes: DecisionBoxes) -> Plan:
        # The reference takes a decision whole, so that it also checks the cutting into blocks.
        whole = self._kind == "boxes"
        everything = range(len(table.rules))
        blocks = (block_of(boxes, table, everything),) if whole else blocks_of(boxes, table)
        first = len(self._blocks)
        self._blocks.extend(block.table for block in blocks)
        return Plan(self, table, tuple(enumerate(blocks, start=first)))

    def _build(self) -> Evaluator:
        kind = BoxEvaluator if self._kind == "boxes" else DurableEvaluator
        try:
            built: Evaluator = kind(self._blocks)
        except Fault as fault:
            raise EngineError(f"the engine refused the compiled rules: {fault}") from fault
        self._release = weakref.finalize(self, built.close)
        self._release.atexit = False
        return built


def merged(found: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The rules that the blocks of a decision name, in order."""
    return found[0] if len(found) == 1 else tuple(sorted(itertools.chain(*found)))


def picking(slots: Sequence[int]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """What picks these places out of a sequence, as a tuple."""
    # A slice where there are fewer than two, for an itemgetter of one yields no tuple.
    few = slice(slots[0], slots[0] + 1) if slots else slice(0)
    return itemgetter(*slots) if len(slots) > 1 else itemgetter(few)


class Plan:
    """How one decision's signature is put together, who answers it, where its results go.

    ``codes`` picks its facts' codes out of all, ``classes`` maps each to its class; ``parts`` do
    the same for each block, out of the signature. ``slots`` and ``derived`` are the fact slots
    that it reads and that it fills.
    """

    def __init__(
        self, engine: RuleEngine, table: Table, blocks: tuple[tuple[int, Block], ...]
    ) -> None:
        self.table = table
        self.blocks = blocks
        self.slots = tuple(engine.slot(name) for name in table.facts)
        self.classes = table.classes
        self.codes = picking(self.slots)
        self.parts = tuple(
            (index, picking([slot for slot, _ in block.parts]), [held for _, held in block.parts])
            for index, block in blocks
        )
        derived = {
            engine.slot(name): engine.cells[name]
            for name in table.decision.results
            if any(name in decision.inputs for decision in engine.base.decisions)
        }
        self.derived = tuple(derived)
        self.outcomes = Outcomes(table.decision, engine.base.facts, derived)
