"""A peer: MLServer, serving the reference model alone over its gRPC, beside a full ``Score``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import lightgbm
import mlserver_peer
import numpy as np
from figures import Figure, Unmeasurable, take_turns
from harken_models.bundlefile import load_bundle
from load import ask, how, load
from servers import harken_server
from setting import Setting

from parts.unary import BODIES, IN_FLIGHT, Lane

ROWS = ("peer", "peer-per-second")
TURNS = 2


def measure(setting: Setting) -> Iterator[Figure]:
    """The same grumbles to both: to MLServer as the features that the model reads."""
    programs, path = mlserver_peer.environment(), setting.reference()
    matrix = setting.workload.matrix(load_bundle(path), setting.workload.table(200).to_pandas())
    wires = mlserver_peer.bodies(programs, matrix[:BODIES])
    requests = [request.SerializeToString() for request in setting.workload.requests(200)]
    with ExitStack() as stack:
        harken = stack.enter_context(harken_server("beside-peer", path, setting.folder))
        peer = stack.enter_context(
            mlserver_peer.serving(programs, path / "model.txt", setting.folder)
        )
        answers = ask(peer.target, wires, mlserver_peer.INFER)
        booster = lightgbm.Booster(model_file=path / "model.txt")
        if not mlserver_peer.same(answers, np.asarray(booster.predict(matrix[:BODIES]))):
            raise Unmeasurable("MLServer answers with something else than the model does")
        sizes = [len(answer) for answer in answers]
        lane, method = Lane(harken, requests, setting.seconds), mlserver_peer.INFER

        def asked() -> float:
            return load(peer.target, wires, IN_FLIGHT, setting.seconds, method, sizes).per_second

        asked()
        found = take_turns(setting.scaled(TURNS, 1), {"score": lane.throughput, "peer": asked})
    ratio = found["score"].over(found["peer"])
    note = f"{how()}, {IN_FLIGHT} in flight; {mlserver_peer.settings_text(len(peer.workers))}"
    yield setting.figure("peer", ratio.median, **ratio.detail(note))
    yield setting.figure("peer-per-second", found["peer"].median, **found["peer"].detail())
