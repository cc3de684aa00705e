"""Pictures of what was measured: ``build/bench/*.png``, drawn from the JSON's content alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

Found = Mapping[str, Mapping[str, Any]]
_COLOURS = {"score": "#1f5f8b", "null": "#b0762e"}
_GROWTH = ("growth-rows", "growth-trees", "growth-rules")
_STAGES = ("#9aa5b1", "#1f5f8b", "#5b8fb9", "#b0762e", "#d9b36c", "#4d7c5a", "#88b394", "#c9ced6")


def draw(rows: Sequence[Mapping[str, Any]], folder: Path) -> Iterator[Path]:
    """Each picture that there are figures for; its path when it is written."""
    found = {row["id"]: row for row in rows}
    folder.mkdir(parents=True, exist_ok=True)
    for name, pictured in _PICTURES.items():
        path = folder / f"{name}.png"
        path.unlink(missing_ok=True)
        if pictured(found, path):
            yield path


def latency(found: Found, path: Path) -> bool:
    """Latency against load, of Score and of the null handler."""
    load = _detail(found, "score-throughput", "load")
    if not load:
        return False
    figure, axes = _sheet(7, 4.2)
    for name, points in load.items():
        in_flight = [point["in_flight"] for point in points]
        for quantile, style in (("p50_us", "-"), ("p99_us", "--")):
            shown = f"{'Score' if name == 'score' else 'null handler'}, {quantile[:3]}"
            milliseconds = [point[quantile] / 1000 for point in points]
            look = {"marker": "o", "ms": 3, "color": _COLOURS[name]}
            axes.plot(in_flight, milliseconds, style, label=shown, **look)
    above = ((point["in_flight"], point["p50_us"] / 1000, point) for point in load["score"])
    for x, y, point in above:
        shown = f"{point['per_second']:,}/s"
        axes.annotate(shown, (x, y), (3, -10), textcoords="offset points", fontsize=7)
    _label(axes, "Latency against load (numbers: Scores a second)", "calls in flight", "ms")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return _save(figure, path)


def size(found: Found, path: Path) -> bool:
    """Cost against size: rows, trees, rules."""
    names = [
        n for n in ("growth-rows", "growth-trees", "growth-rules") if _detail(found, n, "points")
    ]
    if not names:
        return False
    figure = Figure((3.4 * len(names), 3.4), layout="constrained")
    several = figure.subplots(1, len(names), squeeze=False)
    for axes, name in zip(several[0], names, strict=True):
        detail = found[name]["detail"]
        sizes, costs = zip(*detail["points"], strict=True)
        axes.plot(sizes, costs, marker="o", color=_COLOURS["score"], label="measured")
        straight = [costs[0] * each / sizes[0] for each in sizes]
        axes.plot(sizes, straight, ":", color="#9aa5b1", label="as much more cost as size")
        axes.set_xscale("log")
        axes.set_yscale("log")
        shown = f"{detail['of']}: exponent {found[name]['value']:.2f}"
        _label(axes, shown, detail["of"], detail["unit"])
    several[0][0].legend(frameon=False, fontsize=7)
    return _save(figure, path)


def score_time(found: Found, path: Path) -> bool:
    """Where the time of a Score goes: one bar a bundle, the transport first."""
    bars = {
        shown: {"transport (null handler)": null, **stages}
        for row, shown in (("core", "reference bundle"), ("core-shipped", "shipped bundle"))
        if (stages := _detail(found, row, "stages"))
        and (null := (found.get("null-cpu-us") or {}).get("value"))
    }
    if not bars:
        return False
    figure, axes = _sheet(8, 1.4 + 0.7 * len(bars))
    for at, stages in enumerate(bars.values()):
        left = 0.0
        for (stage, cost), colour in zip(stages.items(), _STAGES, strict=False):
            axes.barh(at, cost, left=left, color=colour, label=stage if at == 0 else None)
            left += cost
    axes.set_yticks(range(len(bars)), list(bars))
    _label(axes, "Where the time of a Score goes", "µs of server CPU", "")
    axes.legend(frameon=False, fontsize=7, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.35))
    return _save(figure, path)


def memory(found: Found, path: Path) -> bool:
    """Memory while a large file is replayed."""
    curve = _detail(found, "offline-memory", "curve")
    if not curve:
        return False
    figure, axes = _sheet(7, 3)
    axes.plot(*zip(*curve, strict=True), color=_COLOURS["score"])
    axes.axhline(1536, ls=":", color="#b03030", lw=1)
    axes.set_ylim(0)
    _label(axes, "Memory of an offline replay (dotted: the bar)", "seconds", "MiB, all processes")
    return _save(figure, path)


_PICTURES: Mapping[str, Callable[[Found, Path], bool]] = {
    "latency": latency,
    "size": size,
    "score": score_time,
    "memory": memory,
}


def _detail(found: Found, row: str, key: str) -> Any:
    return (found.get(row) or {}).get("detail", {}).get(key)


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _sheet(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure((width, height))
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> bool:
    figure.savefig(path, dpi=150, bbox_inches="tight")
    return True
