"""How the value of a given fact is turned into what it adds to keys, as an expression to compile.

Numbers go down a tree of comparisons with the edges of the pieces that their readers tell apart,
usual whole numbers and codes are looked up, flags are compared by identity. Of values of the fact's
type each expression takes only what plainly is acceptable; for anything else it gives what cannot
be unpacked, or raises.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harken_rules.cells import Cells
from harken_rules.language import FactType
from harken_rules.named_cells import MISSING, NamedCells
from harken_rules.number_cells import EXACT_INTEGER, NumberCells

Parts = tuple[int, ...]
"""What a fact adds to the keys of its readers."""

MANY_EDGES = 256
"""From here on a tree of comparisons would be long to write, and bisecting is not much slower."""

USUAL = range(-256, 1024)
"""These whole numbers are held in a dictionary; others are found on the line. Where a fact's rules
tell none but these apart, others are seldom, and may take their time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression in ``value``, and what the names in it stand for."""

    expression: str
    held: Mapping[str, object]


def reading_of(cells: Cells, parts: Sequence[Parts], value: str) -> Reading:
    """The reading of a fact whose codes add ``parts``, at least one number each; ``value`` is the
    value's name, with which other names begin."""
    if isinstance(cells, NumberCells):
        return number_reading(cells, parts, value)
    assert isinstance(cells, NamedCells)
    if cells.fact.type is FactType.BOOLEAN:
        flags = {"yes": cells.table[True], "no": cells.table[False], "none": MISSING}
        return Reading(
            f"{value}_yes if {value} is True else {value}_no if {value} is False"
            f" else {value}_none if {value} is None else None",
            {f"{value}_{name}": parts[code] for name, code in flags.items()},
        )
    known = {each: parts[code] for each, code in cells.table.items()}
    if not cells.fact.open:
        return Reading(f"{value}_known[{value}]", {f"{value}_known": known})
    another = parts[-1]

    def other(given: object) -> Parts | None:
        return another if type(given) is str else None

    return Reading(
        f"{value}_get({value}) or {value}_other({value})",
        {f"{value}_get": known.get, f"{value}_other": other},
    )


def number_reading(cells: NumberCells, parts: Sequence[Parts], value: str) -> Reading:
    """The reading of a number."""
    line, missing = Line(cells, parts), parts[MISSING]
    if cells.integral:
        return whole_reading(line, missing, value)
    if len(line.edges) > MANY_EDGES:
        index = f"{value}_bisect({value}_edges, {value})"
    else:
        index = tree(value, line.edges, 0, len(line.edges))
    return Reading(
        f"{value}_line[{index}] if {value} is not None else {value}_missing",
        {
            f"{value}_line": line.parts,
            f"{value}_bisect": bisect_right,
            f"{value}_edges": line.edges,
            f"{value}_missing": missing,
        },
    )


def whole_reading(line: Line, missing: Parts, value: str) -> Reading:
    """The reading of a whole number."""
    usual = {number: line(number) for number in USUAL}
    known: dict[object, Parts] = {None: missing}
    known.update({number: each for number, each in usual.items() if each is not None})
    held: dict[str, object] = {f"{value}_known": known}
    if all(USUAL.start < edge < USUAL.stop for edge in line.edges[1:-1]):
        return Reading(f"{value}_known[{value}]", held)

    def other(given: object) -> Parts | None:
        if type(given) is int or (type(given) is float and given.is_integer()):
            return line(given)
        return None

    held |= {f"{value}_get": known.get, f"{value}_other": other}
    return Reading(f"{value}_get({value}) or {value}_other({value})", held)


class Line:
    """A number's line in the pieces that its readers tell apart.

    ``parts`` has what each piece adds, ``None`` where a value is out of range, infinite, NaN or so
    great that not every integer is a float; a value's piece is the number of ``edges`` up to it.
    """

    def __init__(self, cells: NumberCells, parts: Sequence[Parts]) -> None:
        self.edges: list[float] = [-float(EXACT_INTEGER)]
        self.parts: list[Parts | None] = [None]
        first = 1 + bisect_right(cells.edges, -float(EXACT_INTEGER))
        last = 1 + bisect_left(cells.edges, float(EXACT_INTEGER))
        for code in range(first, last + 1):
            here = parts[code] if cells.first <= code <= cells.last else None
            unreachable = here is not None and not cells.reachable >> code & 1
            if code > first and (unreachable or here == self.parts[-1]):
                continue
            if code > first:
                self.edges.append(cells.edges[code - 2])
            self.parts.append(here)
        self.edges.append(float(EXACT_INTEGER))
        self.parts.append(None)

    def __call__(self, value: float) -> Parts | None:
        """What a number adds."""
        return self.parts[bisect_right(self.edges, value)]


def tree(value: str, edges: Sequence[float], first: int, last: int) -> str:
    """The number of ``edges`` up to a value, known to be from ``first`` to ``last``. Nothing is
    less than anything to a NaN, which so comes after all of them."""
    if first == last:
        return str(first)
    middle = (first + last) // 2
    below, above = tree(value, edges, first, middle), tree(value, edges, middle + 1, last)
    return f"({below} if {value} < {edges[middle]!r} else {above})"
