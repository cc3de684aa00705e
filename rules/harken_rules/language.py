"""The rule language as values: what a folder of YAML means once it is read and resolved.

The loader makes these; cells, boxes, engine, checks and commands read them. Numbers are
exact decimals throughout; a condition never holds for a missing fact unless it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

Text = Mapping[str, str]
"""Language code to text."""

Constant = str | Decimal | bool
"""An enum code, an exact number (also for integers) or a boolean."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: file relative to the rule base's folder, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FactType(StrEnum):
    """What values a fact takes."""

    ENUM = "enum"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"


class Hit(StrEnum):
    """DMN hit policy; ``sum`` is PMML's scorecard."""

    FIRST = "first"
    UNIQUE = "unique"
    ALL = "all"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers; ``None`` is unbounded, ``*_open`` leaves the bound itself out."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """The fact is known and its value is (``negated``: is not) among ``values``."""

    values: tuple[Constant, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """The fact is known and lies in ``interval``."""

    interval: Interval


@dataclass(frozen=True, slots=True)
class Missing:
    """The fact is missing (``wanted``) or known (not ``wanted``)."""

    wanted: bool


Condition = OneOf | Within | Missing


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one fact."""

    fact: str
    condition: Condition
    place: Place


@dataclass(frozen=True, slots=True)
class Fact:
    """A declared fact. ``source``: request, model, attribute, or the decision that yields it."""

    name: str
    type: FactType
    source: str
    title: Text
    place: Place
    unit: str | None = None
    range: Interval = field(default_factory=Interval)
    values: Mapping[str, Text] | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Characteristic:
    """A scorecard's characteristic: each of its rules adds ``weight`` times its ``then``."""

    name: str
    title: Text
    weight: Decimal
    baseline: Decimal
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in disjunctive form: it matches if every clause of any one alternative holds.

    ``alternatives`` is never empty; an empty alternative always holds. ``then`` maps each
    result to its values: one, or several under ``all``.
    """

    id: str
    place: Place
    alternatives: tuple[tuple[Clause, ...], ...]
    then: Mapping[str, tuple[Constant, ...]]
    because: Text = field(default_factory=dict)
    characteristic: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision table or scorecard; ``inputs`` are the facts its rules read, in fact order.

    ``otherwise_missing``: where no rule matches, its results are meant to be missing.
    """

    name: str
    title: Text
    hit: Hit
    results: tuple[str, ...]
    rules: tuple[Rule, ...]
    inputs: tuple[str, ...]
    place: Place
    characteristics: Mapping[str, Characteristic] = field(default_factory=dict)
    reasons: int = 0
    otherwise_missing: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A catalogue's entry; ``data`` holds what the catalogue's kind adds (steps, departments)."""

    id: str
    title: Text
    data: Mapping[str, object]
    place: Place


@dataclass(frozen=True, slots=True)
class RuleBase:
    """A whole rule base, resolved and sound; ``decisions`` stand in dependency order."""

    name: str
    title: Text
    languages: tuple[str, ...]
    facts: Mapping[str, Fact]
    decisions: tuple[Decision, ...]
    catalogues: Mapping[str, Mapping[str, Entry]]
    digest: str

    def label(self, fact: str, code: str, language: str) -> str:
        """The label of an enum fact's value; English, then the code itself, where there is none."""
        texts = (self.facts[fact].values or {}).get(code, {})
        return texts.get(language) or texts.get("en") or code
