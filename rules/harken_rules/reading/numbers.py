"""Exact numbers, their units and ranges."""

from __future__ import annotations

import re
from decimal import Decimal

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import FactType, Interval
from harken_rules.reading.shapes import as_table, as_text
from harken_rules.source import Node

MAX_DIGITS = 15

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_WITH_UNIT = re.compile(
    r"(?P<number>[-+]?[.,_]*[0-9][0-9.,_]*(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>[^\W\d].*)?"
)
_BOUNDS = ("at_least", "above", "at_most", "below")
_SIGNS = {">=": "at_least", ">": "above", "<=": "at_most", "<": "below"}
_WORDS = {"min": "at_least", "minimum": "at_least", "max": "at_most", "maximum": "at_most"}


def read_number(
    node: Node, what: str, report: Report, *, unit: str | None = None, whole: bool = False
) -> Decimal | None:
    """An exact decimal, with or without ``unit`` after it; otherwise reported.

    At most 15 significant digits, 15 places after the point, no exponent: inside these limits
    the shortest text of a binary float is the decimal itself, so comparing with a cut is exact.
    """
    text = as_text(node, what, report)
    if text is None:
        return None
    parts = _WITH_UNIT.fullmatch(text.strip())
    if parts is None:
        message = f"{what} is a number, not '{shown(text)}'"
        report.error("type-mismatch", node.place, message)
        return None
    if parts["unit"] and not _same_unit(parts["unit"].strip(), unit):
        _wrong_unit(node, what, parts["number"], parts["unit"], unit, report)
        return None
    number = _exact(parts["number"], node, what, report)
    if number is not None and whole and number != number.to_integral_value():
        message = f"{what} is a whole number, not {parts['number']}"
        report.error("type-mismatch", node.place, message)
        return None
    return number


def read_interval(
    node: Node,
    what: str,
    report: Report,
    *,
    unit: str | None = None,
    whole: bool = False,
    within: Interval | None = None,
    also: tuple[str, ...] = (),
) -> Interval | None:
    """``{at_least, above, at_most, below}`` as an interval that holds at least one number.

    ``also``: further words that could have stood here, for suggestions.
    """
    found = _read_bounds(node, what, also, report)
    if found is None:
        return None
    for one, other in (("at_least", "above"), ("at_most", "below")):
        if one in found and other in found:
            message = f"a range of {what} says both {one} and {other}"
            report.error("wrong-shape", found[other].place, message, "keep one of the two")
            return None
    bounds: dict[str, Decimal] = {}
    for key, value in found.items():
        number = read_number(value, f"'{key}' of {what}", report, unit=unit, whole=whole)
        if number is not None:
            bounds[key] = number
            if within is not None:
                check_range(value, number, what, within, report)
    if len(bounds) < len(found):
        return None
    interval = Interval(
        low=bounds.get("at_least", bounds.get("above")),
        high=bounds.get("at_most", bounds.get("below")),
        low_open="above" in bounds,
        high_open="below" in bounds,
    )
    if is_empty(interval, whole=whole):
        message = f"{what}: no {'whole ' if whole else ''}number is {interval_text(interval)}"
        report.error("empty-range", node.place, message, "exchange or correct the bounds")
        return None
    return interval


def check_range(node: Node, number: Decimal, what: str, within: Interval, report: Report) -> None:
    """Report ``number`` if it lies outside ``within``; a bound itself counts as inside."""
    too_low = within.low is not None and number < within.low
    too_high = within.high is not None and number > within.high
    if too_low or too_high:
        message = f"{number_text(number)} is out of range: {what} is {interval_text(within)}"
        report.error("out-of-range", node.place, message)


def is_empty(interval: Interval, *, whole: bool) -> bool:
    """Whether no number (no whole number, if ``whole``) lies in ``interval``."""
    low, high = interval.low, interval.high
    if low is None or high is None:
        return False
    if whole:
        first = low.to_integral_value(rounding="ROUND_CEILING")
        last = high.to_integral_value(rounding="ROUND_FLOOR")
        first += 1 if interval.low_open and first == low else 0
        last -= 1 if interval.high_open and last == high else 0
        return first > last
    return low > high or (low == high and (interval.low_open or interval.high_open))


def number_text(number: Decimal) -> str:
    """The number without exponent and without trailing zeros: the canonical spelling."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def interval_text(interval: Interval) -> str:
    """The interval in the language's own words."""
    words = []
    if interval.low is not None:
        word = "above" if interval.low_open else "at least"
        words.append(f"{word} {number_text(interval.low)}")
    if interval.high is not None:
        word = "below" if interval.high_open else "at most"
        words.append(f"{word} {number_text(interval.high)}")
    return " and ".join(words) or "any number"


def wants_whole(kind: FactType) -> bool:
    """Whether a fact of this type takes whole numbers only."""
    return kind is FactType.INTEGER


def _exact(text: str, node: Node, what: str, report: Report) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        hint = "write digits and a point only: 0.0015, 12000"
        message = f"{what}: '{shown(text)}' is not written as a plain number"
        report.error("bad-number", node.place, message, hint)
        return None
    whole, _, decimals = text.lstrip("+-").partition(".")
    whole, decimals = whole.lstrip("0"), decimals.rstrip("0")
    significant = len((whole + decimals).lstrip("0"))
    if significant > MAX_DIGITS or len(decimals) > MAX_DIGITS:
        message = f"{what}: {shown(text)} has more than {MAX_DIGITS} significant digits"
        hint = f"round it to at most {MAX_DIGITS} digits, and as many after the point"
        report.error("bad-number", node.place, message, hint)
        return None
    sign = "-" if text.startswith("-") and significant else ""
    return Decimal(f"{sign}{whole or '0'}.{decimals}" if decimals else f"{sign}{whole or '0'}")


def _same_unit(written: str, unit: str | None) -> bool:
    return unit is not None and written.removesuffix("s") == unit.removesuffix("s")


def _wrong_unit(
    node: Node, what: str, number: str, written: str, unit: str | None, report: Report
) -> None:
    if unit is None:
        message = f"{what} has no unit, so '{shown(written)}' cannot stand here"
        report.error("unit-mismatch", node.place, message, f"write {number}")
    else:
        message = f"{what} is in {unit}, not in '{shown(written)}'"
        report.error("unit-mismatch", node.place, message, f"write the number in {unit}")


def _read_bounds(
    node: Node, what: str, also: tuple[str, ...], report: Report
) -> dict[str, Node] | None:
    """The bounds by their word, at least one; None if any key is not a bound."""
    table = as_table(node, f"a range of {what}", report)
    if table is None:
        return None
    found = {key.text: value for key, value in table.entries if key.text in _BOUNDS}
    for key, _ in table.entries:
        if key.text not in found:
            word = _SIGNS.get(key.text) or _WORDS.get(key.text.lower())
            hint = f"write {word}" if word else did_you_mean(key.text, [*_BOUNDS, *also])
            message = f"a range of {what} has no key '{shown(key.text)}'"
            report.error("unknown-key", key.place, message, hint)
    if not table.entries:
        hint = f"one of: {', '.join(_BOUNDS)}"
        report.error("wrong-shape", node.place, f"a range of {what} has no bound", hint)
    return found if found and len(found) == len(table.entries) else None
