"""YAML text to nodes that know their place.

PyYAML's event stream is read rather than its node graph: events show anchors, aliases and tags,
which a rule file may not use, and are consumed in a loop, so that deep nesting cannot exhaust the
stack. A scalar stays the text that was written: whether ``no`` or ``3.90`` is a code or a number
is decided later by the declared type of the fact, never by YAML's own guessing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from harken_rules import full_width
from harken_rules.diagnostics import Report, ReportFullError
from harken_rules.hints import shown
from harken_rules.language import Place

MAX_FILE_BYTES = 4_000_000
MAX_DEPTH = 40
MAX_SCALAR = 10_000
KEPT_FILES, KEPT_CHARACTERS = 128, 64_000
"""How many files' nodes are kept for the next reading, and of what size; together some MB."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_HINTS = (
    ("cannot start any token", "put the value in quotes, and indent with spaces, not tabs"),
    ("mapping values are not allowed", "a colon inside a text needs quotes around the text"),
    ("did not find expected key", "check the indentation, and the comma or quote before this"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("did not find expected '-'", "align this line with the list's other items"),
    ("tab character", "indent with spaces, not tabs"),
    ("unexpected end of stream", "a quote is not closed"),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as written; ``plain`` means without quotes."""

    place: Place
    text: str
    plain: bool

    @property
    def empty(self) -> bool:
        """Whether nothing was written at all."""
        return self.plain and not self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A YAML list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A YAML mapping, its keys unique and in the order written."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value under ``key``, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Items | Table


def describe(node: Node) -> str:
    """What ``node`` is, for a message."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Table):
        return "a mapping"
    return "nothing" if node.empty else f"'{shown(node.text)}'"


def read_source(data: bytes, file: str, report: Report) -> Node | None:
    """The one document of a YAML file; None if there is none or it is not readable.

    Everything that keeps it from being read is reported. ``file`` is the name diagnostics show.
    """
    start = Place(file, 1, 1)
    if len(data) > MAX_FILE_BYTES:
        report.error(
            "too-large",
            start,
            f"the file has {len(data):,} bytes; {MAX_FILE_BYTES:,} is the most",
            "split it into several files",
        )
        return None
    text = _decode(data, file, report)
    if text is None:
        return None
    report.add_lines(file, _LINE_BREAK.split(text))
    if len(text) <= KEPT_CHARACTERS:
        node = _blameless(text, file)
        if node is not None:
            return node
    return _parse(text, file, report)


@lru_cache(KEPT_FILES)
def _blameless(text: str, file: str) -> Node | None:
    """The document of a file in which there is nothing to report; None of any other.

    Kept, as nodes never change: whoever compares, watches or reloads rule bases reads the same
    files again, all but the one that was edited.
    """
    found = Report()
    try:
        node = _parse(text, file, found)
    except ReportFullError:
        return None
    return None if found.sorted() else node


def _parse(text: str, file: str, report: Report) -> Node | None:
    builder = _Builder(file, report)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if not builder.take(event):
                return None
    except yaml.YAMLError as error:
        _report_syntax(error, text, file, report)
        return None
    if builder.root is None and not builder.failed:
        report.error("yaml-syntax", Place(file, 1, 1), "the file is empty", "fill it, or remove it")
    return None if builder.failed else builder.root


def _decode(data: bytes, file: str, report: Report) -> str | None:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        report.error(
            "yaml-syntax",
            Place(file, line, column),
            f"the file is not {encoding.removesuffix('-sig').upper()} text",
            "save the file as UTF-8",
        )
        return None


def _report_syntax(error: yaml.YAMLError, text: str, file: str, report: Report) -> None:
    problem, place = "this is not YAML", Place(file, 1, 1)
    related = []
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or problem
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = _place(file, mark)
        start = error.context_mark and _place(file, error.context_mark)
        if error.context and start and start != place:
            related = [(error.context, start)]
    elif isinstance(error, yaml.reader.ReaderError):
        problem = f"a character that YAML does not allow, U+{_code_point(error.character):04X}"
        # The parser reads the text as UTF-8 and counts its bytes.
        read = text.encode()[: error.position].decode(errors="ignore")
        before = _LINE_BREAK.split(read)
        place = Place(file, len(before), len(before[-1]) + 1)
    lines = _LINE_BREAK.split(text)
    if place.line > len(lines):  # the parser counts the end of the file as one line more
        place = Place(file, len(lines), len(lines[-1]) + 1)
    hint = next((hint for words, hint in _HINTS if words in problem), None)
    slip = full_width.before(lines, _first_line(error, lines, place), place.line, place.column)
    if slip is not None:
        at = Place(file, slip[0], slip[1])
        related = related if at == place else [*related, ("not understood from here", place)]
        place, hint = at, full_width.hint_of(slip[2])
    report.error("yaml-syntax", place, problem, hint, related)


def _first_line(error: yaml.YAMLError, lines: Sequence[str], place: Place) -> int:
    """The line in which what the parser trips over may begin: the one before, or further up."""
    begins = max(1, place.line - 1)
    while begins > 1 and not lines[begins - 1].strip():
        begins -= 1
    context = getattr(error, "context", None) or ""
    mark = getattr(error, "context_mark", None)
    if mark is not None and "block" not in context:
        begins = min(begins, mark.line + 1)
    return begins


def _code_point(character: object) -> int:
    """The code point PyYAML names, which it gives as a number or as a character."""
    if isinstance(character, str):
        return ord(character[:1] or "\0")
    return int(character) if isinstance(character, int) else 0


def _short(tag: str) -> str:
    return shown(tag.replace("tag:yaml.org,2002:", "!!"))


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    place: Place
    is_table: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Node | None = None


class _Builder:
    """Turns events into nodes; ``take`` answers False when reading on makes no sense."""

    def __init__(self, file: str, report: Report) -> None:
        self.root: Node | None = None
        self.failed = False
        self._file = file
        self._report = report
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        place = _place(self._file, event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                return self._refuse(place, "a second document begins", "one file, one document")
        elif isinstance(event, yaml.AliasEvent):
            return self._refuse(
                place, f"alias '*{shown(event.anchor or '')}'", "write the value out"
            )
        elif isinstance(event, yaml.NodeEvent):
            return self._take_node(event, place)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        return True

    def _take_node(self, event: yaml.NodeEvent, place: Place) -> bool:
        if event.anchor is not None:
            hint = "write the value out where it is needed"
            return self._refuse(place, f"anchor '&{shown(event.anchor)}'", hint)
        if isinstance(event, yaml.ScalarEvent):
            if event.tag is not None:
                return self._refuse(place, f"tag '{_short(event.tag)}'", "leave the tag out")
            if len(event.value) > MAX_SCALAR:
                message = f"a text of {len(event.value):,} characters; {MAX_SCALAR:,} is the most"
                self._report.error("too-large", place, message)
                return self._fail()
            self._add(Scalar(place, event.value, not event.style))
            return True
        if isinstance(event, yaml.CollectionStartEvent):
            if event.tag is not None:
                return self._refuse(place, f"tag '{_short(event.tag)}'", "leave the tag out")
            if len(self._open) >= MAX_DEPTH:
                message = f"nested more than {MAX_DEPTH} deep"
                self._report.error("too-large", place, message)
                return self._fail()
            self._open.append(_Open(place, isinstance(event, yaml.MappingStartEvent)))
        return True

    def _close(self) -> None:
        done = self._open.pop()
        if done.is_table:
            self._add(Table(done.place, tuple(done.entries.values())))
        else:
            self._add(Items(done.place, tuple(done.items)))

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if not top.is_table:
            top.items.append(node)
        elif top.key is None:
            top.key = node
        else:
            key, top.key = top.key, None
            self._add_entry(top, key, node)

    def _add_entry(self, table: _Open, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._refuse(key.place, f"{describe(key)} as a key", "a key is a single word")
        elif key.text == "<<" and key.plain:
            self._refuse(key.place, "merge key '<<'", "write the keys out")
        elif key.text in table.entries:
            first = table.entries[key.text][0].place
            self._report.error(
                "duplicate-key",
                key.place,
                f"key '{shown(key.text)}' stands here a second time",
                "remove one of the two",
                [("first here", first)],
            )
        else:
            table.entries[key.text] = (key, value)

    def _refuse(self, place: Place, what: str, hint: str) -> bool:
        message = f"{what}: a rule file does not use this part of YAML"
        self._report.error("yaml-feature", place, message, hint)
        return self._fail()

    def _fail(self) -> bool:
        self.failed = True
        return False
