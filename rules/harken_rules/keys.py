"""The keys of groups: integers whose digits are the classes of the facts that a group reads.

What a fact's code adds to a key is its class times the digit's radix; the sum over all facts is the
key, and every digit can be read back off it. So that columns of keys fit in arrays of int64, a key
of very many digits has several words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harken_rules.groups import Classes, Group

WORD = 62
"""Bits of a key's word: they fit in an int64."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One fact's digit: ``samples`` has a code of each class, ``parts`` what each of the fact's
    codes adds to the key; it lies in ``word`` of the key, which has others if it is ``long``, and
    counts ``radix`` there."""

    name: str
    word: int
    radix: int
    samples: tuple[int, ...]
    parts: tuple[int, ...]
    long: bool = False

    def source(self, key: str) -> str:
        """The class that a key has, as an expression of the key's name."""
        word = f"({key} >> {WORD * self.word} & {(1 << WORD) - 1})" if self.long else key
        return f"{word} // {self.radix} % {len(self.samples)}"


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
    return tuple([replace(digit, long=word > 0) for digit in digits])


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
