"""A real server for the tests that need one: processes, ports and all, with what is shipped."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

# Containers are wont to forbid it; each of the hundreds of processes that the tests start would
# compile every module of the house anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

START_SECONDS = 240.0
"""Generous: the machine may be busy with other tests."""
FREE_PORTS = ("--port", "0", "--control-port", "0", "--metrics-port", "0")


@dataclass(frozen=True)
class Served:
    """A running ``harken serve`` and what its ready file says."""

    process: subprocess.Popen[str]
    log: Path
    host: str
    port: int
    control_port: int
    metrics_port: int
    workers: int
    rule_base_digest: str
    model_digest: str

    @property
    def target(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def control(self) -> str:
        return f"{self.host}:{self.control_port}"


@pytest.fixture(scope="session", autouse=True)
def _commands_made_once() -> Iterator[None]:
    """typer's runner makes all commands of an app anew for every call; here once an app."""
    from typer import testing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", cache(testing._get_command))
        yield


Start = Callable[..., Served]


def serve(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Served:
    """Start ``python -m harken_server`` on free ports; its output is in ``folder``."""
    ready, log = folder / "ready.json", folder / "log.txt"
    command = [sys.executable, "-m", "harken_server", *FREE_PORTS]
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
    names = [each.name for each in fields(Served) if each.name not in ("process", "log")]
    return Served(process, log, **{name: said[name] for name in names})


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
def serve_here(tmp_path: Path) -> Iterator[Start]:
    """Starts a server with options of the test's own; it ends with the test."""
    yield from _servers(tmp_path)


@pytest.fixture(scope="module")
def serve_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a server that a module's tests share."""
    yield from _servers(tmp_path_factory.mktemp("servers"))


def _servers(home: Path) -> Iterator[Start]:
    running: list[Served] = []

    def start(*options: str) -> Served:
        folder = home / f"server{len(running)}"
        folder.mkdir()
        running.append(serve(folder, *options))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            stop(one)


class FakeCrew:
    """Workers that serve whatever they are told; ``problems`` are what they answer instead."""

    def __init__(self) -> None:
        self.served: list[Path] = []
        self.shadow: tuple[Path, float] | None = None
        self.problems: tuple[str, ...] = ()
        self.before_reload: Callable[[], None] = lambda: None
        self.since = datetime(2026, 3, 1, 8, tzinfo=UTC)
        self.transitions: Counter[tuple[int, int]] = Counter({(1, 1): 7, (1, 2): 2, (3, 2): 1})

    def reload(self, rules: Path, digest: str = "") -> tuple[str, ...]:
        self.before_reload()
        if not self.problems:
            self.served.append(rules)
        return self.problems

    def set_shadow(self, rules: Path | None, share: float) -> tuple[str, ...]:
        if self.problems:
            return self.problems
        self.shadow = None if rules is None else (rules, share)
        return ()

    def shadow_counts(self) -> Any:
        from harken_server.assignment import ShadowCounts

        if self.shadow is None:
            return None
        active = "sha256:" + (self.served[-1].parent.name if self.served else "0" * 64)
        digest = "sha256:" + self.shadow[0].parent.name
        return ShadowCounts(active, digest, 10, 2, 1, self.transitions)

    def states(self) -> list[Any]:
        from harken_server.supervision import WorkerState

        digest = "sha256:" + self.served[-1].parent.name if self.served else ""
        model = "sha256:" + "b" * 64
        return [WorkerState(number, number == 0, digest, model, self.since) for number in (0, 1)]


def fake_vet(folder: Path) -> Any:
    """Vets by what stands in rulebase.yaml: lines ``error: TEXT`` and ``warning: TEXT``."""
    from harken_server.vetting import Finding, Vetted

    findings = []
    lines = (folder / "rulebase.yaml").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        severity, _, said = line.partition(": ")
        if severity in ("error", "warning"):
            rendered = f"{severity}[gap]: {said}\n  --> rulebase.yaml:{number}:1\n"
            place = ("rulebase.yaml", number, 1)
            findings.append(Finding("gap", severity, said, *place, "mend it", rendered))
    problems = tuple(each.rendered.rstrip() for each in findings if each.severity == "error")
    meaning = "\n".join(line for line in lines if not line.startswith("#"))
    digest = "" if problems else "sha256:" + hashlib.sha256(meaning.encode()).hexdigest()
    return Vetted(digest, "a base", tuple(findings), not problems, "compared", problems)


def fake_simulate(_rules: Path, _former: Path, requests: bytes) -> Any:
    """As many scored as there are requests, and one of them with another level."""
    from harken.v1 import rule_bases_pb2
    from harken_server.transitions import Comparison

    scored = len(rule_bases_pb2.SimulateRuleBaseRequest.FromString(requests).requests)
    transitions = Counter({(1, 1): scored - 1, (1, 2): 1})
    strategies, owners = {"refund": (1, 0), "apology": (2, 2)}, {"billing": (0, 4)}
    return Comparison(scored, 2, transitions, strategies, owners, (3, 5))


@dataclass
class Controlled:
    """A control plane inside the test: the real store and server, workers that are not there."""

    publisher: Any
    crew: FakeCrew
    server: Any
    target: str

    @property
    def store(self) -> Any:
        return self.publisher.store


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Controlled]:
    """A running control plane whose first revision is active; ``control.target`` is its address."""
    import structlog
    from harken_server.grpc.control_server import ControlServer
    from harken_server.publishing import Publisher, first_revision
    from harken_server.revisions import Store

    before = structlog.get_config()
    # Not to standard output, where a command that runs in this process speaks.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(StringIO()))
    rules = tmp_path / "first-rules"
    rules.mkdir()
    (rules / "rulebase.yaml").write_text("name: first\n")
    store, crew = Store(tmp_path / "store"), FakeCrew()
    publisher = Publisher(store, crew, fake_vet, fake_simulate)
    first = first_revision(store, fake_vet, rules)
    crew.served.append(store.folder(first))
    publisher.started(first)
    server = ControlServer(publisher)
    target = f"127.0.0.1:{server.listen('127.0.0.1:0')}"
    server.start()
    yield Controlled(publisher, crew, server, target)
    server.stop(1.0)
    store.close()
    structlog.configure(**before)
