"""MLServer with the reference model alone, in an environment of its own.

Its best settings here: a process a core, each pinned to its own and all on one gRPC port, without
the pool of inference processes (whose queues cost it more than they give), without access log,
metrics and tracing, LightGBM on one thread.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc
import numpy as np
from demo import ROOT
from figures import Unmeasurable
from harken_server.control_plane import reserve
from servers import Served, running, wait_for

INFER = "/inference.GRPCInferenceService/ModelInfer"
_READY = "/inference.GRPCInferenceService/ServerReady"
_PACKAGES = ("mlserver==1.7.1", "mlserver-lightgbm==1.7.1")
_HOME = ROOT / "build" / "peers" / "mlserver"


def environment() -> Path:
    """The folder of its programs; installed there at the first run. Raises ``Unmeasurable``."""
    programs, done = _HOME / "bin", _HOME / ".installed"
    if done.is_file() and done.read_text() == " ".join(_PACKAGES):
        return programs
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    if not Path(uv).exists():
        raise Unmeasurable("there is no uv to install MLServer with")
    install = [uv, "pip", "install", "--quiet", "--python", str(programs / "python"), *_PACKAGES]
    for command in ([uv, "venv", "--quiet", "--python", sys.executable, str(_HOME)], install):
        if command[1] == "venv":
            shutil.rmtree(_HOME, ignore_errors=True)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if ran.returncode:
            raise Unmeasurable(f"MLServer cannot be installed: {ran.stderr.strip()[-300:]}")
    done.write_text(" ".join(_PACKAGES))
    return programs


def bodies(programs: Path, matrix: np.ndarray) -> list[bytes]:
    """A request for each row."""
    rows = [[None if value != value else value for value in row] for row in matrix.tolist()]
    command = [str(programs / "python"), str(ROOT / "bench" / "peer_bodies.py")]
    said = json.dumps(rows)
    ran = subprocess.run(command, input=said, stdout=subprocess.PIPE, text=True, check=True)
    return [base64.b64decode(line) for line in ran.stdout.split()]


@contextlib.contextmanager
def serving(programs: Path, model: Path, folder: Path) -> Iterator[Served]:
    """MLServer ready to answer, on a free port."""
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(reserve("127.0.0.1", 0))
        port, workers = int(held.getsockname()[1]), []
        for core in cores:
            home = folder / f"mlserver-{core}"
            _settle(home, model, port)
            log = folder / f"mlserver-{core}.log"
            command = ["taskset", "-c", str(core), str(programs / "mlserver"), "start", str(home)]
            env = {"OMP_NUM_THREADS": "1", "PATH": f"{programs}:{os.environ['PATH']}"}
            out = stack.enter_context(log.open("wb"))
            process = stack.enter_context(running(command, out, env, home))
            wait_for(lambda log=log: _loaded(log), process, "MLServer", log)
            workers.append(process.pid)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=30)
        yield Served("mlserver", f"127.0.0.1:{port}", workers[0], tuple(workers), {})


def settings_text(count: int) -> str:
    """What a figure's detail says of them."""
    versions = ", ".join(each.replace("==", " ") for each in _PACKAGES)
    return f"{versions}: {count} pinned processes on one port, parallel_workers 0, no access log"


def _settle(home: Path, model: Path, port: int) -> None:
    """Write one process's settings."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, home / "model.bst")
    said = {
        "debug": False,
        "host": "127.0.0.1",
        "grpc_port": port,
        "http_port": 0,
        "metrics_endpoint": None,
        "parallel_workers": 0,
    }
    (home / "settings.json").write_text(json.dumps(said))
    uri = {"uri": "./model.bst"}
    about = {"name": "reference", "implementation": "mlserver_lightgbm.LightGBMModel"}
    (home / "model-settings.json").write_text(json.dumps({**about, "parameters": uri}))


def _loaded(log: Path) -> bool:
    text = log.read_text("utf-8", "replace")
    return "Loaded model" in text and "gRPC server running" in text


def same(answers: Sequence[bytes], expected: np.ndarray) -> bool:
    """Do the answers hold these probabilities? They are FP64, somewhere in the message."""
    return all(np.float64(p).tobytes() in a for a, p in zip(answers, expected, strict=True))
