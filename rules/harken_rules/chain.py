"""The groups of some decisions, one after the other, each of which answers keys.

What a group's key stands for can be read off its digits, so that a key nobody asked about yet is
answered by itself: the group's decisions are asked one by one, from their own memos where these
know (see ``asker``), and what they say is kept as the key's answer. One row and a million go along
the same chain; see ``decider`` and ``columns``.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from harken_rules.asker import Asked, Asker
from harken_rules.groups import groups_of
from harken_rules.keys import WORD, digits_of
from harken_rules.memo import Shelves
from harken_rules.outcomes import Outcome, Reasons, ranked
from harken_rules.verdict import Fired, Result, Verdict

if TYPE_CHECKING:
    from harken_rules.column_groups import ColumnMemory
    from harken_rules.engine import RuleEngine

Key = TypeVar("Key")
Value = TypeVar("Value")
Shared = TypeVar("Shared")

Answer = tuple[Any, ...]
"""What a group answers to a key: what that adds to the key of each of its readers, in their order
(int); what its decisions say (Said); as a dictionary, the results that are asked for, if any are
its decisions'; and its reasons (Weights), if it has decisions that give any."""

SLOTS = 2**19
"""So many keys of small groups have a place of their own."""


class Weights:
    """The reasons of a group's decisions. The same reasons are the same object."""

    __slots__ = ("reasons",)

    def __init__(self, reasons: tuple[Reasons, ...]) -> None:
        self.reasons = reasons


class Said:
    """What the decisions of a group say for one key, ``outcomes`` in their order."""

    __slots__ = ("answer", "outcomes")

    def __init__(self, outcomes: tuple[Outcome, ...], answer: Answer) -> None:
        self.outcomes = outcomes
        self.answer = answer


