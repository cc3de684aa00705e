"""Where the time of a ``Score`` goes in process, stage by stage, all decisions remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from harken_server.deadlines import US_PER_HOUR
from harken_server.grpc import reading
from harken_server.grpc.answers import score_response
from harken_server.grumble import CORE
from harken_server.scoring import Scorer


def stages_us(
    scorer: Scorer, answer: Callable[[bytes], bytes], wires: Sequence[bytes]
) -> dict[str, float]:
    """Microseconds of each stage, on the average; their sum is that of ``answer``.

    What stands between the stages that can be called alone is what is left of the whole.
    """
    requests = [reading.ScoreRequest.FromString(wire) for wire in wires]
    grumbles = [reading.grumble_of(request, scorer.violations) for request in requests]
    cores = [grumble[: len(CORE)] for grumble in grumbles]
    rows = [_facts(scorer, grumble) for grumble in grumbles]
    scores = [scorer.score(grumble) for grumble in grumbles]
    whole = _mean(answer, wires)
    parse = _mean(reading.ScoreRequest.FromString, wires)
    read = _mean(lambda request: reading.grumble_of(request, scorer.violations), requests)
    score = _mean(scorer.score, grumbles)
    model = _mean(lambda core: scorer._assess(core, {}), cores)
    rules = _mean(scorer._decide, rows)
    write = _mean(score_response, scores)
    found = {
        "parse": parse,
        "read and check": read,
        "model": model,
        "rules": rules,
        "texts": score - model - rules,
        "write": write,
        "guard and metrics": whole - parse - read - score - write,
    }
    return {name: round(max(cost, 0.0), 2) for name, cost in found.items()}


def _facts(scorer: Scorer, grumble: Any) -> tuple[object, ...]:
    """What the rules are asked with."""
    core = grumble[: len(CORE)]
    hours = (grumble.observe_time_us - grumble.voice_time_us) / US_PER_HOUR
    return (*core, hours, *scorer._assess(core, {}), *scorer._no_own)


def _mean(work: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """Of processor time, the best of five passes."""
    best = float("inf")
    for _ in range(5):
        began = time.thread_time_ns()
        for each in inputs:
            work(each)
        best = min(best, time.thread_time_ns() - began)
    return best / len(inputs) / 1000
