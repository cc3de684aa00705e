"""``harken serve --transport native`` beside grpcio: the same servicers, another transport."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack

from figures import Figure, Unmeasurable, take_turns
from load import how
from servers import harken_server
from setting import Setting

from parts.unary import BODIES, IN_FLIGHT, Lane

ROWS = ("native", "native-per-second")
TURNS = 3


def measure(setting: Setting) -> Iterator[Figure]:
    """The reference bundle on both."""
    if importlib.util.find_spec("pygrpc_native") is None:
        raise Unmeasurable("pygrpc-native is not installed (the extra `native`)")
    bodies = [request.SerializeToString() for request in setting.workload.requests(200)]
    with ExitStack() as stack:
        lanes = {}
        for name in ("grpcio", "native"):
            options = ["--transport", name]
            server = harken_server(
                f"transport-{name}", setting.reference(), setting.folder, *options
            )
            lanes[name] = Lane(stack.enter_context(server), bodies, setting.seconds)
        sides = {name: lane.throughput for name, lane in lanes.items()}
        found = take_turns(setting.scaled(TURNS, 1), sides)
    ratio = found["native"].over(found["grpcio"])
    cost = {name: sorted(lane.cpu_us)[len(lane.cpu_us) // 2] for name, lane in lanes.items()}
    note = f"{how()}, {BODIES} different requests, {IN_FLIGHT} in flight; "
    note += f"server CPU a call {cost['native']:.0f} µs beside {cost['grpcio']:.0f} µs"
    yield setting.figure("native", ratio.median, **ratio.detail(note))
    per_second = found["native"]
    yield setting.figure("native-per-second", per_second.median, **per_second.detail())
