"""What Harken costs, against what it cannot cost less than: an empty call, LightGBM alone.

Prints a table a part and writes ``build/bench.json``, a list of ``{id, what, value, unit, bar,
ok, detail}``, and plots beside it in ``build/bench``. Every ratio is of one run, its sides taking
turns; a value is the median, its quartiles are in ``detail``. A row that cannot be measured has
no value and says why. Exit code: 0 if all could be measured, bars met or not; 1 if not, or, with
--strict, if a bar is missed.

  python bench/bench.py                        all, in some ten minutes

  python bench/bench.py --only unary,batch     these parts (or the parts of these rows)

  python bench/bench.py --quick                all, small: to see that it runs, not for figures
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import plots
from demo import ROOT
from figures import Figure, Unmeasurable, show, write
from parts import batch, core, explain, growth, life, native, offline, peer, rules, tools, unary
from preparing import prepare
from rich.console import Console
from setting import Part, Setting, machine

PARTS = (
    Part("machine", "The machine", ("machine",), machine),
    Part("core", "The core, in process", core.ROWS, core.measure),
    Part("rules", "The rules", rules.ROWS, rules.measure),
    Part("unary", "One grumble a call", unary.ROWS, unary.measure),
    Part("native", "The native transport", native.ROWS, native.measure),
    Part("peer", "A peer", peer.ROWS, peer.measure),
    Part("batch", "Many grumbles a call", batch.ROWS, batch.measure),
    Part("offline", "Files, without a server", offline.ROWS, offline.measure),
    Part("explain", "Explanations", explain.ROWS, explain.measure),
    Part("life", "A server's life", life.ROWS, life.measure),
    Part("growth", "Ten times as much", growth.ROWS, growth.measure),
    Part("tools", "Tools for rules", tools.ROWS, tools.measure),
)


def chosen(words: str) -> list[Part]:
    """The parts that ``--only`` names, by their names or their rows'."""
    wanted = {word.strip() for word in words.split(",") if word.strip()}
    unknown = wanted - {part.name for part in PARTS} - {row for p in PARTS for row in p.rows}
    if unknown:
        known = ", ".join(part.name for part in PARTS)
        raise SystemExit(f"no such row or part: {', '.join(sorted(unknown))}; parts are {known}")
    return [part for part in PARTS if part.name in wanted or wanted & set(part.rows)]


def measured(part: Part, setting: Setting) -> Iterator[Figure]:
    """The part's figures; a row that there is none of says why."""
    missing = list(part.rows)
    reason = {"failed": "it was not measured"}
    try:
        for found in part.measure(setting):
            missing.remove(found.id)
            yield found
    except Unmeasurable as why:
        reason = {"skipped": str(why)}
    except Exception as error:
        traceback.print_exc()
        reason = {"failed": f"{type(error).__name__}: {error}"}
    for name in missing:
        yield setting.figure(name, None, **reason)


def run(parts: Iterable[Part], setting: Setting, console: Console, out: Path) -> list[Figure]:
    """Measure part after part, showing and writing each when it is done."""
    found: list[Figure] = []
    for part in parts:
        began = time.monotonic()
        console.print(f"[dim]measuring: {part.title} …[/]")
        figures = list(measured(part, setting))
        show(f"{part.title} ({time.monotonic() - began:.0f} s)", figures, console)
        found += figures
        write(out, found)
    return found


def closing(found: Sequence[Figure], seconds: float, out: Path) -> str:
    """What came of it all, in a few lines."""
    barred = [each for each in found if each.ok is not None]
    missed = [each.id for each in barred if not each.ok]
    lines = [f"{len(found)} rows in {seconds:.0f} s, written to {out}"]
    lines.append(f"{len(barred) - len(missed)} of {len(barred)} bars met")
    if missed:
        lines.append("missed: " + ", ".join(missed))
    for key in ("skipped", "failed"):
        names = [each.id for each in found if key in each.detail]
        if names:
            lines.append(f"{key}: {', '.join(names)}")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="ID,…", help="rows or parts; " + _names())
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    return parser.parse_args()


def _names() -> str:
    return "parts are " + ", ".join(part.name for part in PARTS)


def main() -> int:
    """Measure and report."""
    given = arguments()
    parts = chosen(given.only) if given.only else list(PARTS)
    # What is not the whole must not be taken for it.
    whole = given.only is None and not given.quick
    out = given.out or ROOT / "build" / ("bench.json" if whole else "bench-part.json")
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    # Into a file or a pipe, too, the tables are to be read.
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    began = time.monotonic()
    setting = Setting(folder, given.quick)
    os.environ.setdefault("HARKEN_CACHE_DIR", str(folder / "cache"))
    if given.only is None:
        console.print("[dim]preparing data and models, kept in build/bench …[/]")
        prepare(setting)
    found = run(parts, setting, console, out)
    for path in plots.draw([dataclasses.asdict(each) for each in found], folder):
        console.print(f"drawn: {path}")
    console.print(closing(found, time.monotonic() - began, out))
    failed = any("failed" in each.detail for each in found)
    return int(failed or (given.strict and any(each.ok is False for each in found)))


if __name__ == "__main__":
    sys.exit(main())
