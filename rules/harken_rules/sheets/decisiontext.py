"""A decision's file with another head or other rules, and all else as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from harken_rules.sheets.ruletext import RulesText, WantedRule, remark_of, rules_text, write_rules

KEYS = (
    "decision",
    "title",
    "hit",
    "result",
    "results",
    "otherwise",
    "reasons",
    "characteristics",
    "rules",
)


def top_remark(document: Document) -> str:
    """The comment lines at the head of the file."""
    return remark_of(document.text[: _top_end(document)])


def end_remark(document: Document) -> str:
    """The comment lines behind the last rule, if the rules stand last."""
    tail = _tail(document, rules_text(document))
    return "" if tail is None else remark_of(document.text[tail:])


def new_decision(
    head: Mapping[str, Plain], remark: str, end: str, rules: Sequence[WantedRule]
) -> bytes:
    """The file of a decision that had none."""
    written = [layout.remark(remark, 0), layout.block(head, 0), "\nrules:\n"]
    for one in rules:
        written += [layout.remark(one.remark, 2), layout.rule(one.content or {}, 2)]
    text = "".join([*written, layout.remark(end, 2)])
    return layout.formatted(text, "decisions/new.yaml").encode()


def changed_decision(
    data: bytes, head: Mapping[str, Plain], remark: str, end: str, rules: Sequence[WantedRule]
) -> bytes:
    """The file with this head (all keys but ``rules``), these remarks and rules."""
    document = document_of(data)
    if not isinstance(document.root, yaml.MappingNode) or not is_block(document.root):
        return _written_anew(document, head, remark, end, rules)
    _write_top(document, remark)
    text = rules_text(document)
    if text is not None:
        write_rules(document, text, rules)
        _write_end(document, text, end)
    elif any(rule.content is not None for rule in rules):
        _write_all_rules(document, rules)
    moved = patch_block(document, document.root, head, keep=("rules",), order=KEYS)
    if moved:
        at = document.line_start(start_of(entries(document.root)["rules"][0]))
        document.replace(at, at, layout.remark("\n".join(moved), 0))
    changed = document.changed()
    if not _says(changed, head, _contents(document, rules)):
        return _written_anew(document_of(data), head, remark, end, rules)
    return document.encoded(changed)


def _contents(document: Document, rules: Sequence[WantedRule]) -> list[Plain]:
    present = {_id(item): item for item in entries(document.root)["rules"][1].value}
    return [
        read_plain(present[rule.was or rule.id]) if rule.content is None else dict(rule.content)
        for rule in rules
    ]


def _says(text: str, head: Mapping[str, Plain], rules: list[Plain]) -> bool:
    """Whether the text has this head and these rules: what is written is read again first."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return root is not None and same(read_plain(root), {**head, "rules": rules})


def _top_end(document: Document) -> int:
    """Behind the comment and blank lines that the file begins with."""
    position = 0
    while position < start_of(document.root):
        line = document.text[position : document.line_end(position)].strip()
        if line and not line.startswith("#"):
            break
        position = document.line_end(position)
    return min(position, document.line_start(start_of(document.root)))


def _write_top(document: Document, remark: str) -> None:
    end = _top_end(document)
    if remark_of(document.text[:end]) != remark:
        lines = LINE_BREAK.split(document.text[:end])[:-1]
        blank = [not line.strip() for line in lines]
        below = blank[::-1].index(False) if False in blank else 0
        document.replace(0, end, layout.remark(remark, 0) + "\n" * below)


def _tail(document: Document, text: RulesText | None) -> int | None:
    """Where the file goes on behind its last rule; None if not only comments follow."""
    if text is None or list(entries(document.root))[-1] != "rules":
        return None
    rest = [line.strip() for line in LINE_BREAK.split(document.text[text.end :])]
    return text.end if all(line.startswith("#") for line in rest if line) else None


def _write_end(document: Document, text: RulesText, remark: str) -> None:
    tail = _tail(document, text)
    if tail is not None and remark_of(document.text[tail:]) != remark:
        rest = document.text[tail:]
        first = next((i for i, line in enumerate(rest.splitlines()) if line.strip()), 0)
        at_end = tail > 0 and not LINE_BREAK.match(document.text[tail - 1])
        written = "\n" * (first or at_end) + layout.remark(remark, text.indent)
        document.replace(tail, len(document.text), written)


def _write_all_rules(document: Document, rules: Sequence[WantedRule]) -> None:
    """Rules that stand in brackets, all written anew, one below the other."""
    key, value = entries(document.root)["rules"]
    start, end = document.end(key), document.end(value)
    present = {_id(item): item for item in value.value}
    column = column_of(key)
    moved = without_hash(document.comments(start, end, value))
    written = "".join(_text_of(one, present, column + 2) for one in rules)
    document.replace(start, end, ":\n" + written.removesuffix("\n"))
    if moved:
        at = document.line_start(start_of(key))
        document.replace(at, at, layout.remark("\n".join(moved), column))


def _written_anew(
    document: Document,
    head: Mapping[str, Plain],
    remark: str,
    end: str,
    rules: Sequence[WantedRule],
) -> bytes:
    """A file that is one pair of braces, in the usual layout; its comments stand at the head."""
    present = {_id(item): item for item in entries(document.root)["rules"][1].value}
    comments = without_hash(document.comments(0, len(document.text)))
    known = remark_of(document.text[: _top_end(document)])
    above = [remark, *comments[len(known.split("\n")) if known else 0 :]]
    text = layout.remark("\n".join(filter(None, above)), 0) + layout.block(head, 0) + "\nrules:\n"
    text += "".join(_text_of(one, present, 2) for one in rules) + layout.remark(end, 2)
    return document.encoded(document.native(text))


def _text_of(rule: WantedRule, present: Mapping[str, yaml.Node], indent: int) -> str:
    content = rule.content
    if content is None:
        plain = read_plain(present[rule.was or rule.id])
        content = plain if isinstance(plain, dict) else {}
    return layout.remark(rule.remark, indent) + layout.rule(content, indent)


def _id(item: yaml.Node) -> str:
    return str(entries(item)["id"][1].value) if "id" in entries(item) else ""
