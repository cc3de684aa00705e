"""What is wrong with a rule base, where, and how to mend it.

A diagnostic is a value: an id (explained in ``docs/checks/<id>.md``), a severity, one sentence, a
place, and perhaps a hint and further places. A ``Report`` collects them; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from harken_rules import full_width
from harken_rules.hints import columns, printable
from harken_rules.language import Place

FindingId = Literal[
    "bad-name",
    "bad-number",
    "conflicting-rules",
    "cyclic-decision",
    "duplicate-id",
    "duplicate-key",
    "empty-range",
    "failing-case",
    "gap",
    "idle-rule",
    "missing-file",
    "missing-key",
    "missing-label",
    "missing-reason",
    "out-of-range",
    "outside-folder",
    "shadowed-rule",
    "stray-file",
    "subsumed-rule",
    "too-large",
    "type-mismatch",
    "unique-overlap",
    "unit-mismatch",
    "unknown-fact",
    "unknown-key",
    "unknown-value",
    "unreachable-rule",
    "unreadable",
    "unused-entry",
    "unused-fact",
    "wrong-shape",
    "wrong-source",
    "yaml-feature",
    "yaml-syntax",
]
"""Every finding there is; each has its page in ``docs/checks``."""

PAGES = "docs/checks"
"""Where the pages stand in the source tree."""

MAX_FOUND = 1_000
"""No report grows beyond this many errors, and as many warnings."""

_EXCERPT_WIDTH = 160
_OF_WORDS: Container[FindingId] = (
    "bad-name",
    "bad-number",
    "type-mismatch",
    "unit-mismatch",
    "unknown-fact",
    "unknown-key",
    "unknown-value",
)
"""Findings about a key, a code or a number, in which a full-width character is a slip."""


def page_of(finding: str) -> str:
    """The page that explains a finding, as a path in the source tree."""
    return f"{PAGES}/{finding}.md"


class Severity(StrEnum):
    """An error keeps a rule base from being served; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. ``excerpt`` is the line of the file that ``place`` points into."""

    id: FindingId
    severity: Severity
    message: str
    place: Place
    hint: str | None = None
    related: tuple[tuple[str, Place], ...] = ()
    excerpt: str = field(default="", compare=False)

    def parts(self, prefix: str = "") -> list[tuple[str, str]]:
        """The rendered text as (text, style) pieces; ``prefix`` stands before every file name."""
        colour = "bold red" if self.severity is Severity.ERROR else "bold yellow"
        pieces = [(f"{self.severity}[{self.id}]", colour), (f": {self.message}\n", "bold")]
        pieces += [("  --> ", "blue"), (f"{prefix}{self.place}\n", "")]
        if self.excerpt:
            pieces += self._excerpt_parts()
        for note, place in self.related:
            pieces += [("   = ", "blue"), (f"{note}: {prefix}{place}\n", "")]
        if self.hint:
            pieces += [("   = ", "blue"), (f"{self.hint}\n", "green")]
        return pieces

    def render(self, prefix: str = "") -> str:
        """The diagnostic as plain text of several lines, ending in a newline."""
        return "".join(text for text, _ in self.parts(prefix))

    def to_dict(self) -> dict[str, object]:
        """The diagnostic for machines: plain values only."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "message": self.message,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "page": page_of(self.id),
            "hint": self.hint,
            "related": [
                {"note": note, "file": at.file, "line": at.line, "column": at.column}
                for note, at in self.related
            ],
        }

    def _excerpt_parts(self) -> list[tuple[str, str]]:
        number = str(self.place.line)
        margin = " " * len(number)
        # A very long line is shown from shortly before the place, so that the caret stays visible.
        cut = max(0, self.place.column - _EXCERPT_WIDTH // 2) if self._is_long() else 0
        shown = printable(self.excerpt[cut : cut + _EXCERPT_WIDTH])
        before = printable(self.excerpt[cut : self.place.column - 1])
        return [
            (f" {number} | ", "blue"),
            (f"{shown}\n", ""),
            (f" {margin} | ", "blue"),
            (" " * columns(before) + "^\n", "bold red"),
        ]

    def _is_long(self) -> bool:
        return len(self.excerpt) > _EXCERPT_WIDTH


class ReportFullError(Exception):
    """So many problems that reading on helps nobody; the report says so already."""


class Report:
    """Collects diagnostics while a rule base is read, and knows the files' lines for excerpts.

    Adding raises ReportFullError once there are ``MAX_FOUND`` errors. Further warnings than that
    are left out, for they keep nothing from being served.
    """

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._warnings = 0
        self._lines: dict[str, Sequence[str]] = {}

    def add_lines(self, file: str, lines: Sequence[str]) -> None:
        """Remember the lines of ``file`` for excerpts."""
        self._lines[file] = lines

    def error(
        self,
        finding: FindingId,
        place: Place,
        message: str,
        hint: str | None = None,
        related: Iterable[tuple[str, Place]] = (),
    ) -> None:
        """Add an error under the id ``finding``; the same one twice counts once."""
        found = Diagnostic(finding, Severity.ERROR, message, place, hint, tuple(related))
        self._add(self._with_slip(found))

    def warning(
        self,
        finding: FindingId,
        place: Place,
        message: str,
        hint: str | None = None,
        related: Iterable[tuple[str, Place]] = (),
    ) -> None:
        """Add a warning under the id ``finding``; the same one twice counts once."""
        self._add(Diagnostic(finding, Severity.WARNING, message, place, hint, tuple(related)))

    @property
    def has_errors(self) -> bool:
        """Whether any error was found so far."""
        return any(one.severity is Severity.ERROR for one in self._found)

    def files_with_errors(self, besides: Container[str] = ()) -> frozenset[str]:
        """The files in which errors were found so far, those of the ids ``besides`` left out."""
        return frozenset(
            one.place.file
            for one in self._found
            if one.severity is Severity.ERROR and one.id not in besides
        )

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Everything found, by file, line and column."""
        return tuple(sorted(self._found, key=_order))

    def _with_slip(self, found: Diagnostic) -> Diagnostic:
        """``found`` at the full-width character that it is due to, if it is due to one."""
        lines, place = self._lines.get(found.place.file, ()), found.place
        if not 0 < place.line <= len(lines):
            return found
        slip = None
        if found.id in _OF_WORDS:
            slip = full_width.in_word(lines[place.line - 1], place.column)
        elif found.id == "wrong-shape" and found.hint is None:
            slip = full_width.opens(lines[place.line - 1], place.column)
        if slip is None or (found.hint and (slip[1] in found.hint or "write '" in found.hint)):
            return found
        at = Place(place.file, place.line, slip[0])
        return replace(found, place=at, hint=full_width.hint_of(slip[1]))

    def _add(self, diagnostic: Diagnostic) -> None:
        lines = self._lines.get(diagnostic.place.file, ())
        index = diagnostic.place.line - 1
        if index < len(lines):
            excerpt = lines[index]
            diagnostic = Diagnostic(
                diagnostic.id,
                diagnostic.severity,
                diagnostic.message,
                diagnostic.place,
                diagnostic.hint,
                diagnostic.related,
                excerpt,
            )
        warns = diagnostic.severity is Severity.WARNING
        if warns and self._warnings > MAX_FOUND:
            return
        if diagnostic not in self._found:
            self._found[diagnostic] = None
            self._warnings += warns
        if warns and self._warnings == MAX_FOUND:
            message = f"more than {MAX_FOUND:,} warnings; the rest is left out"
            last = Diagnostic("too-large", Severity.WARNING, message, diagnostic.place)
            self._found.setdefault(last)
            self._warnings += 1
        elif len(self._found) - self._warnings >= MAX_FOUND:
            message = f"more than {MAX_FOUND:,} problems; the rest is not looked for"
            last = Diagnostic("too-large", Severity.ERROR, message, diagnostic.place)
            self._found.setdefault(last)
            raise ReportFullError(message)


def _order(one: Diagnostic) -> tuple[object, ...]:
    return (one.place, one.severity, one.id, one.message, one.hint or "")
