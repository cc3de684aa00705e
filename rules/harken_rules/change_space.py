"""The changes of given facts that can matter to a goal, tried column-wise.

Facts matter only by the cells they lie in, and of these only those that some rule behind the goal
tells apart: such a class of cells is tried once, at the cell nearest to the present one. So to try
all of these is to try everything. What is found is asked of the boxes again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harken_rules.boxes import codes_in
from harken_rules.columns import decide_codes
from harken_rules.engine import RuleEngine
from harken_rules.explain import Situation
from harken_rules.goals import Goal
from harken_rules.language import Constant, Decision, Hit, Interval, Rule, RuleBase
from harken_rules.named_cells import MISSING
from harken_rules.number_cells import NumberCells
from harken_rules.order import dependencies
from harken_rules.reading.expectations import Listed
from harken_rules.verdict import EngineError, Result

TO_MISSING = 100_000
"""Not to know a fact any more is further than any other move."""
UNREACHED = 2**62

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Change:
    """One fact's move. ``interval`` or ``others``: all that would do as well, the rest as it is."""

    fact: str
    before: object
    after: Constant | None
    interval: Interval | None
    others: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Changes that together reach the goal, none of them dispensable, and what comes of them."""

    changes: tuple[Change, ...]
    result: Result


@dataclass(frozen=True, slots=True)
class Moves:
    """Where one fact, in its ``place`` among all, may go.

    Of each class of cells but the present: the nearest code, how far that is, and all its codes.
    """

    fact: str
    place: int
    codes: Codes
    costs: npt.NDArray[np.int64]
    classes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A way to the goal: for each move the code it goes to, and how far all go together."""

    cost: int
    moves: tuple[Moves, ...]
    codes: tuple[int, ...]

    @property
    def places(self) -> list[int]:
        """The facts' places, by which ways that are as far are ordered."""
        return [each.place for each in self.moves]


def ways(moves: Sequence[Moves]) -> int:
    """How many changes of exactly these facts there are."""
    return math.prod(len(each.codes) for each in moves)


class Space:
    """The decisions behind a goal, and the facts given to them."""

    def __init__(self, situation: Situation, goal: Goal) -> None:
        self.situation = situation
        self.goal = goal
        self.engine = RuleEngine(_behind(situation.base, goal))
        read = {name for decision in self.engine.base.decisions for name in decision.inputs}
        self.facts = [name for name in self.engine.given if name in read]
        self.now = {
            name: self.engine.cells[name].code(situation.given[name])
            if name in situation.given
            else MISSING
            for name in self.facts
        }

    def moves(self) -> list[Moves]:
        """For each fact where it may go; none for a fact that no rule tells apart."""
        return [each for each in map(self._moves_of, self.facts) if len(each.codes)]

    def nearest(self, sets: Sequence[tuple[Moves, ...]]) -> Iterator[Found]:
        """For each set of facts that can reach the goal the nearest way; all tried at once."""
        rows = sum(map(ways, sets))
        codes = {name: np.full(rows, now, np.int32) for name, now in self.now.items()}
        costs = np.zeros(rows, np.int64)
        ends = list(itertools.accumulate(map(ways, sets)))
        for each, end in zip(sets, ends, strict=True):
            part = slice(end - ways(each), end)
            grid = np.indices([len(move.codes) for move in each]).reshape(len(each), -1)
            for move, chosen in zip(each, grid, strict=True):
                codes[move.fact][part] = move.codes[chosen]
                costs[part] += move.costs[chosen]
        costs[~self.reached(codes, rows)] = UNREACHED
        for each, end in zip(sets, ends, strict=True):
            row = end - ways(each) + int(costs[end - ways(each) : end].argmin())
            if costs[row] < UNREACHED:
                chosen_codes = tuple(int(codes[move.fact][row]) for move in each)
                yield Found(int(costs[row]), each, chosen_codes)

    def reached(self, codes: Mapping[str, Codes], rows: int) -> npt.NDArray[np.bool_]:
        """For each row whether the goal is reached; ``codes`` has every fact's, shape (rows,)."""
        verdicts = decide_codes(self.engine, codes, rows)
        chosen, values = verdicts.coded(self.goal.result)
        reached: npt.NDArray[np.bool_] = np.array(list(map(self.goal.reached, values)))[chosen]
        return reached

    def questions(self) -> int:
        """How many distinct questions the engine was asked so far."""
        return self.engine.questions()

    def alternative(self, found: Found) -> Alternative:
        """A way that was found, in values; raises EngineError if it is none by the boxes."""
        chosen = {move.fact: code for move, code in zip(found.moves, found.codes, strict=True)}
        changes = tuple(self._change(move, chosen) for move in found.moves)
        given = {**self.situation.given, **{each.fact: each.after for each in changes}}
        boxes = RuleEngine(self.situation.base, evaluator="boxes")
        result = boxes.decide(given).results[self.goal.result]
        if not self.goal.reached(result):
            raise EngineError(f"engine and boxes do not agree on what reaches {self.goal.text}")
        return Alternative(changes, result)

    def _change(self, move: Moves, chosen: Mapping[str, int]) -> Change:
        cells, code = self.engine.cells[move.fact], chosen[move.fact]
        rows = len(move.codes)
        codes = {
            name: move.codes
            if name == move.fact
            else np.full(rows, chosen.get(name, now), np.int32)
            for name, now in self.now.items()
        }
        reached = self.reached(codes, rows)
        well = {
            each
            for does, group in zip(reached, move.classes, strict=True)
            for each in group
            if does and each != MISSING
        }
        before = self.situation.given.get(move.fact)
        after = cells.example(code)
        if isinstance(cells, NumberCells):
            interval = None if code == MISSING else _run(cells, code, well)
            return Change(move.fact, before, after, interval, ())
        examples = [cells.example(each) for each in sorted(well - {code})]
        return Change(move.fact, before, after, None, tuple(v for v in examples if v is not None))

    def _moves_of(self, fact: str) -> Moves:
        cells, now = self.engine.cells[fact], self.now[fact]
        tables = [plan.table for plan in self.engine.plans if fact in plan.table.facts]
        columns = [table.classes[table.facts.index(fact)] for table in tables]
        groups: dict[tuple[int, ...], list[int]] = {}
        for code in codes_in(cells.reachable):
            groups.setdefault(tuple(each[code] for each in columns), []).append(code)
        groups.pop(tuple(each[now] for each in columns), None)
        ordered = isinstance(cells, NumberCells) and now != MISSING
        chosen = [min(g, key=lambda c: (c == MISSING, abs(c - now))) for g in groups.values()]
        steps = _steps(columns, cells.reachable)
        costs = [
            TO_MISSING if code == MISSING else abs(steps[code] - steps[now]) if ordered else 1
            for code in chosen
        ]
        return Moves(
            fact,
            self.facts.index(fact),
            np.array(chosen, np.int32),
            np.array(costs, np.int64),
            tuple(map(tuple, groups.values())),
        )


