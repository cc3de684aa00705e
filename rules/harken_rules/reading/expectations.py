"""What a case expects of results: one value, a condition, or what a list must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Condition, Constant, Decision, Fact, Hit, Missing, Place
from harken_rules.reading.conditions import read_condition, read_values
from harken_rules.reading.facts import GIVEN_SOURCES, Facts
from harken_rules.reading.shapes import as_table, read_keys
from harken_rules.source import Items, Node, Scalar, Table


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list of an ``all`` decision must be, or must contain and must not."""

    exactly: tuple[Constant, ...] | None = None
    contains: tuple[Constant, ...] = ()
    absent: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a result must be; ``decision`` is the one that yields it."""

    result: str
    decision: str
    wanted: Condition | Listed
    place: Place


def read_expect(
    node: Node, facts: Facts, yielded_by: Mapping[str, Decision], report: Report
) -> tuple[Expectation, ...]:
    """The expectations in ``expect``; what cannot be read is reported and left out."""
    expect = []
    table = as_table(node, "`expect`", report)
    if table is not None and not table.entries:
        report.error("wrong-shape", table.place, "`expect` is empty, so the case tests nothing")
    for key, value in table.entries if table else ():
        decision, fact = yielded_by.get(key.text), facts.known.get(key.text)
        if decision is None or fact is None:
            _unknown_result(key, facts, yielded_by, report)
            continue
        wanted: Condition | Listed | None
        if decision.hit is Hit.ALL:
            wanted = _read_listed(value, fact, facts, report)
        else:
            wanted = read_condition(value, fact, facts, report)
        if wanted is not None:
            expect.append(Expectation(key.text, decision.name, wanted, key.place))
    return tuple(expect)


def _unknown_result(
    key: Scalar, facts: Facts, yielded_by: Mapping[str, Decision], report: Report
) -> None:
    fact = facts.known.get(key.text)
    if facts.incomplete or key.text in facts.broken:
        return
    if fact is not None and fact.source not in GIVEN_SOURCES:
        return  # its decision could not be read, which is reported there
    if fact is not None:
        message = f"'{key.text}' is given, no decision yields it"
        hint = "expect results of decisions only"
        report.error("wrong-source", key.place, message, hint)
    else:
        message = f"no decision yields '{shown(key.text)}'"
        report.error("unknown-fact", key.place, message, did_you_mean(key.text, yielded_by))


def _read_listed(node: Node, fact: Fact, facts: Facts, report: Report) -> Condition | Listed | None:
    if isinstance(node, Items) and not node.items:
        return Listed(exactly=())
    if not isinstance(node, Table):
        return Listed(exactly=read_values(node, fact, facts, report))
    if node.get("missing") is not None:
        read = read_condition(node, fact, facts, report)
        if isinstance(read, Missing):
            message = f"'{fact.name}' is a list, which may be empty but is never missing"
            report.error("type-mismatch", node.place, message, "write []")
        return None
    what = f"the expectation of '{fact.name}'"
    keys = read_keys(node, what, report, optional=("contains", "absent"))
    if not keys:
        if keys is not None:
            report.error("wrong-shape", node.place, f"{what} is empty", "one of: contains, absent")
        return None
    read_each = {key: read_values(value, fact, facts, report) for key, value in keys.items()}
    return Listed(contains=read_each.get("contains", ()), absent=read_each.get("absent", ()))
