"""A decision as the engine is shown it: few small codes, over few facts.

Cells are cut by every constant of the whole base, so most of them mean nothing to one
decision. Here the codes that none of its rules tell apart become one class; what is left is
the decision's own signature, short and with few values, by which its answers are remembered.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harken_rules.bits import runs
from harken_rules.boxes import Box, DecisionBoxes, RuleBoxes, simplify
from harken_rules.language import Decision, Hit

BLOCK_LIMIT = 1024
"""Rules are put together in a block while it has at most so many signatures."""


@dataclass(frozen=True, slots=True)
class Table:
    """A decision over classes.

    ``facts`` are the inputs that its rules tell apart, ``classes`` maps each one's codes to
    classes from 0, ``sizes`` counts the classes, ``samples`` holds a code of each.
    """

    decision: Decision
    facts: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    samples: tuple[tuple[int, ...], ...]
    rules: tuple[RuleBoxes, ...]


def table_of(boxes: DecisionBoxes) -> Table:
    """``boxes`` recoded; facts that no rule depends on are left out."""
    masks: list[set[int]] = [set() for _ in boxes.cells]
    for rule in boxes.rules:
        for box in rule:
            for seen, mask in zip(masks, box, strict=True):
                seen.add(mask)
    slots, classes, samples = [], [], []
    for slot, (cells, seen) in enumerate(zip(boxes.cells, masks, strict=True)):
        codes, sample = classify(cells.size, cells.reachable, sorted(seen))
        if len(sample) > 1:
            slots.append(slot)
            classes.append(codes)
            samples.append(sample)

    recoders = [Recoder(sample) for sample in samples]

    def recoded(box: Box) -> Box:
        return tuple(recode(box[slot]) for slot, recode in zip(slots, recoders, strict=True))

    return Table(
        boxes.decision,
        tuple(boxes.cells[slot].fact.name for slot in slots),
        tuple(classes),
        tuple(len(sample) for sample in samples),
        tuple(samples),
        tuple(simplify(recoded(box) for box in rule) for rule in boxes.rules),
    )


def classify(
    size: int, reachable: int, masks: list[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Class of each code, and a code of each class; a class is what all ``masks`` hold alike.

    Classes are numbered as their codes ascend, so that an interval stays an interval.
    """
    # Which masks hold a code changes only where one of their runs begins or has ended.
    changes: dict[int, int] = {}
    for place, mask in enumerate(masks):
        for first, last in runs(mask):
            changes[first] = changes.get(first, 0) ^ 1 << place
            changes[last + 1] = changes.get(last + 1, 0) ^ 1 << place
    known: dict[int, int] = {}
    codes = [0] * size
    sample = []
    pattern = 0
    for code in range(size):
        pattern ^= changes.get(code, 0)
        if reachable >> code & 1:
            if pattern not in known:
                known[pattern] = len(known)
                sample.append(code)
            codes[code] = known[pattern]
    return tuple(codes), tuple(sample)


class Recoder:
    """A set of codes as the set of their classes; it holds of each class all codes or none."""

    def __init__(self, sample: Sequence[int]) -> None:
        self._sample = sample
        self._known: dict[int, int] = {}

    def __call__(self, mask: int) -> int:
        """The classes whose sample is in ``mask``."""
        if mask not in self._known:
            classes = 0
            for first, last in runs(mask):
                begin, end = bisect_left(self._sample, first), bisect_right(self._sample, last)
                classes |= (1 << end) - (1 << begin)
            self._known[mask] = classes
        return self._known[mask]


@dataclass(frozen=True, slots=True)
class Block:
    """Some of a decision's rules as a table of their own, in which the others never match.

    ``parts`` are (slot in the decision's signature, this block's class for each of its classes).
    """

    table: Table
    parts: tuple[tuple[int, tuple[int, ...]], ...]

    def signature(self, whole: Sequence[int]) -> tuple[int, ...]:
        """The block's part of the decision's signature."""
        return tuple([classes[whole[slot]] for slot, classes in self.parts])


def blocks_of(boxes: DecisionBoxes, table: Table) -> tuple[Block, ...]:
    """A decision cut into blocks of rules that read few facts together.

    Under ``all`` and ``sum`` each rule matches or not whatever the others do. A decision that
    reads many facts then has far fewer questions to ask: the signatures of its blocks add up,
    where those of the whole multiply. ``first`` and ``unique`` are one block.
    """
    if boxes.decision.hit in (Hit.FIRST, Hit.UNIQUE):
        return (block_of(boxes, table, range(len(table.rules))),)
    return tuple(block_of(boxes, table, rules) for rules in partition(table))


def block_of(boxes: DecisionBoxes, table: Table, rules: Sequence[int]) -> Block:
    """The block of the rules with these indices."""
    chosen = set(rules)
    kept = tuple(rule if index in chosen else () for index, rule in enumerate(boxes.rules))
    part = table_of(replace(boxes, rules=kept))
    parts = []
    for fact, classes in zip(part.facts, part.classes, strict=True):
        slot = table.facts.index(fact)
        parts.append((slot, tuple(classes[code] for code in table.samples[slot])))
    return Block(part, tuple(parts))


def partition(table: Table) -> list[list[int]]:
    """The indices of rules that can match, grouped by the facts they read.

    Groups with most facts come first and take in those that read no fact beyond; then groups
    are joined while the facts they read together have few signatures.
    """
    groups: dict[frozenset[int], list[int]] = {}
    for index, rule in enumerate(table.rules):
        if rule:
            groups.setdefault(facts_read(rule, table.sizes), []).append(index)
    joined: list[tuple[frozenset[int], list[int]]] = []
    for facts, rules in sorted(groups.items(), key=lambda each: (-len(each[0]), sorted(each[0]))):
        for place, (others, held) in enumerate(joined):
            union = facts | others
            if union == others or math.prod(table.sizes[slot] for slot in union) <= BLOCK_LIMIT:
                joined[place] = union, held + rules
                break
        else:
            joined.append((facts, rules))
    return [sorted(rules) for _, rules in joined]


def facts_read(rule: RuleBoxes, sizes: tuple[int, ...]) -> frozenset[int]:
    """The slots that any of the rule's boxes restricts."""
    return frozenset(
        slot for box in rule for slot, mask in enumerate(box) if mask != (1 << sizes[slot]) - 1
    )
