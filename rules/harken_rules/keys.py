"""The keys of groups: integers whose digits are the classes of the facts that a group reads.

What a fact's code adds to a key is its class times the digit's radix; the sum over all facts is the
key, and every digit can be read back off it. So that columns of keys fit in arrays of int64, a key
of very many digits has several words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harken_rules.groups import Classes, Group

WORD = 62
"""Bits of a key's word: they fit in an int64."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One fact's digit: ``samples`` has a code of each class, ``parts`` what each of the fact's
    codes adds to the key; it lies in ``word`` of the key and counts ``radix`` there."""

    name: str
    word: int
    radix: int
    samples: tuple[int, ...]
    parts: tuple[int, ...]

    def code(self, key: int) -> int:
        """A code of the class that the key has."""
        held = (key >> WORD * self.word if self.word else key) % (1 << WORD)
        return self.samples[held // self.radix % len(self.samples)]


def digits_of(group: Group) -> tuple[Digit, ...]:
    """The digits of a group's keys."""
    digits, word, radix = [], 0, 1
    for name, classes in group.reads.items():
        samples = samples_of(classes)
        if radix * len(samples) > 1 << WORD:
            word, radix = word + 1, 1
        parts = tuple([radix * held << WORD * word for held in classes])
        digits.append(Digit(name, word, radix, samples, parts))
        radix *= len(samples)
    return tuple(digits)


def samples_of(classes: Classes) -> tuple[int, ...]:
    """The first code of each class."""
    first: dict[int, int] = {}
    for code, held in enumerate(classes):
        first.setdefault(held, code)
    return tuple([first[held] for held in range(len(first))])


def words_of(key: int, word: int) -> int:
    """A word of a key."""
    return key >> WORD * word & (1 << WORD) - 1


def key_of(words: Sequence[int]) -> int:
    """The key of these words."""
    return sum([word << WORD * place for place, word in enumerate(words)])
