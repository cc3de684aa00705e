"""What ``harken rules`` prints for people; colour only on a terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harken_rules.cases import CaseResult, Mismatch
from harken_rules.diagnostics import Diagnostic, Severity, page_of
from harken_rules.hints import printable
from harken_rules.loader import Loaded
from harken_rules.probe import Probe
from harken_rules.reading.numbers import number_text
from harken_rules.verdict import Fired


def diagnostics(found: Iterable[Diagnostic], path: Path) -> None:
    """Every diagnostic, a blank line after each."""
    for one in found:
        say(*one.parts(prefix(path)), ("\n", ""))


def pages(found: Iterable[Diagnostic]) -> None:
    """One line: where what was found is explained; nothing if nothing was found."""
    ids = sorted({one.id for one in found})
    if ids:
        say(("explained in ", ""), (", ".join(map(page_of, ids)), "blue"))
        say((f"\nor by: harken rules check --explain {ids[0]}\n\n", ""))


def checked(loaded: Loaded, path: Path) -> None:
    """One closing line: sound and how large, or how much was found."""
    errors = sum(one.severity is Severity.ERROR for one in loaded.diagnostics)
    warnings = len(loaded.diagnostics) - errors
    counts = f"{count(errors, 'error')}, {count(warnings, 'warning')}"
    if loaded.base is None:
        say((f"{path}: {counts}\n", "bold red"))
        return
    base = loaded.base
    rules = sum(len(one.rules) for one in base.decisions)
    size = ", ".join(
        [
            count(len(base.facts), "fact"),
            count(len(base.decisions), "decision"),
            count(rules, "rule"),
            count(len(loaded.cases), "case"),
        ]
    )
    say((f"{path}: sound; {size}; {counts}\n", "bold green"), (f"{base.digest}\n", ""))


def probed(probe: Probe, path: Path) -> None:
    """One line: what was compared in the engine, or what is wrong with it there."""
    if probe.sound:
        say((f"engine: {probe.report}\n", ""))
    else:
        say((f"{path}: the engine is not right about it: {probe.report}\n", "bold red"))


def failures(failed: Iterable[CaseResult], path: Path) -> None:
    """For each failed case what was expected, what came out, and by which rules."""
    for one in failed:
        say(("FAILED ", "bold red"), *failure_parts(one, path), ("\n", ""))


def failure_parts(one: CaseResult, path: Path) -> list[tuple[str, str]]:
    """A failed case as (text, style) pieces: its name, its place, what differs and why."""
    pieces = [
        (f"{printable(one.case.name)}\n", "bold"),
        ("  --> ", "blue"),
        (f"{prefix(path)}{one.case.place}\n", ""),
    ]
    if one.error is not None:
        pieces.append((f"   {printable(one.error)}\n", "red"))
    named: list[Fired] = []
    for mismatch in one.mismatches:
        pieces += _mismatch(mismatch, named, path)
        named += mismatch.fired
    return pieces


def tested(results: Sequence[CaseResult], path: Path) -> None:
    """One closing line: how many cases passed."""
    failed = sum(not one.passed for one in results)
    if failed:
        say((f"{path}: {failed} of {count(len(results), 'case')} failed\n", "bold red"))
    elif results:
        say((f"{path}: {count(len(results), 'case')}, all as expected\n", "bold green"))
    else:
        say((f"{path}: there are no cases\n", "bold yellow"))


def as_json(answer: Mapping[str, object]) -> None:
    """An answer for machines; Chinese stays readable where the stream can carry it."""
    carries_all = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    print(json.dumps(answer, ensure_ascii=not carries_all, indent=2))


def tolerate_any_terminal() -> None:
    """Let characters that standard output or error cannot carry be shown as ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def failure_as_dict(one: CaseResult) -> dict[str, object]:
    """A failed case for machines."""
    return {
        "name": one.case.name,
        "file": one.case.place.file,
        "line": one.case.place.line,
        "error": one.error,
        "mismatches": [
            {
                "result": each.expectation.result,
                "expected": each.expected,
                "got": each.got,
                "fired": [
                    {"decision": f.decision, "rule": f.rule_id, "file": f.file, "line": f.line}
                    for f in each.fired
                ],
            }
            for each in one.mismatches
        ],
    }


def prefix(path: Path) -> str:
    """What stands before a file's name, so that a terminal can open it."""
    return "" if path == Path() else f"{path.as_posix().rstrip('/')}/"


def _mismatch(one: Mismatch, named: Sequence[Fired], path: Path) -> list[tuple[str, str]]:
    pieces = [
        (f"   {one.expectation.result}\n", "bold"),
        ("     expected: ", ""),
        (f"{printable(one.expected)}\n", "green"),
        ("     got:      ", ""),
        (f"{printable(one.got)}\n", "red"),
    ]
    new = [fired for fired in one.fired if fired not in named]
    if not any(fired.decision == one.expectation.decision for fired in one.fired):
        pieces.append((f"     no rule of '{one.expectation.decision}' matched\n", ""))
    if len(new) < len(one.fired):
        pieces.append(("     by the rules named above" + (" and\n" if new else "\n"), ""))
    elif new:
        pieces.append(("     by rules\n", ""))
    for fired in new:
        adds = "" if fired.partial is None else f" adds {number_text(fired.partial)}"
        pieces.append((f"       {fired.decision} / {fired.rule_id}{adds}", ""))
        pieces.append((f"  {prefix(path)}{fired.file}:{fired.line}\n", "blue"))
    return pieces


def say(*parts: tuple[str, str]) -> None:
    """Print (text, style) pieces; nothing is added."""
    # soft_wrap: a terminal's width never cuts a path or moves a caret.
    Console(soft_wrap=True, highlight=False).print(Text.assemble(*parts), end="")


def count(number: int, word: str) -> str:
    """``3 rules``, ``1 rule``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
