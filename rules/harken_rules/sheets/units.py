"""A rule base's documents in units small enough to tell who changed what.

A document is a decision, the facts, a catalogue or the taxonomy; its units are a head and rules, or
facts, or entries. Each unit is compared in the form in which a sheet shows it, so that a sheet
that nobody edited never differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harken_rules.sheets.decision_grid import DecisionGrid
from harken_rules.sheets.plain import Plain, as_list, as_mapping, as_text, fingerprint, plain_of
from harken_rules.source import Node

HEAD, RULE = "head", "rule "

Units = dict[str, Plain]


def decision_units(grid: DecisionGrid) -> Units:
    """The head with the file's remarks, then each rule with its own."""
    plain = as_mapping(plain_of(grid.node))
    head = {key: value for key, value in plain.items() if key != "rules"}
    units: Units = {HEAD: {"head": head, "remark": grid.remark, "end": grid.end_remark}}
    for rule in as_list(plain.get("rules")):
        rule_id = as_text(as_mapping(rule).get("id"))
        units[RULE + rule_id] = {"rule": rule, "remark": grid.remarks.get(rule_id, "")}
    return units


def fact_units(node: Node) -> Units:
    """Each fact."""
    return dict(as_mapping(as_mapping(plain_of(node)).get("facts")))


def catalogue_units(node: Node) -> Units:
    """Each entry."""
    return dict(as_mapping(as_mapping(plain_of(node)).get("entries")))


_BELOW = ("services", "points")


def taxonomy_units(node: Node) -> Units:
    """Each category, service and point without those below it, by its path."""
    units: Units = {}

    def add(level: Mapping[str, Plain], above: list[str]) -> None:
        for code, value in level.items():
            one, path = as_mapping(value), [*above, code]
            below = _BELOW[len(path) - 1] if len(path) < 3 else ""
            units[json.dumps(path)] = {key: part for key, part in one.items() if key != below}
            add(as_mapping(one.get(below)), path)

    add(as_mapping(as_mapping(plain_of(node)).get("taxonomy")), [])
    return units


def taxonomy_of(units: Mapping[str, Plain]) -> dict[str, Plain]:
    """The tree that ``units`` are of; a unit whose parent is not there is left out."""
    tree: dict[str, Plain] = {}
    known: dict[tuple[str, ...], dict[str, Plain]] = {(): tree}
    for key in sorted(units, key=lambda one: len(json.loads(one))):
        path = tuple(json.loads(key))
        above = known.get(path[:-1])
        if above is None:
            continue
        if len(path) > 1:
            above = as_mapping(above.setdefault(_BELOW[len(path) - 2], {}))
        above[path[-1]] = known[path] = dict(as_mapping(units[key]))
    return tree


def marks_of(units: Mapping[str, Plain]) -> dict[str, str]:
    """A fingerprint of each unit."""
    return {key: fingerprint(value) for key, value in units.items()}


@dataclass(frozen=True, slots=True)
class Sides:
    """One document as the sheet has it, as the folder has it, and as it was exported."""

    sheet: Mapping[str, str]
    folder: Mapping[str, str]
    exported: Mapping[str, str]

    def by_sheet(self) -> list[str]:
        """Units that the sheet says otherwise than they were exported."""
        return [one for one in self._all() if self.sheet.get(one) != self.exported.get(one)]

    def by_folder_only(self) -> list[str]:
        """Units that the folder changed, and the sheet did not change to the same."""
        return [
            one
            for one in self._all()
            if self.folder.get(one) not in (self.exported.get(one), self.sheet.get(one))
        ]

    def takes_sheet(self, unit: str) -> bool:
        """Whether the sheet's side of ``unit`` counts."""
        return self.sheet.get(unit) != self.exported.get(unit)

    def kept(self) -> set[str]:
        """Units that are there in the end."""
        return {
            one
            for one in self._all()
            if one in (self.sheet if self.takes_sheet(one) else self.folder)
        }

    def order(self) -> list[str]:
        """The units that are kept, in the order of the side that moved any."""
        moved_here = _moved(self.sheet, self.exported)
        first, other = (
            (self.folder, self.sheet)
            if _moved(self.folder, self.exported) and not moved_here
            else (self.sheet, self.folder)
        )
        return woven(list(first), list(other), self.kept())

    def reordered_by_folder_only(self) -> bool:
        """Whether the folder moved units, and the sheet has them in another order."""
        return _moved(self.folder, self.exported) and _moved(self.folder, self.sheet)

    def _all(self) -> list[str]:
        return list(dict.fromkeys([*self.sheet, *self.folder, *self.exported]))


def woven(first: Sequence[str], other: Sequence[str], kept: set[str]) -> list[str]:
    """``first`` with what only ``other`` has, each behind its neighbour; only what is ``kept``."""
    found = [one for one in first if one in kept]
    present = set(found)
    before: str | None = None
    for one in other:
        if one in kept and one not in present:
            found.insert(found.index(before) + 1 if before is not None else 0, one)
            present.add(one)
        if one in present:
            before = one
    return found


def _moved(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    both = set(one) & set(other)
    return [key for key in one if key in both] != [key for key in other if key in both]
