"""A server's life: its start, a change of rule base under load, and its memory."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from demo import HARKEN
from figures import Figure, Spread
from harken.v1 import scoring_pb2
from harken_client.rule_types import RuleBaseFile
from harken_client.rulebases import RuleBaseClient
from harken_rules import default_base_path
from load import SCORE, Loaded, load, python_load
from processes import memory_mib
from servers import Served, harken_server, running
from setting import Setting, with_shipped

ROWS = (
    *with_shipped("start", "memory-worker", "memory-worker-own"),
    "reload",
    "reload-publish",
    "reload-p99",
)
EDIT = ("base_level", "at_least: 3.60", "at_least: 3.50")
BEFORE_SECONDS, LOAD_SECONDS = 1.0, 5.0


def measure(setting: Setting) -> Iterator[Figure]:
    """Starts are of whole servers with all their workers."""
    wires = [request.SerializeToString() for request in setting.workload.requests(4000)]
    for suffix, path, _ in setting.bundles():
        starts = [
            _start(setting, path, wires[0]) for _ in range(1 if suffix else setting.scaled(2, 1))
        ]
        found = Spread(tuple(starts))
        note = f"{setting.cores} workers; Python, LightGBM, rule base vetted, engine built"
        yield setting.figure("start" + suffix, found.median, **found.detail(note))
        with harken_server(f"life{suffix}", path, setting.folder) as server:
            yield from _memory(setting, suffix, server, wires)
            if not suffix:
                yield from _reload(setting, server, wires)


def _start(setting: Setting, bundle: Path, wire: bytes) -> float:
    """Seconds from the command to the first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ports = ["--port", str(port), "--control-port", "0", "--metrics-port", "0"]
    command = [HARKEN, "serve", *ports, "--bundle", str(bundle), "--log-level", "warning"]
    began = time.perf_counter()
    with running(command, subprocess.DEVNULL), _channel(port) as channel:
        channel.unary_unary(SCORE)(wire, wait_for_ready=True, timeout=60)
        return time.perf_counter() - began


def _channel(port: int) -> grpc.Channel:
    # It asks again soon: how long a client waits between attempts is no part of the start.
    options = [
        ("grpc.initial_reconnect_backoff_ms", 20),
        ("grpc.min_reconnect_backoff_ms", 20),
        ("grpc.max_reconnect_backoff_ms", 20),
    ]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options)


def _memory(setting: Setting, suffix: str, server: Served, wires: list[bytes]) -> Iterator[Figure]:
    load(server.target, wires[:16], 64, setting.seconds)
    python_load(server.target, wires, 16, setting.seconds)
    resident, own = zip(*(memory_mib(pid) for pid in server.workers), strict=True)
    parent = f"the parent process {memory_mib(server.pid)[0]:.0f} MiB"
    note = f"after {len(wires):,} different requests; {parent}"
    yield setting.figure("memory-worker" + suffix, statistics.mean(resident), note=note)
    yield setting.figure("memory-worker-own" + suffix, statistics.mean(own))


def _reload(setting: Setting, server: Served, wires: list[bytes]) -> Iterator[Figure]:
    """A changed cut-off is published and then activated while calls go on."""
    folder = _changed(setting)
    files = [
        RuleBaseFile(str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*.yaml"))
    ]
    seconds = LOAD_SECONDS
    quiet = python_load(server.target, wires, 16, seconds)
    control = f"{server.said['control_host']}:{server.said['control_port']}"
    with RuleBaseClient(control) as client, ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        made = client.create_rule_base_revision(files, author="bench", message="a cut-off")
        published = time.perf_counter() - began
        under = pool.submit(python_load, server.target, wires, 16, seconds)
        time.sleep(BEFORE_SECONDS)
        began = time.perf_counter()
        client.activate_rule_base_revision(made.digest, author="bench", message="a cut-off")
        activated = time.perf_counter() - began
        answered = _answered_by(server.target, wires[0], made.digest, began)
        loaded = under.result()
    note = f"under {loaded.per_second:,.0f} calls a second, none failed"
    yield setting.figure("reload", answered, note=note, activated_seconds=round(activated, 3))
    yield setting.figure("reload-publish", published, note="checked, tried, kept")
    said = f"{_tail(loaded)} with the change, {_tail(quiet)} without"
    yield setting.figure("reload-p99", loaded.quantile(0.99) / quiet.quantile(0.99), note=said)


def _changed(setting: Setting) -> Path:
    folder, (name, old, new) = setting.folder / "changed", EDIT
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(default_base_path(), folder)
    shutil.rmtree(folder / "cases")
    file = folder / "decisions" / f"{name}.yaml"
    text = file.read_text("utf-8")
    if old not in text:
        raise RuntimeError(f"{file.name} does not hold {old!r}")
    file.write_text(text.replace(old, new), "utf-8")
    return folder


def _answered_by(target: str, wire: bytes, digest: str, began: float) -> float:
    """Seconds since ``began`` when the rule base of that digest is the one that answers."""
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(SCORE)
        while True:
            answer = scoring_pb2.ScoreResponse.FromString(call(wire, timeout=10))
            if answer.score.rule_base_digest == digest:
                return time.perf_counter() - began
            if time.perf_counter() - began > 30:
                raise RuntimeError(f"{json.dumps(digest)} does not answer after 30 seconds")


def _tail(loaded: Loaded) -> str:
    p99, longest = loaded.quantile(0.99) / 1000, max(loaded.latencies_us) / 1000
    return f"p99 {p99:.1f} ms, longest {longest:.0f} ms"
