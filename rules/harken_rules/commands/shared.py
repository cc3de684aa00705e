"""What the commands of ``harken rules`` have in common: arguments, exit codes, refusals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harken_rules import printing
from harken_rules.diagnostics import Severity
from harken_rules.language import RuleBase
from harken_rules.loader import Loaded, default_base_path, read_rule_base

OK, FOUND, UNUSABLE = 0, 1, 2
"""Exit codes: nothing found, findings, unusable input."""

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="The rule base's folder. Default: the shipped one."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]


def path_of(folder: Path | None) -> Path:
    """The folder asked for; the default one as seen from here if it lies below."""
    if folder is not None:
        return folder
    path = default_base_path()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def read(path: Path, as_json: bool) -> Loaded:
    """What stands in the folder; ends the command if there is no such folder."""
    need_folder(path, as_json)
    return read_rule_base(path)


def need_folder(path: Path, as_json: bool) -> None:
    """End the command if there is no such folder."""
    if not path.is_dir():
        what = "not a folder" if path.exists() else "no such folder"
        refuse(f"{path}: {what}; a rule base is a folder with rulebase.yaml", path, as_json)


def sound(path: Path, as_json: bool) -> tuple[RuleBase, Loaded]:
    """The rule base in the folder; if it has errors, shows them and ends the command."""
    loaded = read(path, as_json)
    if loaded.base is None:
        unsound(path, loaded, as_json)
    return loaded.base, loaded


def unsound(path: Path, loaded: Loaded, as_json: bool) -> NoReturn:
    """Show what is wrong with a rule base that cannot be used, and end the command."""
    if as_json:
        printing.as_json(checked(path, loaded))
    else:
        printing.diagnostics(loaded.diagnostics, path)
        printing.checked(loaded, path)
    raise typer.Exit(UNUSABLE)


def refuse(message: str, path: Path, as_json: bool) -> NoReturn:
    """End the command: its input is unusable."""
    if as_json:
        printing.as_json({"path": str(path), "error": message})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(UNUSABLE)


def must_name(folder: Path | None, as_json: bool) -> None:
    """End the command if it would change the shipped rule base and nobody said so."""
    if folder is None:
        path = path_of(folder)
        refuse(f"name the folder to change; unnamed, it would be {path}", path, as_json)


def document(text: str) -> None:
    """Print a page or a schema, which is UTF-8 whatever the terminal of whoever keeps it."""
    typer.echo(text if sys.stdout.isatty() else text.encode(), nl=False)


def checked(path: Path, loaded: Loaded) -> dict[str, object]:
    """What was found in the folder, for machines."""
    errors = sum(one.severity is Severity.ERROR for one in loaded.diagnostics)
    return {
        "path": str(path),
        "digest": None if loaded.base is None else loaded.base.digest,
        "errors": errors,
        "warnings": len(loaded.diagnostics) - errors,
        "diagnostics": [one.to_dict() for one in loaded.diagnostics],
    }
