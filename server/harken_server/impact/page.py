"""An impact as one self-contained HTML page: plots inside it, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from html import escape

from harken_server.impact import plots
from harken_server.impact.summary import Plain
from harken_server.impact.text import head_lines, level, percent, points
from harken_server.impact.words import say

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fff; --line: #cfd6dd;
  --old: #7d8a99; --new: #c2571a; --same: #3f7f6d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --paper: #171c22;
  --line: #3a444f; --old: #93a1b1; --new: #e8864a; --same: #57a88f; } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0 } code { font-size: .9em }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top }
th:first-child, td:first-child, td.t, th.t { text-align: left } svg { max-width: 100% }
.key b { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em;
  vertical-align: -.1em } summary { cursor: pointer }
""".strip()


def page_of(impact: Plain, language: str) -> str:
    """The whole page."""
    w = partial(say, language)
    body = [f"<h1>{escape(w('title'))}</h1>", _lines(head_lines(impact, language))]
    body.append(
        f'<p class="key"><b style="background:var(--old)"></b>{escape(w("old"))}'
        f'<b style="background:var(--new)"></b>{escape(w("new"))}</p>'
    )
    body += _levels(impact, w)
    body += _workload(impact["workload"], w)
    body += _outcomes(impact, w)
    body += _causes(impact, w)
    body += _groups(impact, w)
    body += _advice(impact, w)
    body += _sample(impact, w)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(w('title'))}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _levels(impact: Plain, w: partial[str]) -> list[str]:
    names = [level(each, w) for each in impact["levels"]]
    found = {(each["old"], each["new"]): each["rows"] for each in impact["transitions"]}
    counts = [[found.get((old, new), 0) for new in impact["levels"]] for old in impact["levels"]]
    shares = impact["shares"]
    return [
        _title(w("transitions")),
        plots.heat_map(names, counts, w("new"), w("old")),
        _title(w("shares")),
        plots.paired_bars(names, [s["old"] for s in shares], [s["new"] for s in shares]),
    ]


def _workload(load: Plain, w: partial[str]) -> list[str]:
    if not load["days"]:
        return []
    days = [each["day"] for each in load["series"]]
    found = [_title(w("workload"))]
    names = {"calls": load["treatment"]["old"]["label"], "above": w("above")}
    cells = [
        (
            name,
            *(
                f"{load[what][side][figure]:,.1f}"
                for figure in ("per_day", "busiest")
                for side in ("old", "new")
            ),
        )
        for what, name in names.items()
        if name
    ]
    heads = [f"{w(f)}{w('comma')}{w(s)}" for f in ("per_day", "busiest") for s in ("old", "new")]
    found.append(_table(("", *heads), cells))
    for what, name in names.items():
        if name:
            old, new = ([each[f"{side}_{what}"] for each in load["series"]] for side in _SIDES)
            found += [f"<h3>{escape(w('by_day', name))}</h3>", plots.day_lines(days, old, new)]
    return found


_SIDES = ("old", "new")


def _outcomes(impact: Plain, w: partial[str]) -> list[str]:
    found = impact["warning_line"]
    if found is None:
        return [f"<p>{escape(w('unknown'))}</p>"]
    rows = [(w(what), found["old"][what], found["new"][what]) for what in ("precision", "recall")]
    change = found["recall_difference"]
    said = ""
    if change["value"] is not None:
        said = w("recall_difference", *points(change))
    by_level = [
        (f"{w('level')} {level(row['level'], w)}", row["old"], row["new"])
        for row in impact["complaints_by_level"]
    ]
    return [
        _title(w("warning_line", found["known"], found["complained"])),
        plots.intervals(rows),
        f"<p>{escape(w('interval'))}</p>",
        f"<p>{escape(said)}</p>",
        _title(w("complaints")),
        plots.intervals(by_level),
    ]


def _causes(impact: Plain, w: partial[str]) -> list[str]:
    if not impact["causes"]:
        return []
    cells = [
        (c["decision"], _rules(c["old"], w), _rules(c["new"], w), f"{c['rows']:,}")
        for c in impact["causes"]
    ]
    heads = (w("decision"), w("fired_old"), w("fired_new"), w("rows"))
    return [_title(w("causes")), _table(heads, cells, texts=3)]


def _groups(impact: Plain, w: partial[str]) -> list[str]:
    found = []
    for name, rows in {"by_level": impact["by_level"], **impact["by_group"]}.items():
        cells = [
            (
                level(row["level"], w) if name == "by_level" else _code(row, w),
                *(f"{row[key]:,}" for key in ("rows", "changed", "up", "down")),
                percent(row["changed"] / row["rows"]),
            )
            for row in rows
        ]
        heads = (w(name), w("rows"), w("moved"), w("up"), w("down"), w("share"))
        found += [_title(w(name)), _table(heads, cells)]
    return found


def _advice(impact: Plain, w: partial[str]) -> list[str]:
    found = []
    for name, rows in impact["advice"].items():
        cells = [
            (_code(row, w), *(f"{row[which]:,}" for which in ("old", "new", "gained", "lost")))
            for row in rows
        ]
        table = _table((w(name), w("old"), w("new"), w("gained"), w("lost")), cells)
        differs = any(row["gained"] or row["lost"] for row in rows)
        found.append(
            f"<details{' open' if differs else ''}><summary>{escape(w(name))}</summary>"
            f"{table}</details>"
        )
    return found


def _sample(impact: Plain, w: partial[str]) -> list[str]:
    if not impact["sample"]:
        return []
    found = [_title(w("sample"))]
    for each in impact["sample"]:
        moved = f"{level(each['old'], w)} → {level(each['new'], w)}"
        cells = [(d["decision"], _rules(d["old"], w), _rules(d["new"], w)) for d in each["why"]]
        heads = (w("decision"), w("fired_old"), w("fired_new"))
        found.append(
            f"<details><summary>{escape(each['grumble_id'] + w('colon') + moved)}</summary>"
            f"{_table(heads, cells, texts=3)}</details>"
        )
    return found


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]], texts: int = 1) -> str:
    mark = ' class="t"'

    def cells(tag: str, row: Iterable[str]) -> str:
        return "".join(
            f"<{tag}{mark if place < texts else ''}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', heads)}</tr>{body}</table>"


def _lines(lines: Iterable[str]) -> str:
    return "<p>" + "<br>".join(escape(line) for line in lines) + "</p>"


def _title(words: str) -> str:
    return f"<h2>{escape(words)}</h2>"


def _code(row: Plain, w: partial[str]) -> str:
    return w("none") if row["code"] is None else (row["label"] or row["code"])


def _rules(rules: Sequence[str], w: partial[str]) -> str:
    return w("comma").join(rules) or w("nothing")
