"""Many grumbles at once over gRPC: ``BatchScore``, and the streaming replay.

What counts is the server's own CPU a row, which is what a core can do once clients outrun it,
beside ``Booster.predict`` of the same rows on one thread: no server that uses the model can cost
less.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import grpc
import lightgbm
import numpy as np
import pyarrow.parquet as pq
from commands import harken
from figures import Figure, Spread, take_turns
from harken.v1 import scoring_pb2
from harken_models.bundle import Bundle
from load import BATCH_SCORE
from servers import Served, harken_server
from setting import Setting, with_shipped

ROWS = with_shipped("batch", "batch-rows", "stream", "stream-rows", "stream-command")
BATCH = 1000
BATCHES = 10
"""In each turn, all of other grumbles than before."""
STREAM_ROWS = 60_000
"""A turn, each time other ones, after as many that warm."""
STREAM_TURNS = 3


@dataclass
class Side:
    """A bundle: its server, and its model alone."""

    server: Served
    bundle: Bundle
    booster: lightgbm.Booster


def measure(setting: Setting) -> Iterator[Figure]:
    """Both bundles, side by side."""
    with ExitStack() as stack:
        sides = {}
        for suffix, path, bundle in setting.bundles():
            server = harken_server(f"batch{suffix}", path, setting.folder)
            boosted = bundle.parts.model.boosted
            assert boosted is not None
            booster = lightgbm.Booster(model_str=boosted.text)
            sides[suffix] = Side(stack.enter_context(server), bundle, booster)
        for side in sides.values():
            _replayed(setting, side, 0)  # fills the memos
        for suffix, side in sides.items():
            yield from _batches(setting, suffix, side)
        for suffix, side in sides.items():
            yield from _stream(setting, suffix, side)


def _batches(setting: Setting, suffix: str, side: Side) -> Iterator[Figure]:
    count = setting.scaled(BATCHES, 2)
    wires = _wires(setting, count * (setting.turns + 1))
    frame = setting.workload.table(BATCH * len(wires)).to_pandas()
    matrix = setting.workload.matrix(side.bundle, frame)
    pieces = np.split(matrix, len(wires))
    turn = {"served": 1, "bare": 1}

    def mine(name: str) -> slice:
        at, turn[name] = turn[name] * count, turn[name] + 1
        return slice(at, at + count)

    def served() -> float:
        before = side.server.cpu()
        for wire in wires[mine("served")]:
            _check(call(wire, timeout=60))
        return (side.server.cpu() - before) / (count * BATCH) * 1e6

    def bare() -> float:
        began = time.process_time()
        for piece in pieces[mine("bare")]:
            side.booster.predict(piece, num_threads=1)
        return (time.process_time() - began) / (count * BATCH) * 1e6

    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(side.server.target, options) as channel:
        call = channel.unary_unary(BATCH_SCORE)
        for wire in wires[:count]:
            call(wire, timeout=60)
        found = take_turns(setting.turns, {"served": served, "bare": bare})
    ratio = found["bare"].over(found["served"])
    said = _note(found, f"{count * BATCH:,} new rows a turn")
    yield setting.figure("batch" + suffix, ratio.median, **ratio.detail(said))
    rows = found["served"].each(lambda us: 1e6 / us)
    yield setting.figure("batch-rows" + suffix, rows.median, **rows.detail())


@lru_cache(maxsize=1)
def _wires(setting: Setting, batches: int) -> list[bytes]:
    """Different batches, as they come over the wire; the same for both bundles."""
    requests = setting.workload.requests(BATCH * batches)
    return [
        scoring_pb2.BatchScoreRequest(requests=requests[at : at + BATCH]).SerializeToString()
        for at in range(0, len(requests), BATCH)
    ]


def _check(answer: bytes) -> None:
    results = scoring_pb2.BatchScoreResponse.FromString(answer).results
    refused = [each for each in results if not each.HasField("score")]
    if len(results) != BATCH or refused:
        raise RuntimeError(f"{len(refused)} of {len(results)} rows of a batch were refused")


def _stream(setting: Setting, suffix: str, side: Side) -> Iterator[Figure]:
    rows, wall = _stream_rows(setting), list[float]()
    turn = {"served": 0, "bare": 0}

    def served() -> float:
        turn["served"] += 1
        before = side.server.cpu()
        wall.append(rows / _replayed(setting, side, turn["served"]))
        return (side.server.cpu() - before) / rows * 1e6

    def bare() -> float:
        turn["bare"] += 1
        frame = pq.read_table(_piece(setting, turn["bare"])).to_pandas()
        matrix = setting.workload.matrix(side.bundle, frame)
        began = time.process_time()
        for at in range(0, rows, 65_536):
            side.booster.predict(matrix[at : at + 65_536], num_threads=1)
        return (time.process_time() - began) / rows * 1e6

    turns = setting.scaled(1 if suffix else STREAM_TURNS, 1)
    found = take_turns(turns, {"served": served, "bare": bare})
    whole = Spread(tuple(wall))
    ratio = found["bare"].over(found["served"])
    said = _note(found, f"{rows:,} new rows a turn, `harken replay` as the client")
    yield setting.figure("stream" + suffix, ratio.median, **ratio.detail(said))
    per_core = found["served"].each(lambda us: 1e6 / us)
    yield setting.figure("stream-rows" + suffix, per_core.median, **per_core.detail())
    words = f"client and {len(side.server.workers)} workers on {setting.cores} cores, start to end"
    yield setting.figure("stream-command" + suffix, whole.median, **whole.detail(words))


def _note(found: dict[str, Spread], words: str) -> str:
    served, bare = found["served"].median, found["bare"].median
    return f"server CPU {served:.1f} µs a row, bare predict {bare:.1f} µs; {words}"


def _stream_rows(setting: Setting) -> int:
    return setting.scaled(STREAM_ROWS, 4000)


def _piece(setting: Setting, turn: int) -> Path:
    rows = _stream_rows(setting)
    return setting.workload.piece(rows, skip=turn * rows)


def _replayed(setting: Setting, side: Side, turn: int) -> float:
    """Seconds of the command that sends this turn's rows."""
    source, out = _piece(setting, turn), setting.folder / "streamed.parquet"
    words = ["replay", source, out, "--restart", "--target", side.server.target]
    return harken(setting.folder, *words)
