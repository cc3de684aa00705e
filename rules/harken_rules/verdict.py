"""What the engine answers with, and how it says that it cannot.

Exception
├── FactError      a given fact is not what the rule base declares; the caller can mend it
└── EngineError    the engine failed twice on the same question, or a base is inconsistent
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from harken_rules.language import Text

Value = str | int | Decimal | bool | None
"""One result: an enum code, an integer, an exact number or a boolean; ``None`` is missing."""

Result = Value | tuple[Value, ...]
"""A decision's result: one value, or under ``all`` the values of every rule that matched."""


class EngineError(Exception):
    """The rule engine cannot answer; nothing a caller sends can mend that."""


class FactError(Exception):
    """A fact's value is not one that the rule base declares.

    ``value`` is a short description of what was given, never the whole of it.
    """

    def __init__(self, fact: str, value: str, message: str, suggestion: str = "") -> None:
        super().__init__(fact, value, message, suggestion)
        self.fact = fact
        self.value = value
        self.message = message
        self.suggestion = suggestion

    def __str__(self) -> str:
        return f"{self.fact}: {self.message}" + (f"; {self.suggestion}" if self.suggestion else "")


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that matched. ``partial`` (weight times score) is that of scorecards only."""

    decision: str
    rule_id: str
    file: str
    line: int
    partial: Decimal | None = None
    characteristic: str | None = None
    because: Text = field(default_factory=dict)


class Verdict:
    """Every decision's results for one set of facts, and the rules they come from.

    ``fired`` stands in order of decisions, then of rules; ``reasons`` are those that raised a
    scorecard most above its baselines, in shares of the most it can rise, weightiest first.
    What makes up a verdict is remembered and shared: it is to be read only.
    """

    __slots__ = ("fired", "reasons", "results")
    results: Mapping[str, Result]
    fired: tuple[Fired, ...]
    reasons: tuple[Fired, ...]

    def __init__(
        self, results: Mapping[str, Result], fired: tuple[Fired, ...], reasons: tuple[Fired, ...]
    ) -> None:
        self.results = results
        self.fired = fired
        self.reasons = reasons

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verdict) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Verdict(results={!r}, fired={!r}, reasons={!r})".format(*self._parts())

    def __reduce__(self) -> tuple[type[Verdict], tuple[object, ...]]:
        return Verdict, self._parts()

    def _parts(self) -> tuple[Mapping[str, Result], tuple[Fired, ...], tuple[Fired, ...]]:
        return self.results, self.fired, self.reasons
