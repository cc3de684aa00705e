"""Which column may be the outcome, and which of its texts the complaint."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harken_models.columnkinds import FLAG_WORDS
from harken_models.guesslog import LogGuess, changing, codes
from harken_models.sniffing import Sniffed, SniffedColumn
from harken_models.yamlwrite import listed, quoted

_OUTCOME = re.compile(
    r"label|target|churn|escalat|disput|complain(?:ed|s|t)?$|attrition|exited|outcome|投诉$|流失|升级",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LabelGuess:
    """``text``: what stands in the braces of ``label``. ``column`` None: it is counted."""

    column: str | None
    text: str
    because: str


def guess_label(sniffed: Sniffed, name: str | None, log: LogGuess | None) -> LabelGuess | None:
    """The outcome: the column named, else one whose name says so; of a log, else a number of
    hand-overs. Raises DataError."""
    if name is None:
        said = [column for column in two_valued(sniffed) if _OUTCOME.search(column.name)]
        if not said:
            return _counted(log)
        name = said[0].name
    column = sniffed.column(name)
    positive = _positive(column)
    shown = _shares(sniffed, column)
    if log is not None and changing(sniffed.frame[name], codes(sniffed.frame[log.case])) > 0.01:
        text = f"event: {{column: {quoted(name)}, values: {listed((positive,))}}}"
        return LabelGuess(name, text, f"it comes to this later; {shown}")
    text = f"column: {quoted(name)}, positive: {listed((positive,))}"
    others = [word for word in column.examples if word != positive]
    if column.distinct == 2 and others:
        text += f", negative: {listed((others[0],))}"
    elif column.distinct == 1:
        text += ", blank_is: negative"
    return LabelGuess(name, text, shown)


def two_valued(sniffed: Sniffed) -> list[SniffedColumn]:
    """Columns of two texts, or of one and blanks."""
    return [
        column
        for column in sniffed.columns
        if column.kind in ("flag", "category", "number")
        and (column.distinct == 2 or (column.distinct == 1 and column.missing))
    ]


def _counted(log: LogGuess | None) -> LabelGuess | None:
    if log is None or log.reaches is None:
        return None
    least, come, of = log.reaches
    text = f"reaches: {{handover_count: {least}}}"
    return LabelGuess(None, text, f"{come:,} of {of:,} grumbles come to it")


def _positive(column: SniffedColumn) -> str:
    """The word for yes; else the rarest of those shown, which are in order of their frequency."""
    for word in column.examples:
        if any(word in yes for yes, _ in FLAG_WORDS):
            return word
    return column.examples[-1] if column.examples else ""


def _shares(sniffed: Sniffed, column: SniffedColumn) -> str:
    texts = sniffed.frame[column.name].astype(str).str.strip()
    counts = [f"{word} {int((texts == word).sum()):,}" for word in column.examples]
    blank = [f"blank {column.missing:,}"] if column.missing else []
    return "rows: " + ", ".join([*counts, *blank])
