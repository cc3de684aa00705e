"""``harken rules test``: the author's own cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harken_rules import junit, printing
from harken_rules.cases import CaseResult, run_cases
from harken_rules.commands.shared import (
    FOUND,
    OK,
    UNUSABLE,
    Folder,
    Json,
    path_of,
    read,
    refuse,
    unsound,
)
from harken_rules.coverage import Coverage, coverage_of, percent_of
from harken_rules.diagnostics import Severity
from harken_rules.engine import EngineError, RuleEngine
from harken_rules.hints import columns
from harken_rules.loader import Loaded
from harken_rules.reading.cases import Case

Filter = Annotated[
    str,
    typer.Option("--filter", metavar="TEXT", help="Only cases whose name or file contains it."),
]
Covered = Annotated[
    bool, typer.Option("--coverage", help="Say which rules no case reaches, decision by decision.")
]
Least = Annotated[
    float | None,
    typer.Option(
        "--min-coverage", metavar="PERCENT", min=0, max=100, help="Fail if the cases reach less."
    ),
]
Junit = Annotated[
    Path | None,
    typer.Option("--junitxml", metavar="FILE", help="Write the results as JUnit XML, too."),
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Run again whenever a file changes, until Ctrl-C.")
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was asked for."""

    path: Path
    as_json: bool
    text: str
    coverage: bool
    least: float | None
    junitxml: Path | None


def add_to(rules: typer.Typer) -> None:
    """Add ``test`` to the group."""
    rules.command(name="test")(run)


def run(
    folder: Folder = None,
    as_json: Json = False,
    text: Filter = "",
    coverage: Covered = False,
    least: Least = None,
    junitxml: Junit = None,
    watch: Watch = False,
) -> None:
    """Run the cases in a rule base's `cases/` folder: facts given, results expected.

    A failed case shows what was expected, what came out, and which rules made it so. Coverage
    counts the rules that decide in at least one case and, where a decision says
    `otherwise: missing`, a case in which none of its rules matches. Those are expected which
    decide where a case expects their result, or one that builds on it.

    **Example:** `harken rules test rules/base --coverage --min-coverage 95`

    **While you edit:** `harken rules test my-rules --filter bands --watch`

    **Exit code:** 0 all as expected, 1 cases failed or too few rules reached, 2 the rule base
    itself has errors or there is no such case; with --watch that of the last run.
    """
    wanted = Wanted(path_of(folder), as_json, text, coverage, least, junitxml)
    if not watch:
        raise typer.Exit(_once(wanted))
    if as_json:
        refuse("--watch is for people; leave --json or --watch out", wanted.path, as_json)
    raise typer.Exit(_again_and_again(wanted))


def _again_and_again(wanted: Wanted) -> int:
    """Run at once and after every change; the code of the last run when interrupted."""
    from harken_rules import watch  # only here, for it brings a library of its own

    code = UNUSABLE
    try:
        for number, names in enumerate(watch.changes(wanted.path)):
            if number:
                shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
                printing.say((f"\n--- {shown}\n", "bold blue"))
            try:
                code = _once(wanted)
            except typer.Exit as ended:  # what is wrong is shown; the author mends it
                code = ended.exit_code
            printing.say((f"watching {wanted.path}; Ctrl-C ends\n", "dim"))
    except KeyboardInterrupt:
        printing.say(("\n", ""))
    return code


def _once(wanted: Wanted) -> int:
    """One run, printed; its exit code."""
    path, as_json = wanted.path, wanted.as_json
    loaded = read(path, as_json)
    if loaded.base is None:
        _write_junit(wanted, junit.Suite("harken rules test", (_unreadable(loaded, path),)))
        unsound(path, loaded, as_json)
    cases = [one for one in loaded.cases if _is_meant(one, wanted.text)]
    if wanted.text and not cases:
        count = printing.count(len(loaded.cases), "case")
        refuse(f"{path}: none of {count} contains '{wanted.text}'", path, as_json)
    try:
        results = run_cases(loaded.base, cases, RuleEngine(loaded.base))
    except EngineError as error:
        refuse(f"{path}: {error}", path, as_json)
    reached = coverage_of(loaded.base, results)
    items = tuple(_item(one, path) for one in results)
    _write_junit(wanted, junit.Suite("harken rules test", items))
    if as_json:
        printing.as_json(_summary(wanted, loaded.base.digest, results, reached))
    else:
        _show(wanted, results, reached)
    enough = wanted.least is None or reached.reaches(wanted.least)
    return OK if enough and all(one.passed for one in results) else FOUND


