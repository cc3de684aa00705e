"""``harken rules fmt``: rule files in one layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from harken_rules import printing
from harken_rules.commands.shared import (
    FOUND,
    OK,
    Folder,
    Json,
    must_name,
    need_folder,
    path_of,
    refuse,
)
from harken_rules.diagnostics import Diagnostic
from harken_rules.formatting import Formatted, format_folder, says_the_same, write_formatted

Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; list the files that would change.")
]
Diff = Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")]


def add_to(rules: typer.Typer) -> None:
    """Add ``fmt`` to the group."""
    rules.command(name="fmt")(run)


def run(
    folder: Folder = None, check: Check = False, diff: Diff = False, as_json: Json = False
) -> None:
    """Lay out the files of a rule base in the one way: order of keys, indentation, line width.

    What the rules say stays as it is, and so does every comment, beside what it belongs to;
    numbers stay as they are written. What has been laid out is read again before anything is
    written: digest and cases must be the same. A file that is not YAML is reported and left.
    To write, DIR must be named.

    **Example:** `harken rules fmt my-rules`, or in a build `harken rules fmt my-rules --check`

    **Exit code:** 0 all laid out (with --check or --diff: already), 1 files that would change or
    cannot be read, 2 no such folder, no YAML in it, or it cannot be written.
    """
    if not (check or diff):
        must_name(folder, as_json)
    path = path_of(folder)
    need_folder(path, as_json)
    files = format_folder(path)
    if not files:
        refuse(f"{path}: no YAML file is in it; is it a rule base?", path, as_json)
    changed = [one for one in files if one.changed]
    if changed and not says_the_same(path, files):
        refuse(
            f"{path}: formatting would change what the rules say; nothing is written", path, as_json
        )
    if changed and not (check or diff):
        try:
            write_formatted(path, changed)
        except OSError as error:
            refuse(f"{path}: cannot be written: {error.strerror or error}", path, as_json)
    findings = [each for one in files for each in one.findings]
    if as_json:
        printing.as_json(_as_dict(path, files, findings, written=not (check or diff)))
    else:
        _print(path, files, findings, check=check, diff=diff)
    raise typer.Exit(FOUND if findings or (changed and (check or diff)) else OK)


def _print(
    path: Path,
    files: Sequence[Formatted],
    findings: Sequence[Diagnostic],
    *,
    check: bool,
    diff: bool,
) -> None:
    printing.diagnostics(findings, path)
    changed = [one for one in files if one.changed]
    for one in changed:
        if diff:
            for line in one.diff(printing.prefix(path)):
                printing.say((f"{line}\n", _STYLES.get(line[:1], "")))
        else:
            verb = "would be laid out anew" if check else "laid out anew"
            printing.say((f"{printing.prefix(path)}{one.name}", "bold"), (f": {verb}\n", ""))
    left = len({one.name for one in files if one.after is None})
    rest = len(files) - len(changed) - left
    would = "would change" if check or diff else "changed"
    words = [f"{printing.count(len(changed), 'file')} {would}", f"{rest:,} in order"]
    words += [f"{left:,} left as they are"] if left else []
    printing.say((f"{path}: {', '.join(words)}\n", "bold red" if left else "bold green"))


_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def _as_dict(
    path: Path, files: Sequence[Formatted], findings: Sequence[Diagnostic], *, written: bool
) -> dict[str, object]:
    def names(wanted: bool) -> list[str]:
        return [one.name for one in files if one.after is not None and one.changed is wanted]

    return {
        "path": str(path),
        "written": written,
        "changed": names(True),
        "unchanged": names(False),
        "left": [one.name for one in files if one.after is None],
        "diagnostics": [one.to_dict() for one in findings],
    }
