"""A small rule base, a bundle that computes with its fingers, and a server on both."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest
from harken.v1 import rule_bases_pb2 as pb
from harken.v1 import rule_bases_pb2_grpc, scoring_pb2, scoring_pb2_grpc
from harken_models.bundle import Assessment
from harken_rules import load_rule_base
from harken_rules.columns import Coded
from harken_server.assignment import Limits
from harken_server.grpc.server import Server
from harken_server.grpc.transports import server_on
from harken_server.grumble import Grumble
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.snapshot import build_snapshot
from prometheus_client import CollectorRegistry

BASE = Path(__file__).parent / "base"
HOUR_US = 3_600_000_000


class FingerBundle:
    """A bundle without a model: the probability grows with age, spend and the flag."""

    digest = "sha256:" + "f" * 64
    manifest: Mapping[str, object] = {"name": "fingers"}

    def __init__(self) -> None:
        self.attributes = {
            "usage": SimpleNamespace(name="usage", type="number", categories=()),
            "region": SimpleNamespace(name="region", type="category", categories=("n", "s")),
            "roaming": SimpleNamespace(name="roaming", type="flag", categories=()),
            "plan": SimpleNamespace(name="plan", type="category", categories=("basic",)),
        }

    def assess(self, row: Mapping[str, Any]) -> Assessment:
        probability = 0.05
        probability += 0.001 * (row.get("age_years") or 0)
        probability += min(0.3, (row.get("monthly_spend_yuan") or 0) / 1000)
        probability += 0.3 * bool(row.get("dissatisfied")) + 0.1 * bool(row.get("roaming"))
        segment = row.get("segment") or ("gotone_1" if row.get("brand") == "gotone" else None)
        return Assessment(segment, 0.75 if row.get("point") else None, probability)

    def assessor(self, names: Sequence[str]) -> Callable[..., Assessment]:
        def assess(values: Sequence[Any], attributes: Mapping[str, Any]) -> Assessment:
            return self.assess({**attributes, **dict(zip(names, values, strict=True))})

        return assess

    def assess_columns(self, columns: Mapping[str, Any], rows: int) -> SimpleNamespace:
        def plain(column: Any, row: int) -> Any:
            value = column[row]
            value = value.item() if isinstance(value, np.generic) else value
            return None if value != value else value

        each = [self.assess({k: plain(v, i) for k, v in columns.items()}) for i in range(rows)]
        segments = [*dict.fromkeys(a.segment for a in each if a.segment is not None)]
        codes = [-1 if a.segment is None else segments.index(a.segment) for a in each]
        association = [np.nan if a.association is None else a.association for a in each]
        return SimpleNamespace(
            segment_coded=Coded(np.array(codes, np.int32), tuple(segments)),
            association=np.array(association),
            probability=np.array([a.probability for a in each]),
        )

    def explain(
        self, row: Mapping[str, Any], top: int = 10
    ) -> tuple[float, list[tuple[str, str, float]]]:
        return -2.5, [("age_years", str(row.get("age_years") or ""), 0.25)][:top]


@pytest.fixture(scope="session")
def base_path() -> Path:
    return BASE


@pytest.fixture
def bundle() -> Any:
    return FingerBundle()


@pytest.fixture
def scorer(bundle: Any) -> Scorer:
    return Scorer(build_snapshot(load_rule_base(BASE), bundle))


@pytest.fixture
def grumble() -> Callable[..., Grumble]:
    """Makes a grumble about charges, voiced an hour before it is scored."""

    def make(hours: float = 1.0, **fields: Any) -> Grumble:
        voiced = 1_700_000_000_000_000
        given: dict[str, Any] = {
            "grumble_id": "g-1",
            "voice_time_us": voiced,
            "observe_time_us": voiced + int(hours * HOUR_US),
            "category": "charges",
        }
        return Grumble(**{**given, **fields})

    return make


@dataclass
class Started:
    """A server inside the test, what it counts and where that is read, and a stub."""

    server: Server
    scorer: Scorer
    metrics: Metrics
    registry: CollectorRegistry
    address: str
    channel: grpc.Channel
    stub: scoring_pb2_grpc.ScoringServiceStub

    def raw(self, method: str, data: bytes, timeout: float = 10.0) -> bytes:
        """Send bytes as they are."""
        call = self.channel.unary_unary(f"/harken.v1.ScoringService/{method}")
        return call(data, timeout=timeout)

    def counted(self, name: str, **labels: str) -> float:
        self.metrics.flush()
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture(params=["grpcio", "native"])
def transport(request: pytest.FixtureRequest) -> str:
    """What carries the calls: a test that starts a server is run on each."""
    if request.param == "native":
        pytest.importorskip("pygrpc_native", reason="the extra harken-server[native]")
    return str(request.param)


@pytest.fixture
def start(scorer: Scorer, transport: Any) -> Iterator[Callable[..., Started]]:
    """Starts servers on free ports; they and their channels end with the test."""
    started: list[Started] = []

    def make(
        limits: Limits | None = None,
        scorer: Any = scorer,
        credentials: grpc.ServerCredentials | None = None,
    ) -> Started:
        registry = CollectorRegistry()
        limits = limits or Limits(threads=4, drain_seconds=5, notice_seconds=0)
        metrics = Metrics(registry)
        server = server_on(transport, lambda: scorer, limits, metrics)
        address = f"127.0.0.1:{server.listen('127.0.0.1:0', credentials)}"
        server.start()
        channel = grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)])
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        started.append(Started(server, scorer, metrics, registry, address, channel, stub))
        return started[-1]

    yield make
    for one in started:
        one.channel.close()
        one.server.drain()


class Desk:
    """An author's view of a running server: publish, ask how things stand, have grumbles scored.

    Each score comes over a connection of its own, so that any of the workers may answer.
    """

    def __init__(self, served: Any, request: scoring_pb2.ScoreRequest) -> None:
        self.served = served
        self.request = request
        self.channel = grpc.insecure_channel(served.control)
        self.stub = rule_bases_pb2_grpc.RuleBaseServiceStub(self.channel)

    def create(self, folder: Path, **fields: Any) -> pb.CreateRuleBaseRevisionResponse:
        files = [
            pb.RuleBaseFile(path=path.relative_to(folder).as_posix(), content=path.read_bytes())
            for path in sorted(folder.rglob("*.yaml"))
        ]
        return self.send(files, **fields)

    def send(self, files: Any, **fields: Any) -> pb.CreateRuleBaseRevisionResponse:
        signed = {"author": "tests", "message": "a test", **fields}
        request = pb.CreateRuleBaseRevisionRequest(files=files, **signed)
        return self.stub.CreateRuleBaseRevision(request, timeout=120)

    def activate(self, digest: str) -> pb.RuleBaseActivation:
        request = pb.ActivateRuleBaseRevisionRequest(
            digest=digest, author="tests", message="a test"
        )
        return self.stub.ActivateRuleBaseRevision(request, timeout=120).activation

    def state(self) -> pb.GetServingStateResponse:
        return self.stub.GetServingState(pb.GetServingStateRequest(), timeout=20)

    def score(self) -> Any:
        with grpc.insecure_channel(self.served.target) as channel:
            stub = scoring_pb2_grpc.ScoringServiceStub(channel)
            return stub.Score(self.request, timeout=20, wait_for_ready=True).score

    def metric(self, name: str) -> float:
        page = f"http://{self.served.host}:{self.served.metrics_port}/metrics"
        with urllib.request.urlopen(page, timeout=10) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M)
        return float(found[1]) if found else 0.0

    def all_serve(self) -> bool:
        return all(worker.serving for worker in self.state().workers)

    def replaced(self, pids: list[int]) -> bool:
        """Are all there again, and serving, after these were killed?

        A process that ends is gone from here a moment before its parent can know.
        """
        now = self.workers()
        whole = len(now) == len(self.state().workers) and not set(pids) & set(now)
        return whole and self.all_serve()

    def workers(self) -> list[int]:
        """The workers' process ids: the children that a worker's command line names."""
        found = []
        for file in Path(f"/proc/{self.served.process.pid}/task").glob("*/children"):
            for child in map(int, file.read_text().split()):
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{child}/cmdline").read_bytes()
                    if b"harken_server.data_plane" in line:
                        found.append(child)
        return sorted(found)


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., Any]:
    """Waits until ``check`` answers something true, and returns it."""

    def wait(check: Callable[[], Any], seconds: float = 120.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = check()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError("it did not come to pass")

    return wait


@pytest.fixture(scope="session")
def desk_of(request_of: Callable[..., scoring_pb2.ScoreRequest]) -> Callable[[Any], Desk]:
    """Makes the desk of a running server."""
    return lambda served: Desk(served, request_of())


@pytest.fixture(scope="session")
def edited(base_path: Path) -> Callable[..., Path]:
    """Makes a copy of the small rule base that gives ``level`` where it gave 1."""

    def make(folder: Path, level: int = 4) -> Path:
        shutil.copytree(base_path, folder)
        _relevel(folder, level)
        return folder

    return make


@pytest.fixture(scope="session")
def relevel() -> Callable[[Path, int], None]:
    """Edits a copy of the small rule base, as an editor does: aside, and then renamed."""
    return _relevel


def _relevel(folder: Path, level: int) -> None:
    file = folder / "decisions" / "level.yaml"
    text = re.sub(r"(- id: one\n    then: )\S+", rf"\g<1>{level}", file.read_text())
    part = file.with_name(".level.yaml.swp")
    part.write_text(text)
    part.replace(file)


@pytest.fixture(scope="session")
def request_of() -> Callable[..., scoring_pb2.ScoreRequest]:
    """Makes a sound request; fields of its parts are given as ``customer={"brand": "gotone"}``."""

    def make(
        grumble: Mapping[str, Any] | None = None,
        customer: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        hours: float = 1.0,
        **fields: Any,
    ) -> scoring_pb2.ScoreRequest:
        request = scoring_pb2.ScoreRequest(**fields)
        request.grumble.grumble_id = "g-1"
        request.grumble.category = "charges"
        request.grumble.voice_time.FromSeconds(1_700_000_000)
        request.grumble.observe_time.FromSeconds(1_700_000_000 + int(hours * 3600))
        for part, given in (("grumble", grumble), ("customer", customer), ("history", history)):
            for name, value in (given or {}).items():
                setattr(getattr(request, part), name, value)
        return request

    return make


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, and a server's and a client's certificate signed by it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("req", *key, *files, "-subj", f"/CN={name}")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-extfile", "san", "-out", f"{name}.pem", "-days", "1"),
        )
    return folder
