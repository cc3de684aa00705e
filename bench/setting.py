"""What every part of the benchmark is given: how long to measure, and what."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import reference
from figures import Figure
from figures import figure as _figure
from harken_models import default_bundle_path
from harken_models.bundle import Bundle
from harken_models.bundlefile import load_bundle
from rows import ROWS
from workload import Workload

_PACKAGES = ("grpcio", "protobuf", "lightgbm", "numpy", "pyarrow", "durable-rules")


@dataclass(frozen=True)
class Setting:
    """One run of the benchmark. ``quick`` is for those who work on it: its figures say little."""

    folder: Path
    quick: bool = False

    @property
    def turns(self) -> int:
        """How often the sides of a comparison take turns."""
        return 2 if self.quick else 5

    @property
    def seconds(self) -> float:
        """How long a load lasts."""
        return 0.6 if self.quick else 1.2

    def scaled(self, number: int, quick: int) -> int:
        """A size, or the one that is enough to see that the measurement runs."""
        return quick if self.quick else number

    @cached_property
    def cores(self) -> int:
        """The cores that may be used."""
        return len(os.sched_getaffinity(0))

    @cached_property
    def workload(self) -> Workload:
        """The grumbles to score: some 315,000, or 18,000 in a quick run."""
        return Workload(self.folder / "data", self.scaled(45_000, 2500))

    def reference(self, trees: int = reference.TREES) -> Path:
        """The folder of the reference bundle, or of its like with more trees."""
        history = Workload(self.folder / "data", reference.CUSTOMERS).history
        path = self.folder / f"reference-{trees}"
        reference.reference_bundle(history, path, trees)
        return path

    def bundles(self) -> Iterator[tuple[str, Path, Bundle]]:
        """Both bundles to be measured: what their rows' names end with, folder, and loaded."""
        for suffix, path in (("", self.reference()), ("-shipped", default_bundle_path())):
            yield suffix, path, load_bundle(path)

    def figure(self, name: str, value: float | None, **detail: Any) -> Figure:
        """A figure of the table's row ``name``."""
        return _figure(ROWS, name, value, detail)


def with_shipped(*names: str) -> tuple[str, ...]:
    """The rows, each with its like of the shipped bundle."""
    return tuple(name + suffix for name in names for suffix in ("", "-shipped"))


Measure = Callable[[Setting], Iterator[Figure]]


@dataclass(frozen=True)
class Part:
    """Rows that are measured together. ``rows`` are the names, ``-shipped`` ones included."""

    name: str
    title: str
    rows: tuple[str, ...]
    measure: Measure


def machine(setting: Setting) -> Iterator[Figure]:
    """What it was measured on, and with which versions."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield setting.figure(
        "machine",
        setting.cores,
        note=f"{_processor()}, {memory:.0f} GiB, Python {platform.python_version()}",
        processor=_processor(),
        memory_gib=round(memory, 1),
        system=platform.platform(),
        python=platform.python_version(),
        versions=versions,
        load_average_before=round(os.getloadavg()[0], 2),
        quick=setting.quick,
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
