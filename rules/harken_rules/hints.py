"""Words for messages: the nearest known name, and text that is safe to show."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping

_MAX_COMPARED = 500
_SHOWN_VALUE = 60


def did_you_mean(word: str, known: Iterable[str], labels: Mapping[str, str] | None = None) -> str:
    """A hint naming the nearest of ``known``, or else all of them if they are few.

    ``labels`` maps further spellings (a label a person reads) to the known word they stand for.
    """
    names = sorted(set(known))
    if labels and word in labels:
        return f"write '{labels[word]}'"
    compared = names
    if len(names) > _MAX_COMPARED:  # comparing takes long; a misspelling keeps its first letter
        compared = [one for one in names if one[:1] == word[:1]][:_MAX_COMPARED]
    folded = {_folded(name): name for name in compared}
    near = difflib.get_close_matches(_folded(word)[:200], list(folded), n=1, cutoff=0.6)
    if near:
        return f"did you mean '{folded[near[0]]}'?"
    if not names:
        return "none is declared"
    shown = ", ".join(names[:12])
    return f"one of: {shown}" if len(names) <= 12 else f"for example: {shown}, ..."


def shown(text: str) -> str:
    """``text`` as a message may quote it: on one line, printable, not too long."""
    clean = printable(text.replace("\n", " "))
    return clean if len(clean) <= _SHOWN_VALUE else clean[: _SHOWN_VALUE - 3] + "..."


def printable(text: str) -> str:
    """``text`` with tabs widened by one space and control characters replaced."""
    return "".join(" " if ch == "\t" else ch if ch.isprintable() else "�" for ch in text)


def columns(text: str) -> int:
    """How many terminal columns ``text`` takes: a Chinese character takes two."""
    wide = sum(unicodedata.east_asian_width(ch) in "WF" for ch in text)
    narrow = sum(unicodedata.combining(ch) != 0 for ch in text)
    return len(text) + wide - narrow


def _folded(word: str) -> str:
    return word.strip().lower().replace("-", "_").replace(" ", "_")
