"""The groups of some decisions, one after the other, each of which answers keys.

What a group's key stands for can be read off its digits, so that a key nobody asked about yet is
answered by itself: a code of each digit's class stands in for all of them, the group's decisions
are asked one by one, from their own memos where these know, and what they say is kept as the
key's answer. One row and a million go along the same chain; see ``decider`` and ``columns``.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harken_rules.groups import Classes, Group, groups_of
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

WORD = 62
"""Bits of a key's word: they fit in an int64."""

SLOTS = 2**19
"""So many keys of small groups have a place of their own."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One fact's digit in a key: ``classes`` has the class of each code, ``samples`` a code of
    each class. A key of many digits has several words of ``WORD`` bits; none lies in two."""

    name: str
    word: int
    radix: int
    classes: Classes
    samples: tuple[int, ...]

    def code(self, key: int) -> int:
        """A code of the class that the key has."""
        return self.samples[words_of(key, self.word) // self.radix % len(self.samples)]

    def part(self, code: int) -> int:
        """What the fact's code adds to the key."""
        return self.radix * self.classes[code] << WORD * self.word


def words_of(key: int, word: int) -> int:
    """A word of a key."""
    return key >> WORD * word & (1 << WORD) - 1


def key_of(words: Sequence[int]) -> int:
    """The key of these words."""
    return sum([word << WORD * place for place, word in enumerate(words)])


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
        self._parts: dict[tuple[str | int, int], list[Digit]] = {}
        for place, group in enumerate(self.groups):
            for digit in self.digits[place]:
                supplier = group.suppliers[digit.name]
                source = digit.name if supplier is None else supplier
                held = self.readers.get(source, ())
                if place not in held:
                    self.readers[source] = (*held, place)
                self._parts.setdefault((source, place), []).append(digit)
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
        self._weights: dict[tuple[tuple[str, ...], ...], Weights] = {}
        self.ranked: dict[tuple[Weights, ...], tuple[Fired, ...]] = {}

    def bounds(self) -> list[int]:
        """For each group a number that its keys are below."""
        held = zip(self.groups, self.words, strict=True)
        return [group.keys() if words == 1 else 1 << WORD * words for group, words in held]

    def parts(self, source: str | int, codes: Mapping[str, int]) -> tuple[int, ...]:
        """What a source adds to the key of each of its readers, given its facts' codes."""
        found = [
            sum([digit.part(codes[digit.name]) for digit in self._parts[source, reader]])
            for reader in self.readers.get(source, ())
        ]
        return tuple([_kept(self._same, part, part, self._capacity) for part in found])

    def answer(self, place: int, key: int) -> Answer:
        """A group's answer to a key."""
        return self.known[place].get(key) or self.ask(place, key)

    def ask(self, place: int, key: int) -> Answer:
        """A group's answer to a key, asked of its decisions and kept."""
        codes = {digit.name: digit.code(key) for digit in self.digits[place]}
        outcomes = []
        for decision in self.groups[place].decisions:
            table = self.engine.plans[decision].table
            held = zip(table.facts, table.classes, strict=True)
            signature = tuple([classes[codes[name]] for name, classes in held])
            outcome = self.engine.outcome(decision, signature)
            for slot, code in outcome.derived:
                codes[self.engine.names[slot]] = code
            outcomes.append(outcome)
        said, parts = self._says(place, outcomes), self.parts(place, codes)
        answer = self._answers.get((said, parts))
        if answer is None:
            made = (*parts, said, *said.answer)
            answer = _kept(self._answers, (said, parts), made, self._capacity)
        self.memo.store(place, key, answer)
        return answer

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
                answer.append(self._weighed(outcomes))
            said = _kept(self._said, name, Said(tuple(outcomes), tuple(answer)), self._capacity)
        return said

    def _weighed(self, outcomes: Sequence[Outcome]) -> Weights:
        reasons = tuple([outcome.reasons for outcome in outcomes])
        name = tuple([tuple([fired.rule_id for _, fired in each]) for each in reasons])
        return self._weights.get(name) or _kept(
            self._weights, name, Weights(reasons), self._capacity
        )

    def for_columns(self) -> ColumnMemory:
        """What columns remember; begins anew when that is too much."""
        from harken_rules.column_groups import ColumnMemory

        held = self._columns
        if held is None or len(held) > self._capacity:
            held = self._columns = ColumnMemory(self)
        return held

    def verdict(self, answers: Sequence[Answer]) -> Verdict:
        """What the groups answer, as one."""
        ends = [answer[len(self.readers.get(place, ())) :] for place, answer in enumerate(answers)]
        verdict = ChainVerdict.__new__(ChainVerdict)
        verdict.said = (self, *[end[0] for end in ends])
        verdict.results = self.template.copy()
        for place in self.holding:
            verdict.results.update(ends[place][1])
        verdict.reasons = self.reasons(tuple([ends[place][-1] for place in self.weighing]))
        return verdict

    def fired(self, said: Sequence[Said]) -> tuple[Fired, ...]:
        """All rules that fired, in the order of decisions, then of rules."""
        found = [said[place].outcomes[at].fired for place, at in self.decisions.values()]
        return tuple(itertools.chain.from_iterable(found))

    def reasons(self, weights: tuple[Weights, ...]) -> tuple[Fired, ...]:
        """The reasons, weightiest first, of the groups in ``weighing``, whose these are."""
        reasons = self.ranked.get(weights)
        if reasons is None:
            held = dict(zip(self.weighing, weights, strict=True))
            each = [held[place] for place, _ in self._reasoning]
            found = zip(each, self._reasoning, strict=True)
            reasons = ranked([weight.reasons[at] for weight, (_, at) in found])
            _kept(self.ranked, weights, reasons, self._capacity)
        return reasons


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


def digits_of(group: Group) -> tuple[Digit, ...]:
    """The digits of a group's keys."""
    digits, word, radix = [], 0, 1
    for name, classes in group.reads.items():
        first: dict[int, int] = {}
        for code, held in enumerate(classes):
            first.setdefault(held, code)
        if radix * len(first) > 1 << WORD:
            word, radix = word + 1, 1
        samples = tuple([first[held] for held in range(len(first))])
        digits.append(Digit(name, word, radix, classes, samples))
        radix *= len(first)
    return tuple(digits)
