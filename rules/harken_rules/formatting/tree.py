"""A YAML text as words and groups that remember where they stood, for putting comments beside them.

Only texts that ``source.read_source`` accepts come here: one document, no anchors, no tags, no
deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

Spot = tuple[int, int]
"""Line and column, both from 0."""

_BLOCK_HEADER = re.compile(r"([|>])(?:([1-9])([-+]?)|([-+])([1-9]?))?")


@dataclass(slots=True)
class Word:
    """A single value. ``raw``: the lines of a ``|`` or ``>`` text, its header first, or None."""

    text: str
    plain: bool
    start: Spot
    end: Spot
    raw: tuple[str, ...] | None = None


@dataclass(slots=True)
class Entry:
    """A key with its value, or (``key`` None) an item of a list.

    ``above``: comment lines over it, ``""`` for a blank line; ``beside``: comments on its line.
    """

    key: Word | None
    value: Tree
    start: Spot
    above: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """A mapping or a list. ``below``: comments after its last entry that still belong to it."""

    mapping: bool
    flow: bool
    start: Spot
    end: Spot
    entries: list[Entry] = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    @property
    def column(self) -> int:
        """The column in which the entries of a block stand."""
        return self.start[1]


Tree = Word | Group


def tree_of(text: str) -> tuple[Tree, list[Word]]:
    """The document's tree, and all words in the order they stand in the text."""
    builder = _Builder(LINE_BREAK.split(text))
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        builder.take(event)
    assert builder.root is not None, "read_source has accepted the text"
    return builder.root, builder.words


class _Builder:
    """Turns events into a tree."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.root: Tree | None = None
        self.words: list[Word] = []
        self._lines = lines
        self._open: list[Group] = []
        self._keys: list[Word | None] = []

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._word(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            mapping = isinstance(event, yaml.MappingStartEvent)
            start, end = _spot(event.start_mark), _spot(event.end_mark)
            self._open.append(Group(mapping, bool(event.flow_style), start, end))
            self._keys.append(None)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._keys.pop()
            done.end = _spot(event.end_mark)
            self._add(done)

    def _word(self, event: yaml.ScalarEvent) -> Word:
        start, end = _spot(event.start_mark), _spot(event.end_mark)
        word = Word(event.value, not event.style, start, end)
        if event.style in ("|", ">"):
            column = self._open[-1].column if self._open else -1
            word.raw = raw_lines(self._lines, start, end, column)
        self.words.append(word)
        return word

    def _add(self, tree: Tree) -> None:
        if not self._open:
            self.root = tree
            return
        group = self._open[-1]
        if not group.mapping:
            group.entries.append(Entry(None, tree, self._item_start(group, tree)))
        elif self._keys[-1] is None:
            assert isinstance(tree, Word), "read_source has refused other keys"
            self._keys[-1] = tree
        else:
            key, self._keys[-1] = self._keys[-1], None
            group.entries.append(Entry(key, tree, key.start))

    def _item_start(self, group: Group, tree: Tree) -> Spot:
        """Where an item begins: a block's at its dash, which no event tells."""
        if group.flow:
            return tree.start
        line = tree.start[0]
        before = " " * group.column
        while line > group.start[0]:
            here = self._lines[line]
            if here[group.column : group.column + 1] == "-" and here.startswith(before):
                break
            line -= 1
        return line, group.column


def raw_lines(lines: Sequence[str], start: Spot, end: Spot, column: int) -> tuple[str, ...] | None:
    """A block text's header and lines without their indentation; None if it has no content.

    A text that keeps its last blank lines (``+``) also answers None: nobody can see them.
    """
    header = _BLOCK_HEADER.match(lines[start[0]], start[1])
    body = list(lines[start[0] + 1 : end[0] + (1 if end[1] else 0)])
    while body and not body[-1].strip(" "):
        body.pop()
    if header is None or not body:
        return None
    digit, chomp = header[2] or header[5], header[3] or header[4] or ""
    first = next(line for line in body if line.strip(" "))
    indent = max(column, 0) + int(digit) if digit else len(first) - len(first.lstrip(" "))
    if chomp == "+" or any(line[:indent].strip(" ") for line in body):
        return None
    cut = [line[indent:] for line in body]
    digit = "2" if next(line for line in cut if line.strip(" ")).startswith(" ") else ""
    return (header[1] + digit + chomp, *cut)


def _spot(mark: Any) -> Spot:
    return mark.line, mark.column
