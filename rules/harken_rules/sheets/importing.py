"""A workbook back into a folder of YAML: read, compare, check, and only then write.

workbook ─▶ grids ─▶ sheets read ─▶ merge ─▶ would-be folder, read and checked ─▶ files replaced
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path

from harken_rules.diagnostics import Diagnostic, Severity
from harken_rules.language import Place
from harken_rules.loader import Loaded, read_rule_base
from harken_rules.sheets.book import Finding
from harken_rules.sheets.content import Content, read_content
from harken_rules.sheets.index import read_index
from harken_rules.sheets.merging import Change, Merge, merge
from harken_rules.sheets.placing import cells_of
from harken_rules.sheets.sheet_reading import SheetsRead, finding_at, in_book_order, read_sheets
from harken_rules.sheets.workbook_in import read_workbook
from harken_rules.sheets.writing import would_be, write_all


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    ``findings`` stand in cells, ``diagnostics`` in files that no sheet holds; ``ours`` and
    ``theirs`` are the units changed in the sheets and in the folder since the export, by document;
    ``old`` and ``new`` are digests; ``diff`` is by file.
    """

    findings: tuple[Finding, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    changes: tuple[Change, ...] = ()
    ours: tuple[tuple[str, tuple[str, ...]], ...] = ()
    theirs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    diff: str = ""
    old: str = ""
    new: str = ""
    refused: bool = False
    written: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing keeps the workbook from being imported."""
        wrong = any(not one.warning for one in self.findings)
        return not (wrong or self.refused or any(_is_error(one) for one in self.diagnostics))


def import_workbook(
    file: Path, root: Path, loaded: Loaded, *, force: bool = False, write: bool = True
) -> Imported:
    """Bring what was changed in workbook ``file`` into the rule base ``loaded`` from ``root``.

    Nothing is written unless all cells can be read, the rule base stays sound, and the folder has
    not changed since the export (or ``force``: then what the sheets changed wins over what the
    folder changed). Raises SheetsError for a file that is no such workbook, and if writing fails.
    """
    assert loaded.base is not None, "only into a sound rule base"
    found: list[Finding] = []
    grids = read_workbook(file, found)
    index = read_index(grids, str(file))
    content = read_content(root, loaded.base)
    read = read_sheets(grids, index, content, found)
    old = loaded.base.digest
    if read.broken:
        return Imported(tuple(in_book_order(read.found, grids)), old=old, new=old)
    merged = merge(read, content, index)
    outcome = _checked(merged, read, content, loaded)
    findings = tuple(in_book_order([*read.found, *outcome.findings], grids))
    refused = bool(merged.theirs) and not force
    result = Imported(
        findings,
        outcome.diagnostics,
        tuple(merged.changes),
        _sorted(merged.ours),
        _sorted(merged.theirs),
        outcome.diff,
        old,
        outcome.new,
        refused,
    )
    if not (write and result.sound and merged.files):
        return result
    before = {one.name: one.data for one in content.files()}
    write_all(root, merged.files, before)
    return replace(result, written=True)


def _checked(merged: Merge, read: SheetsRead, content: Content, loaded: Loaded) -> Imported:
    """What the folder would be: its digest, its diff, and findings that it does not have now."""
    if not merged.files:
        return Imported(new=content.base.digest)
    with would_be(content.root, merged.files) as folder:
        outcome = read_rule_base(folder)
    known = {(one.id, one.message) for one in loaded.diagnostics}
    new = [one for one in outcome.diagnostics if (one.id, one.message) not in known]
    findings, others = [], []
    cells = _Cells(merged, read, content)
    for one in new:
        cell = cells.of(one.place)
        if cell is None:
            others.append(one)
        else:
            findings.append(finding_at(one, cell))
    digest = outcome.base.digest if outcome.base else ""
    return Imported(tuple(findings), tuple(others), diff=_diff(merged, content), new=digest)


class _Cells:
    """The cells that files came from, looked up file by file when first asked for."""

    def __init__(self, merged: Merge, read: SheetsRead, content: Content) -> None:
        self._data = {one.name: one.data for one in content.files()} | merged.files
        self._nodes = {one.file: read.nodes[one.document] for one in merged.changes}
        for document, file in content.documents():
            if document in read.nodes:
                self._nodes.setdefault(file.name, read.nodes[document])
        self._known: dict[str, dict[Place, Place]] = {}

    def of(self, place: Place) -> Place | None:
        """The cell that says what stands at ``place``; None if no sheet does."""
        node = self._nodes.get(place.file)
        if node is None:
            return None
        if place.file not in self._known:
            self._known[place.file] = cells_of(place.file, self._data[place.file], node)
        return self._known[place.file].get(place)


def _diff(merged: Merge, content: Content) -> str:
    before = {one.name: one.data for one in content.files()}
    text: list[str] = []
    for name in sorted(merged.files):
        old, new = (_lines(data) for data in (before.get(name, b""), merged.files[name]))
        start = name if name in before else "/dev/null"
        text += difflib.unified_diff(old, new, start, name, lineterm="")
    return "".join(f"{line}\n" for line in text)


def _lines(data: bytes) -> list[str]:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding).splitlines()


def _sorted(units: dict[str, list[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((document, tuple(names)) for document, names in units.items())


def _is_error(one: Diagnostic) -> bool:
    return one.severity is Severity.ERROR