class Chain:
    """``wanted`` decisions of an engine by groups; ``known`` holds each group's answers by key.

    ``results`` are those that verdicts are to hold. ``readers`` says for each given fact, and for
    each group, whose keys it adds to; ``digits`` has each group's; ``decisions`` the group of
    every decision and its place there; ``holding`` the groups whose answers have results,
    ``weighing`` those whose answers have reasons.
    """

    def __init__(
        self, engine: RuleEngine, wanted: Iterable[int], results: Collection[str], capacity: int
    ) -> None:
        # The engine holds its chains; whoever walks one holds the engine.
        self.engine: RuleEngine = weakref.proxy(engine)
        self.given = engine.given
        self.wanted = tuple(sorted(wanted))
        self.groups = groups_of(engine, self.wanted)
        self.digits = tuple(map(digits_of, self.groups))
        self.readers: dict[str | int, tuple[int, ...]] = {}
        adding: dict[tuple[str | int, int], list[tuple[int, tuple[int, ...]]]] = {}
        for place, group in enumerate(self.groups):
            for digit in self.digits[place]:
                supplier = group.suppliers[digit.name]
                source = digit.name if supplier is None else supplier
                if (source, place) not in adding:
                    self.readers[source] = (*self.readers.get(source, ()), place)
                held = adding.setdefault((source, place), [])
                held.append((engine.slot(digit.name), digit.parts))
        # For each source's readers: the slots of the facts it supplies, and what their codes add.
        self._adding = {
            source: tuple([tuple(adding[source, reader]) for reader in readers])
            for source, readers in self.readers.items()
        }
        self._askers: list[Callable[[int], Asked] | None] = [None] * len(self.groups)
        homes = {
            index: (place, at)
            for place, group in enumerate(self.groups)
            for at, index in enumerate(group.decisions)
        }
        self.decisions = {index: homes[index] for index in self.wanted}
        # One object for what is equal: what is looked up all the time then lies close together.
        self._same: dict[int, int] = {}
        self._said: dict[tuple[int, ...], Said] = {}
        self._held: dict[tuple[tuple[str, Result], ...], dict[str, Result]] = {}
        self._answers: dict[tuple[Said, tuple[int, ...]], Answer] = {}
        self.words = tuple(
            [1 + max([digit.word for digit in each], default=0) for each in self.digits]
        )
        self.memo: Shelves[Answer] = Shelves(self.bounds(), capacity, SLOTS)
        self.known = self.memo.answers
        self.tick = engine.ticker(len(self.wanted))
        self._capacity = capacity
        names = {
            name: self.decisions[index][0]
            for index in self.wanted
            for name in engine.plans[index].table.decision.results
            if name in results
        }
        self.template: dict[str, Result] = dict.fromkeys(names)
        self.holding = tuple(sorted(set(names.values())))
        reasoning = [i for i in self.wanted if engine.plans[i].table.decision.reasons]
        self._reasoning = [self.decisions[index] for index in reasoning]
        self.weighing = tuple(dict.fromkeys(place for place, _ in self._reasoning))
        self._columns: ColumnMemory | None = None
        self._weights: dict[tuple[object, ...], Weights] = {}
        self.ranked = Ranked(self._rank, capacity)

    def bounds(self) -> list[int]:
        """For each group a number that its keys are below."""
        held = zip(self.groups, self.words, strict=True)
        return [group.keys() if words == 1 else 1 << WORD * words for group, words in held]

    def parts_of(self, name: str) -> list[tuple[int, ...]]:
        """What each code of a given fact adds to the key of each of its readers, 0 if none is."""
        readers = self._adding.get(name, ())
        size = self.engine.cells[name].size
        if not readers:
            return [(0,)] * size
        return [tuple([parts[code] for ((_, parts),) in readers]) for code in range(size)]

    def answer(self, place: int, key: int) -> Answer:
        """A group's answer to a key."""
        return self.known[place].get(key) or self.ask(place, key)

    def ask(self, place: int, key: int) -> Answer:
        """A group's answer to a key, asked of its decisions and kept."""
        asker = self._askers[place]
        if asker is None:
            decisions, digits = self.groups[place].decisions, self.digits[place]
            adding = self._adding.get(place, ())
            asker = self._askers[place] = Asker(self.engine, decisions, digits, adding).written()
        outcomes, sums = asker(key)
        said = self._says(place, outcomes)
        parts = tuple([self._shared(each) for each in sums])
        answer = self._answers.get((said, parts))
        if answer is None:
            made = (*parts, said, *said.answer)
            answer = _kept(self._answers, (said, parts), made, self._capacity)
        self.memo.store(place, key, answer)
        return answer

    def _shared(self, part: int) -> int:
        return self._same.get(part) or _kept(self._same, part, part, self._capacity)

    def _says(self, place: int, outcomes: Sequence[Outcome]) -> Said:
        name = (place, *map(id, outcomes))  # what is remembered keeps its outcomes alive
        said = self._said.get(name)
        if said is None:
            answer: list[object] = []
            if place in self.holding:
                found = itertools.chain.from_iterable([outcome.results for outcome in outcomes])
                held = tuple([each for each in found if each[0] in self.template])
                answer.append(_kept(self._held, held, dict(held), self._capacity))
            if place in self.weighing:
                answer.append(self._weighed(place, outcomes))
            said = _kept(self._said, name, Said(tuple(outcomes), tuple(answer)), self._capacity)
        return said

    def _weighed(self, place: int, outcomes: Sequence[Outcome]) -> Weights:
        reasons = tuple([outcome.reasons for outcome in outcomes])
        name = (place, *[tuple([fired.rule_id for _, fired in each]) for each in reasons])
        weights = self._weights.get(name)
        return weights or _kept(self._weights, name, Weights(reasons), self._capacity)

    def for_columns(self) -> ColumnMemory:
        """What columns remember."""
        from harken_rules.column_groups import column_memory

        held = column_memory(self) if self._columns is None else self._columns
        self._columns = held = held.within(self._capacity)
        return held

    def forget(self) -> None:
        """Forgets all answers."""
        self.memo.clear()
        self._columns = None

    def fired(self, said: Sequence[Said]) -> tuple[Fired, ...]:
        """All rules that fired, in the order of decisions, then of rules."""
        found = [said[place].outcomes[at].fired for place, at in self.decisions.values()]
        return tuple(itertools.chain.from_iterable(found))

    def _rank(self, weights: tuple[Weights, ...]) -> tuple[Fired, ...]:
        held = dict(zip(self.weighing, weights, strict=True))
        return ranked([held[place].reasons[at] for place, at in self._reasoning])


class Ranked(dict[tuple[Weights, ...], tuple[Fired, ...]]):
    """The reasons, weightiest first, of what the weighing groups say; found when looked up."""

    def __init__(
        self, rank: Callable[[tuple[Weights, ...]], tuple[Fired, ...]], capacity: int
    ) -> None:
        super().__init__()
        self._rank, self._capacity = rank, capacity

    def __missing__(self, weights: tuple[Weights, ...]) -> tuple[Fired, ...]:
        return _kept(self, weights, self._rank(weights), self._capacity)


def _kept(memory: dict[Key, Value], key: Key, value: Value, capacity: int) -> Value:
    """``value``, or what is there already; forgets everything where there is too much."""
    if len(memory) >= capacity:
        memory.clear()
    return memory.setdefault(key, value)


class ChainVerdict(Verdict):
    """A verdict whose ``fired`` is put together only when somebody looks at it."""

    __slots__ = ("said",)
    said: tuple[Chain, *tuple[Said, ...]]

    def __getattr__(self, name: str) -> object:
        if name != "fired":
            raise AttributeError(name)
        chain, *said = self.said
        self.fired = chain.fired(said)
        return self.fired
