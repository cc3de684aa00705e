"""``harken replay --offline``: files scored in-process on all cores, without a server.

The whole command is timed, from a Parquet file to a Parquet file, on a small file and a large
one: what the large one takes longer is the cost of its further rows, and what is left of the
small one is start-up. Beside it ``Booster.predict`` of the same rows, already in memory as the
matrix that it wants, on as many threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow.parquet as pq
from commands import harken
from figures import Figure, Spread, take_turns
from harken_models.bundle import Bundle
from processes import MemoryWatch
from setting import Setting, with_shipped

ROWS = (
    *with_shipped("offline", "offline-rows"),
    "offline-start",
    "offline-compiled",
    "offline-compiled-rows",
    "offline-memory",
    "offline-memory-flat",
)
SMALL, LARGE = 40_000, 240_000
MANY = 10_000_000
TURNS = 2
TOGETHER = ("harken", "compiled", "predict")
TOGETHER_SHIPPED = ("harken-shipped", "predict-shipped")


def measure(setting: Setting) -> Iterator[Figure]:
    """Throughput with each bundle, and memory with the reference bundle."""
    sides = {}
    for suffix, path, bundle in setting.bundles():
        sides["harken" + suffix] = Command(setting, path)
        sides["predict" + suffix] = Bare(setting, bundle)
    compiled = Command(setting, setting.reference(), "--compiled")
    compiled.run(setting.workload.piece(1000))  # compiles, if that was not done before
    sides["compiled"] = compiled
    found: dict[str, Spread] = {}
    for names, turns in (TOGETHER, TURNS), (TOGETHER_SHIPPED, 1):
        some = {name: sides[name].microseconds for name in names}
        found |= take_turns(setting.scaled(turns, 1), some)
    for suffix in ("", "-shipped"):
        ratio = found["predict" + suffix].over(found["harken" + suffix])
        yield setting.figure("offline" + suffix, ratio.median, **ratio.detail(_note(found, suffix)))
        yield _per_second(setting, "offline-rows" + suffix, found["harken" + suffix])
    start = Spread(tuple(sides["harken"].starts))
    note = "of the whole command; the figures above are without it"
    yield setting.figure("offline-start", start.median, **start.detail(note))
    ratio = found["predict"].over(found["compiled"])
    cost = found["compiled"].median
    said = ratio.detail(f"wall clock {cost:.2f} µs a row; compiled beforehand, cached by digest")
    yield setting.figure("offline-compiled", ratio.median, **said)
    yield _per_second(setting, "offline-compiled-rows", found["compiled"])
    yield from _memory(setting)


class Command:
    """``harken replay --offline`` with one bundle; ``starts`` notes its start-ups in seconds."""

    def __init__(self, setting: Setting, bundle: Path, *options: str) -> None:
        self.setting, self.bundle, self.options = setting, bundle, options
        self.small = setting.workload.piece(setting.scaled(SMALL, 4000))
        self.large = setting.workload.piece(setting.scaled(LARGE, 16_000))
        self.starts: list[float] = []

    def microseconds(self) -> float:
        """Wall-clock time of a row on all cores."""
        small, large = self.run(self.small), self.run(self.large)
        rows = [int(pq.read_metadata(path).num_rows) for path in (self.small, self.large)]
        a_row = (large - small) / (rows[1] - rows[0])
        self.starts.append(small - a_row * rows[0])
        return a_row * 1e6

    def run(self, source: Path, watch: Callable[[int], None] | None = None) -> float:
        """Seconds of one replay."""
        out = self.setting.folder / "offline.parquet"
        words = ["replay", "--offline", source, out, "--restart", "--bundle", self.bundle]
        return harken(self.setting.folder, *words, *self.options, watch=watch)


class Bare:
    """``Booster.predict`` of the same rows."""

    def __init__(self, setting: Setting, bundle: Bundle) -> None:
        source = setting.workload.piece(setting.scaled(LARGE, 16_000))
        self.matrix = setting.workload.matrix(bundle, pq.read_table(source).to_pandas())
        boosted = bundle.parts.model.boosted
        assert boosted is not None
        self.booster, self.threads = lightgbm.Booster(model_str=boosted.text), setting.cores

    def microseconds(self) -> float:
        """Wall-clock time of a row on all cores."""
        began = time.perf_counter()
        self.booster.predict(self.matrix, num_threads=self.threads)
        return (time.perf_counter() - began) / len(self.matrix) * 1e6


def _note(found: dict[str, Spread], suffix: str) -> str:
    ours, bare = found["harken" + suffix].median, found["predict" + suffix].median
    return f"wall clock {ours:.2f} µs a row, bare predict {bare:.2f} µs"


def _per_second(setting: Setting, name: str, found: Spread) -> Figure:
    rows = found.each(lambda us: 1e6 / us)
    return setting.figure(name, rows.median, **rows.detail(f"{setting.cores} cores"))


def rows_of_many(setting: Setting) -> int:
    """Rows of the file that is there for its size."""
    return setting.scaled(MANY, 60_000)


def _memory(setting: Setting) -> Iterator[Figure]:
    """The largest sum over all processes, and whether it grows as the rows go by."""
    rows = rows_of_many(setting)
    command, watches = Command(setting, setting.reference(), "--compiled"), []

    def watch(pid: int) -> None:
        watches.append(MemoryWatch(pid, every=setting.scaled(1, 0.1)).__enter__())

    source = setting.workload.repeated(rows)
    try:
        took = command.run(source, watch)
    finally:
        for each in watches:
            each.__exit__(None, None, None)
        (setting.folder / "offline.parquet").unlink(missing_ok=True)
    samples = np.array(watches[0].samples)
    thirds = [np.median(part) for part in np.array_split(samples[:, 1], 3)]
    note = f"{rows:,} rows in {took:.0f} s (compiled), all processes, shared pages once"
    curve = [[round(at, 1), round(mib)] for at, mib in watches[0].samples]
    yield setting.figure("offline-memory", samples[:, 1].max(), note=note, curve=curve)
    said = f"medians of the thirds: {', '.join(f'{third:.0f}' for third in thirds)} MiB"
    yield setting.figure("offline-memory-flat", thirds[2] / thirds[1], note=said)
