"""Write the figures of ``build/bench.json`` into docs/performance.md and the README.

``python bench/page.py [JSON]`` replaces what stands between ``<!-- figures -->`` and ``<!-- end of
figures -->``; the words around it are written by hand. Only a whole run's file is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demo import ROOT
from figures import read

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
PAGE, README = ROOT / "docs" / "performance.md", ROOT / "README.md"
SHORT = (
    "score-throughput",
    "score-cpu",
    "core",
    "batch",
    "stream",
    "offline",
    "offline-compiled",
    "native",
    "peer",
)
"""Rows that the README shows."""

Rows = Mapping[str, Mapping[str, Any]]


def page(found: Rows) -> str:
    """All rows, the shipped bundle's figure beside the reference bundle's."""
    lines = [said_of(found["machine"]), ""]
    lines += [
        "| row | what | value | quartiles | bar | shipped bundle |",
        "|---|---|--:|---|---|--:|",
    ]
    for name, row in found.items():
        if name == "machine" or name.endswith("-shipped"):
            continue
        shipped = found.get(f"{name}-shipped")
        beside = "" if shipped is None else value(shipped)
        cells = (f"`{name}`", row["what"], value(row), quartiles(row), bar(row), beside)
        lines.append("| " + " | ".join(cells) + " |")
    lines += reasons(found)
    return "\n".join(lines)


def short(found: Rows) -> str:
    """The README's few."""
    lines = ["| | measured | bar |", "|---|--:|---|"]
    for name in SHORT:
        row = found[name]
        lines.append(f"| {row['what']} | {value(row)} | {bar(row)} |")
    return "\n".join(lines)


def said_of(machine: Mapping[str, Any]) -> str:
    """What it was measured on."""
    detail = machine["detail"]
    versions = ", ".join(f"{name} {number}" for name, number in detail["versions"].items())
    where = f"{machine['value']:.0f} cores of {detail['processor']}, {detail['memory_gib']:.0f} GiB"
    return f"Measured on {where}, shared with the load; Python {detail['python']}, {versions}."


def value(row: Mapping[str, Any]) -> str:
    """A figure with its unit."""
    if row["value"] is None:
        return "not measured"
    unit = "" if row["unit"] in ("×", "") else f" {row['unit']}"
    return f"{number(row['value'])}{unit}"


def number(found: float) -> str:
    """Three digits that say something."""
    size = abs(found)
    return f"{found:,.0f}" if size >= 100 else f"{found:.1f}" if size >= 10 else f"{found:.2f}"


def quartiles(row: Mapping[str, Any]) -> str:
    """The first and the third of the turns."""
    return " – ".join(number(each) for each in row["detail"].get("quartiles", ()))


def bar(row: Mapping[str, Any]) -> str:
    """What was to be reached, and whether it was."""
    if row["bar"] is None:
        return ""
    return row["bar"] + ("" if row["ok"] is None else ", met" if row["ok"] else ", **missed**")


def reasons(found: Rows) -> list[str]:
    """Why rows were not measured."""
    lines = []
    for name, row in found.items():
        for key in ("skipped", "failed"):
            if key in row["detail"]:
                lines.append(f"- `{name}` {key}: {row['detail'][key]}")
    return ["", *lines] if lines else []


def put(path: Path, text: str) -> None:
    """Replace what stands between the marks."""
    whole = path.read_text(encoding="utf-8")
    before, _, rest = whole.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path}: lacks the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main(arguments: Iterable[str]) -> None:
    """The command."""
    source = Path(next(iter(arguments), ROOT / "build" / "bench.json"))
    found = {row["id"]: row for row in read(source)}
    if found.get("machine", {}).get("detail", {}).get("quick") is not False:
        raise SystemExit(f"{source} is not of a whole run: `make bench`")
    put(PAGE, page(found))
    put(README, short(found))


if __name__ == "__main__":
    main(sys.argv[1:])
