"""The rules of one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Characteristic, Constant, Fact, Hit, Rule
from harken_rules.reading.conditions import read_constant, read_values, read_when
from harken_rules.reading.facts import Facts
from harken_rules.reading.numbers import read_number, wants_whole
from harken_rules.reading.shapes import (
    MAX_ALTERNATIVES,
    Reading,
    as_items,
    as_name,
    as_rule_id,
    read_keys,
    read_labels,
)
from harken_rules.source import Items, Node, Scalar, describe

_OPTIONAL = ("when", "because", "characteristic")


@dataclass(frozen=True, slots=True)
class Table:
    """What the rules of a decision need to know of it."""

    decision: str
    hit: Hit
    results: tuple[str, ...]
    characteristics: Mapping[str, Characteristic]


def read_rules(
    node: Node, table: Table, facts: Facts, lists: Mapping[str, str], reading: Reading
) -> tuple[Rule, ...]:
    """The rules in the order written; ``lists``: facts that are lists, which none may ask about."""
    items = as_items(node, "`rules`", reading.report)
    if items == ():
        message = f"decision '{table.decision}' has no rules"
        reading.report.error("wrong-shape", node.place, message)
    rules: dict[str, Rule] = {}
    for item in items or ():
        if reading.alternatives_left < 0:
            message = f"the rule base has more than {MAX_ALTERNATIVES:,} alternatives"
            reading.report.error("too-large", item.place, message, "write fewer or plainer rules")
            break
        rule = _read_rule(item, table, facts, lists, reading)
        if rule is None:
            continue
        if rule.id in rules:
            message = f"rule '{rule.id}' stands here a second time in decision '{table.decision}'"
            first = [("first here", rules[rule.id].place)]
            hint = "give one of them another id"
            reading.report.error("duplicate-id", rule.place, message, hint, first)
        else:
            rules[rule.id] = rule
    return tuple(rules.values())


def _read_rule(
    node: Node, table: Table, facts: Facts, lists: Mapping[str, str], reading: Reading
) -> Rule | None:
    report = reading.report
    required = ("id", "then")
    keys = read_keys(node, "a rule", report, required=required, optional=_OPTIONAL)
    if keys is None:
        return None
    rule_id = as_rule_id(keys["id"], report) if "id" in keys else None
    alternatives = [()] if "when" not in keys else read_when(keys["when"], facts, lists, report)
    reading.alternatives_left -= len(alternatives)
    characteristic = _read_characteristic(keys.get("characteristic"), table, report)
    then: Mapping[str, tuple[Constant, ...]] = {}
    if "then" in keys:
        found = table.characteristics.get(characteristic or "")
        then = _read_then(keys["then"], table, found, facts, report)
    because = read_labels(keys.get("because"), f"`because` of rule '{rule_id}'", reading)
    if rule_id is None:
        return None
    return Rule(rule_id, keys["id"].place, tuple(alternatives), then, because, characteristic)


def _read_characteristic(node: Node | None, table: Table, report: Report) -> str | None:
    if node is None:
        return None
    if table.hit is not Hit.SUM:
        message = "`characteristic` belongs to a decision with `hit: sum`"
        report.error("unknown-key", node.place, message, "remove it")
        return None
    name = as_name(node, "a characteristic's name", report)
    if name is None or name in table.characteristics:
        return name
    message = f"no characteristic is called '{name}'"
    report.error("unknown-value", node.place, message, did_you_mean(name, table.characteristics))
    return None


def _read_then(
    node: Node,
    table: Table,
    characteristic: Characteristic | None,
    facts: Facts,
    report: Report,
) -> Mapping[str, tuple[Constant, ...]]:
    if len(table.results) > 1:
        what = f"`then` of decision '{table.decision}'"
        keys = read_keys(node, what, report, required=table.results) or {}
        read = {name: _read_one(value, name, facts, report) for name, value in keys.items()}
        return {name: values for name, values in read.items() if values}
    name = table.results[0]
    if table.hit is Hit.SUM:
        values = _read_partial(node, name, characteristic, facts, report)
    elif table.hit is Hit.ALL:
        fact = facts.known.get(name)  # if unknown: reported where the decision names its result
        values = read_values(node, fact, facts, report) if fact else ()
    else:
        values = _read_one(node, name, facts, report)
    return {name: values} if values else {}


def _read_one(node: Node, name: str, facts: Facts, report: Report) -> tuple[Constant, ...]:
    if not isinstance(node, Scalar):
        hint = "only a decision with `hit: all` yields a list" if isinstance(node, Items) else None
        message = f"'{name}' takes a single value here, not {describe(node)}"
        report.error("wrong-shape", node.place, message, hint)
        return ()
    if name not in facts.known:  # reported where the decision names its results
        return ()
    constant = read_constant(node, facts.known[name], facts, report)
    return () if constant is None else (constant,)


def _read_partial(
    node: Node, name: str, characteristic: Characteristic | None, facts: Facts, report: Report
) -> tuple[Constant, ...]:
    """A partial score: any number, but what it adds to a whole-number result is whole."""
    fact: Fact | None = facts.known.get(name)
    if fact is None:  # reported where the decision names its result
        return ()
    number = read_number(node, "a partial score", report, unit=fact.unit)
    if number is None:
        return ()
    weight = characteristic.weight if characteristic else Decimal(1)
    added = weight * number
    if wants_whole(fact.type) and added != added.to_integral_value():
        message = f"'{name}' is a whole number, but this rule adds {shown(str(added))}"
        report.error("type-mismatch", node.place, message)
    return (number,)
