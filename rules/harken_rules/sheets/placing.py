"""From a place in a file that would be written to the cell it came from."""

from __future__ import annotations

from collections.abc import Iterator

from harken_rules.diagnostics import Report
from harken_rules.language import Place
from harken_rules.source import Items, Node, Scalar, Table, read_source

Step = str | int
"""A key, an item's number, or the ``id`` of a rule."""


def cells_of(file: str, data: bytes, sheet: Node) -> dict[Place, Place]:
    """For each place in the file the cell that says what stands there.

    ``sheet``: the same content as read from its sheet. What has no cell of its own counts to the
    cell of what it is part of.
    """
    cells: dict[Place, Place] = {}
    root = read_source(data, file, Report())
    pending: list[tuple[Node, Node | None, Place | None]] = [(root, sheet, None)] if root else []
    while pending:
        node, twin, at = pending.pop()
        twins = {step: (place, value) for step, place, value in _parts(twin)}
        for step, place, value in _parts(node):
            where, below = twins.get(step, (at, None))
            if where is not None:
                cells.setdefault(place, where)
                cells.setdefault(value.place, where)
            pending.append((value, below, where))
    return cells


def _parts(node: Node | None) -> Iterator[tuple[Step, Place, Node]]:
    """The entries or items of ``node``: how they are called, where they begin, and themselves."""
    if isinstance(node, Table):
        for key, value in node.entries:
            yield key.text, key.place, value
    elif isinstance(node, Items):
        for number, item in enumerate(node.items):
            name = item.get("id") if isinstance(item, Table) else None
            yield name.text if isinstance(name, Scalar) else number, item.place, item
