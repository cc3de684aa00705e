"""Plots of an impact as SVG text: no library, no network, sharp at any size.

Colours are taken from the page's style sheet (``var(--old)``), so that they suit its light and
its dark scheme; every mark says its figure in a ``<title>``.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harken_server.impact.summary import Plain

WIDTH = 640


def heat_map(levels: Sequence[str], counts: Sequence[Sequence[int]], across: str, down: str) -> str:
    """The transition matrix: a cell's shade is its share of its row, the diagonal outlined."""
    cell, left, top = 84, 70, 46
    outline = ' stroke="var(--ink)"'
    width, height = left + cell * len(levels) + 10, top + 46 * len(levels) + 10
    parts = [_text(left, 16, f"{down} ↓   {across} →", "start")]
    for place, name in enumerate(levels):
        parts.append(_text(left + cell * place + cell / 2, top - 8, name))
        parts.append(_text(left - 12, top + 46 * place + 28, name, "end"))
    for row, numbers in enumerate(counts):
        total = sum(numbers) or 1
        for column, number in enumerate(numbers):
            share = number / total
            x, y = left + cell * column, top + 46 * row
            same = row == column
            fill = "var(--same)" if same else "var(--new)"
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="44" fill="{fill}" '
                f'fill-opacity="{0.08 + 0.8 * share:.3f}"'
                f"{outline if same else ''}>"
                f"<title>{escape(levels[row])} → {escape(levels[column])}: {number:,} "
                f"({share:.2%})</title></rect>"
            )
            parts.append(_text(x + cell / 2, y + 28, f"{number:,}" if number else "·"))
    return _svg(width, height, parts)


def paired_bars(names: Sequence[str], old: Sequence[float], new: Sequence[float]) -> str:
    """Shares, old beside new."""
    top, height, base = 12, 240, 210
    most = max([*old, *new, 0.0001])
    slot = (WIDTH - 40) / max(len(names), 1)
    parts = []
    for place, name in enumerate(names):
        middle = 30 + slot * (place + 0.5)
        for shift, side, value in ((-1, "old", old[place]), (0, "new", new[place])):
            tall = (base - top - 20) * value / most
            x = middle + shift * slot * 0.34 + (0 if shift else 2)
            parts.append(
                f'<rect x="{x:.1f}" y="{base - tall:.1f}" width="{slot * 0.33:.1f}" '
                f'height="{tall:.1f}" fill="var(--{side})"><title>{escape(name)}: '
                f"{value:.2%}</title></rect>"
            )
            parts.append(_text(x + slot * 0.165, base - tall - 5, f"{value:.1%}", small=True))
        parts.append(_text(middle, base + 18, name))
    parts.append(f'<line x1="20" x2="{WIDTH - 10}" y1="{base}" y2="{base}" stroke="var(--line)"/>')
    return _svg(WIDTH, height, parts)


def day_lines(days: Sequence[str], old: Sequence[int], new: Sequence[int]) -> str:
    """Rows a day, old and new."""
    left, top, base, height = 56, 14, 196, 230
    most = max([*old, *new, 1])
    step = (WIDTH - left - 12) / max(len(days) - 1, 1)
    parts = []
    for share in (0, 0.5, 1):
        y = base - (base - top) * share
        parts.append(
            f'<line x1="{left}" x2="{WIDTH - 10}" y1="{y}" y2="{y}" stroke="var(--line)"/>'
        )
        parts.append(_text(left - 6, y + 4, f"{most * share:,.0f}", "end", small=True))
    for side, numbers in (("old", old), ("new", new)):
        points = " ".join(
            f"{left + step * place:.1f},{base - (base - top) * number / most:.1f}"
            for place, number in enumerate(numbers)
        )
        if len(numbers) == 1:
            only = points.split(",")
            parts.append(f'<circle cx="{only[0]}" cy="{only[1]}" r="4" fill="var(--{side})"/>')
        dash = ' stroke-dasharray="5 3"' if side == "old" else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="var(--{side})" '
            f'stroke-width="1.6"{dash}/>'
        )
    if days:
        parts.append(_text(left, base + 22, days[0], "start", small=True))
        parts.append(_text(WIDTH - 10, base + 22, days[-1], "end", small=True))
    return _svg(WIDTH, height, parts)


def intervals(rows: Sequence[tuple[str, Plain, Plain]]) -> str:
    """Shares with their intervals as dots and whiskers, old above new."""
    left, line = 130, 26
    highest = max([s["high"] for _, a, b in rows for s in (a, b) if s["high"] is not None] or [1])
    scale = (WIDTH - left - 60) / max(highest, 0.0001)
    parts, y = [], 22.0
    for name, old, new in rows:
        parts.append(_text(left - 12, y + line / 2 + 4, name, "end"))
        for side, share in (("old", old), ("new", new)):
            if share["value"] is not None:
                low, high = (left + scale * share[end] for end in ("low", "high"))
                x = left + scale * share["value"]
                parts.append(
                    f'<g stroke="var(--{side})" fill="var(--{side})"><line x1="{low:.1f}" '
                    f'x2="{high:.1f}" y1="{y}" y2="{y}" stroke-width="3" stroke-opacity="0.5"/>'
                    f'<circle cx="{x:.1f}" cy="{y}" r="4.5"><title>{share["value"]:.2%} '
                    f"({share['low']:.2%} – {share['high']:.2%}), {share['hits']:,} / "
                    f"{share['of']:,}</title></circle></g>"
                )
                parts.append(_text(high + 6, y + 4, f"{share['value']:.1%}", "start", small=True))
            y += line * 0.7
        y += line * 0.6
    return _svg(WIDTH, int(y), parts)


def _text(x: float, y: float, words: str, anchor: str = "middle", small: bool = False) -> str:
    size = 11 if small else 13
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="var(--ink)">{escape(words)}</text>'
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" role="img">{"".join(parts)}</svg>'
    )
