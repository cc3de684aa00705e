"""A YAML text whose parts know from where to where they reach, to be changed in places.

Characters outside the places changed stay as they are: comments, layout, line ends, byte order
mark. Only texts that ``source.read_source`` accepts come here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_COMMENT = re.compile("#[^\n\r\x85\u2028\u2029]*")
_BLOCK_HEADER_COMMENT = re.compile("[|>][-+0-9]*[ \t]+(#[^\n\r\x85\u2028\u2029]*)")
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(slots=True)
class Document:
    """A file's text, its tree, and the changes asked for so far."""

    text: str
    root: yaml.Node
    newline: str = "\n"
    encoding: str = "utf-8"
    bom: bytes = b""
    _edits: list[tuple[int, int, str]] = field(default_factory=list)

    def replace(self, start: int, end: int, text: str) -> None:
        """Have ``text`` stand where characters ``start`` to ``end`` stand now."""
        self.put(start, end, self.native(text))

    def put(self, start: int, end: int, text: str) -> None:
        """The same, with the line breaks that ``text`` has."""
        self._edits.append((start, end, text))

    def native(self, text: str) -> str:
        """``text`` with the file's line breaks."""
        return text.replace("\n", self.newline)

    def changed(self) -> str:
        """The text with all changes made."""
        text, before = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            text += [self.text[before:start], new]
            before = end
        return "".join([*text, self.text[before:]])

    def encoded(self, text: str) -> bytes:
        """``text`` in the file's encoding, with its byte order mark if it has one."""
        return self.bom + text.encode(self.encoding)

    def end(self, node: yaml.Node) -> int:
        """Index behind the last character; a block's own mark reaches to whatever follows it."""
        if is_block(node) and node.value:
            last = node.value[-1]
            return self.end(last[1] if isinstance(last, tuple) else last)
        start, end = start_of(node), int(node.end_mark.index)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return start + len(self.text[start:end].rstrip())
        return end

    def line_start(self, index: int) -> int:
        """Where the line of the character at ``index`` begins."""
        while index > 0 and not LINE_BREAK.match(self.text[index - 1]):
            index -= 1
        return index

    def line_end(self, index: int) -> int:
        """Where the line of the character at ``index`` ends, its line break included."""
        found = LINE_BREAK.search(self.text, index)
        return found.end() if found else len(self.text)

    def comments(self, start: int, end: int, node: yaml.Node | None = None) -> list[str]:
        """The comments between two characters, outside of all words of the tree."""
        found = []
        covered = [(a, b) for a, b in words(node or self.root) if b > start and a < end]
        position = start
        while match := _COMMENT.search(self.text, position, end):
            inside = next((b for a, b in covered if a <= match.start() < b), None)
            if inside is None:
                found.append(match[0].rstrip())
                position = match.end()
            else:
                position = inside
        for a, b in covered:
            header = _BLOCK_HEADER_COMMENT.match(self.text, a, b)
            if header:
                found.append(header[1].rstrip())
        return found


def document_of(data: bytes) -> Document:
    """The document in the bytes of a file."""
    bom = next((mark for mark in _BOMS if data.startswith(mark)), b"")
    encoding = _BOMS.get(bom, "utf-8")
    text = data[len(bom) :].decode(encoding)
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if root is None:
        raise ValueError("the file is empty")
    found = LINE_BREAK.search(text)
    return Document(text, root, found[0] if found else "\n", encoding, bom)


def entries(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """Key and value nodes of a mapping by the key's text; empty for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in node.value}


def is_block(node: yaml.Node) -> bool:
    """Whether ``node`` is a list or mapping laid out by indentation."""
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def start_of(node: yaml.Node) -> int:
    """Index of the first character."""
    return int(node.start_mark.index)


def column_of(node: yaml.Node) -> int:
    """The column, from 0, in which it starts."""
    return int(node.start_mark.column)


def words(node: yaml.Node) -> Iterator[tuple[int, int]]:
    """From where to where each single value in ``node`` reaches."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, yaml.ScalarNode):
            yield start_of(one), int(one.end_mark.index)
        else:
            for child in one.value:
                pending += child if isinstance(child, tuple) else (child,)


def without_hash(comments: Iterable[str]) -> list[str]:
    """Comment lines as a person reads them: without ``#`` and the space after it."""
    return [line.lstrip(" \t").removeprefix("#").removeprefix(" ").rstrip() for line in comments]
