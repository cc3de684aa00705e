"""Harken's commands, run and timed as a user runs them."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import HARKEN
from figures import Unmeasurable


@dataclass(frozen=True)
class Ran:
    """A command that ended well, and the seconds it took."""

    seconds: float


def harken(folder: Path, *words: object, watch: Callable[[int], None] | None = None) -> Ran:
    """Run ``harken`` with these words; what it prints goes to a log in ``folder``.

    ``watch`` is told the process's id. Raises ``Unmeasurable`` if the command does not know an
    option, ``RuntimeError`` if it fails.
    """
    log, command = folder / "command.log", [HARKEN, *map(str, words)]
    before, began = _children_cpu(), time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        if watch is not None:
            watch(process.pid)
        code = process.wait()
    took = time.perf_counter() - began
    if code:
        said = log.read_text("utf-8", "replace").strip()
        if "No such option" in said:
            raise Unmeasurable(f"`harken {words[0]}` lacks an option: {said.splitlines()[-2]}")
        raise RuntimeError(f"harken {' '.join(map(str, words))} ended with {code}: {said[-500:]}")
    return Ran(took, _children_cpu() - before)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
