"""The schema of each kind of file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harken_rules.schemas import parts
from harken_rules.schemas.decisions import decision_schema
from harken_rules.schemas.parts import Schema, by_shape, described, mapping, ref, text
from harken_rules.schemas.values import FLAG, definitions, given_value, interval, measured
from harken_rules.schemas.vocabulary import Vocabulary

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES = {
    "enum": "one of a list of codes · 枚举",
    "number": "a number · 数值",
    "integer": "a whole number · 整数",
    "boolean": "true or false · 是否",
}
_SOURCES = {
    "request": "comes with the grumble · 随抱怨传入",
    "model": "computed by the trained model · 由模型计算",
    "attribute": "a column of your own · 自有字段",
}


def schema_of(kind: str, words: Vocabulary) -> Schema:
    """The schema of one of ``KINDS`` for the rule base with this vocabulary."""
    return {"$schema": DIALECT, **_MAKERS[kind](words)}


def _rulebase(words: Vocabulary) -> Schema:
    language = {"type": "string", "minLength": 1}
    properties = {
        "name": described(text(), "what programs call the rule base"),
        "title": {"type": "object", "minProperties": 1, "additionalProperties": text()},
        "languages": described(
            {"type": "array", "items": language, "minItems": 1, "uniqueItems": True},
            "the languages that every text is written in",
        ),
    }
    return mapping(properties, properties, title="rulebase.yaml of a Harken rule base")


def _facts(words: Vocabulary) -> Schema:
    sources = {**_SOURCES, **parts.joined(words, words.decisions)}
    catalogues = {name: f"{len(entries)} entries" for name, entries in words.catalogues.items()}
    labels = ref("labels")
    fact = mapping(
        {
            "type": parts.choice(_TYPES),
            "source": parts.known_or_new(sources),
            "title": labels,
            "unit": described(text(), "what the number counts, such as hours or yuan"),
            "range": interval(measured()),
            "values": described(
                {"type": "object", "minProperties": 1, "additionalProperties": labels},
                "each code with its labels",
            ),
            "values_from": described(
                parts.known_or_new(catalogues), "the catalogue whose entries are the values"
            ),
            "open": described(FLAG, "other codes may come; they count as another value"),
        },
        ("type", "source", "title"),
        allOf=[
            _forbidden(["number", "integer"], ("values", "values_from", "open")),
            _forbidden(["boolean"], ("unit", "range", "values", "values_from", "open")),
            _forbidden(["enum"], ("unit", "range")),
            {
                "if": {"properties": {"type": {"const": "enum"}}, "required": ["type"]},
                "then": {"oneOf": [{"required": ["values"]}, {"required": ["values_from"]}]},
            },
        ],
    )
    names = {"pattern": parts.NAME, "not": {"const": "any"}}
    facts = {"type": "object", "propertyNames": names, "additionalProperties": ref("fact")}
    return mapping(
        {"facts": facts},
        ("facts",),
        title="facts.yaml of a Harken rule base",
        **{"$defs": {"fact": fact, "labels": parts.labels(words)}},
    )


def _forbidden(types: list[str], keys: tuple[str, ...]) -> Schema:
    return {
        "if": {"properties": {"type": {"enum": types}}, "required": ["type"]},
        "then": {"properties": dict.fromkeys(keys, parts.never("facts of this type have none"))},
    }


def _cases(words: Vocabulary) -> Schema:
    yielded = {name: _expected(name, words) for name in words.yielded}
    given = {name: given_value(fact) for name, fact in words.given.items()}
    both = {"given": ref("given"), "expect": ref("expect")}
    name = text()
    rows = {"type": "array", "minItems": 1, "items": mapping({"name": name, **both}, ("given",))}
    case = mapping(
        {"name": name, **both, "rows": described(rows, "one case a row; `given` is shared")},
        ("name",),
        **{
            "if": {"required": ["rows"]},
            "then": {
                "if": {"not": {"required": ["expect"]}},
                "then": {"properties": {"rows": {"items": {"required": ["expect"]}}}},
            },
            "else": {"required": ["given", "expect"]},
        },
    )
    definitions_of_facts = definitions(words)
    return mapping(
        {"cases": {"type": "array", "items": ref("case")}},
        ("cases",),
        title="cases of a Harken rule base",
        **{
            "$defs": {
                "case": case,
                "given": described(
                    mapping(given), "the facts that are known; all others are missing"
                ),
                "expect": described(
                    mapping(yielded, minProperties=1),
                    "what must come out; nothing else is compared",
                ),
                **definitions_of_facts,
            }
        },
    )


def _expected(name: str, words: Vocabulary) -> Schema:
    if name not in words.lists:
        return ref(f"condition-{name}")
    value = ref(f"value-{name}")
    listed = {"items": value, "uniqueItems": True}
    held = parts.one_or_many(value)
    return by_shape(
        value,
        items=listed,
        table=mapping({"contains": held, "absent": held}, minProperties=1),
    )


def _catalogue(words: Vocabulary) -> Schema:
    labels = ref("labels")
    departments = {
        code: words.said(one.title) for code, one in words.catalogues.get("departments", {}).items()
    }
    kinds: Mapping[str, Schema] = {
        "strategies": mapping(
            {
                "title": labels,
                "steps": described({"type": "array", "items": labels}, "what to do, in order"),
                "script": described(labels, "words an agent can read aloud"),
                "expectation": described(labels, "what the customer hopes for"),
            },
            ("title", "steps", "script"),
        ),
        "departments": mapping({"title": labels, "group": _REMARK}, ("title",)),
        "escalations": mapping(
            {
                "title": labels,
                "departments": described(
                    {"type": "array", "items": parts.choice(departments)}, "who is asked, in order"
                ),
            },
            ("title", "departments"),
        ),
    }
    other = mapping({"title": labels}, ("title",), additionalProperties=_REMARK)
    names = {name: "" for name in (*kinds, *words.catalogues) if name not in _LEVELS}
    entries: Schema = {"type": "object", "propertyNames": {"maxLength": 128}}
    plain = mapping(
        {"catalogue": parts.known_or_new(names), "entries": entries},
        ("catalogue", "entries"),
        allOf=[
            {
                "if": {"properties": {"catalogue": {"const": kind}}, "required": ["catalogue"]},
                "then": {"properties": {"entries": {"additionalProperties": schema}}},
            }
            for kind, schema in kinds.items()
        ]
        + [
            {
                "if": {"properties": {"catalogue": {"enum": list(kinds)}}},
                "else": {"properties": {"entries": {"additionalProperties": other}}},
            }
        ],
    )
    return {
        "title": "a catalogue of a Harken rule base",
        "type": "object",
        "if": {"required": ["taxonomy"]},
        "then": mapping({"taxonomy": _level(0)}, ("taxonomy",)),
        "else": plain,
        "$defs": {"labels": parts.labels(words)},
    }


_LEVELS = ("categories", "services", "points")

_REMARK = by_shape(text(), items={}, table=ref("labels"))
"""What an entry may say beside what its catalogue asks for: a text, texts, or labels."""


def _level(depth: int) -> Schema:
    properties = {"title": ref("labels")}
    if depth < len(_LEVELS) - 1:
        properties[_LEVELS[depth + 1]] = _level(depth + 1)
    kind: Schema = {"type": "object", "additionalProperties": mapping(properties, ("title",))}
    return {**kind, "type": ["object", "null"]} if depth else kind


_MAKERS: Mapping[str, Callable[[Vocabulary], Schema]] = {
    "decision": decision_schema,
    "facts": _facts,
    "cases": _cases,
    "catalogue": _catalogue,
    "rulebase": _rulebase,
}
