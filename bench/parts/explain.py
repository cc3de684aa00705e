"""What ``explain`` costs: the facts and rules that it answers, and the model's contributions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import lightgbm
import numpy as np
from figures import Figure, Spread, Unmeasurable, take_turns
from harken_models.bundle import Bundle
from harken_models.bundlefile import load_bundle
from setting import Setting, with_shipped

from parts.core import answering, timed_us

ROWS = (
    *with_shipped("explain", "explain-us", "contributions-us"),
    "explain-compiled-us",
    "contributions-compiled-us",
)
CALLS = 100
"""Requests a turn."""


def measure(setting: Setting) -> Iterator[Figure]:
    """The same requests without and with, and the contributions alone."""
    frame = setting.workload.table(CALLS).to_pandas()
    for suffix, _, bundle in setting.bundles():
        found, size = _taken(setting, bundle)
        matrix = setting.workload.matrix(bundle, frame)
        ratio = found["explained"].over(found["plain"])
        note = f"in process; {CALLS} new requests a turn; its answer takes {size:,} bytes"
        yield setting.figure("explain" + suffix, ratio.median, **ratio.detail(note))
        yield _plainly(setting, "explain-us" + suffix, found["explained"])
        alone = take_turns(setting.turns, {"predict": _contributions(bundle, matrix)})
        yield _plainly(setting, "contributions-us" + suffix, alone["predict"])
    bundle = load_bundle(setting.reference(), compiled=True)
    if not bundle.compiled:
        raise Unmeasurable("the extra `compiled` is not installed")
    found, _ = _taken(setting, bundle)
    yield _plainly(setting, "explain-compiled-us", found["explained"])
    rows = setting.workload.matrix(bundle, frame).tolist()
    alone = take_turns(setting.turns, {"closed": _closed_form(bundle, rows)})
    yield _plainly(setting, "contributions-compiled-us", alone["closed"])


def _taken(setting: Setting, bundle: Bundle) -> tuple[dict[str, Spread], int]:
    """Microseconds of a request without and with explain, and the bytes of its answer."""
    requests = setting.workload.requests(CALLS * (setting.turns + 1))
    plain = [request.SerializeToString() for request in requests]
    for request in requests:
        request.explain = True
    explained = [request.SerializeToString() for request in requests]
    answer, turn = answering(bundle), {"plain": 0, "explained": 0}

    def side(name: str, wires: list[bytes]) -> Callable[[], float]:
        def run() -> float:
            at, turn[name] = turn[name] * CALLS, turn[name] + 1
            return statistics.median(timed_us(answer, wires[at : at + CALLS]))

        return run

    sides = {"plain": side("plain", plain), "explained": side("explained", explained)}
    for warm in sides.values():
        warm()
    return take_turns(setting.turns, sides), len(answer(explained[0]))


def _contributions(bundle: Bundle, matrix: np.ndarray) -> Callable[[], float]:
    boosted = bundle.parts.model.boosted
    assert boosted is not None
    booster = lightgbm.Booster(model_str=boosted.text)

    def one(row: np.ndarray) -> object:
        return booster.predict(row, pred_contrib=True, num_threads=1)

    return lambda: _each(one, [matrix[at : at + 1] for at in range(len(matrix))])


def _closed_form(bundle: Bundle, rows: list[list[float]]) -> Callable[[], float]:
    """The compiled model's own way."""
    bundle.predictor.boosted.explain(rows[0])  # type: ignore[union-attr]  # prepares
    return lambda: _each(bundle.predictor.boosted.explain, rows)  # type: ignore[union-attr]


def _each(work: Callable[..., object], rows: Sequence[object]) -> float:
    took = []
    for row in rows:
        began = time.perf_counter()
        work(row)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6


def _plainly(setting: Setting, name: str, found: Spread) -> Figure:
    return setting.figure(name, found.median, **found.detail())
