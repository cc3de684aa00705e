"""What somebody wants a result to be: ``level=5``, ``severity>=3.6``, ``strategies=call_back``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from harken_rules.cases import holds
from harken_rules.given import GivenError, GivenProblem, is_too_long
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import (
    Condition,
    Constant,
    Decision,
    Fact,
    FactType,
    Hit,
    Interval,
    Missing,
    OneOf,
    RuleBase,
    Within,
)
from harken_rules.reading.expectations import Listed
from harken_rules.reading.numbers import interval_text, is_empty, wants_whole

_GOAL = re.compile(r"\s*([^=<>!]*[^\s=<>!])\s*(>=|<=|!=|==|=|>|<)\s*(.*?)\s*", re.DOTALL)
_EXAMPLE = "write it like level=5, severity>=3.6 or tolerance!=low"


@dataclass(frozen=True, slots=True)
class Goal:
    """A ``result`` of ``decision`` and what it is to be; ``text`` is how that was written."""

    text: str
    result: str
    decision: Decision
    wanted: Condition | Listed

    def reached(self, value: object) -> bool:
        """Whether the result is as wanted."""
        return holds(self.wanted, value)


def read_goal(text: str, base: RuleBase) -> Goal:
    """The goal that ``text`` states; raises GivenError if it is none of this rule base."""
    parts = _GOAL.fullmatch(text)
    if parts is None:
        raise _no_goal(shown(text), "this is no outcome", _EXAMPLE)
    name, sign, written = parts.groups()
    decision = next((one for one in base.decisions if name in one.results), None)
    if decision is None:
        if name in base.facts:
            message = "it is given, no decision yields it"
            raise _no_goal(name, message, "ask about a result of a decision")
        raise _no_goal(shown(name), "no decision yields it", nearest_result(name, base))
    fact = base.facts[name]
    if decision.hit is Hit.ALL:
        return Goal(text, name, decision, _listed(fact, sign, written))
    return Goal(text, name, decision, _condition(fact, sign, written))


def nearest_result(name: str, base: RuleBase) -> str:
    """A hint at the result that was meant, which may be called by its title."""
    results = [each for one in base.decisions for each in one.results]
    titles = {text: each for each in results for text in base.facts[each].title.values()}
    return did_you_mean(name, results, titles)


def _listed(fact: Fact, sign: str, written: str) -> Listed:
    if sign not in ("=", "==", "!="):
        raise _no_goal(fact.name, "it is a list of values", "ask with = or !=")
    value = (_value(fact, written),)
    return Listed(absent=value) if sign == "!=" else Listed(contains=value)


def _condition(fact: Fact, sign: str, written: str) -> Condition:
    if written == "missing" and written not in (fact.values or {}) and sign in ("=", "==", "!="):
        return Missing(wanted=sign != "!=")
    value = _value(fact, written)
    if sign in ("=", "==", "!="):
        return OneOf((value,), negated=sign == "!=")
    if not isinstance(value, Decimal):
        raise _no_goal(fact.name, f"its values have no order, so '{sign}' means nothing", "use =")
    is_open = sign in ("<", ">")
    upward = sign in (">=", ">")
    return Within(Interval(low=value, low_open=is_open) if upward
                  else Interval(high=value, high_open=is_open))  # fmt: skip


def _value(fact: Fact, written: str) -> Constant:
    match fact.type:
        case FactType.ENUM:
            values = fact.values or {}
            labels = {label: code for code, texts in values.items() for label in texts.values()}
            if written not in values:
                hint = did_you_mean(written, values, labels)
                raise _no_goal(fact.name, f"it has no value '{shown(written)}'", hint)
            return written
        case FactType.BOOLEAN:
            if written not in ("true", "false"):
                message = f"it is true or false, not '{shown(written)}'"
                raise _no_goal(fact.name, message)
            return written == "true"
        case _:
            return _number(fact, written)


def _number(fact: Fact, written: str) -> Decimal:
    try:
        number = Decimal(written.removesuffix(fact.unit or "").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or is_too_long(number):
        raise _no_goal(fact.name, f"it is a number, not '{shown(written)}'")
    if wants_whole(fact.type) and number != number.to_integral_value():
        raise _no_goal(fact.name, f"it is a whole number, not {shown(written)}")
    low, high = fact.range.low, fact.range.high
    if is_empty(Interval(number, high), whole=False) or is_empty(
        Interval(low, number), whole=False
    ):
        raise _no_goal(fact.name, f"it is never {written}", f"it is {interval_text(fact.range)}")
    return number


def _no_goal(name: str, message: str, hint: str = "") -> GivenError:
    return GivenError([GivenProblem(name, message, hint)])
