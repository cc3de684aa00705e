"""Schemas beside a rule base's files, and the line that tells an editor which one to use."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harken_rules.diagnostics import Report
from harken_rules.files import write_whole
from harken_rules.reading.folder import CASES, CATALOGUE, DECISIONS, FACTS, HEADER, list_files
from harken_rules.schemas.files import schema_of
from harken_rules.schemas.vocabulary import Vocabulary

KINDS = ("decision", "facts", "cases", "catalogue", "rulebase")
FOLDER = ".schema"
"""Hidden, so that it is no part of the rule base."""

_MODELINE = re.compile(rb"#\s*yaml-language-server:\s*\$schema=[^\r\n]*")
_BOM = b"\xef\xbb\xbf"


def kind_of(name: str) -> str | None:
    """The kind of a file, named relative to the rule base; None if it is no part of one."""
    if name in (HEADER, FACTS):
        return "rulebase" if name == HEADER else "facts"
    tops = {DECISIONS: "decision", CASES: "cases", CATALOGUE: "catalogue"}
    top, _, rest = name.partition("/")
    return tops.get(top) if rest else None


def text_of(kind: str, words: Vocabulary) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema_of(kind, words), ensure_ascii=False, indent=1) + "\n"


def write_schemas(root: Path, words: Vocabulary) -> tuple[str, ...]:
    """Write every kind's schema into the rule base's hidden folder; answers the names written.

    Raises OSError.
    """
    (root / FOLDER).mkdir(exist_ok=True)
    written = []
    for kind in KINDS:
        name = f"{FOLDER}/{kind}.json"
        write_whole(root / name, text_of(kind, words).encode())
        written.append(name)
    return tuple(written)


def wire(root: Path) -> tuple[str, ...]:
    """Give every file its first line for editors; answers the names of those changed.

    A file in another encoding than UTF-8 is left. Raises OSError.
    """
    changed = []
    for name in list_files(root, Report()):
        kind = kind_of(name)
        if kind is None:
            continue
        path = root / name
        before = path.read_bytes()
        after = with_modeline(before, f"{'../' * name.count('/')}{FOLDER}/{kind}.json")
        if after != before:
            write_whole(path, after)
            changed.append(name)
    return tuple(changed)


def with_modeline(data: bytes, schema: str) -> bytes:
    """The file's bytes with the line naming ``schema`` first; all else as it was."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data
    bom, rest = (_BOM, data[3:]) if data.startswith(_BOM) else (b"", data)
    line = f"# yaml-language-server: $schema={schema}".encode()
    if found := _MODELINE.match(rest):
        return bom + line + rest[found.end() :]
    end = b"\r\n" if b"\r\n" in rest[:2000] else b"\n"
    return bom + line + end + rest
