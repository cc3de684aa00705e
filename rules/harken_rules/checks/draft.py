"""What a check sees, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from functools import cached_property

from harken_rules.checks.study import Survey, survey
from harken_rules.checks.twins import Twins, twins_in
from harken_rules.diagnostics import FindingId, Report
from harken_rules.language import Decision, Entry, Fact, RuleBase
from harken_rules.reading.cases import Case
from harken_rules.reading.facts import Facts
from harken_rules.reading.folder import FACTS

HARMLESS: Container[str] = ("missing-label",)
"""Errors that leave no doubt about what is decided."""


@dataclass(frozen=True)
class Draft:
    """A rule base as far as it could be read.

    ``whole``: nothing of it is unreadable; ``sound``: the names of the decisions of which every
    condition and result could be read. Without these, rules look wider or fewer than they are.
    """

    read: Facts
    decisions: tuple[Decision, ...]
    catalogues: Mapping[str, Mapping[str, Entry]]
    whole: bool
    sound: frozenset[str] = frozenset()
    cases: tuple[Case, ...] = ()

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts that could be read."""
        return self.read.known

    @property
    def all_sound(self) -> bool:
        """Whether everything was read that decides anything."""
        return self.whole and len(self.sound) == len(self.decisions)

    @cached_property
    def survey(self) -> Survey:
        """What the rules of sound decisions do, over the inputs that can come to them."""
        return survey(self.as_base(), self.sound)

    @cached_property
    def twins(self) -> Twins:
        """By decision, the rules that have the very same conditions as an earlier one."""
        base = self.as_base()
        return {one.name: twins_in(base, one) for one in self.decisions if one.name in self.sound}

    def as_base(self) -> RuleBase:
        """The draft as a rule base without name and digest, for what computes on one."""
        return RuleBase("", {}, (), self.facts, self.decisions, self.catalogues, "")


def sound_decisions(
    facts: Facts, decisions: Collection[Decision], report: Report
) -> frozenset[str]:
    """The names of the decisions about which nothing is in doubt, by what was reported so far."""
    spoilt = report.files_with_errors(besides=HARMLESS)
    if facts.incomplete or facts.broken or FACTS in spoilt:
        return frozenset()
    return frozenset(
        one.name
        for one in decisions
        if one.place.file not in spoilt
        and facts.known.keys() >= set(one.results)
        and not facts.partial_values.intersection((*one.inputs, *one.results))
    )


@dataclass(frozen=True, slots=True)
class Check:
    """A check that sees the whole rule base and reports what it finds under ``id``."""

    id: FindingId
    run: Callable[[Draft, Report], None]
