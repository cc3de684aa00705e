"""An evaluation as one self-contained HTML page: plots inside it, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from html import escape

from harken_models.evaluation import lines, plots
from harken_models.evaluation.drifted import LOOK, OTHER
from harken_models.evaluation.plots import Axis, Point
from harken_models.evaluation.report import Plain
from harken_models.evaluation.words import Say, named, say

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fff; --line: #aab4be;
  --ours: #c2571a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --paper: #171c22;
  --line: #4b5763; --ours: #e8864a; } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top }
th:first-child, td:first-child { text-align: left } svg { max-width: 100%; height: auto }
.note { border-left: 4px solid var(--ours); padding: .3rem .8rem } summary { cursor: pointer }
""".strip()
_MOST_DRIFT = 20


def page_of(found: Plain, language: str) -> str:
    """The whole page."""
    w = partial(say, language)
    body = [f"<h1>{escape(w('title'))}</h1>"]
    body += [f'<p class="note">{escape(note)}</p>' for note in lines.notes(found, w)]
    body.append("<p>" + "<br>".join(map(escape, lines.head_lines(found, w))) + "</p>")
    body += _figures(found, w)
    body += _line(found, w)
    body += _capacity(found, w)
    body += _calibration(found, w)
    body += _gain(found, w)
    for by, parts in found["slices"].items():
        name = named(w, by)
        body += _parts(w("by", name), name, "value", parts, found, w)
    body += _ages(found, w)
    body += _drift(found, w)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(w('title'))}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _figures(found: Plain, w: Say) -> list[str]:
    table = _table(lines.figure_heads(found, w), lines.figure_rows(found, w))
    if found["against"] is None:
        return [table]
    title = w("against", found["against"]["model_digest"])
    return [_title(title), table, f"<p><b>{escape(lines.verdict_words(found, w))}</b></p>"]


def _line(found: Plain, w: Say) -> list[str]:
    across, up = Axis(w("workload_reduction"), 1.0), Axis(w("recall"), 1.0)
    points = [
        Point(1 - each["share"], *_ends(each["recall"]),
              f"{w('top')} {each['share']:.0%}{w('colon')}{each['recall']['value']:.1%}")
        for each in reversed(found["lift"])
    ]  # fmt: skip
    heads = (w("wanted"), w("at_line"), w("workload_reduction"), w("interval"))
    return [
        _title(w("trade")),
        f"<p><b>{escape(lines.line_words(found['line'], w))}</b></p>",
        plots.curve(w("trade"), across, up, [("ours", points)]),
        f"<h3>{escape(w('targets'))}</h3>",
        _table(heads, lines.target_rows(found)),
    ]


def _capacity(found: Plain, w: Say) -> list[str]:
    curve = found["capacity"]
    if not curve:
        return []
    title = w("capacity", found["grumbles"], found["window"]["days"])
    points = [
        Point(each["per_day"], *_ends(each["recall"]),
              f"{each['per_day']:,}{w('colon')}{each['recall']['value']:.1%}")
        for each in curve
    ]  # fmt: skip
    across = Axis(w("per_day"), curve[-1]["per_day"], percent=False)
    heads = ("per_day", "recall", "interval", "precision", "interval", "called")
    return [
        _title(title),
        plots.curve(title, across, Axis(w("recall"), 1.0), [("ours", points)]),
        _table([w(name) for name in heads], lines.capacity_rows(found)),
    ]


def _calibration(found: Plain, w: Say) -> list[str]:
    bins = found["calibration"]
    most = max(max(each["predicted"], each["high"]) for each in bins) * 1.05
    points = [
        Point(each["predicted"], each["observed"], each["low"], each["high"],
              f"{w('predicted')} {each['predicted']:.2%}{w('comma')}{w('observed')} "
              f"{each['observed']:.2%} ({each['low']:.2%} – {each['high']:.2%})")
        for each in bins
    ]  # fmt: skip
    axes = Axis(w("predicted"), most), Axis(w("observed"), most)
    plot = plots.curve(w("calibration"), *axes, [("ours", points)], diagonal=True, joined=False)
    return [_title(w("calibration")), plot]


def _gain(found: Plain, w: Say) -> list[str]:
    rows = [
        (
            f"{each['share']:.0%}",
            lines.number("recall", each["recall"]["value"]),
            lines.span("recall", each["recall"]),
            lines.number("lift", each["lift"]["value"]),
            lines.span("lift", each["lift"]),
        )
        for each in found["lift"]
    ]
    heads = (w("top"), w("recall"), w("interval"), w("lift"), w("interval"))
    return [_title(w("gain")), _table(heads, rows)]


def _parts(
    title: str, first: str, key: str, parts: Sequence[Plain], found: Plain, w: Say
) -> list[str]:
    names = [_name(part[key], w) for part in parts]
    rows = [
        (name, *_ends(part["auc"]), f"{name}{w('colon')}{lines.span('auc', part['auc'])}")
        for name, part in zip(names, parts, strict=True)
        if part.get("auc") and part["auc"]["low"] is not None
    ]
    told = [_title(title)]
    if rows:
        low = min(0.5, *(row[2] for row in rows)) if len(rows) > 1 else min(0.5, rows[0][2])
        whole = found["figures"]["auc"]["value"]
        told.append(plots.whiskers(f"{title}{w('colon')}{w('auc')}", rows, low, 1.0, whole))
    cells = [lines.part_row(name, part, w) for name, part in zip(names, parts, strict=True)]
    return [*told, _table(lines.part_heads(first, w), cells)]


def _ages(found: Plain, w: Say) -> list[str]:
    told = []
    for key in ("open_then", "same_grumbles"):
        parts = found["age"][key]
        if parts:
            told += _parts(w(key, parts[-1]["rows"]), w("hours"), "hours", parts, found, w)
    return told


def _drift(found: Plain, w: Say) -> list[str]:
    drift = found["drift"]
    if drift is None:
        return [_title(w("drift")), f"<p>{escape(w('no_drift'))}</p>"]
    every = [
        {"name": w("probability"), "psi": drift["probability"]}, *drift["columns"][:_MOST_DRIFT],
    ]  # fmt: skip
    rows = [
        (each["name"], each["psi"], f"{each['name']}{w('colon')}{each['psi']:.3f}")
        for each in every
        if each["psi"] is not None
    ]
    table = _table((w("field"), w("psi"), w("verdict")), lines.moved_rows(found, w, every=True))
    return [
        _title(w("drift")),
        plots.bars(w("drift"), rows, (LOOK, OTHER)),
        f"<details><summary>{escape(w('field'))}</summary>{table}</details>",
    ]


def _ends(each: Plain) -> tuple[float, float, float]:
    value = each["value"]
    return value, each["low"], each["high"]


def _name(value: object, w: Say) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return w("none") if value is None else str(value)


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    def cells(tag: str, row: Iterable[str]) -> str:
        return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', heads)}</tr>{body}</table>"


def _title(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"
