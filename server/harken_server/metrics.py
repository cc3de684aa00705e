"""What a worker counts; the names and labels of its Prometheus metrics.

No label holds anything of a customer. In a worker process the values live in files that the
control plane reads and adds up (prometheus-client's multi-process mode). Writing there costs
microseconds and a lock for each of some eight values a call, so a call is counted in memory and
``flush`` brings what has gathered to where it is read: each second, and when a worker ends.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from harken_rules import RuleEngine
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 5)


class Metrics:
    """One process's counters, in ``registry``."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._calls = Counter(
            "harken_calls",
            "Calls answered, by method and gRPC code.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "harken_call_seconds",
            "Seconds from a call's arrival to its answer, waiting included.",
            ["method"],
            buckets=SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "harken_calls_in_flight",
            "Calls that wait or are worked on.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._levels = Counter(
            "harken_levels", "Grumbles scored, by level given.", ["level"], registry=registry
        )
        self._refused = Counter(
            "harken_grumbles_refused",
            "Grumbles that could not be scored, by reason.",
            ["reason"],
            registry=registry,
        )
        self._chunks = Counter(
            "harken_replay_chunks",
            "Chunks of replays answered, by the gRPC code of the chunk.",
            ["code"],
            registry=registry,
        )
        self._streams = Gauge(
            "harken_replay_streams",
            "Replay streams that are open.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._hits = Counter(
            "harken_memo_hits", "Decisions answered from the memo.", registry=registry
        )
        self._misses = Counter(
            "harken_memo_misses", "Decisions that the rule engine evaluated.", registry=registry
        )
        self._seen: WeakKeyDictionary[RuleEngine, tuple[int, int]] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._counted: dict[tuple[Counter, tuple[str, ...]], int] = defaultdict(int)
        self._timed: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(SECONDS) + 2))
        self._open_streams = 0
        self._pools: list[Callable[[], int]] = []

    def called(self, method: str, code: str, seconds: float) -> None:
        """A call was answered."""
        place = bisect_left(SECONDS, seconds)
        with self._lock:
            self._counted[self._calls, (method, code)] += 1
            timed = self._timed[method]
            timed[place] += 1
            timed[-1] += seconds

    def in_flight_of(self, count: Callable[[], int]) -> None:
        """Ask ``count`` for a pool's calls in flight, whenever the others are brought."""
        self._pools.append(count)

    def scored(self, level: int, rows: int = 1) -> None:
        """So many grumbles were given this level."""
        self._count(self._levels, str(level), by=rows)

    def replayed(self, code: str) -> None:
        """A chunk of a replay was answered."""
        self._count(self._chunks, code)

    def streams(self, change: int) -> None:
        """A replay stream was opened (+1) or ended (-1)."""
        with self._lock:
            self._open_streams += change

    def stream_ended(self, method: str, code: str) -> None:
        """A stream is over; how long it took is its caller's affair."""
        self._count(self._calls, method, code)

    def refused(self, reason: str) -> None:
        """A grumble could not be scored."""
        self._count(self._refused, reason)

    def flush(self) -> None:
        """Bring what was counted since the last time to the registry."""
        with self._lock:
            counted, timed = dict(self._counted), dict(self._timed)
            self._counted.clear()
            self._timed.clear()
            self._streams.set(self._open_streams)
        self._in_flight.set(sum(count() for count in self._pools))
        for (counter, labels), by in counted.items():
            (counter.labels(*labels) if labels else counter).inc(by)
        for method, (*places, seconds) in timed.items():
            _add(self._seconds.labels(method), places, seconds)

    def _count(self, counter: Counter, *labels: str, by: int = 1) -> None:
        with self._lock:
            self._counted[counter, labels] += by

    def take_memo(self, engine: RuleEngine) -> None:
        """Add what the engine's memo did since it was last asked."""
        stats, (hits, misses) = engine.stats(), self._seen.get(engine, (0, 0))
        self._hits.inc(max(0, stats.hits - hits))
        self._misses.inc(max(0, stats.misses - misses))
        self._seen[engine] = (stats.hits, stats.misses)


def _add(histogram: Any, places: list[float], seconds: float) -> None:
    """Add observations by bucket: what ``observe`` does, but for many at once."""
    for bucket, observed in zip(histogram._buckets, places, strict=True):
        if observed:
            bucket.inc(observed)
    histogram._sum.inc(seconds)
