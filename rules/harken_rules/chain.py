"""The groups of some decisions, one after the other, each of which answers keys.

What a group's key stands for can be read off its digits, so that a key nobody asked about yet is
answered by itself: a code of each digit's class stands in for all of them, the group's decisions
are asked one by one, from their own memos where these know, and what they say is kept as the
key's answer. One row and a million go along the same chain; see ``decider`` and ``columns``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from harken_rules.boxes import Signature
from harken_rules.groups import Classes, Group, Unit, groups_of
from harken_rules.memo import Shelves
from harken_rules.outcomes import Outcome, Reasons, ranked
from harken_rules.verdict import Fired, Result, Verdict

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

Key = TypeVar("Key")
Value = TypeVar("Value")
Shared = TypeVar("Shared")

Answer = tuple["int | Said", ...]
"""What a group adds to the key of each of its readers, in their order, and what it says."""

SLOTS = 2**19
"""So many keys of small groups have a place of their own."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One fact's digit in a key: ``samples`` has a code of each class, ``None`` if the classes
    are the codes; ``classes`` the class of each code, likewise."""

    name: str
    radix: int
    size: int
    classes: Classes | None
    samples: tuple[int, ...] | None

    def code(self, key: int) -> int:
        """A code of the class that the key has."""
        held = key // self.radix % self.size
        return held if self.samples is None else self.samples[held]

    def part(self, code: int) -> int:
        """What the fact's code adds to the key."""
        return self.radix * (code if self.classes is None else self.classes[code])


class Weights:
    """The reasons of a group's decisions. The same reasons are the same object."""

    __slots__ = ("reasons",)

    def __init__(self, reasons: tuple[Reasons, ...]) -> None:
        self.reasons = reasons


class Said:
    """What the decisions of a group say for one key, ``outcomes`` in their order."""

    __slots__ = ("outcomes", "results", "weights")

    def __init__(self, outcomes: tuple[Outcome, ...], weights: Weights | None) -> None:
        self.outcomes = outcomes
        self.results: dict[str, Result] = dict(
            itertools.chain.from_iterable([outcome.results for outcome in outcomes])
        )
        self.weights = weights


