"""What columns remember of the groups of a chain: answers by place, and their parts as arrays.

Rows of a column find the places of their keys, and everything else is gathered from arrays by
place: what the answers add to other groups' keys, and which of the distinct results each has. A
place once given stays; when there are too many, later columns begin anew with the fullest group.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from harken_rules.chain import SLOTS, Answer, Chain, Said, Weights
from harken_rules.key_places import Dense, Hashed, KeyPlaces, Keys, Wide
from harken_rules.keys import words_of
from harken_rules.outcomes import Outcome
from harken_rules.verdict import Fired, Result

Index = npt.NDArray[np.int64]
Value = TypeVar("Value")


class Growing:
    """Integers that are added to, as one array: what is there is not copied each time."""

    def __init__(self) -> None:
        self._held: Index = np.zeros(64, np.int64)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def extend(self, more: Sequence[int]) -> None:
        """Adds some at the end; arrays given out before keep what they have."""
        first, self._size = self._size, self._size + len(more)
        if self._size > len(self._held):
            held = np.zeros(2 * self._size, np.int64)
            held[:first] = self._held[:first]
            self._held = held
        self._held[first : self._size] = more

    def array(self) -> Index:
        """What is there, shape (length,); not to be written to."""
        return self._held[: self._size]


class Numbered(Generic[Value]):
    """What some answers have, each distinct one numbered as it comes up.

    ``of`` says what an answer has, ``name`` by what to tell it from others.
    """

    def __init__(self, of: Callable[[Any], Value], name: Callable[[Value], Hashable]) -> None:
        self._of, self._name = of, name
        self._values: list[Value] = []
        self._numbers: dict[Hashable, int] = {}
        self._by_place = Growing()
        self._shown: tuple[Value, ...] = ()

    def by_place(self, answers: Sequence[object]) -> tuple[Index, tuple[Value, ...]]:
        """The number of each answer's, and what the numbers stand for; not for two threads."""
        if len(self._by_place) < len(answers):
            new = []
            for answer in answers[len(self._by_place) :]:
                value = self._of(answer)
                number = self._numbers.setdefault(self._name(value), len(self._values))
                if number == len(self._values):
                    self._values.append(value)
                new.append(number)
            self._by_place.extend(new)
            if len(self._shown) < len(self._values):
                self._shown = tuple(self._values)
        return self._by_place.array(), self._shown


def said_in(answer: Answer) -> Said:
    """What the decisions say in a group's answer."""
    return next(each for each in answer if type(each) is Said)


def itself(value: Result) -> Result:
    """A result is told from others by its value."""
    return value


class ColumnGroup:
    """One group's answers by place."""

    def __init__(self, chain: Chain, place: int, dense: bool) -> None:
        group = chain.groups[place]
        self.words = chain.words[place]
        self.answers: list[Answer] = []
        self._chain, self._place, self._dense = chain, place, dense
        self._places: KeyPlaces = Wide()
        if self.words == 1:
            self._places = Dense(group.keys()) if dense else Hashed()
        self.readers = chain.readers.get(place, ())
        self.parts = [[Growing() for _ in range(chain.words[reader])] for reader in self.readers]
        self._lock = threading.Lock()
        self._outcomes: list[Numbered[Outcome]] = [
            Numbered(lambda answer, at=at: said_in(answer).outcomes[at], id)  # type: ignore[misc]
            for at in range(len(group.decisions))
        ]
        self._results: dict[str, Numbered[Result]] = {}
        self._weights: Numbered[Weights] = Numbered(lambda answer: answer[-1], id)

    def emptied(self) -> ColumnGroup:
        """The same group, of which nothing is remembered."""
        return ColumnGroup(self._chain, self._place, self._dense)

    def find(self, words: Sequence[Keys], out: Index) -> None:
        """Writes the place of each row's key to ``out``; what is not known yet is asked."""
        self._places.find(words, out)
        if not len(out) or out.min() >= 0:
            return
        with self._lock:
            self._places.find(words, out)
            rows = np.flatnonzero(out < 0)
            if len(rows):
                self._learn(self._places.unknown(words, rows))
                self._places.find(words, out)

    def _learn(self, keys: Sequence[int]) -> None:
        answers = [self._chain.answer(self._place, key) for key in keys]
        for at, parts in enumerate(self.parts):
            for word, part in enumerate(parts):
                part.extend([words_of(answer[at], word) for answer in answers])
        first = len(self.answers)
        self.answers.extend(answers)
        self._places.add(keys, first)

    def outcomes(self, at: int) -> tuple[Index, tuple[Outcome, ...]]:
        """The outcomes of one of the group's decisions; see ``Numbered.by_place``."""
        with self._lock:
            return self._outcomes[at].by_place(self.answers)

    def results(self, at: int, name: str) -> tuple[Index, tuple[Result, ...]]:
        """A result of one of the group's decisions; see ``Numbered.by_place``."""
        with self._lock:
            if name not in self._results:

                def result(answer: Answer) -> Result:
                    return dict(said_in(answer).outcomes[at].results)[name]

                self._results[name] = Numbered(result, itself)
            return self._results[name].by_place(self.answers)

    def weights(self) -> tuple[Index, tuple[Weights, ...]]:
        """The reasons, of a group that has any; see ``Numbered.by_place``."""
        with self._lock:
            return self._weights.by_place(self.answers)


