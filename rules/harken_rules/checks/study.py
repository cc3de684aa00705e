"""Every decision over the inputs that can come to it, and what each of its rules does there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harken_rules.boxes import Box, codes_in
from harken_rules.checks.inputs import Inputs, Possible, Results, inputs_of, yields
from harken_rules.checks.rule_grid import RuleGrid
from harken_rules.checks.sums import sums
from harken_rules.covering import Found, Grid, TooMuchWorkError, Work
from harken_rules.language import Decision, Hit, Rule, RuleBase
from harken_rules.reading.facts import GIVEN_SOURCES


class Study:
    """One decision's rules over its inputs; what takes too much work is ``unsure``."""

    def __init__(self, inputs: Inputs, work: Work) -> None:
        self.inputs = inputs
        self.decision: Decision = inputs.table.decision
        self.unsure = False
        self._work = work

    @cached_property
    def rules(self) -> RuleGrid | None:
        """The rules' boxes laid out; None if there are too many of them."""
        try:
            return RuleGrid(self.inputs.table.sizes, self.inputs.table.rules, self._work)
        except TooMuchWorkError:
            self.unsure = True
            return None

    @property
    def is_table(self) -> bool:
        """Whether one rule decides: only then can there be gaps and hidden rules."""
        return self.decision.hit in (Hit.FIRST, Hit.UNIQUE)

    @cached_property
    def unreachable(self) -> frozenset[int]:
        """The rules that no input which can come here matches."""
        return frozenset(i for i, boxes in enumerate(self.inputs.table.rules) if not boxes)

    @cached_property
    def gap(self) -> Found | None:
        """An input that no rule matches, one in which all is known if there is such a one."""
        rules, table = self.rules, self.inputs.table
        if rules is None or not self.is_table:
            return None
        grid = rules.grid
        known = tuple(
            sum({1 << table.classes[slot][code] for code in codes_in(reachable & ~1)})
            for slot, reachable in enumerate(self._reachable())
        )
        try:
            for region in (known, grid.whole) if all(known) else (grid.whole,):
                found = grid.uncovered(region, grid.every, self._work)
                if found is not None:
                    return _briefly(found, region, grid)
        except TooMuchWorkError:
            self.unsure = True
        return None

    @cached_property
    def hidden(self) -> Mapping[int, tuple[int, ...]]:
        """Under ``first`` the rules that never decide, each with the earlier ones that hide it."""
        if self.decision.hit is not Hit.FIRST or self.rules is None:
            return {}
        found = {}
        for index, boxes in enumerate(self.inputs.table.rules):
            try:
                hiding = self.rules.hiding(index, self._work) if boxes else ()
            except TooMuchWorkError:
                self.unsure = True
                continue
            if hiding:
                found[index] = hiding
        return found

    def idle(self, index: int) -> bool:
        """Whether a rule that decides on some input never makes a difference to the results.

        That is so under ``first`` where, on every input that it decides on, what follows says the
        same.
        """
        if self.decision.hit is not Hit.FIRST or self.rules is None:
            return False
        alike = self._alike[_key(self.decision.rules[index])]
        if alike >> self.rules.end(index) == 0:
            return False
        try:
            return self.rules.same_without(index, alike, self._work)
        except TooMuchWorkError:
            self.unsure = True
            return False

    def within(self, index: int, others: Sequence[int]) -> list[int]:
        """Those of ``others`` that match wherever the rule does."""
        if self.rules is None or not others:
            return []
        try:
            return self.rules.within(index, others, self._work)
        except TooMuchWorkError:
            self.unsure = True
            return []

    def meeting(self, index: int) -> set[int]:
        """The rules that can match together with the rule."""
        return self.rules.meeting(index) if self.rules else set()

    def results(self, *, exact: bool) -> Results:
        """What it can yield; ``exact``: nothing by hidden rules, nor by gaps nobody meant."""
        if self.decision.hit is Hit.SUM:
            sum_ = sums(self.decision, self.inputs.table, self.rules)
            return {self.decision.results[0]: sum_}
        if not self.is_table:
            return {}
        left = [i for i in range(len(self.decision.rules)) if i not in self.unreachable]
        missing = self.gap is not None or self.unsure
        generous = yields(self.decision, left, missing)
        if not exact:
            return generous
        missing = missing and self.decision.otherwise_missing
        left = [index for index in left if index not in self.hidden]
        return yields(self.decision, left, missing) if left or missing else generous

    @cached_property
    def _alike(self) -> Mapping[object, int]:
        """For each ``then`` the boxes of all rules that say so."""
        found: dict[object, int] = {}
        for index, rule in enumerate(self.decision.rules):
            boxes = self.rules.of([index]) if self.rules else 0
            found[_key(rule)] = found.get(_key(rule), 0) | boxes
        return found

    def _reachable(self) -> list[int]:
        by_name = {cells.fact.name: cells.reachable for cells in self.inputs.boxes.cells}
        return [by_name[name] for name in self.inputs.table.facts]


def _briefly(found: Found, region: Box, grid: Grid) -> Found:
    """The input without what makes no difference: no rule matches whatever else comes."""
    all_ = {slot: (mask & -mask).bit_length() - 1 for slot, mask in enumerate(region)} | found
    for slot in sorted(all_, key=lambda slot: slot in found):
        rest = {other: code for other, code in all_.items() if other != slot}
        masks = [1 << rest[i] if i in rest else mask for i, mask in enumerate(grid.whole)]
        if not grid.meeting(tuple(masks)):
            all_ = rest
    return all_


def _key(rule: Rule) -> object:
    return tuple(sorted(rule.then.items()))


@dataclass(frozen=True, slots=True)
class Survey:
    """All decisions that could be read soundly, with all that they build on.

    ``generous`` leaves out only what is certainly impossible. ``exact`` also leaves out what a
    finding elsewhere says already: what hidden rules yield, and what is missing by a gap that
    nobody meant. So one slip is one finding, and not one more in each decision after it.
    """

    generous: Mapping[str, Study]
    exact: Mapping[str, Study]

    def __iter__(self) -> Iterator[Study]:
        return iter(self.generous.values())


def survey(base: RuleBase, sound: frozenset[str]) -> Survey:
    """Study the decisions named in ``sound``, in dependency order."""
    work = Work()
    yielded = [result for one in base.decisions for result in one.results]
    generous: dict[str, Study] = {}
    exact: dict[str, Study] = {}
    widely: dict[str, Possible] = {}
    closely: dict[str, Possible] = {}

    def is_known(name: str) -> bool:
        given = base.facts[name].source in GIVEN_SOURCES and name not in yielded
        return given or name in widely

    for one in base.decisions:
        ambiguous = any(yielded.count(result) > 1 for result in one.results)
        if one.name not in sound or ambiguous or not all(map(is_known, one.inputs)):
            continue
        study = Study(inputs_of(base, one, widely), work)
        close = study
        if any(widely[name] != closely[name] for name in one.inputs if name in widely):
            close = Study(inputs_of(base, one, closely), work)
        generous[one.name], exact[one.name] = study, close
        if one.hit is not Hit.ALL:
            widely |= study.results(exact=False)
            closely |= close.results(exact=True)
    return Survey(generous, exact)
