"""YAML as a tree to change and to write: every node's place in the text is known afterwards.

A ``Layout`` draws how the tree is written (block or flow, quotes, remarks, blank lines, depth of
indentation, lines broken within brackets); what it says is the same in every layout.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from harken_rules.reading.numbers import number_text

Spot = tuple[int, int]
"""Line and column, from 1."""

_PLAIN = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9_./\u4e00-\u9fff-]*( [A-Za-z0-9_]+)*")


@dataclass(eq=False)
class Text:
    """A single value. ``raw`` is written as it stands instead, whatever it may break."""

    text: str
    raw: str | None = None


@dataclass(eq=False)
class Entry:
    """A key and its value."""

    key: Text
    value: Node


@dataclass(eq=False)
class Table:
    """A mapping; ``flow``: always in braces."""

    entries: list[Entry] = field(default_factory=list)
    flow: bool = False

    def get(self, key: str) -> Node:
        """The value under ``key``."""
        return self.entry(key).value

    def entry(self, key: str) -> Entry:
        """Key and value."""
        return next(each for each in self.entries if each.key.text == key)

    def has(self, key: str) -> bool:
        """Whether ``key`` stands there."""
        return any(each.key.text == key for each in self.entries)

    def put(self, key: str, value: object) -> Entry:
        """Set ``key``, at the end if it is new."""
        if self.has(key):
            self.entry(key).value = node_of(value)
        else:
            self.entries.append(Entry(Text(key), node_of(value)))
        return self.entry(key)

    def drop(self, key: str) -> None:
        """Take ``key`` out."""
        self.entries.remove(self.entry(key))

    def table(self, *keys: str) -> Table:
        """The mapping under ``keys``, one within the other."""
        found: Node = self
        for key in keys:
            assert isinstance(found, Table)
            found = found.get(key)
        assert isinstance(found, Table)
        return found

    def items(self, key: str) -> list[Node]:
        """The list under ``key``."""
        found = self.get(key)
        assert isinstance(found, Items)
        return found.items


@dataclass(eq=False)
class Items:
    """A list; ``flow``: always in brackets."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False


Node = Text | Table | Items


def node_of(value: object) -> Node:
    """Plain Python values (and nodes among them) as a tree."""
    if isinstance(value, Text | Table | Items):
        return value
    if isinstance(value, Mapping):
        return Table([Entry(Text(key), node_of(each)) for key, each in value.items()])
    if isinstance(value, list | tuple):
        return Items([node_of(each) for each in value])
    if isinstance(value, bool):
        return Text(str(value).lower())
    return Text(number_text(value) if isinstance(value, Decimal) else str(value))


def walk(node: Node) -> Iterator[Node]:
    """``node`` and every value below it, in the order written."""
    yield node
    below = [each.value for each in node.entries] if isinstance(node, Table) else []
    for each in node.items if isinstance(node, Items) else below:
        yield from walk(each)


class Layout:
    """Writes trees in a manner drawn from ``rng``."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._step = rng.choice([2, 2, 3, 4])
        self._flow = rng.choice([0.15, 0.5, 0.85])
        self._quotes = rng.choice([0.0, 0.1, 0.4])
        self._remarks = rng.choice([0.0, 0.1, 0.3])
        self._breaks = rng.choice([0.0, 0.05, 0.3])
        self._hanging = rng.random() < 0.5

    def write(self, root: Node) -> tuple[str, dict[int, Spot]]:
        """The text and where each node (by its ``id``) begins."""
        writer = _Writer()
        if self._rng.random() < 0.2:
            writer.line("---")
        self._remark(writer, 0)
        if isinstance(root, Table) and root.entries and not root.flow:
            self._table(writer, root, 0)
        else:
            self._inline(writer, root, self._step)
        writer.newline()
        return "".join(writer.parts), writer.places

    def _table(self, writer: _Writer, table: Table, indent: int) -> None:
        for count, entry in enumerate(table.entries):
            if count:
                writer.newline()
                self._remark(writer, indent)
                writer.put(" " * indent)
            if not count:
                writer.mark(table)
            self._scalar(writer, entry.key)
            writer.put(":")
            self._value(writer, entry.value, indent)

    def _value(self, writer: _Writer, node: Node, indent: int) -> None:
        if self._in_block(node):
            deeper = indent + self._step
            if isinstance(node, Items) and self._hanging:
                deeper = indent
            writer.newline()
            self._remark(writer, deeper)
            writer.put(" " * deeper)
            self._block(writer, node, deeper)
            return
        writer.put(" ")
        self._inline(writer, node, indent + self._step)
        if self._rng.random() < self._remarks / 2:
            writer.put("  # as agreed")

    def _block(self, writer: _Writer, node: Node, indent: int) -> None:
        if isinstance(node, Table):
            self._table(writer, node, indent)
            return
        assert isinstance(node, Items)
        for count, item in enumerate(node.items):
            if count:
                writer.newline()
                self._remark(writer, indent)
                writer.put(" " * indent)
            else:
                writer.mark(node)
            writer.put("- ")
            if isinstance(item, Table) and self._in_block(item):
                self._table(writer, item, indent + 2)
            else:
                self._inline(writer, item, indent + 2)

    def _inline(self, writer: _Writer, node: Node, indent: int) -> None:
        if isinstance(node, Text):
            self._scalar(writer, node)
            return
        writer.mark(node)
        table = isinstance(node, Table)
        writer.put("{" if table else "[")
        for count, each in enumerate(node.entries if isinstance(node, Table) else node.items):
            if count:
                writer.put(",")
                if self._rng.random() < self._breaks:
                    writer.newline()
                    writer.put(" " * indent)
                else:
                    writer.put(" ")
            if isinstance(each, Entry):
                self._scalar(writer, each.key)
                writer.put(": ")
                each = each.value
            self._inline(writer, each, indent)
        writer.put("}" if table else "]")

    def _in_block(self, node: Node) -> bool:
        if isinstance(node, Text) or node.flow:
            return False
        size = sum(1 for _ in walk(node))
        if isinstance(node, Table):
            return bool(node.entries) and (size > 12 or self._rng.random() > self._flow)
        return bool(node.items) and (size > 16 or self._rng.random() > self._flow)

    def _scalar(self, writer: _Writer, node: Text) -> None:
        writer.mark(node)
        if node.raw is not None:
            writer.put(node.raw)
        elif _PLAIN.fullmatch(node.text) and self._rng.random() >= self._quotes:
            writer.put(node.text)
        elif self._rng.random() < 0.5:
            writer.put("'" + node.text.replace("'", "''") + "'")
        else:
            writer.put('"' + node.text.replace("\\", "\\\\").replace('"', '\\"') + '"')

    def _remark(self, writer: _Writer, indent: int) -> None:
        if self._rng.random() < self._remarks:
            writer.line(
                " " * indent + self._rng.choice(["# see the manual: page 3", "#", "# 备注"])
            )
        if self._rng.random() < self._remarks / 3:
            writer.line("")


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.places: dict[int, Spot] = {}
        self._line, self._column = 1, 1

    def put(self, text: str) -> None:
        self.parts.append(text)
        self._column += len(text)

    def newline(self) -> None:
        self.parts.append("\n")
        self._line, self._column = self._line + 1, 1

    def line(self, text: str) -> None:
        self.put(text)
        self.newline()

    def mark(self, node: Node) -> None:
        self.places[id(node)] = (self._line, self._column)
