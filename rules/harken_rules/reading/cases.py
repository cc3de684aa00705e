"""Cases: the authors' own tests, given facts and what must come of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Condition, Constant, Decision, Fact, Hit, Missing, Place
from harken_rules.reading.conditions import (
    read_condition,
    read_constant,
    read_values,
    unknown_fact,
)
from harken_rules.reading.facts import GIVEN_SOURCES, Facts
from harken_rules.reading.shapes import as_items, as_table, as_text, read_keys
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


@dataclass(frozen=True, slots=True)
class Case:
    """Facts given, and what is expected of the results named (of no others)."""

    name: str
    place: Place
    given: Mapping[str, Constant]
    expect: tuple[Expectation, ...]


def read_cases(
    files: Mapping[str, Node | None], facts: Facts, decisions: Iterable[Decision], report: Report
) -> tuple[Case, ...]:
    """The cases of all files, in file order; what is wrong with them is reported."""
    yielded_by = {result: one for one in decisions for result in one.results}
    found: dict[str, Case] = {}
    for node in files.values():
        keys = node and read_keys(node, "a cases file", report, required=("cases",))
        items = as_items(keys["cases"], "`cases`", report) if keys and "cases" in keys else ()
        for item in items or ():
            case = _read_case(item, facts, yielded_by, report)
            if case is None:
                continue
            if case.name in found:
                first = [("first here", found[case.name].place)]
                message = f"a case is called '{shown(case.name)}' already"
                hint = "give one of them another name"
                report.error("duplicate-id", case.place, message, hint, first)
            else:
                found[case.name] = case
    return tuple(found.values())


def _read_case(
    node: Node, facts: Facts, yielded_by: Mapping[str, Decision], report: Report
) -> Case | None:
    keys = read_keys(node, "a case", report, required=("name", "given", "expect"))
    if keys is None or "name" not in keys:
        return None
    name = as_text(keys["name"], "a case's name", report)
    given = _read_given(keys["given"], facts, yielded_by, report) if "given" in keys else {}
    expect = _read_expect(keys["expect"], facts, yielded_by, report) if "expect" in keys else ()
    return None if name is None else Case(name, keys["name"].place, given, expect)


def _read_given(
    node: Node, facts: Facts, yielded_by: Mapping[str, Decision], report: Report
) -> Mapping[str, Constant]:
    given: dict[str, Constant] = {}
    table = as_table(node, "`given`", report)
    for key, value in table.entries if table else ():
        fact = facts.known.get(key.text)
        if key.text in yielded_by:
            message = f"'{key.text}' is decided by decision '{yielded_by[key.text].name}'"
            hint = "give the facts it is decided from"
            report.error("wrong-source", key.place, message, hint)
        elif fact is None:
            unknown_fact(key, facts, report)
        else:
            constant = _read_given_value(value, fact, facts, report)
            if constant is not None:
                given[key.text] = constant
    return given


def _read_given_value(node: Node, fact: Fact, facts: Facts, report: Report) -> Constant | None:
    if fact.open and isinstance(node, Scalar) and node.text.strip():
        return node.text
    if isinstance(node, Scalar) and node.empty:
        message = f"'{fact.name}' has no value"
        report.error("wrong-shape", node.place, message, "leave a missing fact out")
        return None
    return read_constant(node, fact, facts, report)


def _read_expect(
    node: Node, facts: Facts, yielded_by: Mapping[str, Decision], report: Report
) -> tuple[Expectation, ...]:
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
