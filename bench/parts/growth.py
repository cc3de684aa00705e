"""How cost grows with rows, trees and rules: the exponent, 1 where ten times costs ten times.

Rows and trees by the offline replay's core in this process, on one thread; its processor time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from figures import Figure, Spread, take_turns
from harken_server.offline import open_backend
from reference import TREES
from setting import Setting

from parts.rules import growth_found

ROWS = ("growth-rows", "growth-trees", "growth-rules")
FEW_ROWS = 20_000
"""Also the rows of a chunk, so that both sizes score chunks alike."""
TREE_ROWS = 10_000
TURNS = 3


def measure(setting: Setting) -> Iterator[Figure]:
    """Each with the points that it comes from."""
    yield from _rows(setting)
    yield from _trees(setting)
    found = growth_found()
    points = [[int(size), cost] for size, cost in found["growth"].items()]
    yield setting.figure(
        "growth-rules",
        found["growth_exponent"],
        note="from 50 to 5,000 rules, as in rules-size",
        points=points,
        of="rules",
        unit="µs of a remembered grumble",
    )


def _rows(setting: Setting) -> Iterator[Figure]:
    few = setting.scaled(FEW_ROWS, 1500)
    bundle = setting.reference()
    batches = _batches(setting, 10 * few, few)
    sides = {few: _replay(bundle, batches[:1]), 10 * few: _replay(bundle, batches)}
    yield _figure(setting, "growth-rows", _taken(setting, sides), "rows", "seconds, memos cold")


def many_trees(setting: Setting) -> int:
    """Trees of the greater model: ten times those of the reference bundle."""
    return setting.scaled(10 * TREES, TREES)


def _trees(setting: Setting) -> Iterator[Figure]:
    many = many_trees(setting)
    rows = setting.scaled(TREE_ROWS, 1500)
    batches = _batches(setting, rows, rows)
    bundles = {trees: setting.reference(trees) for trees in (many // 10, many)}
    sides = {trees: _replay(path, batches, warm=True) for trees, path in bundles.items()}
    words = f"seconds for {rows:,} rows, decisions remembered"
    yield _figure(setting, "growth-trees", _taken(setting, sides), "trees", words)


def _replay(bundle: Path, batches: list[Any], warm: bool = False) -> Callable[[], float]:
    """Scores the batches; twice where it is to be ``warm``, and the second time counts."""

    def run() -> float:
        backend = open_backend(None, bundle, compiled=False, threads=1)
        for batch in batches if warm else ():
            backend.score(batch)
        began = time.process_time()
        for batch in batches:
            backend.score(batch)
        took = time.process_time() - began
        backend.close()
        return took

    return run


def _batches(setting: Setting, rows: int, chunk: int) -> list[Any]:
    table = pq.read_table(setting.workload.piece(rows))
    return list(table.combine_chunks().to_batches(chunk))


def _taken(setting: Setting, sides: dict[int, Callable[[], float]]) -> dict[int, Spread]:
    named = {str(size): side for size, side in sides.items()}
    found = take_turns(setting.scaled(TURNS, 1), named)
    return {int(size): spread for size, spread in found.items()}


def _figure(setting: Setting, name: str, found: dict[int, Spread], what: str, unit: str) -> Figure:
    """The exponent between the last two sizes."""
    (small, one), (large, other) = list(found.items())[-2:]
    scale = math.log10(large / small)
    exponent = other.over(one).each(lambda ratio: math.log10(ratio) / scale)
    points = [[size, spread.median] for size, spread in found.items()]
    shown = ", ".join(f"{size:,} {what}: {cost.median:.3g}" for size, cost in found.items())
    said = exponent.detail(f"{shown} ({unit})", points=points, of=what, unit=unit)
    return setting.figure(name, exponent.median, **said)
