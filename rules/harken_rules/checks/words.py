"""Facts and rules as a message names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from harken_rules.hints import shown
from harken_rules.language import Constant, Decision, Fact, Place
from harken_rules.reading.numbers import number_text

MAX_NAMED = 4


def when(example: Mapping[str, Constant | None], facts: Mapping[str, Fact]) -> str:
    """``when open_hours is 24 and category is missing``."""
    if not example:
        return "whatever the facts are"
    said = [f"{name} is {value_text(value, facts[name])}" for name, value in example.items()]
    return "when " + " and ".join(said)


def value_text(value: Constant | None, fact: Fact) -> str:
    """A fact's value as the author would write it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return number_text(value)
    return "another value" if fact.open and value not in (fact.values or {}) else shown(value)


def rule_names(decision: Decision, rules: Sequence[int]) -> str:
    """``'a', 'b' and 3 more``, for the rules with these indices."""
    names = [f"'{decision.rules[index].id}'" for index in rules[:MAX_NAMED]]
    if len(rules) > MAX_NAMED:
        return ", ".join(names) + f" and {len(rules) - MAX_NAMED:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def rule_places(decision: Decision, rules: Sequence[int]) -> list[tuple[str, Place]]:
    """Where those rules stand, as further places of a diagnostic."""
    named = [decision.rules[index] for index in rules[:MAX_NAMED]]
    return [(f"rule '{rule.id}'", rule.place) for rule in named]
