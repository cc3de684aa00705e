"""``harken rules export`` and ``harken rules import``: decision tables as spreadsheet sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import FOUND, OK, Folder, Json, path_of, refuse, sound
from harken_rules.diagnostics import Severity
from harken_rules.hints import printable
from harken_rules.sheets import Imported, SheetsError, export_workbook, import_workbook

_MOST_NAMED = 12

Decisions = Annotated[
    list[str] | None,
    typer.Option("--decision", metavar="NAME", help="Only this decision; may be repeated."),
]
Language = Annotated[str, typer.Option("--lang", help="Language of labels and notes: en or zh.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Write over a workbook that is there.")]
Workbook = Annotated[Path, typer.Argument(metavar="FILE", help="The workbook, an .xlsx file.")]
Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="The rule base to change.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show each changed line; write nothing.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Import although the folder has changed since the export."),
]


def add_to(rules: typer.Typer) -> None:
    """Add ``export`` and ``import`` to the group."""
    rules.command(name="export")(export)
    rules.command(name="import")(bring_back)


def export(
    workbook: Annotated[Path, typer.Option("--xlsx", metavar="FILE", help="Where to write it.")],
    folder: Folder = None,
    decision: Decisions = None,
    lang: Language = "en",
    force: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write a rule base as a workbook: one sheet a decision, one row a rule.

    Facts, codes, catalogues and the taxonomy get sheets too. Edit it in any spreadsheet and bring
    it back with `harken rules import`. How to write a condition in a cell stands in the first
    sheet, in English and in Chinese.

    **Example:** `harken rules export rules/base --xlsx rules.xlsx --lang zh`

    **Exit code:** 0 written, 2 the rule base has errors, or the file cannot be written.
    """
    path = path_of(folder)
    base, _ = sound(path, as_json)
    if lang not in base.languages:
        refuse(f"--lang {lang}: the rule base has {', '.join(base.languages)}", path, as_json)
    if workbook.suffix.lower() != ".xlsx":
        refuse(f"{workbook}: name it .xlsx, so that a spreadsheet opens it", path, as_json)
    if workbook.exists() and not force:
        message = f"{workbook}: is there already, perhaps with edits that were not imported"
        refuse(f"{message}; --force writes over it", path, as_json)
    try:
        done = export_workbook(path, base, workbook, decisions=decision or (), language=lang)
    except SheetsError as error:
        refuse(str(error), path, as_json)
    if as_json:
        answer = {"path": str(path), "file": str(workbook), "digest": base.digest}
        counts = {"decisions": done.decisions, "rules": done.rules, "sheets": done.sheets}
        printing.as_json({**answer, **counts, "left_out": list(done.left_out)})
    else:
        what = f"{printing.count(done.decisions, 'decision')}, {printing.count(done.rules, 'rule')}"
        printing.say((f"{workbook}: written; {what}\n", "bold green"), (f"{base.digest}\n", ""))
        for name in done.left_out:
            printing.say((f"{name} has lists within lists and is left out\n", "yellow"))


def bring_back(
    file: Workbook,
    into: Into,
    dry_run: Dry = False,
    diff: Diff = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Bring an edited workbook back into the rule base it was exported from.

    Only what was changed in the sheets is changed in the files: every other rule, remark and line
    stays as it is, to the last character. Mistakes are named by sheet and cell, all at once. The
    rule base that would result is checked first; while it has errors nothing is written.

    If the folder has changed since the export, both sides' changes are shown and nothing is
    written; with --force rules changed in the sheets win, and the folder's other changes stay.

    **Example:** `harken rules import rules.xlsx --into rules/base --diff`

    **Exit code:** 0 done (or nothing to do), 1 mistakes found or the folder has changed since,
    2 no such workbook, or the folder's own rules have errors.
    """
    _, loaded = sound(into, as_json)
    try:
        done = import_workbook(file, into, loaded, force=force, write=not (dry_run or diff))
    except SheetsError as error:
        refuse(str(error), into, as_json)
    if as_json:
        printing.as_json(_as_dict(done, file, into))
    else:
        _show(done, file, into, diff=diff)
    raise typer.Exit(OK if done.sound else FOUND)


def _show(done: Imported, file: Path, into: Path, *, diff: bool) -> None:
    for finding in done.findings:
        colour = "yellow" if finding.warning else "red"
        hint = f"; {finding.hint}" if finding.hint else ""
        where = (f"{printable(finding.where)}: ", f"bold {colour}")
        printing.say(where, (f"{printable(finding.message)}{printable(hint)}\n", ""))
    printing.diagnostics(done.diagnostics, into)
    if done.theirs:
        _show_both_sides(done)
    if diff and done.diff:
        _show_diff(done.diff)
    if not diff and done.sound:
        _show_changes(done)
    mistakes = sum(not one.warning for one in done.findings)
    mistakes += sum(one.severity is Severity.ERROR for one in done.diagnostics)
    if not done.sound:
        why = f"{printing.count(mistakes, 'finding')}" if mistakes else "the folder has changed"
        printing.say((f"{file}: {why}; nothing was written\n", "bold red"))
    elif not done.changes:
        printing.say((f"{file}: nothing to change in {into}\n", "bold green"))
    else:
        verb = "changed" if done.written else "would change"
        count = printing.count(len(done.changes), "file")
        printing.say((f"{into}: {count} {verb}\n", "bold green"), (f"{done.new}\n", ""))


def _show_both_sides(done: Imported) -> None:
    printing.say(("the folder has changed since the workbook was exported\n", "bold yellow"))
    for word, sides in (("in the folder", done.theirs), ("in the sheets", done.ours)):
        for document, units in sides:
            printing.say((f"  {word}: ", "blue"), (f"{document}: {_named(units)}\n", ""))
    if done.refused:
        hint = "export again, or import with --force: what the sheets changed then wins"
        printing.say(("   = ", "blue"), (f"{hint}\n", "green"))


def _show_changes(done: Imported) -> None:
    for one in done.changes:
        printing.say((f"  {one.file}\n", "blue"))
        for word, units in (("add", one.added), ("change", one.changed), ("remove", one.removed)):
            if units:
                printing.say((f"    {word}: {_named(units)}\n", ""))
        if one.moved:
            printing.say(("    in another order\n", ""))


def _show_diff(text: str) -> None:
    for line in text.splitlines():
        bold = line.startswith(("+++", "---"))
        colour = "bold" if bold else {"+": "green", "-": "red", "@": "blue"}.get(line[:1], "")
        printing.say((f"{printable(line)}\n", colour))


def _named(units: tuple[str, ...]) -> str:
    names = [printable(one) for one in units[:_MOST_NAMED]]
    more = f" and {len(units) - _MOST_NAMED} more" if len(units) > _MOST_NAMED else ""
    return ", ".join(names) + more


def _as_dict(done: Imported, file: Path, into: Path) -> dict[str, object]:
    return {
        "file": str(file),
        "path": str(into),
        "written": done.written,
        "refused": done.refused,
        "digest_before": done.old,
        "digest_after": done.new or None,
        "findings": [one.to_dict() for one in done.findings],
        "diagnostics": [one.to_dict() for one in done.diagnostics],
        "changes": [
            {
                "document": one.document,
                "file": one.file,
                "added": list(one.added),
                "changed": list(one.changed),
                "removed": list(one.removed),
                "moved": one.moved,
            }
            for one in done.changes
        ],
        "changed_in_sheets": {document: list(units) for document, units in done.ours},
        "changed_in_folder": {document: list(units) for document, units in done.theirs},
        "diff": done.diff,
    }
