"""The parent process: reserves the port, keeps the workers, publishes rule bases to them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from harken_server import children
from harken_server.assignment import Assignment, Limits
from harken_server.bundles import BundleKeeper
from harken_server.compiling import compile_ahead
from harken_server.errors import HarkenServerError, PublishingError, SnapshotError
from harken_server.grpc.control_server import ControlServer
from harken_server.grpc.simulation import simulate
from harken_server.grpc.tls import credentials
from harken_server.pages import Pages
from harken_server.publishing import Publisher, Vet, first_revision
from harken_server.revisions import Revision, Store, StoreError
from harken_server.settings import Settings, is_loopback
from harken_server.supervision import Crew
from harken_server.transitions import Comparison
from harken_server.vetting import Vetter
from harken_server.watching import EVERY_FILE, State, Watcher, read_at_rest, state_of
from harken_server.workers import Worker

TEND_SECONDS = 0.1
SPARE_SECONDS = 5.0
"""How long beyond its drain a worker may take to end."""
EXPOSED = (
    "whoever reaches this port can end a worker with a few messages; let nobody do so but a proxy"
)
ASK_SECONDS = 1.0
"""What calls on the control port get when stopping."""

_log = structlog.get_logger("harken.control")


class ServeError(HarkenServerError):
    """The server could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What is being served, and where; also the content of the ready file.

    ``revisions`` is where revisions are kept beyond the server's end, ``watched`` the folder
    that is followed, ``watched_bundle`` the bundle's; each is empty if there is none.
    """

    host: str
    port: int
    control_host: str
    control_port: int
    metrics_port: int
    pid: int
    workers: int
    tls: str
    transport: str
    rule_base: str
    rule_base_digest: str
    model_digest: str
    revisions: str
    watched: str
    watched_bundle: str


def serve(
    settings: Settings,
    announce: Callable[[Serving], None],
    stopping: threading.Event | None = None,
) -> int:
    """Serve until SIGTERM, SIGINT or ``stopping``; returns the exit code.

    ``announce`` is called once, when every worker serves. Raises ``SnapshotError`` or
    ``ServeError`` before that. Rule base and bundle are read by child processes only, a rule
    base first by one that tries it, with limits of time and memory: what the engine's native
    compiler cannot stand takes that child with it, and this process stays small.
    """
    stopping = stopping or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    if settings.transport == "native" and not is_loopback(settings.host):
        _log.warning("native transport", host=settings.host, why=EXPOSED)
    with ExitStack() as stack:
        run = Path(tempfile.mkdtemp(prefix="harken-"))
        stack.callback(shutil.rmtree, run, ignore_errors=True)
        parts = _Parts(settings, run, stack)
        known = state_of(settings.rules) if settings.watch else {}
        # They load Python's packages while the rule base is vetted, and nothing of ours.
        parts.crew.launch()
        stack.callback(parts.crew.stop, 0.0)
        try:
            with children.none_once(stopping):
                if settings.compiled:
                    compile_ahead(run / "bundle", parts.crew)
                revision = begin_with(parts.store, parts.vet, settings, known)
            folder = parts.store.folder(revision)
            word = parts.crew.start(folder, settings.start_seconds, stopping, revision.digest)
        except (SnapshotError, PublishingError) as error:
            if stopping.is_set():
                raise ServeError("it was told to stop before it served") from None
            raise _in_place(error.problems or [str(error)], settings, run) from None
        if not word.serves:
            parts.crew.stop(0.0 if stopping.is_set() else SPARE_SECONDS)
            if word.problems:
                raise _in_place(word.problems, settings, run)
            raise ServeError(f"a worker cannot serve: {word.failure}")
        try:
            parts.publisher.started(revision)
        except PublishingError as error:
            raise ServeError(error.message) from None
        parts.control.start()
        parts.pages.start()
        announce(parts.serving())
        watchers = parts.follow(known)
        while not stopping.wait(TEND_SECONDS):
            parts.crew.tend()
        _log.info("draining", workers=settings.workers)
        for watcher in watchers:
            watcher.stop()
        parts.control.stop(ASK_SECONDS)
        with children.none_once(stopping):  # or one that vets would hold up the end
            parts.crew.stop(settings.drain_seconds + SPARE_SECONDS)
        return 0


class _Parts:
    """What serving takes, put together and bound to its ports; ``stack`` takes it apart.

    Raises ``ServeError`` or ``SnapshotError``.
    """

    def __init__(self, settings: Settings, run: Path, stack: ExitStack) -> None:
        self._settings = settings
        reserved = stack.enter_context(reserve(settings.host, settings.port))
        self._port = int(reserved.getsockname()[1])
        if not settings.bundle.is_dir():
            raise SnapshotError([f"bundle: {settings.bundle} is not a folder"])
        self._bundle_known = state_of(settings.bundle, EVERY_FILE)
        # Copied, so that a worker that is started again has what the others have.
        shutil.copytree(settings.bundle, run / "bundle", ignore=shutil.ignore_patterns(".*"))
        (run / "metrics").mkdir()
        self.crew = Crew(
            _workers(settings, run, self._port), _forgetter(run), settings.start_seconds
        )
        try:
            self.pages = Pages(
                settings.control_host, settings.metrics_port, run / "metrics", self.crew
            )
        except OSError as error:
            where = f"{settings.control_host}:{settings.metrics_port} (metrics port)"
            raise ServeError(f"cannot listen on {where}: {error.strerror or error}") from None
        stack.callback(self.pages.close)
        try:
            durable = settings.revisions is not None
            self.store = Store(settings.revisions or run / "revisions", durable)
        except StoreError as error:
            raise ServeError(str(error)) from None
        stack.callback(self.store.close)
        self.vet = vet = Vetter(run / "bundle", settings.start_seconds)

        def simulated(rules: Path, former: Path, requests: bytes) -> Comparison:
            return simulate(rules, former, requests, vet.bundle)

        self.publisher = Publisher(
            self.store,
            self.crew,
            self.vet,
            simulated,
            settings.rules if settings.watch else None,
            self.pages.standing.counted,
        )
        self._keeper = BundleKeeper(
            settings.bundle,
            run / "bundles",
            self.crew,
            self.publisher,
            self.vet,
            self.pages.standing.bundle_counted,
            settings.start_seconds,
            settings.compiled,
        )
        self.control = ControlServer(self.publisher)
        stack.callback(self.control.stop, 0.0)
        self._control_port = self._listen()

    def follow(self, known: State) -> list[Watcher]:
        """Begin what goes on beside serving: the watching, and the shadow."""
        settings, publisher = self._settings, self.publisher

        def take() -> bool:
            problems = publisher.follow(settings.rules, read=read_at_rest)
            error = publisher.last_error
            return bool(problems) and error is not None and bool(error.digest)

        def shade(folder: Path) -> None:
            try:
                publisher.shadow_folder(folder, settings.shadow_share)
            except PublishingError as error:
                problems = error.problems or (error.message,)
                _log.error("no shadow", folder=str(folder), problems=problems)

        if settings.shadow is not None:
            run = partial(shade, settings.shadow)
            threading.Thread(target=run, daemon=True, name="shadow").start()
        watchers = []
        if settings.watch:
            watchers.append(Watcher(settings.rules, known, take))
        if settings.watch_bundle:
            bundle, known = settings.bundle, self._bundle_known
            watchers.append(Watcher(bundle, known, self._keeper.take, EVERY_FILE))
        for watcher in watchers:
            watcher.start()
        return watchers

    def serving(self) -> Serving:
        """What there is to announce."""
        settings, word = self._settings, self.crew.word
        return Serving(
            host=settings.host,
            port=self._port,
            control_host=settings.control_host,
            control_port=self._control_port,
            metrics_port=self.pages.port,
            pid=os.getpid(),
            workers=settings.workers,
            tls="none" if not settings.tls_cert else "mutual" if settings.tls_client_ca else "tls",
            transport=settings.transport,
            rule_base=word.rule_base,
            rule_base_digest=word.rule_base_digest,
            model_digest=word.model_digest,
            revisions=_text(settings.revisions) or "",
            watched=str(settings.rules.absolute()) if settings.watch else "",
            watched_bundle=str(settings.bundle.absolute()) if settings.watch_bundle else "",
        )

    def _listen(self) -> int:
        settings = self._settings
        known = credentials(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        where = f"{_bracketed(settings.control_host)}:{settings.control_port}"
        try:
            return self.control.listen(where, known)
        except RuntimeError:
            raise ServeError(f"cannot listen on {where} (control port)") from None


def begin_with(store: Store, vet: Vet, settings: Settings, known: State) -> Revision:
    """The revision to serve first; raises ``SnapshotError`` if there is none that is sound.

    A watched folder that is unsound does not keep from serving what was served last; ``known``
    is then emptied, so that the watcher reports the folder.
    """
    try:
        return first_revision(store, vet, settings.rules, settings.watch)
    except SnapshotError:
        if not settings.watch or store.active is None:
            raise
    known.clear()
    return first_revision(store, vet, settings.rules)


def _in_place(problems: Sequence[str], settings: Settings, run: Path) -> SnapshotError:
    """The problems with the bundle's folder as its user knows it, not the copy."""
    copy, folder = str(run / "bundle"), str(settings.bundle)
    return SnapshotError([problem.replace(copy, folder) for problem in problems])


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
    """The crew's places; which rule base they serve is said when they are started."""
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(run / "metrics"), "OMP_NUM_THREADS": "1"}
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    pinned = settings.pin and 1 < settings.workers <= len(cores)
    limits = Limits(
        threads=settings.threads,
        max_in_flight=settings.max_in_flight,
        drain_seconds=settings.drain_seconds,
        replay_streams=settings.replay_streams,
        replay_idle_seconds=settings.replay_idle_seconds,
    )
    return [
        Worker(
            Assignment(
                number=number,
                address=f"{_bracketed(settings.host)}:{port}",
                rules="",
                bundle=str(run / "bundle"),
                limits=limits,
                transport=settings.transport,
                folder=str(run),
                memo_size=settings.memo_size,
                compiled=settings.compiled,
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


def _bracketed(host: str) -> str:
    return host if ":" not in host else f"[{host.strip('[]')}]"


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _forgetter(run: Path) -> Callable[[int], None]:
    def forget(pid: int) -> None:
        mark_process_dead(pid, str(run / "metrics"))  # type: ignore[no-untyped-call]

    return forget
