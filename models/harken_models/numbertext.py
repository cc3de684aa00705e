"""Numbers as people write them: a decimal comma, thousands set apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd

from harken_models.spec import FileFormat

_SPACES = " \u00a0\u202f"
"""Any of them may stand where a space is declared: programs write the narrow ones unasked."""


def is_plain(form: FileFormat) -> bool:
    """Whether numbers are written as everywhere in programs: 1234.5."""
    return form.decimal == "." and not form.thousands


def as_numbers(column: pd.Series, form: FileFormat) -> pd.Series:
    """A column whose number texts are written plainly; NaN for what is no number so written.

    Values that are numbers already stay as they are: only texts have a way of being written.
    """
    return _by_distinct_text(column, lambda text: plain_number(text, form))


def rewritten(column: pd.Series, form: FileFormat, into: FileFormat) -> pd.Series:
    """The number texts of a column written another way.

    What is no number as declared, but would be one the other way, must not become one: it is
    marked, so that it is refused like any other text.
    """
    if (form.decimal, form.thousands) == (into.decimal, into.thousands):
        return column

    def rewrite(text: str) -> str:
        plain = plain_number(text, form)
        if plain is not None:
            return plain.replace(".", into.decimal)
        return text if plain_number(text, into) is None else f"{text} (decimal {form.decimal!r})"

    return _by_distinct_text(column, rewrite)


def plain_number(text: str, form: FileFormat) -> str | None:
    """A number's text with a point and nothing between its digits; None if it is none."""
    found = _pattern(form.decimal, form.thousands).fullmatch(text.strip())
    if found is None:
        return None
    sign, whole, fraction, exponent = found.groups(default="")
    digits = "".join(filter(str.isdigit, whole))
    return f"{sign}{digits or '0'}{'.' + fraction if fraction else ''}{exponent}"


@lru_cache(maxsize=32)
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    # Groups of three, or of two before the last three, as in India.
    apart = f"[{_SPACES}]" if thousands in _SPACES else re.escape(thousands)
    whole = "[0-9]+"
    if thousands:
        whole += rf"|[0-9]{{1,3}}(?:{apart}[0-9]{{2,3}})*{apart}[0-9]{{3}}"
    point = re.escape(decimal)
    return re.compile(
        rf"([+-]?)(?=[0-9{point}]*[0-9])({whole}|)(?:{point}([0-9]*))?([eE][+-]?[0-9]+)?"
    )


def _by_distinct_text(column: pd.Series, convert: Callable[[str], str | None]) -> pd.Series:
    codes, distinct = pd.factorize(column)
    table = np.empty(len(distinct) + 1, dtype=object)
    table[:-1] = [
        convert(value) if isinstance(value, str) else value
        for value in np.asarray(distinct, dtype=object)
    ]
    table[-1] = None
    return pd.Series(table[codes], index=column.index, dtype=object)
