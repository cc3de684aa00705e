"""An evaluation for the terminal, in eighty columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harken_models.evaluation import lines
from harken_models.evaluation.drifted import LOOK
from harken_models.evaluation.report import Plain
from harken_models.evaluation.words import Say, named, say

MOST = 8
"""Parts of a slice that are shown; the JSON and the page have all."""
MOST_LETTERS = 15
_SLICE_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 8, 9)
"""Without the calibration error: what fits eighty columns."""


def print_evaluation(console: Console, found: Plain, language: str) -> None:
    """Every figure, the whole first."""
    w = partial(say, language)
    for note in lines.notes(found, w):
        _line(console, note, "yellow")
    for words in lines.head_lines(found, w):
        _line(console, words)
    if found["against"] is not None:
        _line(console, w("against", found["against"]["model_digest"]))
    _table(console, "", lines.figure_heads(found, w), lines.figure_rows(found, w))
    if found["against"] is not None:
        _line(console, lines.verdict_words(found, w), "bold")
    _line(console, lines.line_words(found["line"], w), "bold")
    heads = (w("wanted"), w("at_line"), w("workload_reduction"), w("interval"))
    _table(console, w("targets"), heads, lines.target_rows(found))
    _capacity(console, found, w)
    _calibration(console, found, w)
    for by, parts in found["slices"].items():
        _parts(console, w("by", named(w, by)), named(w, by), parts, "value", w)
    for key in ("open_then", "same_grumbles"):
        parts = found["age"][key]
        if parts:
            _parts(console, w(key, parts[-1]["rows"]), w("hours"), parts, "hours", w)
    _drift(console, found, w)


def _capacity(console: Console, found: Plain, w: Say) -> None:
    if found["capacity"]:
        title = w("capacity", found["grumbles"], found["window"]["days"])
        names = ("per_day", "recall", "interval", "precision", "interval", "called")
        _table(console, title, [w(name) for name in names], lines.capacity_rows(found))


def _calibration(console: Console, found: Plain, w: Say) -> None:
    rows = [
        (
            f"{each['predicted']:.2%}", f"{each['observed']:.2%}",
            f"{each['low']:.2%} – {each['high']:.2%}", f"{each['rows']:,}",
        )
        for each in found["calibration"]
    ]  # fmt: skip
    heads = (w("predicted"), w("observed"), w("interval"), w("rows"))
    _table(console, w("calibration"), heads, rows, texts=0)


def _parts(
    console: Console, title: str, first: str, parts: Sequence[Plain], key: str, w: Say
) -> None:
    rows = [lines.part_row(_name(part[key], w), part, w) for part in parts]
    heads = lines.part_heads(first, w)
    kept = [tuple(row[place] for place in _SLICE_COLUMNS) for row in (heads, *rows)]
    _table(console, title, kept[0], kept[1:][:MOST])
    if len(rows) > MOST:
        _line(console, w("more", len(rows) - MOST), "dim")


def _drift(console: Console, found: Plain, w: Say) -> None:
    if found["drift"] is None:
        _line(console, w("no_drift"), "dim")
        return
    _line(
        console,
        f"{w('drift')}{w('colon')}{w('probability')} {found['drift']['probability']:.3f}", "bold",
    )  # fmt: skip
    moved = lines.moved_rows(found, w, every=False)
    if moved:
        _table(console, "", (w("field"), w("psi"), w("verdict")), moved)
    else:
        _line(console, w("all_stable", LOOK))


def _name(value: object, w: Say) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return w("none") if value is None else _short(str(value))


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"


def _table(
    console: Console,
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    texts: int = 1,
) -> None:
    if title:
        _line(console, title, "italic")
    table = Table(box=SIMPLE_HEAD, padding=0)  # eighty columns are all there is
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if place < texts else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _line(console: Console, words: str, style: str = "") -> None:
    console.print(Text(words, style), soft_wrap=True)
