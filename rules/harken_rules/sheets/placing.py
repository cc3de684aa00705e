"""From a place in a file that would be written to the cell it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harken_rules.diagnostics import Report
from harken_rules.language import Place
from harken_rules.source import Items, Node, Scalar, Table, read_source

Step = str | int
"""A key, an item's number, or the ``id`` of a rule."""


def cell_of(place: Place, data: bytes, sheet: Node) -> Place | None:
    """The cell that says what stands at ``place`` in the file; None if no cell does."""
    root = read_source(data, place.file, Report())
    if root is None:
        return None
    steps = next((path for path, at in _walk(root, ()) if at == place), None)
    if steps is None:
        return None
    found, node = None, sheet
    for step in steps:
        entry = _step(node, step)
        if entry is None:
            return found if found != sheet.place else None
        found, node = entry
    return found or sheet.place


def _walk(node: Node, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Place]]:
    """Every place in the file with the way to it, the nearest to the root first."""
    if isinstance(node, Table):
        for key, value in node.entries:
            yield (*path, key.text), key.place
            if value.place != key.place:
                yield (*path, key.text), value.place
            yield from _walk(value, (*path, key.text))
    elif isinstance(node, Items):
        for number, item in enumerate(node.items):
            step: Step = _id(item) or number
            yield (*path, step), item.place
            yield from _walk(item, (*path, step))


def _step(node: Node, step: Step) -> tuple[Place, Node] | None:
    """One step on: the place of the key or item, and what stands there."""
    if isinstance(node, Table):
        pairs = {key.text: (key.place, value) for key, value in node.entries}
        return pairs.get(str(step))
    if isinstance(node, Items):
        items: Mapping[Step, Node] = {_id(one) or n: one for n, one in enumerate(node.items)}
        item = items.get(step)
        return None if item is None else (item.place, item)
    return None


def _id(node: Node) -> str | None:
    found = node.get("id") if isinstance(node, Table) else None
    return found.text if isinstance(found, Scalar) else None
