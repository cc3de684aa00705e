"""``harken serve`` as processes: workers, the control port, draining, TLS, restarts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import pytest
from harken.v1 import scoring_pb2_grpc
from harken_models import default_bundle_path
from harken_rules import default_base_path


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def wait_for(check, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


def children(pid):
    """The process ids of the workers."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted(int(child) for file in files for child in file.read_text().split())


def stub_at(target, credentials=None):
    channel = (
        grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)
    )
    return channel, scoring_pb2_grpc.ScoringServiceStub(channel)


def score(target, request, credentials=None):
    channel, stub = stub_at(target, credentials)
    with channel:
        return stub.Score(request, timeout=20, wait_for_ready=True).score


def run(*options, **more):
    ports = ("--port", "0", "--control-port", "0", "--metrics-port", "0")
    command = [sys.executable, "-m", "harken_server", *ports]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=240, **more)


def test_the_metrics_port_adds_up_what_workers_count(served, request_of):
    answer = score(served.target, request_of())
    assert answer.rule_base_digest == served.rule_base_digest
    assert answer.model_digest == served.model_digest

    def counted():
        text = get(served.metrics_port, "/metrics")
        found = re.search(r"^harken_memo_(hits|misses)_total [1-9]", text, re.M)
        return text if found else None

    text = wait_for(counted)
    assert re.search(r'harken_calls_total{code="OK",method="Score"} [1-9]', text)
    assert re.search(rf'harken_levels_total{{level="{answer.level}"}} [1-9]', text)
    assert "harken_call_seconds_bucket" in text
    assert "harken_calls_in_flight" in text
    assert f'rule_base_digest="{served.rule_base_digest}"' in text
    assert f'model_digest="{served.model_digest}"' in text
    assert "harken_workers_serving 1.0" in text

    health = json.loads(get(served.metrics_port, "/healthz"))
    assert health == {
        "workers": 1,
        "serving": 1,
        "rule_base_digest": served.rule_base_digest,
        "model_digest": served.model_digest,
    }
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(served.metrics_port, "/elsewhere")


def test_a_taken_port_is_refused_instead_of_shared(served):
    result = run("--port", str(served.port))
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{served.port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_workers_share_a_port_are_started_again_and_end_with_their_parent(serve_here, request_of):
    served = serve_here("--workers", "2")
    before = children(served.process.pid)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(set(children(served.process.pid)) - set(before)) == 1)
    after = wait_for(
        lambda: (
            json.loads(get(served.metrics_port, "/healthz"))["serving"] == 2
            and children(served.process.pid)
        )
    )
    assert before[1] in after
    assert score(served.target, request_of()).level
    served.process.kill()  # not even asked to stop
    served.process.wait()
    wait_for(lambda: not any(alive(worker) for worker in after))


def alive(pid):
    """Is it a process that still runs? A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_bad_rule_base_is_refused_with_its_diagnostics(tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(default_base_path(), rules)
    with (rules / "facts.yaml").open("a") as file:
        file.write("  strange: {type: nothing}\n")
    result = run("--rules", str(rules), "--workers", "1")
    assert result.returncode == 2
    assert re.search(r"facts\.yaml:\d+:\d+", result.stderr)
    assert "Traceback" not in result.stderr


def test_a_bad_bundle_is_refused_and_json_says_why(tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(default_bundle_path(), bundle)
    with (bundle / "association.csv").open("a") as file:
        file.write("\n")
    result = run("--bundle", str(bundle), "--workers", "1", "--json")
    assert result.returncode == 2
    said = json.loads(result.stdout)
    assert f"{bundle}: association.csv was altered" in said["problems"][0]


def test_plain_text_beyond_loopback_is_refused():
    result = run("--host", "0.0.0.0")
    assert result.returncode == 2
    assert "--insecure" in result.stderr
    assert "Traceback" not in result.stderr


def test_sigterm_drains_and_leaves_nothing_behind(serve_here, certificates, request_of, tmp_path):
    served = serve_here(
        *("--workers", "1", "--tls-cert", str(certificates / "server.pem")),
        *("--tls-key", str(certificates / "server.key")),
        *("--tls-client-ca", str(certificates / "ca.pem")),
    )
    read = {p.name: p.read_bytes() for p in certificates.iterdir()}
    known = grpc.ssl_channel_credentials(read["ca.pem"], read["client.key"], read["client.pem"])
    assert score(served.target, request_of(), known).level
    (worker,) = children(served.process.pid)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=60) == 0
    assert not alive(worker)
    assert not list(tmp_path.rglob("ready.json"))
    with pytest.raises(OSError):
        socket.create_connection((served.host, served.port), timeout=5)


@pytest.mark.parametrize("name", ["control", "metrics"])
def test_a_port_of_the_control_plane_that_is_taken_is_said(name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(f"--{name}-port", str(port))
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port} ({name} port)" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_ready_file_that_is_a_folder_is_refused(tmp_path):
    result = run("--ready-file", str(tmp_path))
    assert result.returncode == 2
    assert f"ready_file: {tmp_path} is there and cannot be removed" in result.stderr
    assert "Traceback" not in result.stderr
