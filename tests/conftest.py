"""A real server for the tests that need one: processes, ports and all, with what is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 240.0
"""Generous: the machine may be busy with other tests."""


@dataclass(frozen=True)
class Served:
    """A running ``harken serve`` and what its ready file says."""

    process: subprocess.Popen[str]
    host: str
    port: int
    control_port: int
    workers: int
    rule_base_digest: str
    model_digest: str

    @property
    def target(self) -> str:
        return f"{self.host}:{self.port}"


def serve(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Served:
    """Start ``python -m harken_server`` on free ports; its output is in ``folder``."""
    ready, log = folder / "ready.json", folder / "log.txt"
    command = [sys.executable, "-m", "harken_server", "--port", "0", "--control-port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready), *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment,
        )
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        time.sleep(0.05)
    said = json.loads(ready.read_text())
    names = ("host", "port", "control_port", "workers", "rule_base_digest", "model_digest")
    return Served(process, **{name: said[name] for name in names})


def stop(served: Served) -> int:
    """Ask it to drain; returns its exit code."""
    served.process.terminate()
    return served.process.wait(timeout=60)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The shipped rule base and bundle, served by one worker for the whole session."""
    running = serve(tmp_path_factory.mktemp("served"), "--workers", "1")
    yield running
    stop(running)


@pytest.fixture
def serve_here(tmp_path: Path) -> Iterator[object]:
    """Starts a server with options of the test's own; it ends with the test."""
    running: list[Served] = []

    def start(*options: str) -> Served:
        folder = tmp_path / f"server{len(running)}"
        folder.mkdir()
        running.append(serve(folder, *options))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            stop(one)
