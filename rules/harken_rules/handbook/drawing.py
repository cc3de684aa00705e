"""A graph drawn by layers, as SVG that stands inside a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from harken_rules.handbook.content import Graph, Node, Span
from harken_rules.hints import columns

_ROW, _HEIGHT, _GAP, _MARGIN = 48, 38, 46, 8
_CHARACTER = 6.6
"""Width of a column of 11-pixel text, measured generously."""
_SWEEPS = 8


def draw(graph: Graph) -> str:
    """The graph: boxes that lead to their sections, curves from left to right."""
    order = ordered(graph)
    spots, size = _spots(order)
    edges = "".join(_edge(spots[one], spots[other]) for one, other in graph.edges)
    boxes = "".join(_box(node, spots[node.id]) for layer in order for node in layer)
    return (
        f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" '
        f'width="{size[0]:.0f}" height="{size[1]:.0f}" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}">'
        f'<g class="edges">{edges}</g>{boxes}</svg>'
    )


def ordered(graph: Graph) -> list[list[Node]]:
    """The nodes of each layer from top to bottom, so that edges cross little.

    Each node is moved to the mean place of its neighbours, sweeping right and left in turn.
    """
    depth = max((one.layer for one in graph.nodes), default=-1) + 1
    layers: list[list[Node]] = [[] for _ in range(depth)]
    for node in graph.nodes:
        layers[node.layer].append(node)
    into: dict[str, list[str]] = {one.id: [] for one in graph.nodes}
    out: dict[str, list[str]] = {one.id: [] for one in graph.nodes}
    for one, other in graph.edges:
        into[other].append(one)
        out[one].append(other)
    for sweep in range(_SWEEPS):
        neighbours = into if sweep % 2 == 0 else out
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            places = _places(layers)
            layer.sort(key=lambda node: _mean(neighbours[node.id], places, places[node.id]))
    return layers


def _places(layers: Sequence[Sequence[Node]]) -> dict[str, float]:
    """Where each node stands in its layer, from 0 at the top to 1 at the bottom."""
    return {
        node.id: (place + 0.5) / len(layer) for layer in layers for place, node in enumerate(layer)
    }


def _mean(names: Sequence[str], places: Mapping[str, float], own: float) -> float:
    return sum(places[name] for name in names) / len(names) if names else own


Spot = tuple[float, float, float]
"""Left, top and width of a box."""


def _spots(layers: Sequence[Sequence[Node]]) -> tuple[dict[str, Spot], tuple[float, float]]:
    tallest = max((len(layer) for layer in layers), default=1)
    spots: dict[str, Spot] = {}
    left = float(_MARGIN)
    for layer in layers:
        width = max(_width(node) for node in layer)
        top = _MARGIN + (tallest - len(layer)) * _ROW / 2
        for place, node in enumerate(layer):
            spots[node.id] = (left, top + place * _ROW, width)
        left += width + _GAP
    return spots, (left - _GAP + _MARGIN if layers else 0, tallest * _ROW + 2 * _MARGIN)


def _width(node: Node) -> float:
    return max(columns(text) for text in node.title.texts.values()) * _CHARACTER + 16


def _edge(source: Spot, target: Spot) -> str:
    x, y = source[0] + source[2], source[1] + _HEIGHT / 2
    end, down = target[0], target[1] + _HEIGHT / 2
    middle = (x + end) / 2
    bend = f"{middle:.0f} {y:.0f} {middle:.0f} {down:.0f} {end:.0f} {down:.0f}"
    return f'<path d="M{x:.0f} {y:.0f}C{bend}"/>'


def _box(node: Node, spot: Spot) -> str:
    left, top, width = spot
    return (
        f'<a href="#{escape(node.id)}"><rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" '
        f'height="{_HEIGHT}" rx="5"/>{_label(node.title, left + width / 2, top)}</a>'
    )


def _label(title: Span, x: float, top: float) -> str:
    """A line for each language; a single one in the middle of the box."""
    found = []
    step = _HEIGHT / (len(title.texts) + 1)
    for place, (language, text) in enumerate(title.texts.items(), start=1):
        mark = f' lang="{escape(language)}"' if language else ""
        y = top + step * place + 4
        found.append(f'<text{mark} x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>')
    return "".join(found)
