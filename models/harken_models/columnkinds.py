"""What one column seems to hold, by its texts and its name."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from harken_models.numbertext import plain_number
from harken_models.spec import FALSE_WORDS, TRUE_WORDS, FileFormat
from harken_models.timeshapes import time_shapes
from harken_models.timetext import ISO, NOT_A_TIME, times_us

Kind = Literal["id", "category", "number", "flag", "time", "text", "constant", "empty"]

MOSTLY = 0.9
"""Of the distinct texts, for a column to be of a kind; the others are shown as odd."""

FLAG_WORDS = (
    (TRUE_WORDS, FALSE_WORDS),
    (("Y", "y"), ("N", "n")),
    (("T", "t"), ("F", "f")),
    (("是",), ("否",)),
    (("有",), ("无",)),
    (("on", "On", "ON"), ("off", "Off", "OFF")),
    (("1.0",), ("0.0",)),
)
_ID_NAME = re.compile(
    r"(?i:(?:^|[\s_.-])(?:id|uuid|key|nr|no|number|case)$)|[a-z]I[Dd]$|编号|单号|号码",
)
_CODE_NAME = re.compile(r"zip|post.?code|postal|邮编|phone|mobile|手机|(?:^|[\s_-])code$", re.I)


Look = tuple[Kind, tuple[str, ...], tuple[str, ...]]


def kind_of(
    name: str, known: pd.Series, texts: list[str], rows: int, distinct: int, form: FileFormat
) -> Look:
    """The kind of a column, its time formats, and the texts that do not fit."""
    if not distinct:
        return "empty", (), ()
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return "time", (), ()
    if distinct == 1 and len(known) == rows:
        return "constant", (), ()
    if pd.api.types.is_bool_dtype(known.dtype) or _is_flag(texts):
        return "flag", (), ()
    times = _times(texts)
    if times is not None:
        return times
    return _number(name, known, texts, distinct, form) or _words(name, known, texts, distinct)


def _is_flag(texts: list[str]) -> bool:
    known = (set(yes) | set(no) for yes, no in FLAG_WORDS)
    if len(texts) == 1:  # and blank elsewhere
        return any(texts[0] in yes for yes, _ in FLAG_WORDS)
    return len(texts) == 2 and any(set(texts) <= words for words in known)


def _times(texts: list[str]) -> Look | None:
    shapes = time_shapes(texts)
    if shapes.other > (1 - MOSTLY) * len(texts):
        return None
    ranked = sorted(shapes.counts.items(), key=lambda item: (-item[1], item[0]))
    # A strptime format reads ISO dates too, but not the other way round.
    formats = tuple(form for form, _ in ranked)
    read = times_us(pd.Series(texts, dtype=object), formats, "UTC")
    odd = tuple(text for text, at in zip(texts, read, strict=True) if at == NOT_A_TIME)
    if len(odd) > (1 - MOSTLY) * len(texts):
        return None
    if formats == ("%Y%m%d",) and (odd or len(texts) < 3):
        return None  # eight digits are as likely a number
    return "time", () if formats == (ISO,) else formats, odd


def _number(
    name: str, known: pd.Series, texts: list[str], distinct: int, form: FileFormat
) -> Look | None:
    if pd.api.types.is_numeric_dtype(known.dtype):
        plain: list[str | None] = [str(text).removesuffix(".0") for text in texts]
    else:
        plain = [plain_number(text, form) for text in texts]
    odd = tuple(text for text, number in zip(texts, plain, strict=True) if number is None)
    if len(odd) > (1 - MOSTLY) * len(texts):
        return None
    whole = all(number is None or number.lstrip("+-").isdigit() for number in plain)
    padded = any(len(text) > 1 and text.startswith("0") and text.isdigit() for text in texts)
    alone = distinct >= 0.95 * len(known) and len(known) >= 20
    if whole and _ID_NAME.search(name) and (alone or distinct > 50):
        return "id", (), ()
    if whole and (padded or _CODE_NAME.search(name)):
        return "category", (), ()
    return "number", (), odd


def _words(name: str, known: pd.Series, texts: list[str], distinct: int) -> Look:
    long = sum(len(text) > 40 or len(text.split()) > 5 for text in texts) > 0.5 * len(texts)
    if long and distinct > 0.2 * len(known):
        return "text", (), ()
    if distinct >= 0.95 * len(known) and len(known) >= 20:
        return "id", (), ()
    if _ID_NAME.search(name) and distinct > 50:
        return "id", (), ()
    return "category", (), ()
