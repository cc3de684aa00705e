"""The text in a cell that is a condition or a value, both ways.

    charges              has this value           missing          is missing
    charges, monternet   has one of these         known            is known
    not: a, b            has none of these        >= 24 and < 48   lies between
    > 24 hours           is more than that        [24, 48)         lies between

A code that could be read as anything else stands in double quotes; a quote in it is doubled.
Commas, colons and comparison signs may be those of a Chinese keyboard.
"""

from __future__ import annotations

import re

from harken_rules.language import Place
from harken_rules.sheets.plain import Plain, as_list, as_text
from harken_rules.source import Items, Node, Scalar, Table

_SIGNS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}
_BOUNDS = {sign: bound for bound, sign in _SIGNS.items()}
_BOUNDS |= {"≥": "at_least", "＞": "above", "≤": "at_most", "＜": "below"}
_BOUNDS |= {"=>": "at_least", "=<": "at_most"}

_SIGN = re.compile(r">=|=>|<=|=<|>|<|≥|≤|＞|＜")
_NOT = re.compile(r"not\s*[:：]\s*(?P<values>.*)", re.IGNORECASE | re.DOTALL)
_INTERVAL = re.compile(
    r"(?P<open>[\[(（【])\s*(?P<low>[^,，]*?)\s*[,，]\s*(?P<high>[^,，]*?)\s*(?P<close>[\])）】])"
)
_AND = re.compile(r"\s+and\s+|[,，且]", re.IGNORECASE)
_COMMAS = ",，、"
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_FROM_TO = re.compile(r"(?P<low>[\d.]+)\s*(?:-|–|—|~|～|\.\.|to|至|到)\s*(?P<high>[\d.]+)")
_SPECIAL_START = re.compile(r"[\"\[(（【<>=≥≤＞＜]|not\s*[:： ]", re.IGNORECASE)
_EXAMPLE = "write >= 24 and < 48"
_WORDS = {"missing": "true", "known": "false"}


class CellError(Exception):
    """A cell cannot be read; ``hint`` says how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def value_text(value: Plain) -> str:
    """A value, or a list of values, as it stands in a cell."""
    return ", ".join(_quoted(as_text(one)) for one in as_list(value))


def condition_text(condition: Plain) -> str:
    """A condition as it stands in a cell."""
    if not isinstance(condition, dict):
        return value_text(condition)
    if "missing" in condition:
        return "missing" if condition["missing"] == "true" else "known"
    if "not" in condition:
        return f"not: {value_text(condition['not'])}"
    return " and ".join(f"{_SIGNS[key]} {as_text(value)}" for key, value in condition.items())


def read_values(text: str, place: Place, *, numeric: bool = False) -> Node:
    """One value, or a list of them; raises CellError."""
    if numeric and _GROUPED.fullmatch(text.strip()):
        raise CellError(f"'{text.strip()}' has a comma in it", "write the number without commas")
    pieces = [Scalar(place, piece, True) for piece in _split(text)]
    return pieces[0] if len(pieces) == 1 else Items(place, tuple(pieces))


def read_condition_text(text: str, place: Place, *, numeric: bool = False) -> Node:
    """A condition as YAML would have it; raises CellError.

    ``numeric``: the fact is a number, so that ``1,000`` and ``24-48`` can be told apart from codes.
    """
    text = text.strip()
    word = _WORDS.get(text.casefold())
    if word is not None:
        return _table(place, "missing", Scalar(place, word, True))
    negated = _NOT.fullmatch(text)
    if negated and not negated["values"].strip():
        raise CellError("there is no value after `not:`", "write not: a, b")
    if negated:
        return _table(place, "not", read_values(negated["values"], place, numeric=numeric))
    if text.casefold().startswith("not "):
        raise CellError("`not` needs a colon after it", f"write not: {text[4:].strip()}")
    if _SIGN.match(text):
        return _read_bounds(text, place)
    interval = _INTERVAL.fullmatch(text) if numeric else None
    if interval:
        return _read_interval(interval, place)
    if not numeric and text.startswith("[") and text.endswith("]"):  # as a list stands in YAML
        return read_values(text[1:-1], place)
    span = _FROM_TO.fullmatch(text)
    if numeric and span:
        low, high = span["low"], span["high"]
        raise CellError(
            f"'{text}' does not say whether its ends belong to it",
            f"write [{low}, {high}] with both ends, or [{low}, {high}) without {high}",
        )
    return read_values(text, place, numeric=numeric)


def _table(place: Place, key: str, value: Node) -> Table:
    return Table(place, ((Scalar(place, key, True), value),))


def _read_bounds(text: str, place: Place) -> Table:
    bounds: dict[str, str] = {}
    for part in _AND.split(text):
        sign = _SIGN.match(part.strip())
        if sign is None:
            digits = part.strip().isdecimal()
            hint = "write numbers with a point and without commas" if digits else _EXAMPLE
            raise CellError(f"'{part.strip()}' has no comparison sign", hint)
        bound = _BOUNDS[sign[0]]
        if bound in bounds:
            raise CellError(f"'{sign[0]}' stands here twice", "keep one of the two")
        bounds[bound] = part.strip()[sign.end() :].strip()
        if not bounds[bound]:
            raise CellError(f"there is no number after '{sign[0]}'", _EXAMPLE)
    return _bounds_table(bounds, place)


def _read_interval(parts: re.Match[str], place: Place) -> Table:
    bounds = {}
    if parts["low"]:
        bounds["at_least" if parts["open"] in "[【" else "above"] = parts["low"]
    if parts["high"]:
        bounds["at_most" if parts["close"] in "]】" else "below"] = parts["high"]
    if not bounds:
        raise CellError("a range without any bound", "write [24, 48) or >= 24")
    return _bounds_table(bounds, place)


def _bounds_table(bounds: dict[str, str], place: Place) -> Table:
    entries = [
        (Scalar(place, key, True), Scalar(place, text, True)) for key, text in bounds.items()
    ]
    return Table(place, tuple(entries))


def _split(text: str) -> list[str]:
    """The values between commas, quotes resolved."""
    found: list[str] = []
    rest = text.strip()
    while True:
        if rest.startswith('"'):
            value, rest = _unquoted(rest)
        else:
            end = next((i for i, ch in enumerate(rest) if ch in _COMMAS), len(rest))
            value, rest = rest[:end].strip(), rest[end:]
            if not value:
                raise CellError("a value is missing beside a comma", "remove the comma")
        found.append(value)
        if not rest:
            return found
        if rest[0] not in _COMMAS:
            raise CellError(f"something stands behind the quotes: {rest}", "put a comma between")
        rest = rest[1:].strip()


def _unquoted(text: str) -> tuple[str, str]:
    """The value in the quotes that ``text`` begins with, and what stands behind them."""
    closed = re.match(r'"((?:[^"]|"")*)"\s*', text)
    if closed is None:
        raise CellError("a quote is not closed", 'write "like this"; double a quote inside')
    return closed[1].replace('""', '"'), text[closed.end() :]


def _quoted(value: str) -> str:
    special = (
        not value
        or value != value.strip()
        or value.casefold() in _WORDS
        or _SPECIAL_START.match(value) is not None
        or any(ch in value for ch in _COMMAS + '"')
    )
    return '"' + value.replace('"', '""') + '"' if special else value
