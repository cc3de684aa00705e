"""The schema of a decision file."""

from __future__ import annotations

from harken_rules.reading.decisions import MAX_REASONS
from harken_rules.reading.facts import GIVEN_SOURCES
from harken_rules.schemas import parts
from harken_rules.schemas.parts import Schema, described, mapping, one_or_many, ref
from harken_rules.schemas.values import definitions, measured, number
from harken_rules.schemas.vocabulary import Vocabulary

_HITS = {
    "first": "the first rule that matches decides · 首个匹配",
    "unique": "at most one rule may match · 唯一匹配",
    "all": "all matching rules, a list · 全部匹配",
    "sum": "all matching rules add up, a scorecard · 累加评分",
}


def decision_schema(words: Vocabulary) -> Schema:
    """Of a decision file: names, conditions and results of this rule base."""
    results = {name: words.said(fact.title) for name, fact in words.yielded.items()}
    names = parts.known_or_new(parts.joined(words, words.decisions))
    names["not"] = {"enum": [*GIVEN_SOURCES]}
    properties = {
        "decision": described(names, "the decision's name"),
        "title": ref("labels"),
        "hit": described(parts.choice(_HITS), "what happens if several rules match"),
        "result": described(parts.choice(results), "the fact that the decision yields"),
        "results": {
            "type": "array",
            "items": parts.choice(results),
            "minItems": 1,
            "uniqueItems": True,
        },
        "otherwise": described(
            {"enum": ["missing"]}, "where no rule matches, the result is meant to be missing"
        ),
        "reasons": described(
            {**number(whole=True), "minimum": 0, "maximum": MAX_REASONS},
            "how many of the weightiest rules go into the answer",
        ),
        "characteristics": {
            "type": "object",
            "propertyNames": {"pattern": parts.NAME},
            "additionalProperties": mapping(
                {"title": ref("labels"), "weight": number(), "baseline": number()}, ("title",)
            ),
        },
        "rules": {"type": "array", "minItems": 1, "items": ref("rule")},
    }
    return mapping(
        properties,
        ("decision", "title", "hit", "rules"),
        title="a decision of a Harken rule base",
        oneOf=[{"required": ["result"]}, {"required": ["results"]}],
        allOf=[*_by_hit(), *_by_result(words)],
        **{
            "$defs": {
                "labels": parts.labels(words),
                "rule": _rule(),
                "when": _when(words),
                **definitions(words),
            }
        },
    )


def _rule() -> Schema:
    return mapping(
        {
            "id": described(
                {"type": ["string", "integer", "boolean"], "pattern": parts.RULE_ID},
                "unlike any other in this decision",
            ),
            "characteristic": described(
                {"type": "string", "pattern": parts.NAME}, "the part of the scorecard it scores"
            ),
            "when": ref("when"),
            "then": described({}, "the result"),
            "because": described(ref("labels"), "what an agent may be told"),
        },
        ("id", "then"),
    )


def _when(words: Vocabulary) -> Schema:
    asked = {name: ref(f"condition-{name}") for name in words.facts if name not in words.lists}
    alternatives = {"type": "array", "minItems": 1, "items": ref("when")}
    return described(
        mapping({**asked, "any": described(alternatives, "one of these must hold")}),
        "all of these must hold",
    )


def _by_hit() -> list[Schema]:
    """Keys that only some hit policies have."""
    scored = parts.never("only a decision with `hit: sum` has this")
    single = parts.never("only a decision with `hit: first` or `hit: unique` has this")
    return [
        {
            "if": _hit("first", "unique", "all"),
            "then": {
                "properties": {
                    "reasons": scored,
                    "characteristics": scored,
                    "rules": {"items": {"properties": {"characteristic": scored}}},
                }
            },
        },
        {
            "if": _hit("all", "sum"),
            "then": {"properties": {"results": {"maxItems": 1}, "otherwise": single}},
        },
    ]


def _by_result(words: Vocabulary) -> list[Schema]:
    """What ``then`` is depends on the result, and on whether the rules add up or make a list."""
    values = {name: ref(f"value-{name}") for name in words.yielded}
    found: list[Schema] = [{"if": _hit("sum"), "then": _each_then(measured())}]
    for name, value in values.items():
        named = {"properties": {"result": {"const": name}}, "required": ["result"]}
        single, listed = _hit("first", "unique"), _hit("all")
        found += [
            {"if": {"allOf": [named, single]}, "then": _each_then(value)},
            {"if": {"allOf": [named, listed]}, "then": _each_then(one_or_many(value))},
        ]
    several = {"required": ["results"], "properties": {"results": {"minItems": 2}}}
    of_each = [_one_of_several(name) for name in values]
    found.append({"if": several, "then": {**_each_then(mapping(values)), "allOf": of_each}})
    return found


def _one_of_several(name: str) -> Schema:
    """A result of several stands in every ``then``, and no other does."""
    other = parts.never("`results` does not name it")
    return {
        "if": {"properties": {"results": {"contains": {"const": name}}}},
        "then": _each_then({"required": [name]}),
        "else": _each_then({"properties": {name: other}}),
    }


def _hit(*hits: str) -> Schema:
    return {"properties": {"hit": {"enum": list(hits)}}, "required": ["hit"]}


def _each_then(then: Schema) -> Schema:
    return {"properties": {"rules": {"items": {"properties": {"then": then}}}}}