class Chain:
    """``wanted`` decisions of an engine by groups; ``known`` holds each group's answers by key.

    ``readers`` says for each given fact, and for each group, whose keys it adds to; ``digits``
    has each group's; ``decisions`` the group of every decision and its place there.
    """

    def __init__(self, engine: RuleEngine, wanted: Iterable[int], capacity: int) -> None:
        self.engine = engine
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
            unit.decision: (place, at)
            for place, group in enumerate(self.groups)
            for at, unit in enumerate([unit for unit in group.units if unit.block is None])
        }
        self.decisions = {index: homes[index] for index in self.wanted}
        # One object for what is equal: what is looked up all the time then lies close together.
        self._same: dict[int | Answer, int | Answer] = {}
        self._said: dict[tuple[int, ...], Said] = {}
        keys = [group.keys() for group in self.groups]
        self.memo: Shelves[Answer] = Shelves(keys, capacity, SLOTS)
        self.known = self.memo.answers
        self.tick = engine.ticker(len(self.wanted))
        self._capacity = capacity
        self._matched: dict[str, list[tuple[int, ...]]] = {}
        self._numbers: dict[str, dict[tuple[int, ...], int]] = {}
        names = [name for index in self.wanted for name in engine.plans[index].table.decision.results]
        self.template: dict[str, Result] = dict.fromkeys(names)
        reasoning = [i for i in self.wanted if engine.plans[i].table.decision.reasons]
        self._reasoning = [self.decisions[index] for index in reasoning]
        self.weighing = tuple(dict.fromkeys(place for place, _ in self._reasoning))
        self._weights: dict[tuple[tuple[str, ...], ...], Weights] = {}
        self.ranked: dict[tuple[Weights | None, ...], tuple[Fired, ...]] = {}

    def parts(self, source: str | int, codes: Mapping[str, int]) -> tuple[int, ...]:
        """What a source adds to the key of each of its readers, given its facts' codes."""
        found = [
            sum([digit.part(codes[digit.name]) for digit in self._parts[source, reader]])
            for reader in self.readers.get(source, ())
        ]
        return tuple([self._shared(part) for part in found])

    def ask(self, place: int, key: int) -> Answer:
        """A group's answer to a key, asked of its decisions and kept."""
        codes = {digit.name: digit.code(key) for digit in self.digits[place]}
        group = self.groups[place]
        outcomes = []
        for unit in group.units:
            if unit.block is not None:
                codes[unit.yields[0]] = self._number(unit, codes)
            else:
                outcomes.append(self._outcome(unit, codes))
        answer = self._shared((*self.parts(place, codes), self._says(place, outcomes)))
        self.memo.store(place, key, answer)
        return answer

    def _says(self, place: int, outcomes: Sequence[Outcome]) -> Said:
        name = (place, *map(id, outcomes))
        said = self._said.get(name)
        if said is None:
            weights = self._weighed(outcomes) if place in self.weighing else None
            said = _kept(self._said, name, Said(tuple(outcomes), weights), self._capacity)
        return said

    def _shared(self, each: Shared) -> Shared:
        return self._same.get(each) or _kept(self._same, each, each, self._capacity)  # type: ignore

    def _outcome(self, unit: Unit, codes: dict[str, int]) -> Outcome:
        """What a decision says; adds the codes of its results."""
        plan = self.engine.plans[unit.decision]
        if unit.joins:
            found = [self._matched[name][codes[name]] for name in unit.reads]
            outcome = self.engine.joined(unit.decision, found)
        else:
            table = plan.table
            signature = classed(table.facts, table.classes, codes)
            outcome = self.engine.outcome(unit.decision, signature)
        for slot, code in outcome.derived:
            codes[self.engine.names[slot]] = code
        return outcome

    def _number(self, unit: Unit, codes: Mapping[str, int]) -> int:
        """What a block of rules answers, as a number: the same for the same rules."""
        name = unit.yields[0]
        index, block = self.engine.plans[unit.decision].blocks[unit.block or 0]
        signature = classed(block.table.facts, block.table.classes, codes)
        matched = self.engine.matched(index, signature)
        numbers = self._numbers.setdefault(name, {})
        number = numbers.get(matched)
        if number is None:
            with self.memo.lock:
                number = numbers.setdefault(matched, len(numbers))
                held = self._matched.setdefault(name, [])
                if number == len(held):
                    held.append(matched)
        return number

    def _weighed(self, outcomes: Sequence[Outcome]) -> Weights:
        reasons = tuple([outcome.reasons for outcome in outcomes])
        name = tuple([tuple([fired.rule_id for _, fired in each]) for each in reasons])
        return self._weights.get(name) or _kept(
            self._weights, name, Weights(reasons), self._capacity
        )

    def verdict(self, said: Sequence[Said]) -> Verdict:
        """What the groups say, as one."""
        verdict = ChainVerdict.__new__(ChainVerdict)
        verdict.said = (self, *said)
        verdict.results = self.template.copy()
        for each in said:
            verdict.results.update(each.results)
        verdict.reasons = self.reasons(tuple([said[place].weights for place in self.weighing]))
        return verdict

    def fired(self, said: Sequence[Said]) -> tuple[Fired, ...]:
        """All rules that fired, in the order of decisions, then of rules."""
        found = [said[place].outcomes[at].fired for place, at in self.decisions.values()]
        return tuple(itertools.chain.from_iterable(found))

    def reasons(self, weights: tuple[Weights | None, ...]) -> tuple[Fired, ...]:
        """The reasons, weightiest first, of the groups in ``weighing``, whose these are."""
        reasons = self.ranked.get(weights)
        if reasons is None:
            held = dict(zip(self.weighing, weights, strict=True))
            each = [held[place] for place, _ in self._reasoning]
            found = zip(each, self._reasoning, strict=True)
            reasons = ranked([weight.reasons[at] for weight, (_, at) in found if weight])
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
    digits, radix = [], 1
    for name, classes in group.reads.items():
        size = group.sizes[name]
        samples = None
        if classes is not None:
            first: dict[int, int] = {}
            for code, held in enumerate(classes):
                first.setdefault(held, code)
            samples = tuple([first[held] for held in range(size)])
        digits.append(Digit(name, radix, size, classes, samples))
        radix *= size
    return tuple(digits)


def classed(
    facts: Sequence[str], classes: Sequence[Classes], codes: Mapping[str, int]
) -> Signature:
    """The signature of a table whose facts have these codes."""
    return tuple([each[codes[name]] for name, each in zip(facts, classes, strict=True)])
