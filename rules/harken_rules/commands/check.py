"""``harken rules check``: everything that is wrong with a rule base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harken_rules import junit, printing, reports
from harken_rules.commands.shared import (
    FOUND,
    OK,
    Folder,
    Json,
    checked,
    document,
    path_of,
    read,
    refuse,
)
from harken_rules.diagnostics import Diagnostic, Severity
from harken_rules.files import write_whole
from harken_rules.hints import did_you_mean, shown
from harken_rules.loader import Loaded
from harken_rules.pages import IDS, LANGUAGES, page_text
from harken_rules.probe import Probe, probe_rule_base


class FailOn(StrEnum):
    """The least severity that makes the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


Least = Annotated[
    FailOn, typer.Option("--fail-on", help="The least of what makes the exit code 1.")
]
JUnit = Annotated[
    Path | None, typer.Option("--junitxml", metavar="FILE", help="Also write JUnit XML.")
]
Sarif = Annotated[
    Path | None, typer.Option("--sarif", metavar="FILE", help="Also write SARIF 2.1.0.")
]
Explain = Annotated[
    str | None, typer.Option("--explain", metavar="ID", help="Say what a finding means, and end.")
]
Lang = Annotated[
    str, typer.Option("--lang", metavar="LANG", help="The page in en or zh, with --explain.")
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample", metavar="N", min=1, help="Compare the engine on N inputs of each decision."
    ),
]


def add_to(rules: typer.Typer) -> None:
    """Add ``check`` to the group."""
    rules.command()(check)


def check(
    folder: Folder = None,
    as_json: Json = False,
    fail_on: Least = FailOn.ERROR,
    junitxml: JUnit = None,
    sarif: Sarif = None,
    sample: Sample = None,
    explain: Explain = None,
    lang: Lang = LANGUAGES[0],
) -> None:
    """Report every problem of a rule base: where it is, and how to mend it.

    Each problem names file, line and column, shows the line, and suggests the fix. What an id
    such as `unknown-fact` means, `--explain` says, with `--lang zh` in Chinese. A base with errors
    cannot be served; warnings do not keep it from being served.

    A base without errors is then compiled in a process of its own, and the engine's answers are
    compared with those of the rules as they are written: on every input that the rules of a
    decision tell apart, or on a sample where there are many, of `--sample` of them if you say so.

    **Example:** `harken rules check rules/base --sarif findings.sarif`

    **Exit code:** 0 nothing found, 1 errors found (or what `--fail-on` says), 2 no such folder.
    """
    if explain is not None:
        _explain(explain, lang)
        return
    path = path_of(folder)
    loaded = read(path, as_json)
    probe = None if loaded.base is None else probe_rule_base(path, sample=sample)
    failing = _failing(loaded.diagnostics, fail_on)
    _write(loaded, failing, probe, path, junitxml, sarif, as_json)
    if as_json:
        answer = checked(path, loaded)
        printing.as_json(answer if probe is None else {**answer, "engine": asdict(probe)})
    else:
        printing.diagnostics(loaded.diagnostics, path)
        printing.pages(loaded.diagnostics)
        printing.checked(loaded, path)
        if probe is not None:
            printing.probed(probe, path)
    unsound = probe is not None and not probe.sound
    raise typer.Exit(FOUND if failing or (unsound and fail_on is not FailOn.NEVER) else OK)


def _failing(found: Sequence[Diagnostic], least: FailOn) -> list[Diagnostic]:
    if least is FailOn.NEVER:
        return []
    return [one for one in found if least is FailOn.WARNING or one.severity is Severity.ERROR]


def _write(
    loaded: Loaded,
    failing: Sequence[Diagnostic],
    probe: Probe | None,
    path: Path,
    junitxml: Path | None,
    sarif: Path | None,
    as_json: bool,
) -> None:
    """The files asked for; ends the command if one cannot be written."""
    try:
        if junitxml is not None:
            prefix = printing.prefix(path)
            junit.write(junitxml, [reports.junit(loaded.diagnostics, failing, probe, prefix)])
        if sarif is not None:
            write_whole(sarif, reports.sarif(loaded.diagnostics, probe, path))
    except OSError as error:
        refuse(f"{error.filename or path}: cannot be written: {error.strerror}", path, as_json)


def _explain(finding: str, language: str) -> None:
    """Print the page of a finding."""
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise typer.BadParameter(f"no page is in '{shown(language)}'; one of: {known}")
    if finding not in IDS:
        hint = did_you_mean(finding, IDS)
        raise typer.BadParameter(f"no finding is called '{shown(finding)}'; {hint}")
    document(page_text(finding, language))
