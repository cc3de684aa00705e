"""The scoring core between the bytes of a request and those of its answer, no transport."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from figures import Figure, Spread
from harken_models.bundle import Bundle
from harken_models.bundlefile import load_bundle
from harken_rules import default_base_path
from harken_server.assignment import Limits
from harken_server.grpc.server import Server
from harken_server.logs import set_up_logs
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.snapshot import build_snapshot, read_base
from load import SCORE
from prometheus_client import CollectorRegistry
from setting import Setting, with_shipped

from parts.stages import stages_us

ROWS = (*with_shipped("core", "core-repeated"), "core-compiled")
WARMING = 20_000
BLOCK = 1000

Answer = Callable[[bytes], bytes]


def measure(setting: Setting) -> Iterator[Figure]:
    """Both bundles, taking turns; the requests that are timed are new to the memos."""
    warming = setting.scaled(WARMING, 500)
    wires = wires_of(setting, warming + BLOCK * setting.turns)
    scorers = {suffix: scorer_of(bundle) for suffix, _, bundle in setting.bundles()}
    scorers["-compiled"] = scorer_of(load_bundle(setting.reference(), compiled=True))
    cores = {suffix: answering_with(scorer) for suffix, scorer in scorers.items()}
    new: dict[str, list[float]] = {suffix: [] for suffix in cores}
    again: dict[str, list[float]] = {suffix: [] for suffix in cores}
    for answer in cores.values():
        for wire in wires[:warming]:
            answer(wire)
    for turn in range(setting.turns):
        at = warming + BLOCK * turn
        for suffix, answer in cores.items():
            new[suffix] += timed_us(answer, wires[at : at + BLOCK])
            again[suffix] += timed_us(answer, wires[at : at + BLOCK])
    for suffix in ("", "-shipped"):
        note = f"{len(new[suffix]):,} requests that the memos, warm from {warming:,} others, lack"
        stages = stages_us(scorers[suffix], cores[suffix], wires[-BLOCK:])
        yield _of(setting, "core" + suffix, new[suffix], note, stages=stages)
        yield _of(setting, "core-repeated" + suffix, again[suffix], "the same requests again")
    if scorers["-compiled"].snapshot.bundle.compiled:
        yield _of(setting, "core-compiled", new["-compiled"], "")
    else:
        why = "the extra `compiled` is not installed"
        yield setting.figure("core-compiled", None, skipped=why)


def wires_of(setting: Setting, count: int) -> list[bytes]:
    """Requests as they come over the wire."""
    return [request.SerializeToString() for request in setting.workload.requests(count)]


def answering(bundle: Bundle) -> Answer:
    """What a worker does with a request's bytes, guard and metrics included."""
    return answering_with(scorer_of(bundle))


def scorer_of(bundle: Bundle) -> Scorer:
    """The shipped rule base with a bundle."""
    return Scorer(build_snapshot(read_base(default_base_path()), bundle))


def answering_with(scorer: Scorer) -> Answer:
    """The same with a scorer: a worker's own server, which is not started."""
    set_up_logs("info", "json")
    server = Server(lambda: scorer, Limits(), Metrics(CollectorRegistry()))
    behind = server._gate.answers[SCORE]

    def answer(data: bytes) -> bytes:
        answered = behind(data, None, time.perf_counter())
        if not isinstance(answered, bytes):
            raise RuntimeError(f"a simulated grumble was refused: {answered.details}")
        return answered

    return answer


def timed_us(answer: Answer, wires: Sequence[bytes]) -> list[float]:
    """Microseconds of each."""
    found = []
    for wire in wires:
        began = time.perf_counter_ns()
        answer(wire)
        found.append((time.perf_counter_ns() - began) / 1000)
    return found


def _of(setting: Setting, name: str, found: list[float], note: str, **also: Any) -> Figure:
    spread = Spread(tuple(found))
    tenth = statistics.quantiles(found, n=10)[-1]
    more = {"mean": round(statistics.mean(found), 1), "p90": round(tenth, 1)}
    said = {**spread.detail(note), "turns": setting.turns, **more, **also}
    return setting.figure(name, spread.median, **said)
