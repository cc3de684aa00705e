"""Figures: taken in turns, held against their bars, written as JSON and shown as a table."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


class Unmeasurable(Exception):  # noqa: N818 - it is no error: the row says why there is no figure
    """A figure cannot be had here; the text says why, and the run goes on."""


@dataclass(frozen=True)
class Bar:
    """What a figure must reach: at least, or at most, ``limit``."""

    limit: float
    at_least: bool

    def met_by(self, value: float) -> bool:
        """Is it reached?"""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


def at_least(limit: float) -> Bar:
    """Higher is better."""
    return Bar(limit, True)


def at_most(limit: float) -> Bar:
    """Lower is better."""
    return Bar(limit, False)


@dataclass(frozen=True)
class Row:
    """What a row of the table is of; its figure comes later."""

    what: str
    unit: str
    bar: Bar | None = None


@dataclass(frozen=True)
class Figure:
    """A measured row. ``value`` is ``None`` where it could not be measured, and ``detail`` has
    the reason under ``skipped`` (it cannot be had here) or ``failed``."""

    id: str
    what: str
    value: float | None
    unit: str
    bar: str | None
    ok: bool | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """One side's findings, a turn each."""

    turns: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.turns)

    @property
    def quartiles(self) -> list[float]:
        """The first and the third."""
        if len(self.turns) < 2:
            return [self.turns[0], self.turns[0]]
        first, _, third = statistics.quantiles(self.turns, n=4, method="inclusive")
        return [first, third]

    def over(self, other: Spread) -> Spread:
        """The ratio within each turn: what slowed a whole turn down slowed both sides."""
        return Spread(tuple(a / b for a, b in zip(self.turns, other.turns, strict=True)))

    def each(self, change: Callable[[float], float]) -> Spread:
        """The same in another unit."""
        return Spread(tuple(change(turn) for turn in self.turns))

    def detail(self, note: str = "", **more: Any) -> dict[str, Any]:
        """As a figure's detail."""
        said = {"turns": len(self.turns), "quartiles": [rounded(q) for q in self.quartiles]}
        return {**({"note": note} if note else {}), **said, **more}


def take_turns(turns: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, Spread]:
    """Let each side find its figure ``turns`` times, one side after the other.

    So a busy moment of the machine hits all of them, and every ratio is of one moment.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns):
        # Every other turn backwards: none is always the one that follows the heavy one.
        for name in sides if turn % 2 == 0 else reversed(list(sides)):
            found[name].append(sides[name]())
    return {name: Spread(tuple(values)) for name, values in found.items()}


def figure(
    rows: Mapping[str, Row], name: str, value: float | None, detail: Mapping[str, Any]
) -> Figure:
    """The figure of row ``name``; a row ``x-shipped`` is row ``x`` without its bar."""
    row = rows.get(name) or _beside(rows, name)
    shown = None if value is None else rounded(value)
    met = None if row.bar is None or shown is None else row.bar.met_by(shown)
    return Figure(name, row.what, shown, row.unit, row.bar and str(row.bar), met, detail)


def _beside(rows: Mapping[str, Row], name: str) -> Row:
    row = rows[name.removesuffix("-shipped")]
    return Row(f"{row.what} · shipped bundle", row.unit)


def rounded(value: float) -> float:
    """Six significant digits: more would only be noise in the file."""
    return float(f"{value:.6g}")


def write(path: Path, figures: Iterable[Figure]) -> None:
    """The list that other programs read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = [asdict(each) for each in figures]
    path.write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    """The reverse of ``write``, as plain mappings."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def show(title: str, figures: Sequence[Figure], console: Console) -> None:
    """One part's figures."""
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    table.add_column("row", no_wrap=True)
    table.add_column("what")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("bar", no_wrap=True)
    table.add_column("quartiles, note")
    for each in figures:
        table.add_row(each.id, each.what, _value(each), each.unit, _bar(each), _note(each.detail))
    console.print(table)
    for why, names in _reasons(figures).items():
        console.print(f"[red]{why}[/] ({', '.join(names)})", highlight=False)


def _value(found: Figure) -> str:
    return "—" if found.value is None else _short(found.value)


def _short(value: float) -> str:
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:,.1f}" if size >= 100 else f"{value:.3g}"


def _bar(found: Figure) -> str:
    if found.bar is None:
        return ""
    mark = "" if found.ok is None else " [green]met[/]" if found.ok else " [red]missed[/]"
    return found.bar + mark


def _note(detail: Mapping[str, Any]) -> str:
    quartiles = [_short(q) for q in detail.get("quartiles", ())]
    said = [" – ".join(quartiles), str(detail.get("note", ""))]
    return "; ".join(each for each in said if each)


def _reasons(figures: Iterable[Figure]) -> dict[str, list[str]]:
    """Why rows have no figure, each reason once, with its rows."""
    found: dict[str, list[str]] = {}
    for each in figures:
        for key in ("skipped", "failed"):
            if key in each.detail:
                found.setdefault(f"{key}: {each.detail[key]}", []).append(each.id)
    return found
