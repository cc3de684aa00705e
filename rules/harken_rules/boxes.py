"""A rule as boxes: for each fact the set of cells it accepts, one box an alternative.

Sets are bits of an integer. On boxes overlaps are exact and cheap, and evaluating them takes
a few lines that share nothing with the engine they check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harken_rules.bits import Holders
from harken_rules.bits import codes_in as codes_in
from harken_rules.cells import Cells, cells_of
from harken_rules.language import Clause, Constant, Decision, Hit, RuleBase

Box = tuple[int, ...]
"""For each input of a decision, in order, the bit set of the codes that are accepted."""

Signature = tuple[int, ...]
"""For each input of a decision, in order, one code."""

RuleBoxes = tuple[Box, ...]
"""A rule's alternatives; empty if nothing can satisfy the rule."""


@dataclass(frozen=True, slots=True)
class DecisionBoxes:
    """A decision's rules as boxes over ``cells``, one for each input."""

    decision: Decision
    cells: tuple[Cells, ...]
    rules: tuple[RuleBoxes, ...]

    def example(self, box: Box) -> dict[str, Constant | None]:
        """One value for each fact that ``box`` restricts; ``None`` is *missing*."""
        shown = {}
        for cells, mask in zip(self.cells, box, strict=True):
            if mask != cells.reachable:
                shown[cells.fact.name] = cells.example((mask & -mask).bit_length() - 1)
        return shown


def boxes_of(
    base: RuleBase, decision: Decision, cells: Mapping[str, Cells] | None = None
) -> DecisionBoxes:
    """The boxes of one decision; without ``cells`` its own constants alone cut the facts."""
    inputs = {name: base.facts[name] for name in decision.inputs}
    known = cells_of(inputs, [decision]) if cells is None else cells
    used = tuple(known[name] for name in decision.inputs)
    slots = {name: slot for slot, name in enumerate(decision.inputs)}
    return DecisionBoxes(
        decision,
        used,
        tuple(
            simplify(box_of(a, used, slots) for a in rule.alternatives) for rule in decision.rules
        ),
    )


def box_of(clauses: Iterable[Clause], cells: tuple[Cells, ...], slots: Mapping[str, int]) -> Box:
    """The box in which all ``clauses`` hold."""
    masks = [each.reachable for each in cells]
    for clause in clauses:
        slot = slots[clause.fact]
        masks[slot] &= cells[slot].accepts(clause.condition)
    return tuple(masks)


def simplify(boxes: Iterable[Box]) -> RuleBoxes:
    """``boxes`` without empty ones and those that lie within another."""
    left = [box for box in dict.fromkeys(boxes) if all(box)]
    if len(left) > FEW:
        return tuple(_greatest(left))
    kept: list[Box] = []
    for box in left:
        if not any(within(box, other) for other in kept):
            kept = [other for other in kept if not within(other, box)] + [box]
    return tuple(kept)


FEW = 20
"""So many boxes are compared each with each."""


def _greatest(boxes: list[Box]) -> Iterator[Box]:
    """Those of ``boxes``, all different, that lie within no other."""
    slots = [Holders(max(masks).bit_length(), masks) for masks in zip(*boxes, strict=True)]
    for index, box in enumerate(boxes):
        around = (1 << len(boxes)) - 1
        for holders, mask in zip(slots, box, strict=True):
            around &= holders.of_all(mask)
        if around == 1 << index:
            yield box


def within(inner: Box, outer: Box) -> bool:
    """Whether every signature of ``inner`` is one of ``outer``."""
    return not any(a & ~b for a, b in zip(inner, outer, strict=True))


def overlaps(one: RuleBoxes, other: RuleBoxes) -> Box | None:
    """The box in which both rules match, or ``None``; for rules without inputs it is ``()``."""
    for a in one:
        for b in other:
            common = tuple(x & y for x, y in zip(a, b, strict=True))
            if all(common):
                return common
    return None


def overlapping_pairs(rules: tuple[RuleBoxes, ...]) -> Iterator[tuple[int, int, Box]]:
    """All pairs of rules that can both match, in order, each with a box where they do.

    For every fact and code the rules that accept it are kept as a bit set, so that each rule
    is compared only with those it meets on every single fact.
    """
    width = next((len(boxes[0]) for boxes in rules if boxes), 0)
    accepting: list[dict[int, int]] = [{} for _ in range(width)]
    for index, boxes in enumerate(rules):
        met = 0
        for box in boxes:
            met |= _meeting(box, accepting, (1 << index) - 1)
        while met:
            earlier = (met & -met).bit_length() - 1
            met &= met - 1
            common = overlaps(rules[earlier], boxes)
            if common is not None:
                yield earlier, index, common
        for box in boxes:
            for slot, mask in enumerate(box):
                for code in codes_in(mask):
                    accepting[slot][code] = accepting[slot].get(code, 0) | 1 << index


def _meeting(box: Box, accepting: list[dict[int, int]], everyone: int) -> int:
    met = everyone
    for slot, mask in enumerate(box):
        here = 0
        for code in codes_in(mask):
            here |= accepting[slot].get(code, 0)
        met &= here
    return met


def matching(rules: tuple[RuleBoxes, ...], hit: Hit, signature: Signature) -> tuple[int, ...]:
    """The rules that decide on ``signature``: the first that matches, or all of them."""
    only_first = hit in (Hit.FIRST, Hit.UNIQUE)
    found = []
    for index, boxes in enumerate(rules):
        for box in boxes:
            if all(mask >> code & 1 for mask, code in zip(box, signature, strict=True)):
                found.append(index)
                break
        if found and only_first:
            break
    return tuple(found)
