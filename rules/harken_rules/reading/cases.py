"""Cases: the authors' own tests, given facts and what must come of them.

A case may be a table: what its ``rows`` give and expect is added to what the case itself does,
and each row is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harken_rules.diagnostics import Report
from harken_rules.hints import shown
from harken_rules.language import Constant, Decision, Fact, Place
from harken_rules.reading.conditions import read_constant, unknown_fact
from harken_rules.reading.expectations import Expectation, read_expect
from harken_rules.reading.facts import Facts
from harken_rules.reading.shapes import as_items, as_table, as_text, read_keys
from harken_rules.source import Node, Scalar, Table


@dataclass(frozen=True, slots=True)
class Case:
    """Facts given, and what is expected of the results named (of no others).

    A row's name is that of its table, `` / `` and its own (``row 3`` if it has none).
    """

    name: str
    place: Place
    given: Mapping[str, Constant]
    expect: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """What reading a case needs; ``yielded_by`` maps results to their decisions."""

    facts: Facts
    yielded_by: Mapping[str, Decision]
    report: Report


def read_cases(
    files: Mapping[str, Node | None], facts: Facts, decisions: Iterable[Decision], report: Report
) -> tuple[Case, ...]:
    """The cases of all files, in file order; what is wrong with them is reported."""
    source = _Source(facts, {result: one for one in decisions for result in one.results}, report)
    found: dict[str, Case] = {}
    for node in files.values():
        keys = node and read_keys(node, "a cases file", report, required=("cases",))
        items = as_items(keys["cases"], "`cases`", report) if keys and "cases" in keys else ()
        for item in items or ():
            for case in _read_item(item, source):
                if case.name not in found:
                    found[case.name] = case
                    continue
                first = [("first here", found[case.name].place)]
                message = f"a case is called '{shown(case.name)}' already"
                hint = "give one of them another name"
                report.error("duplicate-id", case.place, message, hint, first)
    return tuple(found.values())


def _read_item(node: Node, source: _Source) -> Iterator[Case]:
    """One case, or each row of a table of cases."""
    if isinstance(node, Table) and node.get("rows") is not None:
        yield from _read_table(node, source)
        return
    required = ("name", "given", "expect")
    keys = read_keys(node, "a case", source.report, required=required, optional=("rows",))
    if keys is None:
        return
    case = _read_parts(keys, source)
    if case.name:
        yield case


def _read_parts(keys: Mapping[str, Node], source: _Source) -> Case:
    """What stands under the keys that a case and a table share; no name if that is unreadable."""
    name, given, expect = keys.get("name"), keys.get("given"), keys.get("expect")
    place = Place("", 1, 1) if name is None else name.place
    return Case(
        (name and as_text(name, "a case's name", source.report)) or "",
        place,
        {} if given is None else _read_given(given, source),
        () if expect is None else _read_expect(expect, source),
    )


def _read_expect(node: Node, source: _Source) -> tuple[Expectation, ...]:
    return read_expect(node, source.facts, source.yielded_by, source.report)


def _read_table(node: Table, source: _Source) -> Iterator[Case]:
    report = source.report
    optional = ("given", "expect")
    keys = read_keys(node, "a case with rows", report, required=("name", "rows"), optional=optional)
    if keys is None:
        return
    shared = _read_parts(keys, source)
    rows = as_items(keys["rows"], "`rows`", report)
    if rows == ():
        message = "`rows` is empty, so the case tests nothing"
        report.error("wrong-shape", keys["rows"].place, message)
    seen: dict[frozenset[tuple[str, Constant]], Place] = {}
    for number, row in enumerate(rows or (), start=1):
        case = _read_row(row, number, shared, "expect" in keys, source)
        if case is None:
            continue
        first = seen.setdefault(frozenset(case.given.items()), case.place)
        if first != case.place:
            message = "this row gives the same facts as another"
            hint = "remove one of the two; if both are meant, put what they expect together"
            report.error("duplicate-id", case.place, message, hint, [("first here", first)])
        elif shared.name:
            yield case


def _read_row(node: Node, number: int, shared: Case, expects: bool, source: _Source) -> Case | None:
    """A row on top of what its table shares; ``expects``: whether the table expects anything.

    None if its facts or its name could not be read whole.
    """
    report = source.report
    required = ("given",) if expects else ("given", "expect")
    keys = read_keys(node, "a row", report, required=required, optional=("name", "expect"))
    if keys is None:
        return None
    name = as_text(keys["name"], "a row's name", report) if "name" in keys else f"row {number}"
    own = _read_parts({key: keys[key] for key in keys if key != "name"}, source)
    given = keys.get("given")
    whole = isinstance(given, Table) and len(given.entries) == len(own.given)
    expect = {one.result: one for one in (*shared.expect, *own.expect)}
    if name is None or not whole:
        return None
    name = f"{shared.name} / {name}"
    return Case(name, node.place, {**shared.given, **own.given}, tuple(expect.values()))


def _read_given(node: Node, source: _Source) -> Mapping[str, Constant]:
    facts, report = source.facts, source.report
    given: dict[str, Constant] = {}
    table = as_table(node, "`given`", report)
    for key, value in table.entries if table else ():
        fact = facts.known.get(key.text)
        if key.text in source.yielded_by:
            message = f"'{key.text}' is decided by decision '{source.yielded_by[key.text].name}'"
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
