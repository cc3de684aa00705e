"""The smallest change that makes a part of a YAML file say what is wanted.

What already says it keeps its characters. Comments inside a part that is written anew are not
lost: they move above it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

import yaml

from harken_rules.sheets import layout
from harken_rules.sheets.document import (
    Document,
    column_of,
    entries,
    is_block,
    start_of,
    without_hash,
)
from harken_rules.sheets.plain import Plain, fingerprint, same


def read_plain(node: yaml.Node) -> Plain:
    """What ``node`` says."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): read_plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [read_plain(item) for item in node.value]
    return str(node.value)


def patch_block(
    document: Document,
    node: yaml.MappingNode,
    wanted: Mapping[str, Plain],
    keep: Collection[str] = (),
    order: Sequence[str] = (),
) -> list[str]:
    """Make a block mapping say ``wanted``; the comments of what was written anew are answered.

    Keys in ``keep`` are left alone. A new key goes behind the nearest of those before it in
    ``order`` (by default: in ``wanted``) that is there.
    """
    present = entries(node)
    moved: list[str] = []
    for name, (key, value) in present.items():
        if name in keep:
            continue
        if name not in wanted:
            moved += _remove(document, key, value)
        else:
            moved += patch_value(document, key, value, wanted[name])
    order = order or list(wanted)
    remaining = [name for name in present if name in wanted or name in keep]
    for name in wanted:
        if name not in present and name not in keep:
            _insert(document, node, name, wanted[name], _before(name, order, remaining))
    return moved


def patch_value(document: Document, key: yaml.Node, value: yaml.Node, wanted: Plain) -> list[str]:
    """Make the value of a block mapping's ``key`` say ``wanted``."""
    if same(read_plain(value), wanted):
        return []
    if isinstance(value, yaml.MappingNode) and isinstance(wanted, dict) and wanted:
        if is_block(value):
            return patch_block(document, value, wanted)
        if _patch_flow(document, value, wanted):
            return []
    if isinstance(value, yaml.SequenceNode) and isinstance(wanted, list) and wanted:
        moved = _patch_list(document, value, wanted) if is_block(value) and value.value else None
        if moved is not None:
            return moved
    return _rewrite(document, key, value, wanted)


def _patch_list(
    document: Document, node: yaml.SequenceNode, wanted: Sequence[Plain]
) -> list[str] | None:
    """Change, add and remove items of a block list; None if one does not stand below a dash."""
    lines = [_item_lines(document, node, item) for item in node.value]
    marks = [fingerprint(read_plain(item)) for item in node.value]
    matcher = difflib.SequenceMatcher(None, marks, [fingerprint(one) for one in wanted], False)
    moved: list[str] = []
    if any(start is None for start, _ in lines):
        return None
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(i_end - i, j_end - j)
        for item, one in zip(node.value[i : i + both], wanted[j : j + both], strict=True):
            moved += _patch_item(document, item, one)
        for number in range(i + both, i_end):
            start, end = lines[number]
            moved += without_hash(document.comments(start or 0, end, node.value[number]))
            document.put(start or 0, end, "")
        at = lines[0][0] if i + both == 0 else lines[i + both - 1][1]
        pad = " " * column_of(node)
        for one in wanted[j + both : j_end]:
            _insert_line(document, at or 0, f"{pad}- {layout.item(one, column_of(node) + 2)}")
    return moved


def _item_lines(
    document: Document, node: yaml.SequenceNode, item: yaml.Node
) -> tuple[int | None, int]:
    """From the start of the line with the item's dash to the end of its last line."""
    end = document.line_end(document.end(item))
    start = document.line_start(start_of(item))
    dash = " " * column_of(node) + "-"
    while not document.text.startswith(dash, start):
        if start <= start_of(node):
            return None, end
        start = document.line_start(start - 1)
    return start, end


def _patch_item(document: Document, item: yaml.Node, wanted: Plain) -> list[str]:
    if isinstance(item, yaml.MappingNode) and isinstance(wanted, dict):
        if is_block(item):
            return patch_block(document, item, wanted)
        if _patch_flow(document, item, wanted):
            return []
    start, end = start_of(item), document.end(item)
    moved = document.comments(start, end, item)
    document.replace(start, end, layout.item(wanted, column_of(item)))
    return without_hash(moved)


def _insert_line(document: Document, at: int, line: str) -> None:
    if at == len(document.text) and not document.text.endswith(("\n", "\r")):
        document.replace(at, at, f"\n{line}")
    else:
        document.replace(at, at, f"{line}\n")


def _patch_flow(document: Document, node: yaml.MappingNode, wanted: Mapping[str, Plain]) -> bool:
    """Change single values inside braces; False if that is not enough."""
    present = entries(node)
    changed = {name: one for name, one in wanted.items() if name in present}
    if len(changed) < max(len(wanted), len(present)):
        return False
    pending = []
    for name, (_, value) in present.items():
        if same(read_plain(value), wanted[name]):
            continue
        if not isinstance(value, yaml.ScalarNode) or not isinstance(wanted[name], str):
            return False
        pending.append((value, str(wanted[name])))
    longer = sum(len(new) - (document.end(old) - start_of(old)) for old, new in pending)
    line = document.line_end(start_of(node)) - document.line_start(start_of(node))
    if longer > 0 and line + longer > layout.WIDTH:
        return False
    for old, new in pending:
        document.replace(start_of(old), document.end(old), layout.scalar(new))
    return True


def _rewrite(document: Document, key: yaml.Node, value: yaml.Node, wanted: Plain) -> list[str]:
    start, end = _after_colon(document, key, value), _end(document, key, value)
    text = layout.entry(str(key.value), wanted, column_of(key))
    moved = document.comments(start, end, value)
    written = layout.scalar(str(key.value)) + ":"
    document.replace(start, end, text[len(written) :])
    return without_hash(moved)


def _remove(document: Document, key: yaml.Node, value: yaml.Node) -> list[str]:
    start = document.line_start(start_of(key))
    end = document.line_end(_end(document, key, value))
    moved = document.comments(start, end, value)
    if document.text[start : start_of(key)].strip():  # behind a dash: the next key takes its place
        start = start_of(key)
        end += column_of(key)
    document.replace(start, end, "")
    return without_hash(moved)


def _insert(
    document: Document, node: yaml.MappingNode, name: str, wanted: Plain, behind: str | None
) -> None:
    indent = column_of(node)
    pad = " " * indent
    text = layout.entry(name, wanted, indent)
    present = entries(node)
    if behind is None or behind not in present:
        at = start_of(node) if behind is None else document.line_end(document.end(node))
    else:
        at = document.line_end(_end(document, *present[behind]))
    if behind is None:
        document.replace(at, at, f"{text}\n{pad}")
    else:
        _insert_line(document, at, pad + text)


def _before(name: str, order: Sequence[str], present: Collection[str]) -> str | None:
    """The last of ``present`` that stands before ``name`` in ``order``."""
    before = order[: order.index(name)] if name in order else order
    return next((one for one in reversed(before) if one in present), None)


def _after_colon(document: Document, key: yaml.Node, value: yaml.Node) -> int:
    """Index behind the colon after ``key``."""
    colon = document.text.find(":", document.end(key))
    return colon + 1 if colon >= 0 else start_of(value)


def _end(document: Document, key: yaml.Node, value: yaml.Node) -> int:
    """Where the entry ends, also if its value is empty."""
    return max(document.end(value), _after_colon(document, key, value))
