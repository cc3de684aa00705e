"""What a workbook changes in a folder: file by file, and only what it changed since the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harken_rules.reading.folder import DECISIONS
from harken_rules.sheets.book import DECISION, FACTS, TAXONOMY
from harken_rules.sheets.content import Content, decision_content
from harken_rules.sheets.decisiontext import changed_decision, new_decision
from harken_rules.sheets.exporting import views
from harken_rules.sheets.filetext import changed_file
from harken_rules.sheets.index import Index
from harken_rules.sheets.meaning import take_same_meaning
from harken_rules.sheets.plain import Plain, as_list, as_mapping, as_text, fingerprint, same
from harken_rules.sheets.ruletext import WantedRule
from harken_rules.sheets.sheet_reading import SheetsRead
from harken_rules.sheets.units import (
    HEAD,
    RULE,
    Sides,
    Units,
    catalogue_units,
    decision_units,
    fact_units,
    marks_of,
    taxonomy_of,
    taxonomy_units,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one document: units added, changed and removed, and whether any moved."""

    document: str
    file: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: bool = False


@dataclass(slots=True)
class Merge:
    """The files' new bytes, what changes, and what the folder changed since the export.

    ``theirs`` and ``ours`` are units by document: changed in the folder, changed in the sheets.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    ours: dict[str, list[str]] = field(default_factory=dict)
    theirs: dict[str, list[str]] = field(default_factory=dict)


def merge(read: SheetsRead, content: Content, index: Index) -> Merge:
    """Compare sheets, folder and export, and make the new files."""
    result = Merge()
    chosen = [name for name in content.decisions if DECISION + name in read.nodes]
    folder = views(content, chosen)
    for document in read.nodes:
        sheet = _units_of(document, read)
        before = folder.get(document, {})
        marks, marks_before = marks_of(sheet), marks_of(before)
        if document.startswith(DECISION):
            name = document.removeprefix(DECISION)
            take_same_meaning(marks, marks_before, sheet, before, read.decisions[name], content)
        exported = _exported(document, index, content, marks_before)
        if document.startswith(DECISION) and exported and not before:  # its file was deleted
            result.theirs[document] = ["file"]
            if marks == exported:
                continue
            exported = {}
        sides = Sides(marks, marks_before, exported)
        theirs = sides.by_folder_only() if document not in result.theirs else []
        if theirs or sides.reordered_by_folder_only():
            result.theirs[document] = theirs or ["order"]
        ours = [one for one in sides.by_sheet() if marks.get(one) != marks_before.get(one)]
        if ours:
            result.ours[document] = ours
        _merge_document(document, sides, sheet, before, content, result)
    return result


def _units_of(document: str, read: SheetsRead) -> Units:
    if document.startswith(DECISION):
        return decision_units(read.grids[document])
    source = read.nodes[document]
    if document == FACTS:
        return fact_units(source)
    return taxonomy_units(source) if document == TAXONOMY else catalogue_units(source)


def _exported(
    document: str,
    index: Index,
    content: Content,
    folder: Mapping[str, str],
) -> Mapping[str, str]:
    """The fingerprints at the export; if they are lost, the folder's if it is still that base."""
    if index.units is not None and document in index.units:
        return index.units[document]
    if index.units is not None or index.digest == content.base.digest:
        return folder
    return {}


def _merge_document(
    document: str,
    sides: Sides,
    sheet: Units,
    folder: Units,
    content: Content,
    result: Merge,
) -> None:
    order = sides.order()
    taken = {one for one in order if sides.takes_sheet(one) and one in sheet}
    changed = [one for one in order if one in taken and sides.sheet[one] != sides.folder.get(one)]
    removed = [one for one in folder if one not in order]
    moved = [one for one in order if one in folder] != [one for one in folder if one in order]
    ordered = document.startswith(DECISION)
    if not changed and not removed and not (moved and ordered):
        return
    units: Units = {one: sheet[one] if one in taken else folder[one] for one in order}
    if ordered:
        name, data = _decision_file(document.removeprefix(DECISION), units, set(changed), content)
    else:
        name, data = _other_file(document, units, set(changed), content)
    result.files[name] = data
    result.changes.append(
        Change(
            document,
            name,
            tuple(one for one in changed if one not in folder),
            tuple(one for one in changed if one in folder),
            tuple(removed),
            moved and ordered,
        )
    )


