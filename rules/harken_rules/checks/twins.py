"""Rules with the very same conditions, however they are written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_

from harken_rules.boxes import Box, RuleBoxes, boxes_of
from harken_rules.checks.rule_grid import RuleGrid
from harken_rules.covering import TooMuchWorkError, Work
from harken_rules.language import Decision, RuleBase
from harken_rules.tables import Table, table_of

Twins = Mapping[str, Mapping[int, int]]

_PAIR = 50
"""What comparing two rules counts at least as work."""


def twins_in(base: RuleBase, decision: Decision) -> Mapping[int, int]:
    """Rule to the first one before it that matches exactly the same inputs."""
    table, work = table_of(boxes_of(base, decision)), Work(total=1_000_000)
    found: dict[int, int] = {}
    written: dict[frozenset[Box], int] = {}
    alike: dict[Box, list[int]] = {}
    for index, boxes in enumerate(table.rules):
        if not boxes:
            continue
        twin = written.setdefault(frozenset(boxes), index)
        known = alike.setdefault(_hull(boxes), [])
        if twin == index:
            twin = next((other for other in known if _same(table, other, index, work)), index)
        if twin == index:
            known.append(index)
        else:
            found[index] = found.get(twin, twin)
    return found


def _hull(boxes: RuleBoxes) -> Box:
    """The least box around all: the same for rules that match the same."""
    return tuple(reduce(or_, masks) for masks in zip(*boxes, strict=True))


def _same(table: Table, one: int, other: int, work: Work) -> bool:
    """Whether rules that are written differently match the same; False if that is too much work."""
    pair = table.rules[one], table.rules[other]
    if len(pair[0]) == len(pair[1]) == 1:
        return False
    try:
        rules = RuleGrid(table.sizes, pair, work)
        work.spend(_PAIR)
        return bool(rules.within(0, [1], work) and rules.within(1, [0], work))
    except TooMuchWorkError:
        return False
