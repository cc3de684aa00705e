"""A folder of YAML to a sound rule base, or to everything that is wrong with it.

read_folder ─▶ header ─▶ catalogues ─▶ facts ─▶ decisions ─▶ cases ─▶ checks ─▶ digest
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harken_rules.checks import CHECKS, Draft, sound_decisions
from harken_rules.checks.oversize import refuse_oversized
from harken_rules.diagnostics import Diagnostic, Report, ReportFullError, Severity
from harken_rules.digest import digest
from harken_rules.hints import shown
from harken_rules.language import Place, RuleBase, Text
from harken_rules.order import in_order
from harken_rules.reading.cases import Case, read_cases
from harken_rules.reading.catalogues import read_catalogues
from harken_rules.reading.decisions import read_decisions
from harken_rules.reading.facts import read_facts
from harken_rules.reading.folder import HEADER, read_folder
from harken_rules.reading.shapes import (
    Reading,
    as_code,
    as_items,
    read_keys,
    read_labels,
)
from harken_rules.source import Node

PACKAGE = Path(__file__).resolve().parent


class RuleBaseError(Exception):
    """A rule base cannot be used; ``diagnostics`` says everything that was found, in file order."""

    def __init__(self, path: Path, diagnostics: Sequence[Diagnostic]) -> None:
        self.path = path
        self.diagnostics = tuple(diagnostics)
        super().__init__(str(path), self.diagnostics)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(one for one in self.diagnostics if one.severity is Severity.ERROR)

    def __str__(self) -> str:
        errors = self.errors
        first = f"{errors[0].place}: {errors[0].message}"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"the rule base in {self.path} has errors: {first}{more}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds: the rule base unless there are errors, its cases, all diagnostics."""

    base: RuleBase | None
    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]


def default_base_path() -> Path:
    """The shipped rule base: inside the installed package, or beside it in the source tree."""
    installed = PACKAGE / "base"
    return installed if installed.is_dir() else PACKAGE.parent / "base"


def load_rule_base(path: str | Path) -> RuleBase:
    """The rule base in folder ``path``; raises RuleBaseError with all problems if it has errors."""
    loaded = read_rule_base(path)
    if loaded.base is None:
        raise RuleBaseError(Path(path), loaded.diagnostics)
    return loaded.base


def check_rule_base(path: str | Path) -> list[Diagnostic]:
    """Every problem of the rule base in folder ``path``, errors and warnings, in file order."""
    return list(read_rule_base(path).diagnostics)


def read_rule_base(path: str | Path) -> Loaded:
    """Read, resolve and check a folder; never raises for what it holds."""
    root, report = Path(path), Report()
    if not root.is_dir():
        message = "is not a folder" if root.exists() else "there is no such folder"
        report.error("unreadable", Place(".", 1, 1), f"{shown(str(root))}: {message}")
        return Loaded(None, (), report.sorted())
    try:
        return _read(root, report)
    except ReportFullError:
        return Loaded(None, (), report.sorted())


def _read(root: Path, report: Report) -> Loaded:
    folder = read_folder(root, report)
    name, title, languages = read_header(folder.header, report)
    reading = Reading(report, languages or None)
    catalogues = read_catalogues(folder.catalogue, reading)
    facts = read_facts(folder.facts, catalogues, reading)
    decisions = read_decisions(folder.decisions, facts, reading)
    ordered = in_order(decisions.known.values())
    whole = not (facts.incomplete or facts.broken or decisions.incomplete)
    refuse_oversized(facts.known, ordered, report)
    sound = sound_decisions(facts, ordered, report)
    cases = read_cases(folder.cases, facts, ordered, report)
    draft = Draft(facts, ordered, catalogues.entries, whole, sound, cases)
    for check in CHECKS:
        check.run(draft, report)
    found = report.sorted()
    if report.has_errors:
        return Loaded(None, cases, found)
    base = RuleBase(name, title, languages, facts.known, ordered, catalogues.entries, "")
    return Loaded(dataclasses.replace(base, digest=digest(base)), cases, found)


def read_header(node: Node | None, report: Report) -> tuple[str, Text, tuple[str, ...]]:
    """Name, title and languages of ``rulebase.yaml``; empty where they could not be read."""
    required = ("name", "title", "languages")
    keys = (node and read_keys(node, HEADER, report, required=required)) or {}
    name = as_code(keys["name"], "the rule base's name", report) if "name" in keys else None
    languages: list[str] = []
    items = as_items(keys["languages"], "languages", report) if "languages" in keys else None
    if items == ():
        report.error("wrong-shape", keys["languages"].place, "`languages` is empty")
    for item in items or ():
        language = as_code(item, "a language", report)
        if language in languages:
            message = f"language '{language}' stands in the list twice"
            report.error("duplicate-id", item.place, message, "remove one of the two")
        elif language is not None:
            languages.append(language)
    reading = Reading(report, tuple(languages) or None)
    title = read_labels(keys.get("title"), "the title of the rule base", reading)
    return name or "", title, tuple(languages)