def _decision_file(
    name: str, units: Units, changed: set[str], content: Content
) -> tuple[str, bytes]:
    file = content.decisions.get(name)
    head = as_mapping(units[HEAD])
    wanted_head = as_mapping(head["head"])
    remark, end = as_text(head["remark"]), as_text(head["end"])
    if file is None:
        rules = [_new_rule(unit) for key, unit in units.items() if key != HEAD]
        return _free_name(name, content), new_decision(wanted_head, remark, end, rules)
    old = decision_content(file)
    if HEAD not in changed:
        wanted_head, remark, end = dict(old.head), old.remark, old.end_remark
    rules_before = {as_text(rule.get("id")): rule for rule in old.rules}
    kept = {key.removeprefix(RULE) for key in units}
    gone = {_nameless(one): key for key, one in rules_before.items() if key not in kept}
    rules = []
    for key, unit in units.items():
        if key == HEAD:
            continue
        rule_id = key.removeprefix(RULE)
        remarks = old.remarks or {}
        if key not in changed:
            rules.append(WantedRule(rule_id, rule_id, None, remarks.get(rule_id, "")))
            continue
        one = _new_rule(unit)
        was = rule_id if rule_id in rules_before else gone.pop(_nameless(one.content or {}), None)
        before = rules_before.get(was or "", {})
        written = ordered_like(one.content or {}, before)
        unchanged = same(written, dict(before)) and was == rule_id
        rules.append(WantedRule(rule_id, was, None if unchanged else written, one.remark))
    return file.name, changed_decision(file.data, wanted_head, remark, end, rules)


def _new_rule(unit: Plain) -> WantedRule:
    one = as_mapping(unit)
    rule = as_mapping(one["rule"])
    return WantedRule(as_text(rule.get("id")), None, rule, as_text(one["remark"]))


def _nameless(rule: Mapping[str, Plain]) -> str:
    """A fingerprint of a rule whatever its id, to know one again that was renamed."""
    return fingerprint({**rule, "id": ""})


def ordered_like(wanted: Mapping[str, Plain], before: Mapping[str, Plain]) -> dict[str, Plain]:
    """``wanted`` with its keys in the order of ``before``, new ones last; so below ``any``."""
    keys = [key for key in before if key in wanted] + [key for key in wanted if key not in before]
    found: dict[str, Plain] = {}
    for key in keys:
        value, old = wanted[key], before.get(key)
        if isinstance(value, dict):
            value = ordered_like(value, as_mapping(old))
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            others = as_list(old) + [""] * len(value)
            value = [
                ordered_like(as_mapping(one), as_mapping(other)) if isinstance(one, dict) else one
                for one, other in zip(value, others, strict=False)
            ]
        found[key] = value
    return found


def _other_file(
    document: str, units: Units, changed: set[str], content: Content
) -> tuple[str, bytes]:
    """Facts, a catalogue or the taxonomy: units that did not change stay as the file has them."""
    file = content.facts if document == FACTS else content.catalogues[document]
    assert file is not None, "sheets are only read for files that are there"
    plain, written = file.plain, {}
    if document == TAXONOMY:
        return file.name, changed_file(file.data, {"taxonomy": taxonomy_of(units)})
    key = "facts" if document == FACTS else "entries"
    before = as_mapping(plain[key])
    for name, unit in units.items():
        new = name in changed or name not in before
        written[name] = (
            ordered_like(as_mapping(unit), as_mapping(before.get(name))) if new else before[name]
        )
    return file.name, changed_file(file.data, {**plain, key: written})


def _free_name(decision: str, content: Content) -> str:
    taken = {file.name.casefold() for file in content.decisions.values()}
    name, number = f"{DECISIONS}/{decision}.yaml", 1
    while name.casefold() in taken or (content.root / name).exists():
        number += 1
        name = f"{DECISIONS}/{decision}_{number}.yaml"
    return name
