"""What a worker counts; the names and labels of its Prometheus metrics.

No label holds anything of a customer. In a worker process the values live in files that the
control plane reads and adds up (prometheus-client's multi-process mode).
"""

from __future__ import annotations

from collections.abc import Iterable
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
        self._hits = Counter(
            "harken_memo_hits", "Decisions answered from the memo.", registry=registry
        )
        self._misses = Counter(
            "harken_memo_misses", "Decisions that the rule engine evaluated.", registry=registry
        )
        self._seen: WeakKeyDictionary[RuleEngine, tuple[int, int]] = WeakKeyDictionary()

    def called(self, method: str, code: str, seconds: float) -> None:
        """A call was answered."""
        self._calls.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)

    def in_flight(self, change: int) -> None:
        """A call came (+1) or went (-1)."""
        self._in_flight.inc(change)

    def scored(self, levels: Iterable[int]) -> None:
        """Grumbles were given these levels."""
        for level in levels:
            self._levels.labels(str(level)).inc()

    def refused(self, reason: str) -> None:
        """A grumble could not be scored."""
        self._refused.labels(reason).inc()

    def take_memo(self, engine: RuleEngine) -> None:
        """Add what the engine's memo did since it was last asked."""
        stats, (hits, misses) = engine.stats(), self._seen.get(engine, (0, 0))
        self._hits.inc(max(0, stats.hits - hits))
        self._misses.inc(max(0, stats.misses - misses))
        self._seen[engine] = (stats.hits, stats.misses)
