"""``facts.yaml`` or a catalogue's file with other content, and all else as it was."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from harken_rules.sheets import layout
from harken_rules.sheets.document import document_of, is_block, start_of, without_hash
from harken_rules.sheets.patch import patch_block, read_plain
from harken_rules.sheets.plain import Plain, same


def changed_file(data: bytes, wanted: Mapping[str, Plain]) -> bytes:
    """The file saying ``wanted``; what it says already keeps its characters."""
    document = document_of(data)
    root = document.root
    if isinstance(root, yaml.MappingNode) and is_block(root):
        moved = patch_block(document, root, wanted)
        if moved:
            at = document.line_start(start_of(root))
            document.replace(at, at, layout.remark("\n".join(moved), 0))
        text = document.changed()
        if _says(text, wanted):
            return document.encoded(text)
    comments = without_hash(document.comments(0, len(document.text)))
    text = layout.remark("\n".join(comments), 0) + layout.block(wanted, 0) + "\n"
    return document.encoded(document.native(text))


def _says(text: str, wanted: Mapping[str, Plain]) -> bool:
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return root is not None and same(read_plain(root), dict(wanted))
