"""Plots of an evaluation as SVG text: no library, no network, sharp at any size.

Colours come from the page's style sheet (``var(--ours)``), so that they suit its light and its
dark scheme. Every plot has a ``<title>``, and every mark says its figure in one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BASE = 64, 16, 16, 300
MOST_LETTERS = 26


class Point(NamedTuple):
    """A mark: where, its interval (equal to ``y`` where there is none), and what it says."""

    x: float
    y: float
    low: float
    high: float
    words: str


class Axis(NamedTuple):
    """From nought to ``most``, under a name; ``percent``: shares."""

    name: str
    most: float
    percent: bool = True

    def said(self, value: float) -> str:
        """A tick's label."""
        digits = 0 if self.most > 0.08 else 1
        return f"{value:.{digits}%}" if self.percent else f"{value:,.0f}"


def curve(
    title: str, across: Axis, up: Axis, series: Sequence[tuple[str, Sequence[Point]]],
    diagonal: bool = False, joined: bool = True,
) -> str:  # fmt: skip
    """Lines of marks with whiskers, each ``series`` in the colour ``var(--name)``."""
    parts = [f"<title>{escape(title)}</title>", *_frame(across, up)]
    if diagonal:
        end = min(across.most, up.most)
        parts.append(
            f'<line x1="{_x(0, across)}" y1="{_y(0, up)}" x2="{_x(end, across)}" '
            f'y2="{_y(end, up)}" stroke="var(--line)" stroke-dasharray="4 4"/>'
        )
    for colour, points in series:
        if joined:
            path = " ".join(f"{_x(p.x, across)},{_y(p.y, up)}" for p in points)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="var(--{colour})" '
                'stroke-width="1.6"/>'
            )
        for p in points:
            x = _x(p.x, across)
            parts.append(
                f'<g stroke="var(--{colour})" fill="var(--{colour})">'
                f'<line x1="{x}" x2="{x}" y1="{_y(p.low, up)}" y2="{_y(p.high, up)}" '
                'stroke-width="3" stroke-opacity="0.35"/>'
                f'<circle cx="{x}" cy="{_y(p.y, up)}" r="3.5"><title>{escape(p.words)}</title>'
                "</circle></g>"
            )
    return _svg(HEIGHT, parts)


def whiskers(
    title: str, rows: Sequence[tuple[str, float, float, float, str]], low: float, high: float,
    rule: float | None = None,
) -> str:  # fmt: skip
    """A named figure a row with its interval, between ``low`` and ``high``; ``rule``: a line
    through all of them (the figure of the whole)."""
    left, step = 190, 24
    scale = (WIDTH - left - 70) / max(high - low, 1e-9)
    bottom = 12 + step * len(rows)
    parts = [f"<title>{escape(title)}</title>"]
    if rule is not None:
        x = left + scale * (rule - low)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{bottom}" stroke="var(--line)" '
            'stroke-dasharray="4 4"/>'
        )
    for place, (name, value, start, end, words) in enumerate(rows):
        y = 12 + step * (place + 0.5)
        a, b, x = (left + scale * (min(max(v, low), high) - low) for v in (start, end, value))
        parts.append(_text(left - 12, y + 4, _short(name), "end", small=True))
        parts.append(
            f'<g stroke="var(--ours)" fill="var(--ours)"><line x1="{a:.1f}" x2="{b:.1f}" '
            f'y1="{y:.1f}" y2="{y:.1f}" stroke-width="3" stroke-opacity="0.4"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(words)}</title></circle></g>'
        )
        parts.append(_text(b + 8, y + 4, f"{value:.3f}", "start", small=True))
    for end in (low, high):
        x = left + scale * (end - low)
        parts.append(_text(x, bottom + 16, f"{end:.2f}", small=True))
    return _svg(bottom + 24, parts)


def bars(title: str, rows: Sequence[tuple[str, float, str]], marks: Sequence[float]) -> str:
    """A named figure a row as a bar; ``marks``: limits drawn through all of them."""
    left, step = 190, 22
    most = max([*(value for _, value, _ in rows), *marks]) * 1.05
    scale = (WIDTH - left - 70) / max(most, 1e-9)
    bottom = 8 + step * len(rows)
    parts = [f"<title>{escape(title)}</title>"]
    for place, (name, value, words) in enumerate(rows):
        y = 8 + step * place
        parts.append(_text(left - 12, y + 14, _short(name), "end", small=True))
        parts.append(
            f'<rect x="{left}" y="{y + 3}" width="{max(scale * value, 1):.1f}" height="14" '
            f'fill="var(--ours)"><title>{escape(words)}</title></rect>'
        )
        parts.append(_text(left + scale * value + 6, y + 14, f"{value:.3f}", "start", small=True))
    for mark in marks:
        x = left + scale * mark
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}" stroke="var(--line)" '
            'stroke-dasharray="4 4"/>'
        )
    return _svg(bottom + 8, parts)


def ticks(most: float) -> list[float]:
    """Four to ten round numbers from nought to ``most``."""
    step = 10.0 ** floor(log10(max(most, 1e-9)))
    for part in (5, 2, 1):
        if most / (step / part) <= 10 and most / (step / part) >= 4:
            step /= part
            break
    return [step * place for place in range(ceil(most / step - 1e-9) + 1) if step * place <= most]


def _frame(across: Axis, up: Axis) -> list[str]:
    parts = []
    for tick in ticks(up.most):
        y = _y(tick, up)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="var(--line)" '
            'stroke-opacity="0.6"/>'
        )
        parts.append(_text(LEFT - 8, y + 4, up.said(tick), "end", small=True))
    for tick in ticks(across.most):
        parts.append(_text(_x(tick, across), BASE + 18, across.said(tick), small=True))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, BASE + 42, across.name))
    middle = (TOP + BASE) / 2
    parts.append(
        f'<text x="14" y="{middle}" font-size="13" text-anchor="middle" fill="var(--ink)" '
        f'transform="rotate(-90 14 {middle})">{escape(up.name)}</text>'
    )
    return parts


def _x(value: float, axis: Axis) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * min(value / axis.most, 1), 1)


def _y(value: float, axis: Axis) -> float:
    return round(BASE - (BASE - TOP) * min(value / axis.most, 1), 1)


def _short(name: str) -> str:
    """What fits beside a plot; a mark's own title says the whole name."""
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"


def _text(x: float, y: float, words: str, anchor: str = "middle", small: bool = False) -> str:
    size = 11 if small else 13
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="var(--ink)">{escape(words)}</text>'
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img">{"".join(parts)}</svg>'
    )
