"""What can come to a decision: of a given fact anything, of a result what its rules yield.

Each fact is taken by itself: that two results never come together is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.boxes import DecisionBoxes, boxes_of, codes_in
from harken_rules.cells import Cells, cells_of
from harken_rules.language import Constant, Decision, RuleBase
from harken_rules.tables import Table, table_of


@dataclass(frozen=True, slots=True)
class Possible:
    """What a result can be: one of ``values``, or with ``span`` anything from one to the other.

    ``missing``: it can also be missing.
    """

    values: frozenset[Constant]
    missing: bool = False
    span: tuple[Decimal, Decimal] | None = None

    def within(self, cells: Cells) -> int:
        """Bit set of the codes that it can have."""
        mask = int(self.missing)
        for value in self.values:
            mask |= 1 << cells.constant(value)
        if self.span is not None:
            low, high = map(cells.constant, self.span)
            mask |= ((1 << (high + 1)) - (1 << low)) & cells.reachable
        return mask

    def example(self, cells: Cells, code: int) -> Constant | None:
        """A value that it can have in a cell that it can be in."""
        for value in sorted(self.values, key=str):
            if cells.constant(value) == code:
                return value
        for bound in self.span or ():
            if cells.constant(bound) == code:
                return bound
        return cells.example(code)


Results = Mapping[str, Possible]
"""What is known of the results of other decisions."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """A decision's rules, over the inputs that can come to it and no others."""

    boxes: DecisionBoxes
    table: Table
    results: Results

    def example(self, found: Mapping[int, int]) -> dict[str, Constant | None]:
        """An input as facts and values; ``None`` is *missing*. ``found``: table slot to class."""
        by_name = {cells.fact.name: cells for cells in self.boxes.cells}
        shown = {}
        for slot, cls in sorted(found.items()):
            cells = by_name[self.table.facts[slot]]
            name, code = cells.fact.name, known_code(self.table, slot, cls, cells)
            known = self.results.get(name) if code else None
            shown[name] = known.example(cells, code) if known else cells.example(code)
        return shown


def known_code(table: Table, slot: int, cls: int, cells: Cells) -> int:
    """A code of a class, other than *missing* if there is any."""
    codes = (code for code in codes_in(cells.reachable) if table.classes[slot][code] == cls)
    return next(codes, 0) or next(codes, 0)


def inputs_of(base: RuleBase, decision: Decision, results: Results) -> Inputs:
    """The decision over what can come to it; facts that ``results`` does not name are given."""
    facts = {name: base.facts[name] for name in decision.inputs}
    cells = cells_of(facts, [decision])
    for name, known in cells.items():
        if name in results:
            known.reachable &= results[name].within(known)
    boxes = boxes_of(base, decision, cells)
    return Inputs(boxes, table_of(boxes), results)


def yields(decision: Decision, rules: Iterable[int], missing: bool) -> Results:
    """What a ``first`` or ``unique`` decision can yield by the ``rules`` with these indices."""
    chosen = [decision.rules[index] for index in rules]
    return {
        name: Possible(frozenset(rule.then[name][0] for rule in chosen), missing)
        for name in decision.results
    }