def _behind(base: RuleBase, goal: Goal) -> RuleBase:
    """The base without decisions, and rules of a list, on which the goal does not depend."""
    target = goal.decision
    if target.hit is Hit.ALL and isinstance(goal.wanted, Listed):
        values = {*goal.wanted.contains, *goal.wanted.absent}
        target = _narrowed(target, [r for r in target.rules if values & {*r.then[goal.result]}])
    decisions = tuple(target if one.name == target.name else one for one in base.decisions)
    needs = dependencies(decisions)
    wanted, waiting = {target.name}, [target.name]
    while waiting:
        new = set(needs[waiting.pop()]) - wanted
        wanted |= new
        waiting += new
    return replace(base, decisions=tuple(one for one in decisions if one.name in wanted))


def _narrowed(decision: Decision, rules: Sequence[Rule]) -> Decision:
    read = {clause.fact for rule in rules for each in rule.alternatives for clause in each}
    inputs = tuple(name for name in decision.inputs if name in read)
    return replace(decision, rules=tuple(rules), inputs=inputs)


def _steps(columns: Sequence[Sequence[int]], reachable: int) -> dict[int, int]:
    """For each code that can be how many borders of classes lie below it."""
    steps: dict[int, int] = {}
    last: int | None = None
    for code in codes_in(reachable & ~1):
        same = last is None or all(each[code] == each[last] for each in columns)
        steps[code] = (steps[last] if last is not None else 0) + (not same)
        last = code
    return steps


def _run(cells: NumberCells, code: int, well: Collection[int]) -> Interval:
    """The numbers around ``code`` without a gap whose codes are in ``well``."""
    codes = list(codes_in(cells.reachable & ~1))
    low = high = codes.index(code)
    while low and codes[low - 1] in well:
        low -= 1
    while high + 1 < len(codes) and codes[high + 1] in well:
        high += 1
    (below, on_low), (above, on_high) = divmod(codes[low] - 1, 2), divmod(codes[high] - 1, 2)
    return Interval(
        None if not low else cells.cuts[below if on_low else below - 1],
        None if high + 1 == len(codes) else cells.cuts[above],
        low_open=not on_low,
        high_open=not on_high,
    )
