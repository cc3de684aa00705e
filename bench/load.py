"""Load on a server from processes of its own: h2load where it is there, else Python clients.

h2load sends one body over and over, so there is a process for each of several bodies, all at
once. It counts HTTP's status, which is 200 for a refusal too: what tells an answer from a
refusal is its size, so each body's answer is asked for first, and the bytes that h2load received
must be that many for each call.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from demo import ROOT

SCORE = "/harken.v1.ScoringService/Score"
BATCH_SCORE = "/harken.v1.ScoringService/BatchScore"
_FRAME = 5
"""gRPC's own bytes before a message: a flag and the length."""
_TOLERANCE = 0.002


class LoadError(RuntimeError):
    """Calls failed, or were answered with something else than expected."""


@dataclass(frozen=True)
class Loaded:
    """What came of a load. ``latencies_us`` of all calls, in no order."""

    calls: int
    seconds: float
    latencies_us: list[float]

    @property
    def per_second(self) -> float:
        """Answered calls a second."""
        return self.calls / self.seconds

    def quantile(self, share: float) -> float:
        """Microseconds that this share of the calls did not exceed."""
        if share == 0.5:
            return statistics.median(self.latencies_us)
        return sorted(self.latencies_us)[int(share * (len(self.latencies_us) - 1))]


def how() -> str:
    """Which load generator is used."""
    return "h2load" if shutil.which("h2load") else "Python clients (h2load is not installed)"


def ask(target: str, bodies: Sequence[bytes], method: str = SCORE) -> list[bytes]:
    """The answers to some calls, one after the other."""
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(method)
        return [call(body, timeout=30) for body in bodies]


def load(
    target: str,
    bodies: Sequence[bytes],
    in_flight: int,
    seconds: float,
    method: str = SCORE,
    sizes: Sequence[int] | None = None,
) -> Loaded:
    """``in_flight`` calls at any time, spread over the bodies, for so many seconds.

    ``sizes`` are the answers' sizes in bytes where they are known. Raises ``LoadError``.
    """
    if shutil.which("h2load") is None:
        return python_load(target, bodies, in_flight, seconds, method)
    if sizes is None:
        sizes = [len(answer) for answer in ask(target, bodies, method)]
    some = min(len(bodies), in_flight)
    with tempfile.TemporaryDirectory() as folder:
        lanes = [
            _start_h2load(Path(folder) / str(at), target, method, bodies[at], calls, seconds)
            for at, calls in enumerate(_shares(in_flight, some))
        ]
        found = [
            _end_h2load(lane, Path(folder) / str(at), sizes[at]) for at, lane in enumerate(lanes)
        ]
    if not any(each.calls for each in found):
        raise LoadError(f"nothing was answered within {seconds:g} seconds")
    return Loaded(
        sum(each.calls for each in found),
        statistics.mean(each.seconds for each in found),
        [us for each in found for us in each.latencies_us],
    )


def python_load(
    target: str,
    bodies: Sequence[bytes],
    in_flight: int,
    seconds: float,
    method: str = SCORE,
    processes: int = 2,
) -> Loaded:
    """The same by clients in Python, which go through all the bodies."""
    count = min(processes, in_flight)
    lanes = []
    for number, share in enumerate(_shares(in_flight, count)):
        said = {
            "target": target,
            "method": method,
            "in_flight": share,
            "seconds": seconds,
            "first": number * len(bodies) // count,
            "bodies": [base64.b64encode(body).decode() for body in bodies],
        }
        command = [sys.executable, str(ROOT / "bench" / "python_load.py")]
        lane = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert lane.stdin is not None
        lane.stdin.write(json.dumps(said) + "\n")
        lane.stdin.flush()
        lanes.append(lane)
    found = []
    for lane in lanes:
        out, _ = lane.communicate(timeout=seconds + 120)
        if lane.returncode:
            raise LoadError(f"a client ended with code {lane.returncode}")
        found.append(json.loads(out))
    failed = [code for each in found for code in each["failed"]]
    if failed:
        raise LoadError(f"calls failed: {', '.join(sorted(set(failed)))}")
    latencies = [us for each in found for us in each["latencies_us"]]
    return Loaded(len(latencies), statistics.mean(each["seconds"] for each in found), latencies)


def _shares(calls: int, lanes: int) -> list[int]:
    return [calls // lanes + (lane < calls % lanes) for lane in range(lanes)]


def _start_h2load(
    stem: Path, target: str, method: str, body: bytes, calls: int, seconds: float
) -> subprocess.Popen[str]:
    stem.write_bytes(b"\0" + len(body).to_bytes(4, "big") + body)
    # Two calls on a connection: many connections, as many clients have, spread over the workers.
    connections = max(calls // 2, 1)
    return subprocess.Popen(
        [
            "h2load",
            f"--clients={connections}",
            f"--max-concurrent-streams={-(-calls // connections)}",
            f"--duration={round(seconds * 1000)}ms",
            "--threads=1",
            f"--data={stem}",
            "--header=content-type: application/grpc",
            "--header=te: trailers",
            f"--log-file={stem.with_suffix('.log')}",
            f"http://{target}{method}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end_h2load(lane: subprocess.Popen[str], stem: Path, size: int) -> Loaded:
    out, _ = lane.communicate(timeout=300)
    requests = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", out)
    # h2load says whole bytes in brackets.
    data = re.search(r"traffic: .*\((\d+)\) data", out)
    seconds = re.search(r"finished in ([\d.]+)(m?s)", out)
    if requests is None or data is None or seconds is None:
        raise LoadError(f"h2load said: {out.strip()[-300:]}")
    done, failed, errored = map(int, requests.groups())
    if failed or errored:
        raise LoadError(f"h2load: {done} calls succeeded, {failed} failed, {errored} errored")
    # Answers that come as the time runs out are in the bytes and not in the count: a few.
    expected, found = done * (size + _FRAME), int(data[1])
    if not expected * (1 - _TOLERANCE) <= found <= (done + 64) * (size + _FRAME):
        words = f"{done} answers of {size + _FRAME} bytes are {expected} bytes, not {found}"
        raise LoadError(f"some answers are no answers: {words}")
    rows = stem.with_suffix(".log").read_text().split()
    took = float(seconds[1]) / (1000 if seconds[2] == "ms" else 1)
    return Loaded(done, took, [float(us) for us in rows[2::3]])
