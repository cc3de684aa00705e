"""The smallest change of given facts that reaches a goal, found by trying every one there is.

Trying all changes of one fact, then of two, then of three is exact: what is not found is not there
(see ``change_space``). Where there are too many the search stops, and says how far it came.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harken_rules.change_space import Alternative, Change, Found, Moves, Space, ways
from harken_rules.explain import Situation
from harken_rules.goals import Goal
from harken_rules.named_cells import MISSING

__all__ = ["Alternative", "Change", "Search", "smallest_changes"]

MOST_FACTS = 3
ENOUGH = 3
"""More facts are changed at once only while fewer alternatives than this are found."""
WORK = 1_000_000
"""So many changes are tried at most; a set of facts counts as ``SET`` more."""
SET = 20
BATCH = 65_536
"""So many changes are tried at once, unless one set of facts has more: up to four times that."""
QUESTIONS = 200_000
"""Once so many distinct questions were asked of the engine, no more changes are tried."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, nearest first; ``tried`` and ``all`` count changes by number of facts.

    ``others``: so many more reach it as well, of other facts than those found.
    """

    alternatives: tuple[Alternative, ...]
    facts: tuple[str, ...]
    tried: Mapping[int, int]
    all: Mapping[int, int]
    others: int = 0

    @property
    def complete(self) -> bool:
        """Whether every change of so many facts was tried."""
        return self.tried == self.all


def smallest_changes(
    situation: Situation, goal: Goal, keep: Collection[str] = (), shown: int = 5, work: int = WORK
) -> Search:
    """The smallest changes of given facts, none in ``keep``, after which ``goal`` is reached.

    At most ``shown`` alternatives, of no two the same facts, and none whose facts hold those of a
    smaller one. Fewest facts come first; then those whose facts are known, and stay so, before
    those that fill in or forget one; then the fewest cells moved. None if the goal is reached
    already. Raises EngineError if the boxes say otherwise of what was found.
    """
    if goal.reached(situation.value(goal.result)):
        return Search((), (), {}, {})
    space = Space(situation, goal)
    moves = [each for each in space.moves() if each.fact not in keep]
    best: list[Found] = []
    tried: dict[int, int] = {}
    everything: dict[int, int] = {}
    for size in range(1, MOST_FACTS + 1):
        if len(best) >= ENOUGH or len(moves) < size:
            break
        sets = _sets(moves, size, best)
        everything[size] = sum(map(ways, sets))
        tried[size] = 0
        found: list[Found] = []
        for batch in _batches(sets, work):
            if space.questions() > QUESTIONS:
                break
            found += space.nearest(batch)
            tried[size] += sum(map(ways, batch))
            work -= sum(map(_work, batch))
        best += sorted(found, key=lambda each: (unknown(space, each), each.cost, each.places))
    alternatives = tuple(map(space.alternative, best[:shown]))
    facts = tuple(each.fact for each in moves)
    return Search(alternatives, facts, tried, everything, len(best) - len(alternatives))


def unknown(space: Space, found: Found) -> int:
    """How many facts of a way are not known now, or would not be any more."""
    ends = zip(found.moves, found.codes, strict=True)
    return sum(MISSING in (space.now[move.fact], code) for move, code in ends)


def _sets(moves: Sequence[Moves], size: int, best: Sequence[Found]) -> list[tuple[Moves, ...]]:
    """The sets of ``size`` facts that hold none with which the goal is reached, the least first."""
    enough = [{move.fact for move in each.moves} for each in best]
    sets = [
        each
        for each in itertools.combinations(moves, size)
        if not any(one.issubset({move.fact for move in each}) for one in enough)
    ]
    return sorted(sets, key=ways)


def _batches(sets: Sequence[tuple[Moves, ...]], work: int) -> Iterator[list[tuple[Moves, ...]]]:
    """``sets`` in lists of about ``BATCH`` changes, as far as ``work`` goes."""
    batch: list[tuple[Moves, ...]] = []
    rows = 0
    for each in sets:
        work -= _work(each)
        if work < 0 or ways(each) > 4 * BATCH:
            break
        if batch and rows + ways(each) > BATCH:
            yield batch
            batch, rows = [], 0
        batch.append(each)
        rows += ways(each)
    if batch:
        yield batch


def _work(moves: Sequence[Moves]) -> int:
    return ways(moves) + SET
