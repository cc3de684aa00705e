"""Driving durable-rules: one decision's rulesets, synchronously, on the default session.

Only the C extension is called. durable-rules' own ``Host`` starts two timer threads that
run through every ruleset several times a second, and a ruleset that two threads are in gives
the answer of one to the other. The calls, each checked, are

    create_ruleset        once a ruleset; nothing is allocated for a session yet
    assert_event          (first, unique) 0: some rule matches, 1: none does and nothing is kept
    assert_fact           (all, sum) likewise
    start_action_for_state      the pending rule of least priority value, as JSON {"r3":…}
    complete_and_start_action   ends it: an event is consumed with all it matched, a fact stays
                                and the next rule it matches follows, or None
    retract_fact          takes the fact away again
    delete_state          frees the session's memory. It reads what only an action initialises,
                          so the idle rule is fired first
    delete_ruleset        frees the rest

A question has a fixed id. Had a former one stayed pending, the engine would say "observed",
which is an error here, and never answer the former question instead.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from typing import Protocol

import durable_rules_engine as durable

from harken_rules.boxes import Signature, matching
from harken_rules.compiler import IDLE, Ruleset, compile_table
from harken_rules.language import Hit
from harken_rules.tables import Table

SESSION = "0"
HANDLED, NOT_HANDLED = 0, 1
_serial = itertools.count()


class Fault(Exception):  # noqa: N818 - never leaves the package
    """durable-rules failed or said what it must not; it may not be used any more."""


class Evaluator(Protocol):
    """Answers which rules of a decision match a signature; not for two threads at once."""

    def matching(self, decision: int, signature: Signature) -> tuple[int, ...]:
        """Indices of the rules that decide, ascending; raises Fault."""

    def close(self) -> None:
        """Frees what is held; nothing may be asked afterwards."""


class BoxEvaluator:
    """The reference: boxes tried one after the other."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables

    def matching(self, decision: int, signature: Signature) -> tuple[int, ...]:
        """See ``Evaluator.matching``."""
        table = self._tables[decision]
        return matching(table.rules, table.decision.hit, signature)

    def close(self) -> None:
        """See ``Evaluator.close``."""


class DurableEvaluator:
    """durable-rules on compiled tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._first_only = [table.decision.hit in (Hit.FIRST, Hit.UNIQUE) for table in tables]
        self._machines = [
            [Machine(ruleset) for ruleset in compile_table(table)] for table in tables
        ]

    def matching(self, decision: int, signature: Signature) -> tuple[int, ...]:
        """See ``Evaluator.matching``."""
        try:
            if self._first_only[decision]:
                for machine in self._machines[decision]:
                    found = machine.first(signature)
                    if found:
                        return found
                return ()
            every: set[int] = set()
            for machine in self._machines[decision]:
                every.update(machine.all(signature))
            return tuple(sorted(every))
        except (durable.error, MemoryError, ValueError) as error:
            raise Fault(str(error)) from error

    def close(self) -> None:
        """See ``Evaluator.close``. An evaluator that failed is not closed but left alone."""
        for machine in itertools.chain(*self._machines):
            # A ruleset that cannot be freed is lost memory and nothing else.
            with contextlib.suppress(Fault):
                machine.close()


class Machine:
    """One ruleset in durable-rules."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._used = False
        try:
            self._handle = durable.create_ruleset(f"q{next(_serial)}", ruleset.definition)
        except (durable.error, MemoryError) as error:
            raise Fault(str(error)) from error

    def first(self, signature: Signature) -> tuple[int, ...]:
        """The rules behind the engine rule of least priority value that matches, if any does."""
        self._used = True
        status, state = durable.assert_event(self._handle, self._ruleset.message(signature))
        if status == NOT_HANDLED:
            return ()
        rule = self._begin(status, state)
        if durable.complete_and_start_action(self._handle, state) is not None:
            raise Fault("an event was not consumed")
        return self._rows(rule)

    def all(self, signature: Signature) -> list[int]:
        """The rules behind all engine rules that match."""
        self._used = True
        message = self._ruleset.message(signature)
        status, state = durable.assert_fact(self._handle, message)
        if status == NOT_HANDLED:
            return []
        rule = self._begin(status, state)
        found = [*self._rows(rule)]
        for _ in self._ruleset.rows:
            following = durable.complete_and_start_action(self._handle, state)
            if following is None:
                break
            found.extend(self._rows(name_in(following)))
        else:
            raise Fault("more rules fired than there are")
        status, _ = durable.retract_fact(self._handle, message)
        if status != HANDLED:
            raise Fault(f"a fact was not retracted: {status}")
        return found

    def close(self) -> None:
        """Frees the ruleset and, if it was ever asked, its session."""
        try:
            if self._used:
                status, state = durable.assert_event(self._handle, '{"id":"q","y":1}')
                if self._begin(status, state) != IDLE:
                    raise Fault("the idle rule did not fire")
                durable.complete_and_start_action(self._handle, state)
                durable.delete_state(self._handle, SESSION)
            durable.delete_ruleset(self._handle)
        except (durable.error, MemoryError) as error:
            raise Fault(str(error)) from error

    def _begin(self, status: int, state: int) -> str:
        if status != HANDLED:
            raise Fault(f"a question was not taken: {status}")
        started = durable.start_action_for_state(self._handle, state)
        if started is None:
            raise Fault("a rule matched and none fired")
        return name_in(started[1])

    def _rows(self, rule: str) -> tuple[int, ...]:
        return self._ruleset.rows[int(rule[1:])]


def name_in(answer: str) -> str:
    """The rule's name in ``{"r3":{"m":…}}``."""
    return answer[2 : answer.index('"', 2)]
