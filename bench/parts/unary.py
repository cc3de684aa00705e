"""``Score`` over gRPC beside the same server with nothing behind it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import plain_server
from figures import Figure, Spread, take_turns
from load import Loaded, ask, how, load, python_load
from servers import Served, harken_server
from setting import Setting, with_shipped

ROWS = (
    *with_shipped("score-throughput", "score-cpu", "score-cpu-varied", "score-p50"),
    *with_shipped("score-per-second", "score-cpu-us", "score-p50-us"),
    "null-per-second",
    "null-cpu-us",
    "null-plain",
)
IN_FLIGHT = 64
BODIES = 16
"""Different requests that h2load sends, over and over: a process each."""
SAMPLE = 200
"""Requests whose answers are asked for beforehand, to know their sizes."""
VARIED = 4000
"""Other requests for every turn of what is measured with Python clients."""
WARMING, WARM_SECONDS = 12_000, 4.0
"""Requests, others again, that warm the memos before that, and for how long they are sent."""
VARIED_TURNS = 3
LOADS = (1, 4, 16, 64, 128)


class Lane:
    """One server under load, and what its calls cost."""

    def __init__(self, server: Served, bodies: list[bytes], seconds: float) -> None:
        self.server, self.bodies, self.seconds = server, bodies, seconds
        self.sizes = [len(answer) for answer in ask(server.target, bodies[:SAMPLE])]
        self.cpu_us: list[float] = []
        self.turn = 0

    def under(self, in_flight: int, seconds: float = 0.0) -> Loaded:
        """A load by h2load."""
        some, sizes = self.bodies[:BODIES], self.sizes[:BODIES]
        took = seconds or self.seconds
        return load(self.server.target, some, in_flight, took, sizes=sizes)

    def throughput(self) -> float:
        """Calls a second at 64 in flight; what a call cost the workers is noted."""
        before = self.server.cpu()
        loaded = self.under(IN_FLIGHT)
        self.cpu_us.append((self.server.cpu() - before) / loaded.calls * 1e6)
        return loaded.per_second

    def median_alone(self) -> float:
        """Microseconds of a call with no other in flight: the median of several bodies."""
        found = []
        for at in range(3):
            one, size = self.bodies[at : at + 1], self.sizes[at : at + 1]
            loaded = load(self.server.target, one, 1, self.seconds / 5, sizes=size)
            found += loaded.latencies_us
        return statistics.median(found)

    def varied_cpu(self) -> float:
        """Microseconds of server CPU a call where every request is another one."""
        others = self.bodies[WARMING + self.turn * VARIED :][:VARIED]
        before = self.server.cpu()
        loaded = python_load(self.server.target, others, 16, self.seconds)
        self.turn += 1
        return (self.server.cpu() - before) / loaded.calls * 1e6


def measure(setting: Setting) -> Iterator[Figure]:
    """All rows; the servers stand side by side and take turns, so that all are as warm."""
    requests = setting.workload.requests(WARMING + VARIED * setting.scaled(VARIED_TURNS, 1))
    bodies = [request.SerializeToString() for request in requests]
    with ExitStack() as stack:
        lanes: dict[str, Lane] = {}

        def serve(name: str, bundle: Path, size: int | None = None) -> None:
            server = harken_server(name, bundle, setting.folder, null_size=size)
            served = stack.enter_context(server)
            lanes[name] = Lane(served, bodies, setting.seconds)

        for suffix, path, _ in setting.bundles():
            serve("score" + suffix, path)
        serve("null", setting.reference(), round(statistics.median(lanes["score"].sizes)))
        plain = stack.enter_context(plain_server.serving(lanes["null"].sizes[0], setting.folder))
        lanes["plain"] = Lane(plain, bodies, setting.seconds)
        yield from _throughput(setting, lanes)
        yield from _alone(setting, lanes)
        yield from _varied(setting, lanes)


def _throughput(setting: Setting, lanes: dict[str, Lane]) -> Iterator[Figure]:
    found = take_turns(setting.turns, {name: lane.throughput for name, lane in lanes.items()})
    cpu = {name: Spread(tuple(lane.cpu_us)) for name, lane in lanes.items()}
    note = f"{how()}, {BODIES} different requests, {len(lanes['score'].server.workers)} workers"
    size = {"request_bytes": _mean(lanes["score"].bodies), "answer_bytes": lanes["score"].sizes[0]}
    for name in ("score", "score-shipped"):
        suffix = name.removeprefix("score")
        ratio = found[name].over(found["null"])
        more = {**size, "load": _curves(setting, lanes)} if not suffix else {}
        said = ratio.detail(note, **more)
        yield setting.figure("score-throughput" + suffix, ratio.median, **said)
        yield _plainly(setting, "score-per-second" + suffix, found[name])
        ratio = cpu[name].over(cpu["null"])
        yield setting.figure("score-cpu" + suffix, ratio.median, **ratio.detail(note))
        yield _plainly(setting, "score-cpu-us" + suffix, cpu[name])
    yield _plainly(setting, "null-per-second", found["null"])
    yield _plainly(setting, "null-cpu-us", cpu["null"])
    ratio = found["null"].over(found["plain"])
    words = "calls a second; grpcio with four threads, no admission, no metrics, no deadlines"
    yield setting.figure("null-plain", ratio.median, **ratio.detail(words))


def _curves(setting: Setting, lanes: dict[str, Lane]) -> dict[str, list[dict[str, float]]]:
    """Latency against load, for the plot."""
    curves: dict[str, list[dict[str, float]]] = {"score": [], "null": []}
    for in_flight in LOADS:
        for name, points in curves.items():
            found = lanes[name].under(in_flight, setting.seconds / 2)
            points.append(
                {
                    "in_flight": in_flight,
                    "per_second": round(found.per_second),
                    "p50_us": found.quantile(0.5),
                    "p99_us": found.quantile(0.99),
                }
            )
    return curves


def _alone(setting: Setting, lanes: dict[str, Lane]) -> Iterator[Figure]:
    sides: dict[str, Callable[[], float]]
    sides = {name: lanes[name].median_alone for name in ("score", "score-shipped", "null")}
    found = take_turns(setting.turns, sides)
    for name in ("score", "score-shipped"):
        suffix = name.removeprefix("score")
        ratio = found[name].over(found["null"])
        said = ratio.detail(f"{how()}; null: {found['null'].median:.0f} µs")
        yield setting.figure("score-p50" + suffix, ratio.median, **said)
        yield _plainly(setting, "score-p50-us" + suffix, found[name])


def _varied(setting: Setting, lanes: dict[str, Lane]) -> Iterator[Figure]:
    sides = {name: lanes[name].varied_cpu for name in ("score", "score-shipped", "null")}
    for name in sides:
        python_load(lanes[name].server.target, lanes[name].bodies[:WARMING], 16, WARM_SECONDS)
    found = take_turns(setting.scaled(VARIED_TURNS, 1), sides)
    for name in ("score", "score-shipped"):
        ratio = found[name].over(found["null"])
        cost = f"{found[name].median:.0f} µs a Score"
        note = f"{VARIED:,} new requests a turn after up to {WARMING:,} others; {cost}"
        row = "score-cpu-varied" + name.removeprefix("score")
        yield setting.figure(row, ratio.median, **ratio.detail(note))


def _plainly(setting: Setting, name: str, found: Spread) -> Figure:
    return setting.figure(name, found.median, **found.detail())


def _mean(bodies: list[bytes]) -> int:
    return round(statistics.mean(map(len, bodies)))