class ColumnReasons:
    """The reasons that the groups' put together, each distinct combination once."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._pairs = [Hashed() for _ in chain.weighing[1:]]
        # What each number means: for every step, the weights of the groups so far.
        self._lists: list[list[tuple[Weights, ...]]] = [[] for _ in chain.weighing]
        self._reasons: Numbered[tuple[Fired, ...]] = Numbered(chain.ranked.__getitem__, rules_of)
        self._lock = threading.Lock()

    def find(
        self, given: Sequence[tuple[Index, tuple[Weights, ...]]], rows: int
    ) -> tuple[Index, tuple[tuple[Fired, ...], ...]]:
        """The number of each row's reasons, shape (rows,), and what the numbers stand for.

        ``given`` has for each of the weighing groups the number of each row's weights, and what
        those stand for.
        """
        if not given:
            return np.zeros(rows, dtype=np.int64), ((),)
        with self._lock:
            codes, weights = given[0]
            lists: list[tuple[Weights, ...]] = [(weight,) for weight in weights]
            for pairs, known, (numbers, weights) in zip(
                self._pairs, self._lists, given[1:], strict=False
            ):
                keys = codes << 31 | numbers
                codes = np.empty(rows, dtype=np.int64)
                pairs.find([keys], codes)
                new = pairs.unknown([keys], np.flatnonzero(codes < 0))
                pairs.add(new, len(known))
                pairs.find([keys], codes)
                known += [(*lists[key >> 31], weights[key & (1 << 31) - 1]) for key in new]
                lists = known
            by_place, values = self._reasons.by_place(lists)
            return by_place[codes], values


def rules_of(reasons: tuple[Fired, ...]) -> tuple[tuple[str, str], ...]:
    """By what reasons are told apart."""
    return tuple([(fired.decision, fired.rule_id) for fired in reasons])


class GivenParts:
    """What the codes of a given fact add to keys, as arrays by code.

    ``tables`` are (group, word of its key, array), without those that add nothing; ``pieces`` has
    a number for each code, the same for codes that no reader tells apart.
    """

    def __init__(self, chain: Chain, name: str) -> None:
        parts = chain.parts_of(name)
        numbers: dict[tuple[int, ...], int] = {}
        self.pieces = [numbers.setdefault(part, len(numbers)) for part in parts]
        tables = [
            (reader, word, np.array([words_of(part[at], word) for part in parts], dtype=np.int64))
            for at, reader in enumerate(chain.readers.get(name, ()))
            for word in range(chain.words[reader])
        ]
        self.tables = [(reader, word, table) for reader, word, table in tables if table.any()]


class ColumnMemory:
    """Everything that columns remember of a chain."""

    def __init__(self, chain: Chain, groups: Sequence[ColumnGroup]) -> None:
        self.groups = tuple(groups)
        self.reasons = ColumnReasons(chain)
        self._chain = chain
        self._given: dict[str, GivenParts] = {}

    def given(self, name: str) -> GivenParts:
        """What a given fact adds to keys."""
        found = self._given.get(name)
        if found is None:
            found = self._given[name] = GivenParts(self._chain, name)
        return found

    def __len__(self) -> int:
        """How many answers are held."""
        return sum(len(group.answers) for group in self.groups)

    def within(self, capacity: int) -> ColumnMemory:
        """This, or what is left when the fullest groups begin anew, until no more is held."""
        groups = list(self.groups)
        while sum(held := [len(group.answers) for group in groups]) > capacity:
            fullest = held.index(max(held))
            groups[fullest] = groups[fullest].emptied()
        return self if tuple(groups) == self.groups else ColumnMemory(self._chain, groups)


def column_memory(chain: Chain) -> ColumnMemory:
    """What columns remember of a chain at first: nothing."""
    slots, groups = SLOTS, []
    for place, bound in enumerate(chain.bounds()):
        dense = bound <= slots
        slots -= bound if dense else 0
        groups.append(ColumnGroup(chain, place, dense))
    return ColumnMemory(chain, groups)
