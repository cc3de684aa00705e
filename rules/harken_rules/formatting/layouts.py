"""How each part of a rule file is laid out: which keys come in which order, what takes a line each.

The order of keys that mean something to a reader (facts, rules, conditions, labels) is the
author's; only the keys that every file of a kind has are put in the order of this page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harken_rules.formatting.tree import Entry, Group, Tree
from harken_rules.reading.folder import CASES, CATALOGUE, DECISIONS, FACTS, HEADER


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a mapping or a list; what it holds is laid out by the layouts it names.

    ``block``: an entry a line, even if all would fit on one; ``loose``: blank lines between
    entries are the author's; ``fill``: what does not fit on a line goes on on the next, for at
    most two lines; ``bare``: a single key stands without braces.
    """

    keys: tuple[str, ...] = ()
    inside: Mapping[str, str] = field(default_factory=dict)
    each: str = "value"
    block: bool = False
    loose: bool = False
    fill: bool = False
    bare: bool = False

    def of(self, entry: Entry) -> Layout:
        """The layout of what stands in ``entry``."""
        name = self.inside.get(entry.key.text, self.each) if entry.key else self.each
        return LAYOUTS[name]

    def ordered(self, group: Group) -> list[Entry]:
        """The entries, known keys first and in their order."""
        if not self.keys or not group.mapping:
            return group.entries
        places = {key: place for place, key in enumerate(self.keys)}

        def place(entry: Entry) -> int:
            return places.get(entry.key.text if entry.key else "", len(places))

        return sorted(group.entries, key=place)


def _listing(each: str) -> Layout:
    return Layout(each=each, block=True, loose=True)


LAYOUTS: Mapping[str, Layout] = {
    "value": Layout(),
    "values": Layout(block=True, loose=True),
    "header_file": Layout(("name", "title", "languages"), block=True, loose=True),
    "facts_file": Layout(("facts",), {"facts": "facts"}, block=True, loose=True),
    "facts": _listing("fact"),
    "fact": Layout(
        ("type", "source", "title", "unit", "range", "values", "values_from", "open"),
        {"values": "values"},
        block=True,
    ),
    "decision_file": Layout(
        (
            *("decision", "title", "hit", "result", "results", "otherwise", "reasons"),
            *("characteristics", "rules"),
        ),
        {"characteristics": "characteristics", "rules": "rules"},
        block=True,
        loose=True,
    ),
    "characteristics": _listing("characteristic"),
    "characteristic": Layout(("title", "weight", "baseline")),
    "rules": _listing("rule"),
    "rule": Layout(
        ("id", "characteristic", "when", "then", "because"), {"when": "when"}, block=True
    ),
    "when": Layout(inside={"any": "any"}),
    "any": Layout(each="alternative", block=True),
    "alternative": Layout(inside={"any": "any"}, bare=True),
    "catalogue_file": Layout(
        ("catalogue", "entries"), {"entries": "entries"}, block=True, loose=True
    ),
    "entries": _listing("entry"),
    "entry": Layout(
        ("title", "group", "departments", "steps", "script", "expectation"),
        {"steps": "steps"},
        block=True,
    ),
    "steps": Layout(block=True),
    "taxonomy_file": Layout(("taxonomy",), {"taxonomy": "categories"}, block=True, loose=True),
    "categories": _listing("category"),
    "category": Layout(("title", "services"), {"services": "services"}, block=True),
    "services": _listing("service"),
    "service": Layout(("title", "points"), {"points": "points"}, block=True),
    "points": _listing("point"),
    "point": Layout(("title",)),
    "cases_file": Layout(("cases",), {"cases": "cases"}, block=True, loose=True),
    "cases": _listing("case"),
    "case": Layout(
        ("name", "given", "expect", "rows"),
        {"given": "filled", "expect": "filled", "rows": "rows"},
        block=True,
    ),
    "rows": _listing("row"),
    "row": Layout(("name", "given", "expect"), {"given": "filled", "expect": "filled"}),
    "filled": Layout(fill=True),
}


def layout_of(name: str, root: Tree) -> Layout | None:
    """The layout of the file ``name`` (relative to the rule base), or None if it has none."""
    if name == HEADER:
        return LAYOUTS["header_file"]
    if name == FACTS:
        return LAYOUTS["facts_file"]
    top = name.partition("/")[0]
    if top == CATALOGUE:
        keys = [one.key.text for one in root.entries if one.key] if isinstance(root, Group) else []
        return LAYOUTS["taxonomy_file" if "taxonomy" in keys else "catalogue_file"]
    return {DECISIONS: LAYOUTS["decision_file"], CASES: LAYOUTS["cases_file"]}.get(top)
