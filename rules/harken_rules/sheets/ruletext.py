"""The rules of a decision file as pieces of text that can be kept, changed and moved.

Each rule has a *gap*, the blank and comment lines above it, and a *body*, its own lines. The
comment lines of the gap are its remark; the gap moves with the rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from harken_rules.sheets import layout
from harken_rules.sheets.document import (
    LINE_BREAK,
    Document,
    column_of,
    document_of,
    entries,
    is_block,
    start_of,
    without_hash,
)
from harken_rules.sheets.patch import patch_block, read_plain
from harken_rules.sheets.plain import Plain, same

KEYS = ("id", "characteristic", "when", "then", "because")


@dataclass(frozen=True, slots=True)
class RuleText:
    """One rule as it is written."""

    id: str
    gap: str
    body: str

    @property
    def remark(self) -> str:
        """The comment lines above the rule, without ``#``."""
        return remark_of(self.gap)


@dataclass(frozen=True, slots=True)
class RulesText:
    """All rules; they reach from character ``start`` to ``end``, dashes stand in ``indent``."""

    start: int
    end: int
    indent: int
    rules: tuple[RuleText, ...]


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule as it shall be; ``content`` None leaves its body alone."""

    id: str
    was: str | None
    content: Mapping[str, Plain] | None
    remark: str


def rules_text(document: Document) -> RulesText | None:
    """The rules in pieces; None unless they stand in a block list with a dash a rule."""
    key, node = entries(document.root).get("rules", (None, None))
    if key is None or not isinstance(node, yaml.SequenceNode) or not is_block(document.root):
        return None
    if not is_block(node):
        return None
    indent = column_of(node)
    dash = re.compile(" " * indent + "-(?=\\s)")
    start = before = document.line_end(document.end(key))
    found = []
    for item in node.value:
        line = document.line_start(start_of(item))
        while not dash.match(document.text, line):
            if line <= before:
                return None
            line = document.line_start(line - 1)
        end = document.line_end(document.end(item))
        rule_id = entries(item)["id"][1].value if "id" in entries(item) else ""
        found.append(RuleText(rule_id, document.text[before:line], document.text[line:end]))
        before = end
    return RulesText(start, before, indent, tuple(found))


def remark_of(gap: str) -> str:
    """The comment lines of ``gap`` without ``#``, blank lines between them kept."""
    return "\n".join(without_hash(_strip_blank(LINE_BREAK.split(gap))))


def write_rules(document: Document, text: RulesText, wanted: Sequence[WantedRule]) -> None:
    """Have the document's rules be ``wanted``, in that order."""
    present = {one.id: one for one in text.rules}
    pieces: list[str] = []
    for rule in wanted:
        old = present.get(rule.was or "")
        if old is None:
            body, moved = document.native(layout.rule(rule.content or {}, text.indent)), ""
        else:
            body, moved = _body(document, old, rule.content, text.indent)
        remark = "\n".join(filter(None, (rule.remark, moved)))
        pieces += [_gap(document, old.gap if old else "", remark, text.indent), body]
    last = len(pieces) - 1 if text.end == len(document.text) else len(pieces)
    written = "".join(
        one + document.newline if one and index < last and not _ends_line(one) else one
        for index, one in enumerate(pieces)
    )
    if written != document.text[text.start : text.end]:
        document.put(text.start, text.end, written)


def _ends_line(text: str) -> bool:
    return LINE_BREAK.match(text[-1]) is not None


def _body(
    document: Document, old: RuleText, content: Mapping[str, Plain] | None, indent: int
) -> tuple[str, str]:
    """The rule's own lines with ``content``, and remarks that found no place in them."""
    if content is None:
        return old.body, ""
    part = document_of(old.body.encode())
    part.newline = document.newline
    (item,) = part.root.value
    moved = part.comments(0, len(part.text))
    if is_block(item):
        moved = patch_block(part, item, content, order=KEYS)
        text = part.changed()
        if _says(text, content):
            return text, "\n".join(moved)
        moved = part.comments(0, len(part.text))
    return document.native(layout.rule(content, indent)), "\n".join(without_hash(moved))


def _says(text: str, content: Mapping[str, Plain]) -> bool:
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return isinstance(root, yaml.SequenceNode) and same(read_plain(root), [dict(content)])


def _gap(document: Document, old: str, remark: str, indent: int) -> str:
    """The gap with ``remark`` for comments, its blank lines above and below kept."""
    if remark_of(old) == remark:
        return old
    blank = [not line.strip() for line in LINE_BREAK.split(old)[:-1]]
    above = blank.index(False) if False in blank else len(blank)
    below = blank[::-1].index(False) if False in blank else 0
    return document.native("\n" * above + layout.remark(remark, indent) + "\n" * below)


def _strip_blank(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    while kept and not kept[0].strip():
        del kept[0]
    while kept and not kept[-1].strip():
        del kept[-1]
    return kept
