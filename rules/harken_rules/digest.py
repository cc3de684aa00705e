"""The digest of a rule base: over what it says, not over how its files are written.

Two rule bases with the same digest give the same verdicts with the same texts. Formatting,
comments, line endings, the order of files and of keys, and which file a decision stands in make
no difference; the order of rules within a decision does. Cases are not part of it: they test a
rule base and do not change it; nor is `otherwise: missing`, which says that a gap is meant and
changes no verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from harken_rules.language import (
    Clause,
    Condition,
    Constant,
    Decision,
    Entry,
    Fact,
    Interval,
    Missing,
    OneOf,
    Rule,
    RuleBase,
)
from harken_rules.reading.numbers import number_text

FORMAT = "harken-rule-base/1"


def digest(base: RuleBase) -> str:
    """``sha256:`` and 64 hexadecimal digits over the canonical content of ``base``."""
    return "sha256:" + hashlib.sha256(canonical(base).encode()).hexdigest()


def canonical(base: RuleBase) -> str:
    """The canonical content as one JSON text with sorted keys and numbers in one spelling."""
    content = {
        "format": FORMAT,
        "name": base.name,
        "title": dict(base.title),
        "languages": list(base.languages),
        "facts": {name: _fact(fact) for name, fact in base.facts.items()},
        "decisions": {one.name: _decision(one) for one in base.decisions},
        "catalogues": {
            name: {code: _entry(entry) for code, entry in entries.items()}
            for name, entries in base.catalogues.items()
        },
    }
    return _json(content)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _constant(value: Constant) -> object:
    """Text stays text; a number is marked, so that it never equals a code of that spelling."""
    return {"number": number_text(value)} if isinstance(value, Decimal) else value


def _interval(interval: Interval) -> object:
    return [
        None if interval.low is None else number_text(interval.low),
        None if interval.high is None else number_text(interval.high),
        interval.low_open,
        interval.high_open,
    ]


def _fact(fact: Fact) -> object:
    values = fact.values
    return {
        "type": fact.type.value,
        "source": fact.source,
        "title": dict(fact.title),
        "unit": fact.unit,
        "range": _interval(fact.range),
        "values": None if values is None else {code: dict(text) for code, text in values.items()},
        "open": fact.open,
    }


def _condition(condition: Condition) -> object:
    if isinstance(condition, OneOf):
        values = _sorted(_constant(value) for value in condition.values)
        return ["not" if condition.negated else "one_of", values]
    if isinstance(condition, Missing):
        return ["missing", condition.wanted]
    return ["within", _interval(condition.interval)]


def _sorted(values: Iterable[object]) -> list[object]:
    """The values in a fixed order, each once: for lists that mean a set."""
    return [json.loads(text) for text in sorted({_json(value) for value in values})]


def _alternative(clauses: tuple[Clause, ...]) -> object:
    return _sorted([clause.fact, _condition(clause.condition)] for clause in clauses)


def _rule(rule: Rule) -> object:
    return {
        "id": rule.id,
        "alternatives": _sorted(_alternative(clauses) for clauses in rule.alternatives),
        "then": {
            name: [_constant(value) for value in values] for name, values in rule.then.items()
        },
        "because": dict(rule.because),
        "characteristic": rule.characteristic,
    }


def _decision(decision: Decision) -> object:
    return {
        "title": dict(decision.title),
        "hit": decision.hit.value,
        "results": list(decision.results),
        "reasons": decision.reasons,
        "characteristics": {
            name: {
                "title": dict(one.title),
                "weight": number_text(one.weight),
                "baseline": number_text(one.baseline),
            }
            for name, one in decision.characteristics.items()
        },
        "rules": [_rule(rule) for rule in decision.rules],
    }


def _entry(entry: Entry) -> object:
    return {"title": dict(entry.title), "data": _plain(entry.data)}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