def _is_meant(case: Case, text: str) -> bool:
    return text.casefold() in case.name.casefold() or text.casefold() in case.place.file.casefold()


def _summary(
    wanted: Wanted, digest: str, results: Sequence[CaseResult], reached: Coverage
) -> dict[str, object]:
    failures = [one for one in results if not one.passed]
    return {
        "path": str(wanted.path),
        "digest": digest,
        "cases": len(results),
        "passed": len(results) - len(failures),
        "failed": len(failures),
        "failures": [printing.failure_as_dict(one) for one in failures],
        "coverage": reached.to_dict(),
    }


def _show(wanted: Wanted, results: Sequence[CaseResult], reached: Coverage) -> None:
    path = wanted.path
    printing.failures([one for one in results if not one.passed], path)
    if wanted.coverage:
        _show_coverage(reached, path)
    printing.tested(results, path)
    if wanted.coverage or wanted.least is not None:
        printing.say((f"{path}: {_share(reached)}\n", ""))
    if wanted.least is not None and not reached.reaches(wanted.least):
        printing.say((f"{path}: that is below the {wanted.least:g} % wanted\n", "bold red"))


def _show_coverage(reached: Coverage, path: Path) -> None:
    width = max(
        columns(each) for each in ["decision", *(d.decision.name for d in reached.decisions)]
    )
    printing.say((f"{'decision':<{width}}  reached        %  expected\n", "bold"))
    for each in reached.decisions:
        share = f"{each.covered:>3} / {each.all:<4}"
        percent = f"{percent_of(each.covered, each.all):5.1f}"
        style = "" if each.expected == each.all else "yellow"
        line = f"{each.decision.name:<{width}}  {share} {percent}  {each.expected:>8}\n"
        printing.say((line, style))
    printing.say(("\n", ""))
    named = [
        ("no case reaches", what, place) for d in reached.decisions for what, place in d.missed()
    ]
    named += [
        ("no case expects anything of", f"{each.decision.name} / {rule.id}", rule.place)
        for each in reached.decisions
        for rule in each.unexpected
    ]
    for what, name, place in named:
        at = f"  {printing.prefix(path)}{place.file}:{place.line}\n"
        printing.say((f"{what} ", "yellow"), (name, "bold"), (at, "blue"))
    if named:
        printing.say(("\n", ""))


def _share(reached: Coverage) -> str:
    percent = percent_of(reached.covered, reached.all)
    return (
        f"coverage {reached.covered} of {reached.all}, {percent:g} %; {reached.expected} expected"
    )


def _write_junit(wanted: Wanted, suite: junit.Suite) -> None:
    if wanted.junitxml is None:
        return
    try:
        junit.write(wanted.junitxml, [suite])
    except OSError as error:
        why = error.strerror or error
        refuse(f"{wanted.junitxml}: cannot be written: {why}", wanted.path, wanted.as_json)


def _item(one: CaseResult, path: Path) -> junit.Item:
    place = one.case.place
    file = f"{printing.prefix(path)}{place.file}"
    problems: tuple[junit.Problem, ...] = ()
    if not one.passed:
        differs = [
            f"{each.expectation.result}: expected {each.expected}, got {each.got}"
            for each in one.mismatches
        ]
        text = "".join(piece for piece, _ in printing.failure_parts(one, path))
        message = one.error or "; ".join(differs)
        problems = (junit.Problem("failure", message, text),)
    return junit.Item(one.case.name, place.file, file, place.line, problems)


def _unreadable(loaded: Loaded, path: Path) -> junit.Item:
    """An item that says why no case could be tried."""
    problems = tuple(
        junit.Problem("error", f"{one.place}: {one.message}", one.render(printing.prefix(path)))
        for one in loaded.diagnostics
        if one.severity is Severity.ERROR
    )
    return junit.Item("the rule base can be used", "rule base", problems=problems)
