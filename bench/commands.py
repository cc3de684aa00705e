"""Harken's commands, run and timed as a user runs them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from demo import HARKEN


def harken(folder: Path, *words: object, watch: Callable[[int], None] | None = None) -> float:
    """Run ``harken`` with these words; returns the seconds it took, from start to end.

    What it prints goes to a log in ``folder``. ``watch`` is told the process's id. Raises
    ``RuntimeError`` with the log's end if it fails.
    """
    log, command = folder / "command.log", [HARKEN, *map(str, words)]
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        if watch is not None:
            watch(process.pid)
        code = process.wait()
    took = time.perf_counter() - began
    if code:
        said = log.read_text("utf-8", "replace").strip()[-500:]
        raise RuntimeError(f"harken {words[0]} ended with {code}: {said}")
    return took
