"""Values of facts, and conditions on them."""

from __future__ import annotations

from decimal import Decimal

from harken_rules.language import Fact, FactType, Interval
from harken_rules.reading.numbers import number_text
from harken_rules.schemas.parts import (
    Schema,
    by_shape,
    choice,
    described,
    mapping,
    one_or_many,
    ref,
    text,
)
from harken_rules.schemas.vocabulary import Vocabulary

FLAG: Schema = {"enum": [True, False, "true", "false"]}

_BOUNDS = {
    "at_least": "this or more · 不低于",
    "above": "more than this · 高于",
    "at_most": "this or less · 不高于",
    "below": "less than this · 低于",
}


def definitions(words: Vocabulary) -> dict[str, Schema]:
    """``value-<fact>`` and ``condition-<fact>`` of every fact."""
    found = {}
    for name, fact in words.facts.items():
        found[f"value-{name}"] = described(value_of(fact, words), *about(fact, words))
        found[f"condition-{name}"] = described(_condition(fact), *about(fact, words))
    return found


def about(fact: Fact, words: Vocabulary) -> list[str]:
    """What an editor says of a fact: its titles, and its type, unit and range."""
    kind = [fact.type.value, fact.unit or "", _range_text(fact.range)]
    return [words.said(fact.title), ", ".join(one for one in kind if one)]


def value_of(fact: Fact, words: Vocabulary) -> Schema:
    """A value of the fact."""
    if fact.type is FactType.ENUM:
        return choice({code: words.said(text) for code, text in (fact.values or {}).items()})
    if fact.type is FactType.BOOLEAN:
        return FLAG
    return number(fact.unit, whole=fact.type is FactType.INTEGER, within=fact.range)


def given_value(fact: Fact) -> Schema:
    """A value that may be given: of an open enum also codes that are not listed."""
    if not fact.open:
        return ref(f"value-{fact.name}")
    return {"anyOf": [ref(f"value-{fact.name}"), text()]}


def number(
    unit: str | None = None, *, whole: bool = False, within: Interval | None = None
) -> Schema:
    """A number, or a text of one with its unit after it."""
    digits = "[-+]?[0-9]+" if whole else r"[-+]?[0-9]+(\.[0-9]+)?"
    named = f" *{unit.removesuffix('s')}s?" if unit and unit.isalnum() else " *.*" if unit else ""
    schema: Schema = {
        "type": ["integer" if whole else "number", "string"],
        "pattern": f"^{digits}({named})?$" if named else f"^{digits}$",
    }
    for key, bound in (("minimum", within and within.low), ("maximum", within and within.high)):
        if isinstance(bound, Decimal):
            schema[key] = int(bound) if bound == bound.to_integral_value() else float(bound)
    return schema


def measured() -> Schema:
    """A number, or a text of one with any unit after it, for ``check`` to compare."""
    unit = r" *(?![eE][-+]?[0-9])[^\s0-9.].*"
    return {"type": ["number", "string"], "pattern": rf"^[-+]?[0-9]+(\.[0-9]+)?({unit})?$"}


def interval(value: Schema) -> Schema:
    """``{at_least, above, at_most, below}``."""
    bounds = {word: described(value, text) for word, text in _BOUNDS.items()}
    both = [{"required": ["at_least", "above"]}, {"required": ["at_most", "below"]}]
    return mapping(bounds, minProperties=1, **{"not": {"anyOf": both}})


def _condition(fact: Fact) -> Schema:
    value = ref(f"value-{fact.name}")
    table = {"not": one_or_many(value), "missing": FLAG}
    if fact.type in (FactType.ENUM, FactType.BOOLEAN):
        asked = mapping(table, minProperties=1, maxProperties=1)
    else:
        bounds = interval(value)
        asked = mapping(
            {**bounds["properties"], **table},
            minProperties=1,
            **{"not": {"anyOf": [*bounds["not"]["anyOf"], *_alone(tuple(table))]}},
        )
    return by_shape(value, items={"items": value, "minItems": 1, "uniqueItems": True}, table=asked)


def _alone(words: tuple[str, ...]) -> list[Schema]:
    """Mappings in which one of these words does not stand alone."""
    return [{"required": [word], "minProperties": 2} for word in words]


def _range_text(within: Interval) -> str:
    low = within.low is not None and f"{'>' if within.low_open else '≥'} {number_text(within.low)}"
    high = (
        within.high is not None and f"{'<' if within.high_open else '≤'} {number_text(within.high)}"
    )
    return " ".join(one for one in (low, high) if one)
