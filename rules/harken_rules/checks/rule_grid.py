"""The rules of a decision, asked what they cover together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harken_rules.boxes import Box, RuleBoxes, codes_in
from harken_rules.covering import Grid, Work

MAX_NAMED = 40
"""Of more rules than these together hiding one, the fewest that suffice are not looked for."""


class RuleGrid:
    """The boxes of a decision's rules, in the order of the rules."""

    def __init__(self, sizes: Sequence[int], rules: Sequence[RuleBoxes], work: Work) -> None:
        self._rules = rules
        self.grid = Grid(sizes, [box for rule in rules for box in rule], work)
        self._owner = [index for index, rule in enumerate(rules) for _ in rule]
        self._first = [0]
        for rule in rules:
            self._first.append(self._first[-1] + len(rule))

    def of(self, rules: Iterable[int]) -> int:
        """The boxes of the rules."""
        return sum((1 << self._first[i + 1]) - (1 << self._first[i]) for i in rules)

    def before(self, rule: int) -> int:
        """The boxes of all rules before ``rule``."""
        return (1 << self._first[rule]) - 1

    def end(self, rule: int) -> int:
        """The number of boxes up to and with those of ``rule``."""
        return self._first[rule + 1]

    def owners(self, boxes: int) -> set[int]:
        """The rules that ``boxes`` belong to."""
        return {self._owner[box] for box in codes_in(boxes)}

    def hiding(self, rule: int, work: Work) -> tuple[int, ...]:
        """Earlier rules that together take all that ``rule`` matches; () if some is left.

        One rule if one suffices, and else none that could be left out.
        """
        earlier, boxes = self.before(rule), self._rules[rule]
        single = self._containing(boxes, earlier)
        if single:
            return (min(single),)
        if not self._covered(boxes, earlier, work):
            return ()
        involved = sorted(self.owners(earlier & self._meeting(boxes)))
        for one in involved:
            if len(self._rules[one]) > 1 and self._covered(boxes, self.of([one]), work):
                return (one,)
        if len(involved) > MAX_NAMED:
            return tuple(involved)
        for one in reversed(involved):
            rest = [other for other in involved if other != one]
            if self._covered(boxes, self.of(rest), work):
                involved = rest
        return tuple(involved)

    def within(self, rule: int, others: Sequence[int], work: Work) -> list[int]:
        """Those of ``others`` that match wherever ``rule`` does."""
        boxes = self._rules[rule]
        found = self._containing(boxes, self.of(others))
        return [
            other
            for other in others
            if other in found
            or (len(self._rules[other]) > 1 and self._covered(boxes, self.of([other]), work))
        ]

    def meeting(self, rule: int) -> set[int]:
        """The rules that can match together with ``rule``."""
        return self.owners(self._meeting(self._rules[rule])) - {rule}

    def same_without(self, rule: int, same: int, work: Work) -> bool:
        """Whether wherever ``rule`` decides, one of the boxes ``same`` does if it is taken away."""
        good = self.before(rule) | same
        others = self.grid.every & ~self.of([rule])
        return all(
            self.grid.undecided(box, others, good, work) is None for box in self._rules[rule]
        )

    def _containing(self, boxes: Sequence[Box], among: int) -> set[int]:
        found: set[int] | None = None
        for box in boxes:
            here = self.owners(self.grid.containing(box) & among)
            found = here if found is None else found & here
            if not found:
                return set()
        return found or set()

    def _meeting(self, boxes: Sequence[Box]) -> int:
        found = 0
        for box in boxes:
            found |= self.grid.meeting(box)
        return found

    def _covered(self, boxes: Sequence[Box], by: int, work: Work) -> bool:
        return all(self.grid.uncovered(box, by, work) is None for box in boxes)
