"""``/metrics`` for Prometheus and ``/healthz`` for whoever supervises us, over HTTP."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from harken_server.supervision import Crew

Family = CounterMetricFamily | GaugeMetricFamily


class Standing(Collector):
    """What the parent itself knows: who serves what, since when, and how changes of it went."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._outcomes: Counter[str] = Counter()
        self._bundles: Counter[str] = Counter(activated=0, unchanged=0, failed=0)
        self.bundle_error = ""
        """Why what the watched bundle folder holds is not served; empty if it is."""

    def counted(self, outcome: str) -> None:
        """A change of what is served ended: ``activated`` or ``failed``."""
        self._outcomes[outcome] += 1

    def bundle_counted(self, outcome: str, error: str = "") -> None:
        """The same for a bundle; ``error`` says why it ``failed``."""
        self._bundles[outcome] += 1
        self.bundle_error = error

    def collect(self) -> Iterable[Family]:
        """What prometheus-client asks for."""
        crew, word = self._crew, self._crew.word
        served = GaugeMetricFamily(
            "harken_snapshot_info",
            "What is being served; always 1.",
            labels=["rule_base_digest", "model_digest"],
        )
        if word.rule_base_digest:
            served.add_metric([word.rule_base_digest, word.model_digest], 1)
        yield served
        yield GaugeMetricFamily("harken_workers", "Workers wanted.", value=len(crew.workers))
        yield GaugeMetricFamily(
            "harken_workers_serving", "Workers that serve.", value=crew.serving()
        )
        since = GaugeMetricFamily(
            "harken_rule_base_active_since_seconds",
            "When the rule base that is served was activated, in Unix time.",
        )
        if crew.since is not None:
            since.add_metric([], crew.since.timestamp())
        yield since
        yield CounterMetricFamily(
            "harken_reloads",
            "Times that another rule base was activated.",
            value=self._outcomes["activated"],
        )
        yield CounterMetricFamily(
            "harken_reload_failures",
            "Rule bases that were to be served and could not be.",
            value=self._outcomes["failed"],
        )
        bundles = CounterMetricFamily(
            "harken_bundle_reloads",
            "Changes of the watched model bundle, by how they ended.",
            labels=["outcome"],
        )
        for outcome, count in self._bundles.items():
            bundles.add_metric([outcome], count)
        yield bundles


class Pages:
    """The HTTP server; bound at once, answering from ``start`` on.

    ``metrics`` is the folder where workers leave what they count. Raises ``OSError`` if the
    address cannot be had.
    """

    def __init__(self, host: str, port: int, metrics: Path, crew: Crew) -> None:
        self.standing = Standing(crew)
        self._crew = crew
        self._registry = CollectorRegistry()
        MultiProcessCollector(self._registry, str(metrics))  # type: ignore[no-untyped-call]
        self._registry.register(self.standing)
        self._http = _HttpServer((host.strip("[]"), port), self._handler())
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and let go of the port."""
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()

    def _page(self, path: str) -> tuple[int, str, bytes]:
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        if path == "/healthz":
            serving, word = self._crew.serving(), self._crew.word
            state = {
                "workers": len(self._crew.workers),
                "serving": serving,
                "rule_base_digest": word.rule_base_digest,
                "model_digest": word.model_digest,
            }
            if self.standing.bundle_error:
                state["bundle_error"] = self.standing.bundle_error
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
