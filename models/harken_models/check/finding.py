"""What a detector says of the data, and the report that all of them make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing. ``column`` is the operator's own, None: of the whole data.

    ``figures`` fill the sentences that ``words`` has under ``wording`` (empty: under ``id``), and
    stand in the JSON as they are; ``rows`` is how many rows it concerns.
    """

    id: str
    severity: Severity
    column: str | None = None
    rows: int = 0
    figures: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    wording: str = ""
    allowed: bool = False

    @property
    def counts(self) -> bool:
        """Whether it makes the check fail: a note does not, nor what the analyst allows."""
        return self.severity != "note" and not self.allowed


@dataclass(frozen=True, slots=True)
class Week:
    """A week of rows with a known outcome, from its Monday (ISO date) on."""

    monday: str
    rows: int
    positives: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The data in figures. ``span`` is None for data without time, ``known`` counts outcomes.

    ``rows`` are those that were built (grumbles, or their snapshots), ``grumbles`` how many
    grumbles these are of, ``main`` the main table's rows, ``unused`` columns that nothing maps.
    """

    rows: int
    grumbles: int
    main: int
    bad_rows: int
    excluded: int
    span: tuple[str, str] | None
    labelled: bool
    known: int
    unknown: int
    positives: int
    weeks: tuple[Week, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Findings in the order of the detectors, then of the columns."""

    summary: Summary
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Nothing found that counts."""
        return not any(one.counts for one in self.findings)
