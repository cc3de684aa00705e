"""The parent process: reserves the port, keeps the workers, answers the control port."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog
from harken_rules.probe import probe_rule_base
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from harken_server.assignment import Assignment, Limits, Word
from harken_server.errors import HarkenServerError, SnapshotError
from harken_server.settings import Settings
from harken_server.supervision import Crew, Worker

PROBED = 200
"""Signatures a decision on which a rule base is tried before it is served."""
TEND_SECONDS = 0.1
SPARE_SECONDS = 5.0
"""How long beyond its drain a worker may take to end."""

_log = structlog.get_logger("harken.control")


class ServeError(HarkenServerError):
    """The server could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What is being served, and where; also the content of the ready file."""

    host: str
    port: int
    control_host: str
    control_port: int
    pid: int
    workers: int
    tls: str
    rule_base: str
    rule_base_digest: str
    model_digest: str


def serve(
    settings: Settings,
    announce: Callable[[Serving], None],
    stopping: threading.Event | None = None,
) -> int:
    """Serve until SIGTERM, SIGINT or ``stopping``; returns the exit code.

    ``announce`` is called once, when every worker serves. Raises ``SnapshotError`` or
    ``ServeError`` before that. Rule base and bundle are read by child processes only, the rule
    base first by one that tries it, with a time limit: what the engine's native compiler cannot
    stand takes that child with it, and this process stays small.
    """
    stopping = stopping or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    run = Path(tempfile.mkdtemp(prefix="harken-"))
    reserved = control = None
    try:
        reserved = reserve(settings.host, settings.port)
        port = int(reserved.getsockname()[1])
        crew = Crew(_workers(settings, run, port), _forgetter(run), settings.start_seconds)
        probe = probe_rule_base(run / "rules", settings.start_seconds, PROBED)
        if probe.loads and not probe.sound:  # one that does not load is the workers' to report
            raise SnapshotError([f"rules: {probe.report}"])
        control = Control(settings, run, crew)
        word = crew.start(settings.start_seconds, stopping)
        if not word.serves:
            crew.stop(SPARE_SECONDS)
            if word.problems:
                raise SnapshotError([_in_place(each, settings, run) for each in word.problems])
            raise ServeError(f"a worker cannot serve: {word.failure}")
        serving = Serving(
            host=settings.host,
            port=port,
            control_host=settings.control_host,
            control_port=control.port,
            pid=os.getpid(),
            workers=settings.workers,
            tls="none" if not settings.tls_cert else "mutual" if settings.tls_client_ca else "tls",
            rule_base=word.rule_base,
            rule_base_digest=word.rule_base_digest,
            model_digest=word.model_digest,
        )
        control.start(word)
        announce(serving)
        while not stopping.wait(TEND_SECONDS):
            crew.tend()
        _log.info("draining", workers=settings.workers)
        crew.stop(settings.drain_seconds + SPARE_SECONDS)
        return 0
    finally:
        if control is not None:
            control.close()
        if reserved is not None:
            reserved.close()
        shutil.rmtree(run, ignore_errors=True)


def _in_place(problem: str, settings: Settings, run: Path) -> str:
    """A worker's problem with the folders that its user knows, not the copies."""
    for name, folder in (("rules", settings.rules), ("bundle", settings.bundle)):
        problem = problem.replace(str(run / name), str(folder))
    return problem


def reserve(host: str, port: int) -> socket.socket:
    """Hold ``host:port`` without listening, so that all workers share it; 0 picks a free one.

    Raises ``ServeError`` if it is taken: ``SO_REUSEPORT`` alone would quietly share the port
    with another server of the same user, each getting some of the calls.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ServeError("this system has no SO_REUSEPORT, by which the workers share a port")
    found = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        if port:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
    except OSError as error:
        if found is not None:
            found.close()
        raise ServeError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return found


def _workers(settings: Settings, run: Path, port: int) -> list[Worker]:
    """The crew's places. Workers load copies made now, so that one that is started again
    serves what the others serve, whatever has become of the folders since."""
    hidden = shutil.ignore_patterns(".*")
    for name, folder in (("rules", settings.rules), ("bundle", settings.bundle)):
        if not folder.is_dir():
            raise SnapshotError([f"{name}: {folder} is not a folder"])
        shutil.copytree(folder, run / name, ignore=hidden)
    (run / "metrics").mkdir()
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(run / "metrics"), "OMP_NUM_THREADS": "1"}
    host = settings.host if ":" not in settings.host else f"[{settings.host.strip('[]')}]"
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    pinned = settings.pin and 1 < settings.workers <= len(cores)
    limits = Limits(settings.threads, settings.max_in_flight, settings.drain_seconds)
    return [
        Worker(
            Assignment(
                number=number,
                address=f"{host}:{port}",
                rules=str(run / "rules"),
                bundle=str(run / "bundle"),
                limits=limits,
                memo_size=settings.memo_size,
                core=cores[number] if pinned else None,
                tls_cert=_text(settings.tls_cert),
                tls_key=_text(settings.tls_key),
                tls_client_ca=_text(settings.tls_client_ca),
                log_level=settings.log_level,
                log_format=settings.log_format,
            ),
            environment,
        )
        for number in range(settings.workers)
    ]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _forgetter(run: Path) -> Callable[[int], None]:
    def forget(pid: int) -> None:
        mark_process_dead(pid, str(run / "metrics"))  # type: ignore[no-untyped-call]

    return forget


class Control:
    """The control port: ``/metrics`` for Prometheus, ``/healthz`` for whoever supervises us."""

    def __init__(self, settings: Settings, run: Path, crew: Crew) -> None:
        self._registry = CollectorRegistry()
        MultiProcessCollector(self._registry, str(run / "metrics"))  # type: ignore[no-untyped-call]
        self._info = Gauge(
            "harken_snapshot_info",
            "What is being served; always 1.",
            ["rule_base_digest", "model_digest"],
            registry=self._registry,
        )
        self._serving = Gauge(
            "harken_workers_serving", "Workers that serve.", registry=self._registry
        )
        Gauge("harken_workers", "Workers wanted.", registry=self._registry).set(len(crew.workers))
        self._crew = crew
        self._digests: dict[str, str] = {}
        address = (settings.control_host.strip("[]"), settings.control_port)
        try:
            self._http = _HttpServer(address, self._handler())
        except OSError as error:
            where = f"{settings.control_host}:{settings.control_port}"
            raise ServeError(
                f"cannot listen on {where} (control port): {error.strerror or error}"
            ) from None
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)

    def start(self, word: Word) -> None:
        """Answer from now on, also what is served."""
        self._info.labels(word.rule_base_digest, word.model_digest).set(1)
        self._digests = {
            "rule_base_digest": word.rule_base_digest,
            "model_digest": word.model_digest,
        }
        self._thread.start()

    def close(self) -> None:
        """Stop answering and let go of the port."""
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()

    def _page(self, path: str) -> tuple[int, str, bytes]:
        serving = self._crew.serving()
        if path == "/metrics":
            self._serving.set(serving)
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        if path == "/healthz":
            state = {"workers": len(self._crew.workers), "serving": serving, **self._digests}
            return (200 if serving else 503), "application/json", json.dumps(state).encode()
        return 404, "text/plain", b"there are /metrics and /healthz\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self._page

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = page(self.path.split("?", 1)[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its name there
                """Scrapes are not worth a line."""

        return Handler


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)
