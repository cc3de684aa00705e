"""An impact for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harken_server.impact.summary import Plain
from harken_server.impact.words import say

MOST = 8
"""Rows of a table; the JSON and the page have all."""


def print_impact(console: Console, impact: Plain, language: str) -> None:
    """Every figure, the whole first."""
    w = partial(say, language)

    def line(text: str, style: str = "") -> None:
        console.print(Text(text, style), soft_wrap=True)

    for words in head_lines(impact, language):
        line(words)
    changed = impact["changed"]
    if not changed["changed"] and not changed["advice_only"]:
        line(w("unchanged"), "bold green")
    _transitions(console, impact, language)
    _workload(console, impact["workload"], language)
    _outcomes(console, impact, language)
    if impact["causes"]:
        line(w("causes"), "bold")
        causes = [
            (c["decision"], _rules(c["old"], w), _rules(c["new"], w), f"{c['rows']:,}")
            for c in impact["causes"]
        ]
        columns = (w("decision"), w("fired_old"), w("fired_new"), w("rows"))
        _table(console, columns, causes, w("more", len(causes) - MOST), texts=3)
    _groups(console, impact, language)
    for name, rows in impact["advice"].items():
        differing = [row for row in rows if row["gained"] or row["lost"]]
        if differing:
            cells = [
                (_code(row), *(f"{row[which]:,}" for which in ("old", "new", "gained", "lost")))
                for row in differing
            ]
            heads = (w(name), w("old"), w("new"), w("gained"), w("lost"))
            _table(console, heads, cells, w("more", len(cells) - MOST))
    if impact["sample"]:
        line(w("sample"), "bold")
        for each in impact["sample"][:MOST]:
            moved = f"{level(each['old'], w)} → {level(each['new'], w)}"
            line(f"  {each['grumble_id']}{w('colon')}{moved}")
            for why in each["why"][:4]:
                old, new = _rules(why["old"], w), _rules(why["new"], w)
                line(f"    {why['decision']}{w('colon')}{old} → {new}", "dim")
            if len(each["why"]) > 4:
                line(f"    {w('more', len(each['why']) - 4)}", "dim")


def head_lines(impact: Plain, language: str) -> list[str]:
    """What was compared, what could not be, and how much changes."""
    w = partial(say, language)
    rows, changed = impact["rows"], impact["changed"]
    colon, comma = w("colon"), w("comma")
    compared = w("compared", rows["compared"], rows["read"])
    lines = [
        f"{w('rule_base')}{comma}{w(side)}{colon}{impact[side]['path']}  {impact[side]['digest']}"
        for side in ("old", "new")
    ]
    lines.append(f"{w('history')}{colon}{impact['history']}{w('stop')}{compared}")
    if impact.get("simulated"):
        lines.append(w("simulated"))
    lines += impact.get("notes", ())
    for side, refused in rows["refused"].items():
        lines.append(w(f"refused_{side}", refused["rows"]) + colon.rstrip())
        for fault in refused["first"][:5]:
            lines.append("  " + w("row", fault["row"], fault["field"], fault["reason"]))
    share = changed["changed"] / changed["rows"] if changed["rows"] else 0.0
    lines.append(w("changed", changed["changed"], share, changed["up"], changed["down"]))
    lines.append(w("advice_only", changed["advice_only"]))
    return lines


def level(value: int | None, w: partial[str]) -> str:
    """A level, or that there is none."""
    return w("none") if value is None else str(value)


def percent(value: float | None) -> str:
    """A share, or a dash where nothing is known."""
    return "–" if value is None else f"{value:.2%}"


def _transitions(console: Console, impact: Plain, language: str) -> None:
    w = partial(say, language)
    found = {(each["old"], each["new"]): each["rows"] for each in impact["transitions"]}
    console.print(Text(w("transitions"), "bold"))
    levels = impact["levels"]
    table = Table(box=SIMPLE)
    table.add_column(w("level"))
    for new in levels:
        table.add_column(level(new, w), justify="right")
    table.add_column(w("old"), justify="right")
    shares = {each["level"]: each for each in impact["shares"]}
    for old in levels:
        numbers = [
            Text(f"{found.get((old, new), 0):,}", "bold" if old == new else "") for new in levels
        ]
        table.add_row(level(old, w), *numbers, percent(shares[old]["old"]))
    table.add_row(w("new"), *(percent(shares[new]["new"]) for new in levels), "")
    console.print(table)


def _groups(console: Console, impact: Plain, language: str) -> None:
    w = partial(say, language)
    tables = {"by_level": impact["by_level"], **impact["by_group"]}
    for name, rows in tables.items():
        cells = [
            (
                level(row["level"], w) if name == "by_level" else _code(row) or w("none"),
                *(f"{row[key]:,}" for key in ("rows", "changed", "up", "down")),
                percent(row["changed"] / row["rows"]),
            )
            for row in rows
            if row["changed"]
        ]
        if cells:
            heads = (w(name), w("rows"), w("moved"), w("up"), w("down"), w("share"))
            _table(console, heads, cells, w("more", len(cells) - MOST))


def _workload(console: Console, load: Plain, language: str) -> None:
    w = partial(say, language)
    if not load["days"]:
        return
    cells = []
    for what in ("calls", "above"):
        name = load["treatment"]["old"]["label"] if what == "calls" else w("above")
        old, new = load[what]["old"], load[what]["new"]
        if name:
            cells.append(
                (
                    name,
                    *(f"{each['per_day']:,.1f}" for each in (old, new)),
                    *(f"{each['busiest']:,}" for each in (old, new)),
                )
            )
    old, new, busiest = w("old"), w("new"), w("busiest")
    comma = w("comma")
    heads = (w("workload"), old, new, f"{busiest}{comma}{old}", f"{busiest}{comma}{new}")
    _table(console, heads, cells, "")


def _outcomes(console: Console, impact: Plain, language: str) -> None:
    w = partial(say, language)
    found = impact["warning_line"]
    if found is None:
        console.print(Text(w("unknown")), soft_wrap=True)
        return
    console.print(Text(w("warning_line", found["known"], found["complained"]), "bold"))
    cells = [
        (
            w(what),
            *(
                f"{percent(found[side][what]['value'])}  "
                f"({percent(found[side][what]['low'])} – {percent(found[side][what]['high'])})"
                for side in ("old", "new")
            ),
        )
        for what in ("precision", "recall")
    ]
    _table(console, (w("interval"), w("old"), w("new")), cells, "")
    change = found["recall_difference"]
    if change["value"] is not None:
        words = w("recall_difference", *points(change))
        console.print(Text(words), soft_wrap=True)
    cells = [
        (level(row["level"], w), percent(row["old"]["value"]), percent(row["new"]["value"]))
        for row in impact["complaints_by_level"]
    ]
    _table(console, (w("complaints"), w("old"), w("new")), cells, "")


def points(difference: Plain) -> list[float]:
    """A difference of shares and its interval's ends, in percentage points."""
    return [100 * difference[end] for end in ("value", "low", "high")]


def _table(
    console: Console,
    heads: Sequence[str],
    cells: Sequence[Iterable[str]],
    more: str,
    texts: int = 1,
) -> None:
    table = Table(box=SIMPLE, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if place < texts else "right")
    for row in cells[:MOST]:
        table.add_row(*(Text(cell) for cell in row))
    if len(cells) > MOST:
        table.add_row(Text(more, "dim"))
    console.print(table)


def _code(row: Plain) -> str:
    code, label = row["code"], row["label"]
    return "" if code is None else label if label == code or not label else f"{label} ({code})"


def _rules(rules: Sequence[str], w: partial[str]) -> str:
    shown = [*rules[:4], *([w("more", len(rules) - 4)] if len(rules) > 4 else [])]
    return w("comma").join(shown) or w("nothing")
