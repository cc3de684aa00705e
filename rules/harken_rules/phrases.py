"""Facts, values and conditions in words, with their labels, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.cases import value_text
from harken_rules.language import (
    Condition,
    FactType,
    Interval,
    Missing,
    OneOf,
    RuleBase,
    Text,
    Within,
)
from harken_rules.reading.numbers import number_text

LANGUAGES = ("en", "zh")
MOST_LISTED = 6
"""Of a longer list of values only the number is said."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "is": "{title} is {value}",
        "true": "yes",
        "false": "no",
        "missing": "not known",
        "known": "known",
        "nothing": "none",
        "comma": ", ",
        "not": "not {}",
        "of": "one of {}",
        "not of": "not one of {}",
        "of many": "one of the {} values named",
        "not of many": "not one of the {} values named",
        "semicolon": "; ",
        "at least": "at least {}",
        "above": "above {}",
        "at most": "at most {}",
        "below": "below {}",
        "and": "{} and {}",
        "any": "any number",
        "another": "another value than those listed",
        "since": "{said}, {wanted}",
    },
    "zh": {
        "is": "{title}为{value}",
        "true": "是",
        "false": "否",
        "missing": "未知",
        "known": "已知",
        "nothing": "无",
        "comma": "、",
        "not": "不是{}",
        "of": "属于{}",
        "not of": "不属于{}",
        "of many": "属于所列{}个值",
        "not of many": "不属于所列{}个值",
        "semicolon": "；",
        "at least": "不低于{}",
        "above": "高于{}",
        "at most": "不高于{}",
        "below": "低于{}",
        "and": "{}且{}",
        "any": "任意数值",
        "another": "所列之外的其他值",
        "since": "{said}，{wanted}",
    },
}

_UNITS = {"hours": "小时", "days": "天", "months": "个月", "years": "年", "yuan": "元"}


@dataclass(frozen=True, slots=True)
class Phrases:
    """Says what a rule base is about in ``language``, in English where it has no words for it."""

    base: RuleBase
    language: str

    def text(self, texts: Text) -> str:
        """The text in the language, or in English, or nothing."""
        return texts.get(self.language) or texts.get("en") or ""

    def word(self, key: str) -> str:
        """One of the fixed words."""
        return _WORDS.get(self.language, _WORDS["en"])[key]

    def title(self, fact: str) -> str:
        """A fact's title; its name if it has none."""
        return self.text(self.base.facts[fact].title) or fact

    def value(self, fact: str, value: object) -> str:
        """A fact's value: a label, a number with its unit, yes or no; a list of them."""
        if value is None:
            return self.word("missing")
        if isinstance(value, tuple):
            return self.listed(fact, value) or self.word("nothing")
        if isinstance(value, bool):
            return self.word("true" if value else "false")
        declared = self.base.facts[fact]
        if declared.type is FactType.ENUM:
            known = str(value) in (declared.values or {})
            return self.base.label(fact, str(value), self.language) if known else f"'{value}'"
        return self._number(fact, value)

    def listed(self, fact: str, values: tuple[object, ...]) -> str:
        """Several values, one after the other."""
        return self.word("comma").join(self.value(fact, each) for each in values)

    def said(self, fact: str, value: object) -> str:
        """``Matter is Charges``."""
        return self.word("is").format(title=self.title(fact), value=self.value(fact, value))

    def held(self, fact: str, condition: Condition, value: object) -> str:
        """A condition that holds for ``value``, which it does not repeat where it says the same."""
        said = self.said(fact, value)
        alone = (
            isinstance(condition, OneOf) and not condition.negated and len(condition.values) == 1
        )
        if alone or isinstance(condition, Missing):
            return said
        return self.word("since").format(said=said, wanted=self.wanted(fact, condition))

    def wanted(self, fact: str, condition: Condition) -> str:
        """What a condition asks of a fact's value."""
        match condition:
            case Missing(wanted=wanted):
                return self.word("missing" if wanted else "known")
            case Within(interval=interval):
                return self.interval(fact, interval)
            case OneOf(values=values, negated=negated):
                no = "not " if negated else ""
                if len(values) > MOST_LISTED:
                    return self.word(f"{no}of many").format(len(values))
                if len(values) > 1:
                    return self.word(f"{no}of").format(self.listed(fact, values))
                said = self.value(fact, values[0])
                return self.word("not").format(said) if negated else said

    def interval(self, fact: str, interval: Interval) -> str:
        """A range of a number, with its unit."""
        said = []
        if interval.low is not None:
            key = "above" if interval.low_open else "at least"
            said.append(self.word(key).format(self._number(fact, interval.low)))
        if interval.high is not None:
            key = "below" if interval.high_open else "at most"
            said.append(self.word(key).format(self._number(fact, interval.high)))
        return self.word("and").format(*said) if len(said) == 2 else (said or [self.word("any")])[0]

    def _number(self, fact: str, value: object) -> str:
        unit = self.base.facts[fact].unit or ""
        if isinstance(value, float):
            value = Decimal(repr(value))
        number = number_text(value) if isinstance(value, Decimal) else value_text(value)
        if self.language == "zh" and unit in _UNITS:
            return f"{number}{_UNITS[unit]}"
        return f"{number} {unit}".rstrip()
