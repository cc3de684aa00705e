"""What a score costs, and where: the rules, the model, the core, a call, a batch.

Prints a table and writes ``build/bench.json``, a list of ``{id, what, value, unit, detail}``.
Whatever is compared was measured in the same run, the two sides taking turns; each figure is
the median of the turns. The grumbles are simulated, the rule base and the bundle those shipped.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import lightgbm
import numpy as np
import pandas as pd
from check_bench import measure as measure_check
from demo import HARKEN, ROOT, as_core, serving
from grpc_health.v1 import health_pb2, health_pb2_grpc
from harken.v1 import scoring_pb2, scoring_pb2_grpc
from harken_client.requests import grumble_request
from harken_models import default_bundle_path
from harken_rules import default_base_path
from harken_server.grpc.convert import from_proto
from harken_server.grpc.scoring_service import ScoringService
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.snapshot import load_snapshot
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rules_bench import measure

TURNS = 7
BATCH = 1000
IN_FLIGHT = 16

Row = dict[str, Any]


def turns(*sides: Callable[[], int]) -> list[float]:
    """Each side's median seconds for one unit; a side does its work and says how many units.

    The sides take turns, so that a busy moment of the machine hits all of them.
    """
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(TURNS):
        for side, found in zip(sides, seconds, strict=True):
            start = time.perf_counter()
            units = side()
            found.append((time.perf_counter() - start) / units)
    return [statistics.median(found) for found in seconds]


def simulated_requests(folder: Path, customers: int) -> list[scoring_pb2.ScoreRequest]:
    """Requests for the last simulated month."""
    history, flat = folder / "history", folder / "flat.parquet"
    spec = ROOT / "models" / "specs" / "simulated.yaml"
    simulate = ["data", "simulate", "--customers", str(customers), "--out", str(history)]
    prepare = ["data", "prepare", "--spec", str(spec), str(history), "--out", str(flat)]
    for words in (simulate, [*prepare, "--from", "2011-06-01", "--until", "2011-07-01"]):
        subprocess.run([HARKEN, *words], check=True, stdout=subprocess.DEVNULL)
    frame = pd.read_parquet(flat)
    return [grumble_request(as_core(row)) for _, row in frame.iterrows()]


def in_process(requests: Sequence[scoring_pb2.ScoreRequest]) -> list[Row]:
    """The core without a transport, and LightGBM alone beside it."""
    snapshot = load_snapshot(default_base_path(), default_bundle_path())
    scorer = Scorer(snapshot)
    service = ScoringService(lambda: scorer, Metrics())
    wires = [request.SerializeToString() for request in requests[:BATCH]]
    batch = scoring_pb2.BatchScoreRequest(requests=requests[:BATCH])
    rows = [snapshot_row(request) for request in batch.requests]
    boosted, features = snapshot.bundle.parts.model.boosted, snapshot.bundle.parts.features
    assert boosted is not None
    booster = lightgbm.Booster(model_str=boosted.text)
    matrix = boosted.prepare(np.array([features.encode_row(row) for row in rows]))

    def whole() -> int:
        for wire in wires:
            service.score(scoring_pb2.ScoreRequest.FromString(wire)).SerializeToString()
        return len(wires)

    def model() -> int:
        for row in rows:
            snapshot.bundle.assess(row)
        return len(rows)

    def many() -> int:
        service.batch_score(batch).SerializeToString()
        return len(batch.requests)

    def bare() -> int:
        booster.predict(matrix, num_threads=1)
        return len(matrix)

    def bare_single() -> int:
        for at in range(50):
            booster.predict(matrix[at : at + 1], num_threads=1)
        return 50

    whole(), many()
    one, assess, batched, predict, single = turns(whole, model, many, bare, bare_single)
    return [
        row("core-score", "request parsed → answer serialised, warm", one * 1e6, "µs"),
        row("model-assess", "segment, association and probability of one row", assess * 1e6, "µs"),
        row("booster-single", "Booster.predict of one row, one thread", single * 1e6, "µs"),
        row("core-batch", "BatchScore without the wire, a row", batched * 1e6, "µs", f"of {BATCH}"),
        row("batch-to-predict", "bare Booster.predict ÷ BatchScore, a row", predict / batched, "×"),
    ]


def snapshot_row(request: scoring_pb2.ScoreRequest) -> dict[str, object]:
    """A request as the row that a bundle assesses."""
    grumble = from_proto(request)
    return {name: getattr(grumble, name) for name in grumble.__slots__}


def over_grpc(requests: Sequence[scoring_pb2.ScoreRequest], ready: Path) -> list[Row]:
    """Calls to a real server from threads of this process, beside its health check."""
    with serving(default_bundle_path(), ready) as served:
        target = f"127.0.0.1:{served['port']}"
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.insecure_channel(target, options) for _ in range(8)]
        scoring = [scoring_pb2_grpc.ScoringServiceStub(channel) for channel in channels]
        health = [health_pb2_grpc.HealthStub(channel) for channel in channels]
        batch = scoring_pb2.BatchScoreRequest(requests=requests[:BATCH])
        with ThreadPoolExecutor(IN_FLIGHT) as pool:

            def score() -> int:
                calls = range(BATCH)
                list(pool.map(lambda n: scoring[n % 8].Score(requests[n % len(requests)]), calls))
                return len(calls)

            def check() -> int:
                wanted = health_pb2.HealthCheckRequest()
                list(pool.map(lambda n: health[n % 8].Check(wanted), range(BATCH)))
                return BATCH

            def batches() -> int:
                list(pool.map(lambda n: scoring[n].BatchScore(batch), range(4)))
                return 4 * len(batch.requests)

            def alone() -> int:
                for request in requests[:200]:
                    scoring[0].Score(request)
                return 200

            score(), check(), batches()
            scored, checked, batched, single = turns(score, check, batches, alone)
        for channel in channels:
            channel.close()
    workers = f"{served['workers']} workers, client on the same cores"
    return [
        row("grpc-score", f"Score, {IN_FLIGHT} in flight", 1 / scored, "calls/s", workers),
        row("grpc-score-to-health", "Score ÷ health check, calls a second", checked / scored, "×"),
        row("grpc-one", "Score, one at a time", single * 1e3, "ms"),
        row("grpc-batch", f"BatchScore of {BATCH}, 4 in flight", 1 / batched, "rows/s", workers),
    ]


def row(name: str, what: str, value: float, unit: str, detail: str = "") -> Row:
    """One figure."""
    return {"id": name, "what": what, "value": float(value), "unit": unit, "detail": detail}


def rules() -> list[Row]:
    """The engine on the shipped rule base."""
    from harken_rules import load_rule_base

    found = measure(load_rule_base(default_base_path()), rows=100_000)
    detail = f"{found['decisions']} decisions, {found['rules']} rules"
    column = found["columns_warm_us_per_row_and_decision"] * found["decisions"]
    return [
        row("rules-build", "rule base compiled", found["build_ms"], "ms", detail),
        row("rules-hit", "all decisions, remembered", found["decide_hit_us"], "µs", detail),
        row("rules-miss", "all decisions, asked anew", found["decide_miss_us"], "µs", detail),
        row("rules-column", "all decisions by columns, a row", column, "µs", "100,000 rows"),
    ]


def impact(folder: Path) -> list[Row]:
    """A change of rules compared on a million simulated grumbles, as ``harken rules impact``."""
    from impact_bench import measure

    found = measure(folder / "flat.parquet", rows=1_000_000)
    detail = f"{found['rows']:,} rows, {found['changed']:,} levels changed, {os.cpu_count()} cores"
    million = 1e6 / found["impact_rows_per_second"]
    return [
        row("impact-million", "rules impact, a million grumbles", million, "s", detail),
        row("impact-rows", "rules impact", found["impact_rows_per_second"], "rows/s", detail),
        row("calibrate-rows", "rules calibrate", found["calibrate_rows_per_second"], "rows/s"),
    ]


def check() -> list[Row]:
    """Reading and checking a large generated rule base."""
    found = measure_check(rules=2000, decisions=60)
    detail = f"2,000 rules over 60 decisions, {found['findings']} warnings found"
    return [
        row("rules-check", "rule base read and checked", found["seconds"], "s", detail),
        row("rules-check-command", "`harken rules check`", found["command_seconds"], "s", detail),
    ]


def machine() -> Row:
    """What it was measured on."""
    names = ("grpcio", "protobuf", "lightgbm", "numpy", "durable-rules")
    versions = {name: importlib.metadata.version(name) for name in names}
    said = {"python": platform.python_version(), "cores": os.cpu_count(), **versions}
    return {
        "id": "machine",
        "what": "machine and versions",
        "value": 1.0,
        "unit": "",
        "detail": said,
    }


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=4000, help="of the simulated operator")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    given = parser.parse_args()
    found = [machine()]
    with tempfile.TemporaryDirectory() as folder:
        requests = simulated_requests(Path(folder), given.customers)
        parts: list[Callable[[], list[Row]]] = [
            rules,
            check,
            lambda: in_process(requests),
            lambda: over_grpc(requests, Path(folder) / "ready.json"),
            lambda: impact(Path(folder)),
        ]
        for part in track(parts, "measuring", console=Console(stderr=True), transient=True):
            found += part()
    table = Table("what", "value", "unit", "detail")
    for each in found[1:]:
        table.add_row(each["what"], f"{each['value']:,.2f}", each["unit"], each["detail"])
    console = Console()
    console.print(table)
    console.print(found[0]["detail"])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
