"""``harken rules``: check a rule base, and run its author's cases."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harken_rules import printing
from harken_rules.cases import run_cases
from harken_rules.diagnostics import Severity
from harken_rules.engine import EngineError, RuleEngine
from harken_rules.loader import Loaded, default_base_path, read_rule_base
from harken_rules.probe import probe_rule_base

OK, FOUND, UNUSABLE = 0, 1, 2

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="The rule base's folder. Default: the shipped one."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings count as findings too.")]

rules = typer.Typer(
    help="Check and test a rule base: the folder of YAML that says how grumbles are graded.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def register(app: typer.Typer) -> None:
    """Add the ``rules`` group to ``harken``."""
    app.add_typer(rules, name="rules")


@rules.callback()
def prepare() -> None:
    """Before any of the commands: a terminal that cannot show Chinese is no reason to fail."""
    printing.tolerate_any_terminal()


@rules.command()
def check(folder: Folder = None, as_json: Json = False, strict: Strict = False) -> None:
    """Report every problem of a rule base: where it is, and how to mend it.

    Each problem names file, line and column, shows the line, and suggests the fix. What an id
    such as `unknown-fact` means stands in docs/checks/. A base with errors cannot be served;
    warnings do not keep it from being served. A sound base is then compiled in a process of
    its own, and the engine's answers are compared with those of the rules as they are written.

    **Example:** `harken rules check rules/base`

    **Exit code:** 0 sound, 1 errors found (with --strict: or warnings), 2 no such folder.
    """
    path = _path(folder)
    loaded = _read(path, as_json)
    probe = None if loaded.base is None else probe_rule_base(path)
    if as_json:
        answer = _checked(path, loaded)
        printing.as_json(answer if probe is None else {**answer, "engine": asdict(probe)})
    else:
        printing.diagnostics(loaded.diagnostics, path)
        printing.checked(loaded, path)
        if probe is not None:
            printing.probed(probe, path)
    found = [one for one in loaded.diagnostics if strict or one.severity is Severity.ERROR]
    raise typer.Exit(FOUND if found or (probe is not None and not probe.sound) else OK)


@rules.command(name="test")
def run(folder: Folder = None, as_json: Json = False) -> None:
    """Run the cases in a rule base's `cases/` folder: facts given, results expected.

    A failed case shows what was expected, what came out, and which rules made it so.

    **Example:** `harken rules test rules/base`

    **Exit code:** 0 all as expected, 1 cases failed, 2 the rule base itself has errors.
    """
    path = _path(folder)
    loaded = _read(path, as_json)
    if loaded.base is None:
        if as_json:
            printing.as_json(_checked(path, loaded))
        else:
            printing.diagnostics(loaded.diagnostics, path)
            printing.checked(loaded, path)
        raise typer.Exit(UNUSABLE)
    try:
        results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
    except EngineError as error:
        _refuse(f"{path}: {error}", path, as_json)
    failures = [one for one in results if not one.passed]
    if as_json:
        summary = {
            "path": str(path),
            "digest": loaded.base.digest,
            "cases": len(results),
            "passed": len(results) - len(failures),
            "failed": len(failures),
            "failures": [printing.failure_as_dict(one) for one in failures],
        }
        printing.as_json(summary)
    else:
        printing.failures(failures, path)
        printing.tested(results, path)
    raise typer.Exit(FOUND if failures else OK)


def _path(folder: Path | None) -> Path:
    """The folder asked for; the default one as seen from here if it lies below."""
    if folder is not None:
        return folder
    path = default_base_path()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _read(path: Path, as_json: bool) -> Loaded:
    if not path.is_dir():
        what = "not a folder" if path.exists() else "no such folder"
        _refuse(f"{path}: {what}; a rule base is a folder with rulebase.yaml", path, as_json)
    return read_rule_base(path)


def _refuse(message: str, path: Path, as_json: bool) -> NoReturn:
    if as_json:
        printing.as_json({"path": str(path), "error": message})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(UNUSABLE)


def _checked(path: Path, loaded: Loaded) -> dict[str, object]:
    errors = sum(one.severity is Severity.ERROR for one in loaded.diagnostics)
    return {
        "path": str(path),
        "digest": None if loaded.base is None else loaded.base.digest,
        "errors": errors,
        "warnings": len(loaded.diagnostics) - errors,
        "diagnostics": [one.to_dict() for one in loaded.diagnostics],
    }
