"""Decisions: decision tables and scorecards, one a file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Characteristic, Decision, Hit, Place, Rule
from harken_rules.reading.facts import GIVEN_SOURCES, Facts
from harken_rules.reading.numbers import read_number
from harken_rules.reading.rules import Table as RuleTable
from harken_rules.reading.rules import read_rules
from harken_rules.reading.shapes import (
    Reading,
    as_choice,
    as_items,
    as_name,
    as_table,
    read_keys,
    read_labels,
)
from harken_rules.source import Items, Node

MAX_REASONS = 100
MAX_RULES = 4_000

_MISSING = "missing"
_REQUIRED = ("decision", "title", "hit", "rules")
_OPTIONAL = ("result", "results", "otherwise", "reasons", "characteristics")


@dataclass(slots=True)
class Decisions:
    """The decisions read. ``incomplete``: some could not be read, their results are unknown."""

    known: dict[str, Decision] = field(default_factory=dict)
    incomplete: bool = False


@dataclass(slots=True)
class _Head:
    """What a decision says of itself, before its rules are read."""

    name: str
    place: Place
    hit: Hit
    results: tuple[str, ...]
    keys: Mapping[str, Node]


def read_decisions(files: Mapping[str, Node | None], facts: Facts, reading: Reading) -> Decisions:
    """Every decision of the folder: first what each says of itself, then the rules.

    Rules are read second because they may not ask about the results of an ``all`` decision.
    """
    found = Decisions()
    heads: dict[str, _Head] = {}
    for node in files.values():
        head = node and _read_head(node, reading.report)
        if not head:
            found.incomplete = True
        elif head.name in heads:
            first = [("first here", heads[head.name].place)]
            message = f"decision '{head.name}' stands here a second time"
            hint = "give one of them another name"
            reading.report.error("duplicate-id", head.place, message, hint, first)
        else:
            heads[head.name] = head
    lists = _results_of_all(heads)
    for head in heads.values():
        found.known[head.name] = _read_body(head, facts, lists, reading)
    return found


def _read_head(node: Node, report: Report) -> _Head | None:
    keys = read_keys(node, "a decision file", report, required=_REQUIRED, optional=_OPTIONAL)
    if keys is None or "decision" not in keys:
        return None
    name = as_name(keys["decision"], "a decision's name", report)
    if name in GIVEN_SOURCES:
        message = f"a decision cannot be called '{name}': the word names a source of facts"
        report.error("bad-name", keys["decision"].place, message)
        return None
    hit = None
    if "hit" in keys:
        hit = as_choice(keys["hit"], "`hit`", list(Hit), report)
        if hit is not None:  # misspelt is reported; the nearest lets the rules be read as well
            hit = next(iter(difflib.get_close_matches(hit, list(Hit), n=1)), None)
    results = _read_results(node, keys, report)
    if name is None or hit not in list(Hit) or results is None:
        return None
    head = _Head(name, keys["decision"].place, Hit(hit), results, keys)
    if head.hit in (Hit.ALL, Hit.SUM) and len(results) > 1:
        message = f"a decision with `hit: {hit}` has one result, not {len(results)}"
        report.error("wrong-shape", keys["results"].place, message, "make several decisions")
    return head


def _read_results(node: Node, keys: Mapping[str, Node], report: Report) -> tuple[str, ...] | None:
    if ("result" in keys) == ("results" in keys):
        if "result" in keys:
            message = "a decision has the key 'result' or 'results', not both"
            report.error("wrong-shape", keys["results"].place, message, "remove one of the two")
        else:
            message = "a decision needs the key 'result' or 'results'"
            report.error("missing-key", node.place, message)
        return None
    if "result" in keys:
        name = as_name(keys["result"], "a result's name", report)
        return None if name is None else (name,)
    items = as_items(keys["results"], "`results`", report)
    names = [as_name(item, "a result's name", report) for item in items or ()]
    if items == ():
        report.error("wrong-shape", keys["results"].place, "`results` is empty")
    if not names or None in names:
        return None
    for item, name in zip(items or (), names, strict=True):
        if names.count(name) > 1:
            message = f"result '{name}' stands in `results` twice"
            report.error("duplicate-id", item.place, message, "remove one of the two")
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _results_of_all(heads: Mapping[str, _Head]) -> Mapping[str, str]:
    return {
        result: f"decision '{head.name}' has `hit: all`, so it is a list"
        for head in heads.values()
        if head.hit is Hit.ALL
        for result in head.results
    }


def _read_body(head: _Head, facts: Facts, lists: Mapping[str, str], reading: Reading) -> Decision:
    report, keys = reading.report, head.keys
    _check_results(head, facts, report)
    characteristics = _read_characteristics(head, reading)
    table = RuleTable(head.name, head.hit, head.results, characteristics)
    rules: tuple[Rule, ...] = ()
    if "rules" in keys and not _has_too_many(keys["rules"], head.name, report):
        rules = read_rules(keys["rules"], table, facts, lists, reading)
    return Decision(
        name=head.name,
        title=read_labels(keys.get("title"), f"the title of decision '{head.name}'", reading),
        hit=head.hit,
        results=head.results,
        rules=rules,
        inputs=_inputs(rules, facts),
        place=head.place,
        characteristics=characteristics,
        reasons=_read_reasons(head, report),
        otherwise_missing=_read_otherwise(head, report),
    )


def _has_too_many(node: Node, decision: str, report: Report) -> bool:
    if not isinstance(node, Items) or len(node.items) <= MAX_RULES:
        return False
    message = f"decision '{decision}' has {len(node.items):,} rules; {MAX_RULES:,} is the most"
    hint = "make several decisions of it"
    report.error("too-large", node.items[MAX_RULES].place, message, hint)
    return True


def _read_otherwise(head: _Head, report: Report) -> bool:
    """Whether the decision says that its results may be missing."""
    node = head.keys.get("otherwise")
    if node is None:
        return False
    if head.hit not in (Hit.FIRST, Hit.UNIQUE):
        message = "`otherwise` belongs to a decision with `hit: first` or `hit: unique`"
        report.error("unknown-key", node.place, message, "remove it")
        return False
    return as_choice(node, "`otherwise`", [_MISSING], report) == _MISSING


def _check_results(head: _Head, facts: Facts, report: Report) -> None:
    """Every result is a declared fact, and a number where scores are added up."""
    node = head.keys.get("result", head.keys.get("results", head.keys["decision"]))
    for result in head.results:
        fact = facts.known.get(result)
        if fact is None:
            if not facts.incomplete and result not in facts.broken:
                message = f"result '{result}' is not declared in facts.yaml"
                known = [one.name for one in facts.known.values() if one.source == head.name]
                hint = did_you_mean(result, known) if known else "declare it there"
                report.error("unknown-fact", node.place, message, hint)
            continue
        if head.hit is Hit.SUM and fact.type not in ("number", "integer"):
            message = f"`hit: sum` yields a number, but '{result}' is of type {fact.type}"
            report.error("type-mismatch", node.place, message, None, [("declared", fact.place)])


def _read_reasons(head: _Head, report: Report) -> int:
    node = head.keys.get("reasons")
    if node is None:
        return 0
    if head.hit is not Hit.SUM:
        _only_for_sum("reasons", node, report)
        return 0
    number = read_number(node, "`reasons`", report, whole=True)
    if number is not None and not 0 <= number <= MAX_REASONS:
        message = f"`reasons` is a number from 0 to {MAX_REASONS}, not {number}"
        report.error("out-of-range", node.place, message)
        return 0
    return int(number or 0)


def _read_characteristics(head: _Head, reading: Reading) -> Mapping[str, Characteristic]:
    node, report = head.keys.get("characteristics"), reading.report
    if node is None:
        return {}
    if head.hit is not Hit.SUM:
        _only_for_sum("characteristics", node, report)
        return {}
    table = as_table(node, "characteristics", report)
    found = {}
    for key, value in table.entries if table else ():
        name = as_name(key, "a characteristic's name", report)
        what = f"characteristic '{shown(key.text)}'"
        required, optional = ("title",), ("weight", "baseline")
        keys = read_keys(value, what, report, required=required, optional=optional)
        if name is None or keys is None:
            continue
        weight, baseline = Decimal(1), Decimal(0)
        if "weight" in keys:
            weight = read_number(keys["weight"], f"the weight of {what}", report) or Decimal(0)
        if "baseline" in keys:
            baseline = read_number(keys["baseline"], f"the baseline of {what}", report) or baseline
        title = read_labels(keys.get("title"), f"the title of {what}", reading)
        found[name] = Characteristic(name, title, weight, baseline, key.place)
    return found


def _only_for_sum(key: str, node: Node, report: Report) -> None:
    message = f"`{key}` belongs to a decision with `hit: sum`"
    report.error("unknown-key", node.place, message, "remove it")


def _inputs(rules: tuple[Rule, ...], facts: Facts) -> tuple[str, ...]:
    """The facts the rules ask about, in the order facts.yaml declares them."""
    asked = {c.fact for rule in rules for clauses in rule.alternatives for c in clauses}
    return tuple(name for name in facts.known if name in asked)
