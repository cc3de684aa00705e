"""What a check sees, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harken_rules.diagnostics import FindingId, Report
from harken_rules.language import Decision, Entry, Fact, RuleBase
from harken_rules.reading.facts import Facts


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule base as far as it could be read; ``whole``: nothing of it is unreadable."""

    read: Facts
    decisions: tuple[Decision, ...]
    catalogues: Mapping[str, Mapping[str, Entry]]
    whole: bool

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts that could be read."""
        return self.read.known

    def as_base(self) -> RuleBase:
        """The draft as a rule base without name and digest, for what computes on one."""
        return RuleBase("", {}, (), self.facts, self.decisions, self.catalogues, "")


@dataclass(frozen=True, slots=True)
class Check:
    """A check that sees the whole rule base and reports what it finds under ``id``."""

    id: FindingId
    run: Callable[[Draft, Report], None]
