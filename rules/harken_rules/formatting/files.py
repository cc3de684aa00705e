"""Formatting a rule base's files: nothing is written that says anything else than before."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harken_rules.diagnostics import Diagnostic, Report
from harken_rules.files import write_whole
from harken_rules.formatting.comments import place_comments
from harken_rules.formatting.layouts import layout_of
from harken_rules.formatting.tree import Group, tree_of
from harken_rules.formatting.writer import write
from harken_rules.loader import Loaded, read_rule_base
from harken_rules.reading.folder import list_files, read_bytes
from harken_rules.source import Items, Node, Scalar, read_source


@dataclass(frozen=True, slots=True)
class Formatted:
    """One file: as it is, and as it should be (None: its text cannot be read, see the findings)."""

    name: str
    before: bytes
    after: bytes | None
    findings: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether formatting would write the file."""
        return self.after is not None and self.after != self.before

    def diff(self, prefix: str = "") -> list[str]:
        """What would change, as a unified diff without line ends; empty if nothing would."""
        if self.after is None or not self.changed:
            return []
        old = self.before.decode("utf-8", "replace").splitlines(keepends=True)
        new = self.after.decode().splitlines(keepends=True)
        name = prefix + self.name
        lines = difflib.unified_diff(old, new, name, name)
        return [one for line in lines for one in _shown(line)]


def _shown(line: str) -> list[str]:
    if line.endswith("\n"):
        return [line.removesuffix("\n")]
    return [line, "\\ No newline at end of file"]


def format_text(data: bytes, name: str, report: Report) -> bytes | None:
    """The file in the one layout, UTF-8 without BOM, ending in LF.

    ``name`` is relative to the rule base and says which kind of file it is; a file of no kind
    stays as it is. None if it is not YAML that a rule file may hold, or if its formatted text
    would not say the same; both are reported.
    """
    node = read_source(data, name, report)
    if node is None or report.has_errors:
        return None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding).removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    root, words = tree_of(text)
    layout = layout_of(name, root)
    if layout is None:
        return data
    if not isinstance(root, Group) or not root.mapping:
        message = "the file is not a mapping, so it is left as it is"
        report.error("wrong-shape", node.place, message, "a rule file is `key: value` lines")
        return None
    place_comments(text, root, words)
    after = write(root, layout).encode()
    again = read_source(after, name, Report())
    if again is None or _meaning(again) != _meaning(node):
        message = "formatting would change what this file says, so it is left as it is"
        report.error("wrong-shape", node.place, message, "write its longest keys and texts plainly")
        return None
    return after


def format_folder(root: Path) -> tuple[Formatted, ...]:
    """Every file of the rule base in ``root`` with its layout; nothing is written.

    A file or folder that cannot be read comes with findings and without a text.
    """
    listing = Report()
    found = []
    for name in list_files(root, listing):
        report = Report()
        data = read_bytes(root / name, name, report)
        after = None if data is None else format_text(data, name, report)
        found.append(Formatted(name, data or b"", after, report.sorted()))
    if listing.has_errors:
        found.append(Formatted(".", b"", None, listing.sorted()))
    return tuple(found)


def says_the_same(root: Path, files: Iterable[Formatted]) -> bool:
    """Whether the rule base in ``root`` has the same digest and cases once ``files`` are written.

    A rule base with errors has no digest; then it must have the same errors.
    """
    with tempfile.TemporaryDirectory(prefix="harken-fmt-") as name:
        copy = Path(name)
        for one in files:
            path = copy / one.name
            if one.name != ".":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(one.before if one.after is None else one.after)
        return _content(read_rule_base(root)) == _content(read_rule_base(copy))


def write_formatted(root: Path, files: Iterable[Formatted]) -> None:
    """Write what has changed, each file whole or not at all; raises OSError."""
    for one in files:
        if one.changed and one.after is not None:
            write_whole(root / one.name, one.after)


def _content(loaded: Loaded) -> object:
    cases = [
        (case.name, sorted(case.given.items()), [(e.result, e.wanted) for e in case.expect])
        for case in loaded.cases
    ]
    if loaded.base is not None:
        return loaded.base.digest, cases
    return sorted((one.id, one.place.file, one.message) for one in loaded.diagnostics), cases


def _meaning(node: Node) -> object:
    """What a node says, wherever it stands; the order of keys is the layout's."""
    if isinstance(node, Scalar):
        return node.text, node.empty
    if isinstance(node, Items):
        return [_meaning(one) for one in node.items]
    return {key.text: _meaning(value) for key, value in node.entries}
