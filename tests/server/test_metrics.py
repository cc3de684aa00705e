"""What is counted in memory reaches the registry, as if each call had been counted there."""

from __future__ import annotations

import threading

import pytest
from harken_server.metrics import SECONDS, Metrics
from prometheus_client import CollectorRegistry, Histogram


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return Metrics(registry)


def test_nothing_is_there_before_it_is_brought_and_all_of_it_after(metrics, registry):
    for _ in range(3):
        metrics.called("Score", "OK", 0.001)
        metrics.scored(5)
    metrics.scored(2, rows=40)
    metrics.refused("TIME_ORDER")
    assert registry.get_sample_value("harken_levels_total", {"level": "5"}) is None
    for _ in range(2):  # the second time there is nothing to bring
        metrics.flush()
        values = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in registry.collect()
            for sample in family.samples
        }
        assert values["harken_calls_total", "OK", "Score"] == 3
        assert values["harken_levels_total", "5"] == 3
        assert values["harken_levels_total", "2"] == 40
        assert values["harken_grumbles_refused_total", "TIME_ORDER"] == 1


def test_seconds_fall_into_the_buckets_that_observing_each_would_give(metrics, registry):
    observed = [0.0, *SECONDS, 0.0011, 4.9, 5.1, 1000.0]
    plain = Histogram("plain", "x", buckets=SECONDS, registry=registry)
    for seconds in observed:
        metrics.called("Score", "OK", seconds)
        plain.observe(seconds)
    metrics.flush()
    (mine,) = (f for f in registry.collect() if f.name == "harken_call_seconds")
    (other,) = (f for f in registry.collect() if f.name == "plain")

    def buckets(family):
        return {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}

    assert buckets(mine) == buckets(other)
    for name in ("count", "sum"):
        found = registry.get_sample_value(f"harken_call_seconds_{name}", {"method": "Score"})
        assert found == pytest.approx(registry.get_sample_value(f"plain_{name}"))


def test_calls_in_flight_are_asked_of_every_pool(metrics, registry):
    counts = [3, 4]
    metrics.in_flight_of(lambda: counts[0])
    metrics.in_flight_of(lambda: counts[1])
    metrics.flush()
    assert registry.get_sample_value("harken_calls_in_flight") == 7
    counts[:] = [0, 1]
    metrics.flush()
    assert registry.get_sample_value("harken_calls_in_flight") == 1


def test_no_count_is_lost_between_threads(metrics, registry):
    def call():
        for _ in range(2000):
            metrics.called("Score", "OK", 0.001)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        metrics.flush()
    metrics.flush()
    labels = {"method": "Score", "code": "OK"}
    assert registry.get_sample_value("harken_calls_total", labels) == 8000
    assert registry.get_sample_value("harken_call_seconds_count", {"method": "Score"}) == 8000
