"""Constants and conditions: what a rule compares a fact with."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import product

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import (
    Clause,
    Condition,
    Constant,
    Fact,
    FactType,
    Missing,
    OneOf,
    Within,
)
from harken_rules.reading.facts import Facts
from harken_rules.reading.numbers import check_range, read_interval, read_number, wants_whole
from harken_rules.reading.shapes import as_flag, as_items, as_table, as_text
from harken_rules.source import Items, Node, Scalar, Table

MAX_ALTERNATIVES = 500

_BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "1": "true"}
_BOOLEAN_WORDS |= {"no": "false", "off": "false", "n": "false", "0": "false"}

Alternatives = list[tuple[Clause, ...]]


def unknown_fact(key: Scalar, facts: Facts, report: Report) -> None:
    """Report a fact's name that is not declared, unless it may be in what could not be read."""
    if not facts.incomplete and key.text not in facts.broken:
        titles = {text: fact.name for fact in facts.known.values() for text in fact.title.values()}
        message = f"no fact is called '{shown(key.text)}'"
        hint = did_you_mean(key.text, facts.known, titles)
        report.error("unknown-fact", key.place, message, hint)


def read_constant(
    node: Node, fact: Fact, facts: Facts, report: Report, *, ranged: bool = True
) -> Constant | None:
    """A value of ``fact``; its declared type decides how the text is read, quotes never matter.

    None if it is not one (reported). ``ranged=False`` leaves the fact's range unchecked.
    """
    what = f"'{fact.name}'"
    if fact.type is FactType.ENUM:
        return _read_code(node, fact, facts, report)
    if fact.type is FactType.BOOLEAN:
        return _read_boolean(node, what, report)
    whole = wants_whole(fact.type)
    number = read_number(node, what, report, unit=fact.unit, whole=whole)
    if number is not None and ranged:
        check_range(node, number, what, fact.range, report)
    return number


def read_when(
    node: Node, facts: Facts, forbidden: Mapping[str, str], report: Report
) -> Alternatives:
    """``when`` in disjunctive form. What could not be read is reported and left out.

    ``forbidden``: facts no rule may ask about, with the reason.
    """
    table = as_table(node, "`when`", report)
    if table is None:
        return [()]
    factors: list[Alternatives] = []
    for key, value in table.entries:
        facts.asked.add(key.text)
        if key.text == "any":
            factors.append(_read_any(value, facts, forbidden, report))
        elif key.text in forbidden:
            message = f"a rule cannot ask about '{key.text}': {forbidden[key.text]}"
            report.error("type-mismatch", key.place, message)
        elif key.text not in facts.known:
            unknown_fact(key, facts, report)
        else:
            condition = read_condition(value, facts.known[key.text], facts, report)
            if condition is not None:
                factors.append([(Clause(key.text, condition, key.place),)])
    return _multiply(factors, node, report)


def _multiply(factors: list[Alternatives], node: Node, report: Report) -> Alternatives:
    count = 1
    for factor in factors:
        count *= len(factor)
    if count > MAX_ALTERNATIVES:
        return _too_many(node, report)
    return [tuple(c for part in choice for c in part) for choice in product(*factors)]


def _too_many(node: Node, report: Report) -> Alternatives:
    message = f"this rule has more than {MAX_ALTERNATIVES:,} alternatives"
    report.error("too-large", node.place, message, "split the rule")
    return [()]


def _read_any(
    node: Node, facts: Facts, forbidden: Mapping[str, str], report: Report
) -> Alternatives:
    items = as_items(node, "`any`", report)
    if items is None:
        return [()]
    if not items:
        report.error("wrong-shape", node.place, "`any` has no alternatives")
        return [()]
    found: Alternatives = []
    for item in items:
        found += read_when(item, facts, forbidden, report)
        if len(found) > MAX_ALTERNATIVES:
            return _too_many(node, report)
    return found


def read_condition(node: Node, fact: Fact, facts: Facts, report: Report) -> Condition | None:
    """What ``fact`` is compared with; None if it could not be read (reported)."""
    if not isinstance(node, Table):
        values = read_values(node, fact, facts, report)
        return OneOf(values) if values else None
    for word in ("missing", "not"):
        value = node.get(word)
        if value is None:
            continue
        if len(node.entries) > 1:
            message = f"`{word}` stands alone in a condition on '{fact.name}'"
            report.error("wrong-shape", node.place, message, "put the other into its own `any`")
            return None
        if word == "missing":
            wanted = as_flag(value, "`missing`", report)
            return None if wanted is None else Missing(wanted)
        values = read_values(value, fact, facts, report)
        return OneOf(values, negated=True) if values else None
    return _read_within(node, fact, report)


def _read_within(node: Table, fact: Fact, report: Report) -> Condition | None:
    what = f"'{fact.name}'"
    if fact.type in (FactType.ENUM, FactType.BOOLEAN):
        known = ("not", "missing")
        for key, _ in node.entries:
            if key.text in ("at_least", "above", "at_most", "below"):
                message = f"{what} is {_a(fact.type)}, which has no '{key.text}'"
                hint = "list the values it may have"
                report.error("type-mismatch", key.place, message, hint)
            else:
                message = f"a condition on {what} has no key '{shown(key.text)}'"
                hint = did_you_mean(key.text, known)
                report.error("unknown-key", key.place, message, hint)
        if not node.entries:
            report.error("wrong-shape", node.place, f"the condition on {what} is empty")
        return None
    whole = wants_whole(fact.type)
    interval = read_interval(
        node, what, report, unit=fact.unit, whole=whole, within=fact.range, also=("not", "missing")
    )
    return None if interval is None else Within(interval)


def read_values(node: Node, fact: Fact, facts: Facts, report: Report) -> tuple[Constant, ...]:
    """One value or a list of them; empty if there is none that could be read (reported)."""
    items = node.items if isinstance(node, Items) else (node,)
    if not items:
        report.error("wrong-shape", node.place, f"the list of values of '{fact.name}' is empty")
    found: dict[Constant, None] = {}
    for item in items:
        constant = read_constant(item, fact, facts, report)
        if constant is not None:
            if constant in found:
                message = f"'{fact.name}': {_shown_constant(constant)} stands in the list twice"
                report.error("duplicate-id", item.place, message, "remove one of the two")
            found.setdefault(constant)
    return tuple(found)


def _read_code(node: Node, fact: Fact, facts: Facts, report: Report) -> str | None:
    text = as_text(node, f"a value of '{fact.name}'", report)
    values = fact.values or {}
    if text is None or text in values:
        return text
    if fact.name in facts.partial_values:
        return text
    labels = {label: code for code, texts in values.items() for label in texts.values()}
    message = f"'{fact.name}' has no value '{shown(text)}'"
    report.error("unknown-value", node.place, message, did_you_mean(text, values, labels))
    return None


def _read_boolean(node: Node, what: str, report: Report) -> bool | None:
    text = as_text(node, what, report)
    if text in ("true", "false"):
        return text == "true"
    if text is not None:
        folded = text.lower()
        word = folded if folded in ("true", "false") else _BOOLEAN_WORDS.get(folded)
        hint = f"write {word}" if word else "write true or false"
        message = f"{what} is true or false, not '{shown(text)}'"
        report.error("type-mismatch", node.place, message, hint)
    return None


def _shown_constant(constant: Constant) -> str:
    return str(constant) if isinstance(constant, Decimal) else f"'{shown(str(constant))}'"


def _a(kind: FactType) -> str:
    return {"enum": "an enum", "integer": "an integer"}.get(kind.value, f"a {kind.value}")
