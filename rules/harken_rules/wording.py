"""Short, safe words for values that may be of any type and any size."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from harken_rules.language import Interval

NUMBERS = int | float | Decimal | np.number


def in_words(interval: Interval) -> str:
    """``interval`` as a person says it."""
    words = []
    if interval.low is not None:
        words.append(f"{'above' if interval.low_open else 'at least'} {interval.low}")
    if interval.high is not None:
        words.append(f"{'below' if interval.high_open else 'at most'} {interval.high}")
    return " and ".join(words)


def kind(value: object) -> str:
    """What sort of thing ``value`` is, in words."""
    if isinstance(value, bool | np.bool_):
        return "true or false"
    if isinstance(value, NUMBERS):
        return f"a number, {describe(value)}"
    if isinstance(value, str):
        return f"text, {describe(value)}"
    return f"a {type(value).__name__}"


def describe(value: object, limit: int = 40) -> str:
    """``value`` in at most about ``limit`` characters, however large it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= limit else value[: limit - 1] + "…")
    if isinstance(value, int) and value.bit_length() > 3 * limit:
        # Python refuses to write out an integer of many thousand digits.
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, NUMBERS | bool | np.bool_):
        text = str(value)
        return text if len(text) <= limit else text[: limit - 1] + "…"
    return type(value).__name__


def suggest(word: str, known: Sequence[str]) -> str:
    """A hint at the known value that ``word`` resembles, or at what there is."""
    near = difflib.get_close_matches(word, known, n=1) if len(word) <= 64 else []
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return f"its values are {shown}" if known else ""
