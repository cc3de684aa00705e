"""Servers to be measured: Harken's own, the same with nothing behind it, plain grpcio."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo import HARKEN, ROOT
from figures import Unmeasurable
from processes import children_of, command_of, cpu_seconds

NULL = [sys.executable, str(ROOT / "bench" / "null_server.py")]
READY_SECONDS = 90


@dataclass(frozen=True)
class Served:
    """A server that is ready. ``workers`` are the processes that answer calls."""

    name: str
    target: str
    pid: int
    workers: tuple[int, ...]
    said: dict[str, object]

    def cpu(self) -> float:
        """Processor seconds of the workers so far."""
        return cpu_seconds(self.workers)


@contextlib.contextmanager
def harken_server(
    name: str, bundle: Path, folder: Path, *options: str, null_size: int | None = None
) -> Iterator[Served]:
    """``harken serve`` on a free port; its log stays in ``folder``.

    With ``null_size`` its servicers do nothing and answer with that many bytes.
    """
    ready, log = folder / f"{name}.ready.json", folder / f"{name}.log"
    ready.unlink(missing_ok=True)
    command = [HARKEN, "serve"] if null_size is None else [*NULL, str(null_size)]
    ports = ["--port", "0", "--control-port", "0", "--metrics-port", "0"]
    said = ["--bundle", str(bundle), "--ready-file", str(ready), "--log-level", "warning"]
    with log.open("wb") as out, running([*command, *ports, *said, *options], out) as process:
        wait_for(ready.exists, process, name, log)
        about = json.loads(ready.read_text("utf-8"))
        workers = tuple(pid for pid in children_of(process.pid) if _is_worker(command_of(pid)))
        if len(workers) != about["workers"]:
            raise Unmeasurable(f"{name}: {len(workers)} workers of {about['workers']} are there")
        yield Served(name, f"127.0.0.1:{about['port']}", process.pid, workers, about)


@contextlib.contextmanager
def running(
    command: Sequence[str], out: object, env: dict[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block."""
    process = subprocess.Popen(
        command,
        stdout=out,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(is_so: object, process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    """Until ``is_so()``; raises ``Unmeasurable`` if the process ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_so():  # type: ignore[operator]
        if process.poll() is not None:
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise Unmeasurable(f"{name} ended with code {process.returncode}: {' '.join(last)}")
        if time.monotonic() > deadline:
            raise Unmeasurable(f"{name} was not ready within {READY_SECONDS} seconds")
        time.sleep(0.02)


def _is_worker(command: str) -> bool:
    return "harken_server.data_plane" in command or "--worker" in command
