"""The pieces all schemas are made of: names, labels, numbers, alternatives by shape.

YAML gives a program the number 5 where a rule file says ``5``, and the text "5" where it says
``"5"``; to the rules both are the same, so schemas take both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harken_rules.language import Text
from harken_rules.schemas.vocabulary import Vocabulary

Schema = dict[str, Any]

NAME = "^[a-z][a-z0-9_]{0,63}$"
RULE_ID = "^[a-z0-9][a-z0-9_-]{0,99}$"

_TYPED = re.compile(r"true|false|null|[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")


def never(why: str) -> Schema:
    """Nothing may stand here. (A plain ``false`` is reported at the mapping, not at the key.)"""
    return {"not": {}, "description": why}


def mapping(
    properties: Mapping[str, Schema], required: Iterable[str] = (), **more: object
) -> Schema:
    """A mapping with these keys and no others."""
    schema: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    if required := list(required):
        schema["required"] = required
    return {**schema, **more}


def ref(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def choice(values: Mapping[str, str]) -> Schema:
    """One of these codes, each with a text that an editor shows beside it."""
    codes, texts = [], []
    for code, text in values.items():
        for spelled in _spellings(code):
            codes.append(spelled)
            texts.append(text)
    return {"enum": codes, "enumDescriptions": texts}


def _spellings(code: str) -> list[object]:
    """The code as YAML gives it: ``1`` and ``true`` are no text unless quoted."""
    if not _TYPED.fullmatch(code):
        return [code]
    return [code, json.loads(code.removeprefix("+"))]


def known_or_new(values: Mapping[str, str], pattern: str = NAME) -> Schema:
    """A known name, which the editor offers, or a new one."""
    if not values:
        return {"type": "string", "pattern": pattern}
    return {"anyOf": [choice(values), {"type": "string", "pattern": pattern}]}


def one_or_many(value: Schema) -> Schema:
    """A value, or a list of different ones."""
    return by_shape(value, items={"items": value, "minItems": 1, "uniqueItems": True})


def by_shape(value: Schema, *, items: Schema | None = None, table: Schema | None = None) -> Schema:
    """What a single value, a list and a mapping must be like; what is None may not stand here.

    Chosen by ``if``, so that a mistake is reported where it is and not as "matches nothing".
    """
    kinds = [("array", items), ("object", table)]
    allowed = [kind for kind, schema in kinds if schema is not None]
    shapes: Schema = {"allOf": []}
    for kind, schema in kinds:
        if schema is not None:
            shapes["allOf"].append({"if": {"type": kind}, "then": schema})
    shapes["allOf"].append({"if": {"not": {"type": allowed}}, "then": value})
    return shapes


def text() -> Schema:
    """A text a person reads; what looks like a number is a text too."""
    return {"type": ["string", "number", "boolean"], "pattern": r"\S"}


def labels(words: Vocabulary) -> Schema:
    """A text in each of the rule base's languages."""
    return mapping({one: text() for one in words.languages}, words.languages)


def described(schema: Schema, *texts: str) -> Schema:
    """The schema with a description of the parts that are not empty."""
    return {**schema, "description": "\n\n".join(one for one in texts if one)}


def joined(words: Vocabulary, titles: Mapping[str, Text]) -> dict[str, str]:
    """Names with their titles in all languages."""
    return {name: words.said(title) or name for name, title in titles.items()}
