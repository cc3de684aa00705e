"""What a generated rule base means, by itself: facts with all they can be, rules, decisions.

A decision's inputs come from different given facts (their *cones* are disjoint), so that every
combination of what they can be is possible, and what a decision can yield is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from harken_rules.language import Condition, FactType, Hit, Interval

from .. import oracle

Value = str | bool | Decimal | None
"""A fact's value; ``None`` is missing."""

When = dict[str, Condition]

ANOTHER = "a code of another system"
"""A value that an open enum does not list."""


@dataclass(eq=False)
class Fact:
    """A fact. ``reach``: all it can be, one value a cell; ``domain``: also what it never is.

    ``cuts`` are the numbers that rules may compare it with.
    """

    name: str
    type: FactType
    source: str
    reach: tuple[Value, ...] = ()
    domain: tuple[Value, ...] = ()
    cone: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()
    values_from: str | None = None
    open: bool = False
    unit: str | None = None
    range: Interval | None = None
    cuts: tuple[Decimal, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether it is compared by size."""
        return self.type in (FactType.NUMBER, FactType.INTEGER)


@dataclass(eq=False)
class Rule:
    """A rule: ``when`` and one of ``any`` (if there are any) must hold."""

    when: When
    any: list[When] = field(default_factory=list)
    then: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    id: str = ""
    because: bool = False
    characteristic: str | None = None

    @property
    def alternatives(self) -> list[When]:
        """What must hold, one mapping an alternative."""
        return [{**self.when, **each} for each in self.any] or [self.when]


@dataclass(eq=False)
class Characteristic:
    """A scorecard's characteristic."""

    weight: Decimal
    baseline: Decimal


@dataclass(eq=False)
class Decision:
    """A decision; ``otherwise``: it says ``otherwise: missing``; ``file``: where it stands."""

    name: str
    hit: Hit
    results: tuple[str, ...]
    rules: list[Rule]
    otherwise: bool = False
    characteristics: dict[str, Characteristic] = field(default_factory=dict)
    reasons: int = 0
    file: str = ""

    def decide(self, known: Mapping[str, Value]) -> dict[str, object]:
        """The results when the facts are ``known``."""
        matched = [rule for rule in self.rules if _matches(rule, known)]
        if self.hit is Hit.SUM:
            total = sum((self.points(rule) for rule in matched), Decimal(0))
            return {self.results[0]: total}
        if self.hit is Hit.ALL:
            values = [value for rule in matched for value in rule.then[self.results[0]]]
            return {self.results[0]: tuple(dict.fromkeys(values))}
        return {name: matched[0].then[name][0] if matched else None for name in self.results}

    def points(self, rule: Rule) -> Decimal:
        """What a scorecard's rule adds."""
        score = rule.then[self.results[0]][0]
        assert isinstance(score, Decimal)
        part = self.characteristics.get(rule.characteristic or "")
        return score * part.weight if part else score


def _matches(rule: Rule, known: Mapping[str, Value]) -> bool:
    return any(
        all(oracle.holds(condition, known.get(name)) for name, condition in when.items())
        for when in rule.alternatives
    )


Mask = np.ndarray
"""For every combination of the inputs' values whether something holds."""


def mask_of(when: When, inputs: Sequence[Fact], *, domain: bool = False) -> Mask:
    """Where ``when`` holds, over what the inputs can be (or over their whole domains)."""
    spaces = [fact.domain if domain else fact.reach for fact in inputs]
    mask = np.ones([len(space) for space in spaces], dtype=bool)
    for axis, (fact, space) in enumerate(zip(inputs, spaces, strict=True)):
        if fact.name in when:
            holds = [oracle.holds(when[fact.name], value) for value in space]
            shape = [len(space) if each == axis else 1 for each in range(len(inputs))]
            mask = mask & np.array(holds).reshape(shape)
    return mask


def mask_of_rule(rule: Rule, inputs: Sequence[Fact], *, domain: bool = False) -> Mask:
    """Where ``rule`` matches."""
    masks = [mask_of(when, inputs, domain=domain) for when in rule.alternatives]
    return np.logical_or.reduce(masks)


def every_rule_counts(hit: Hit, rules: Sequence[Rule], inputs: Sequence[Fact]) -> bool:
    """Whether taking out any rule, or any alternative of one, would change some answer."""
    masks = [mask_of_rule(rule, inputs) for rule in rules]
    for index, rule in enumerate(rules):
        others = [mask_of(when, inputs) for when in rule.alternatives]
        for each in range(len(others)):
            rest = np.logical_or.reduce(
                [np.zeros_like(masks[index]), *others[:each], *others[each + 1 :]]
            )
            lost = masks[index] & ~rest
            if not _changes(hit, rules, masks, index, lost):
                return False
    return True


def _changes(hit: Hit, rules: Sequence[Rule], masks: list[Mask], index: int, lost: Mask) -> bool:
    """Whether an answer changes if rule ``index`` no longer matches where ``lost`` says so."""
    if hit is Hit.SUM:
        return bool(lost.any())
    if hit is Hit.ALL:
        (name,) = rules[index].then
        others = [
            (set(r.then[name]), m)
            for k, (r, m) in enumerate(zip(rules, masks, strict=True))
            if k != index
        ]
        for value in rules[index].then[name]:
            elsewhere = [mask for values, mask in others if value in values]
            if (lost & ~np.logical_or.reduce([np.zeros_like(lost), *elsewhere])).any():
                return True
        return False
    for mask in masks[:index]:
        lost = lost & ~mask
    for rule, mask in zip(rules[index + 1 :], masks[index + 1 :], strict=True):
        if (lost & mask).any() and rule.then != rules[index].then:
            return True
        lost = lost & ~mask
    return bool(lost.any())
