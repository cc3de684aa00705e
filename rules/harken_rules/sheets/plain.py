"""What a rule file or a sheet says, freed of places and spelling: texts, lists and mappings."""

from __future__ import annotations

import hashlib
import json

from harken_rules.source import Items, Node, Scalar

Plain = str | list["Plain"] | dict[str, "Plain"]


def plain_of(node: Node) -> Plain:
    """``node`` without places; scalars stay the text that was written."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [plain_of(item) for item in node.items]
    return {key.text: plain_of(value) for key, value in node.entries}


def same(one: Plain | None, other: Plain | None) -> bool:
    """Whether both say the same; a list of one item is that item, keys have no order."""
    return _folded(one) == _folded(other)


def fingerprint(value: Plain) -> str:
    """Sixteen hexadecimal digits that tell ``value`` from others."""
    text = json.dumps(_folded(value), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_mapping(value: Plain | None) -> dict[str, Plain]:
    """``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Plain | None) -> list[Plain]:
    """``value`` as a list: itself, its one item, or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_text(value: Plain | None) -> str:
    """``value`` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def _folded(value: Plain | None) -> object:
    if isinstance(value, dict):
        return {key: _folded(one) for key, one in value.items()}
    if isinstance(value, list):
        items = [_folded(one) for one in value]
        return items[0] if len(items) == 1 else items
    return value
