"""What ``explain`` costs: the facts and rules that it answers, and LightGBM's contributions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import lightgbm
from figures import Figure, take_turns
from harken_models.bundle import Bundle
from setting import Setting, with_shipped

from parts.core import answering, timed_us

ROWS = with_shipped("explain", "explain-us", "contributions-us")
CALLS = 100
"""Requests a turn."""


def measure(setting: Setting) -> Iterator[Figure]:
    """The same requests without and with."""
    requests = setting.workload.requests(CALLS * (setting.turns + 1))
    plain = [request.SerializeToString() for request in requests]
    for request in requests:
        request.explain = True
    explained = [request.SerializeToString() for request in requests]
    frame = setting.workload.table(CALLS).to_pandas()
    for suffix, _, bundle in setting.bundles():
        sides = _sides(bundle, plain, explained)
        sides["contributions"] = _contributions(bundle, setting.workload.matrix(bundle, frame))
        for warm in sides.values():
            warm()
        found = take_turns(setting.turns, sides)
        ratio = found["explained"].over(found["plain"])
        size = len(answering(bundle)(explained[0]))
        note = f"in process; {CALLS} new requests a turn; its answer takes {size:,} bytes"
        yield setting.figure("explain" + suffix, ratio.median, **ratio.detail(note))
        for name, side in (("explain-us", "explained"), ("contributions-us", "contributions")):
            yield setting.figure(name + suffix, found[side].median, **found[side].detail())


def _sides(
    bundle: Bundle, plain: list[bytes], explained: list[bytes]
) -> dict[str, Callable[[], float]]:
    answer, turn = answering(bundle), {"plain": 0, "explained": 0}

    def side(name: str, wires: list[bytes]) -> Callable[[], float]:
        def run() -> float:
            at, turn[name] = turn[name] * CALLS, turn[name] + 1
            return statistics.median(timed_us(answer, wires[at : at + CALLS]))

        return run

    return {"plain": side("plain", plain), "explained": side("explained", explained)}


def _contributions(bundle: Bundle, matrix: object) -> Callable[[], float]:
    boosted = bundle.parts.model.boosted
    assert boosted is not None
    booster = lightgbm.Booster(model_str=boosted.text)

    def run() -> float:
        took = []
        for at in range(len(matrix)):  # type: ignore[arg-type]
            began = time.perf_counter()
            booster.predict(matrix[at : at + 1], pred_contrib=True, num_threads=1)  # type: ignore[index]
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1e6

    return run
