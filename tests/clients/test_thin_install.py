"""The client installed alone, with the newest and the oldest libraries it declares."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
HEAVY = ("lightgbm", "pandas", "numpy", "durable", "harken_server", "harken_rules")
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
UV = os.environ.get("UV") or shutil.which("uv") or ROOT / ".uv/bin/uv"
"""Links what it has installed before, where pip unpacks and compiles it anew."""


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True, text=True, check=False, env=CLEAN | (env or {}),
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def new_environment(folder: Path) -> Path:
    run(UV, "venv", "-q", "--python", sys.executable, folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels of the protos and the client, nothing else of the house."""
    folder = tmp_path_factory.mktemp("wheels")
    binaries = new_environment(folder / "venv")
    reachable = subprocess.run(
        [UV, "pip", "install", "-q", "--no-cache", "--dry-run", "--no-deps", "hatchling",
         "--python", binaries / "python"],
        capture_output=True, check=False,
    )  # fmt: skip
    if reachable.returncode:
        pytest.skip("no package registry can be reached")
    for source in (ROOT / "protos", ROOT / "clients/python"):
        run(UV, "build", "-q", "--wheel", "-o", folder / "dist", source)
    return sorted((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def served(serve_for_all: Callable[..., Any]) -> Any:
    """A running service with the shipped rule base and model, whose rule base may be changed."""
    return serve_for_all("--workers", "1")


@pytest.fixture(scope="module")
def target(served: Any) -> str:
    return str(served.target)


@pytest.fixture(scope="module")
def control(served: Any) -> str:
    return str(served.control)


def oldest() -> list[str]:
    """The lowest grpcio and protobuf that the client's own metadata allows."""
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    bounds = dict(re.findall(r"(\w+)>=([\d.]+)", " ".join(project["dependencies"])))
    return [f"{name}=={bounds[name]}" for name in ("grpcio", "protobuf")]


@pytest.mark.parametrize("age", ["newest", "oldest"])
def test_the_client_alone_scores_and_publishes(
    wheels: list[Path], target: str, control: str, tmp_path: Path, age: str
) -> None:
    binaries = new_environment(tmp_path / "venv")
    pins = oldest() if age == "oldest" else []
    where = ("--python", binaries / "python")
    run(UV, "pip", "install", "-q", *where, *wheels, *pins)
    if pins:
        frozen = run(UV, "pip", "freeze", *where)
        assert all(pin in frozen for pin in pins), frozen
    found = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    assert run(binaries / "python", "-c", found, *HEAVY) == "[]\n"

    harken = binaries / "harken"
    plain = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    commands = re.findall(r"^│ (\w+) ", run(harken, "--help", env=plain), re.MULTILINE)
    assert commands == ["score", "replay", "rules"]
    said = run(harken, "rules", "--help", env=plain)
    names = ["publish", "status", "activate", "rollback", "revisions", "shadow", "simulate"]
    assert re.findall(r"^│ (\w+) ", said, re.MULTILINE) == names

    asked = ("--category", "charges", "--point", "bill_inaccurate", "--target", target)
    score = json.loads(run(harken, "score", *asked, "--explain", "--output", "json"))
    assert score["level"] in range(1, 6)
    assert score["explanation"]["rules"]
    assert "抱怨级别" in run(harken, "score", *asked, "--language", "zh", env={"PYTHONUTF8": "1"})

    refused = subprocess.run(
        [harken, "score", *asked, "--brand", "nokia"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "customer.brand" in refused.stderr

    grumbles = tmp_path / "in.csv"
    rows = [f"g-{i},2026-03-01T08:00:00Z,charges,{i % 2}" for i in range(1200)]
    grumbles.write_text("\n".join(["grumble_id,voice_time,category,label", *rows]) + "\n")
    out = tmp_path / "out.csv"
    said = json.loads(run(harken, "replay", grumbles, out, "--target", target, "--json", "-"))
    assert (said["rows"], said["rejects"]) == (1200, 0)
    assert len(out.read_text().splitlines()) == 1201

    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules/base", rules)
    header = rules / "rulebase.yaml"
    renamed = re.sub(r"(?m)^name: .*", f"name: {age}", header.read_text(encoding="utf-8"))
    header.write_text(renamed, encoding="utf-8")
    desk = ("--target", control, "--json")
    said = json.loads(run(harken, "rules", "publish", rules, "-m", "why", *desk))
    state = json.loads(run(harken, "rules", "status", *desk))
    assert state["active"]["name"] == age
    assert state["active"]["digest"] == said["digest"] == said["activation"]["digest"]
    assert age in run(harken, "rules", "status", "--target", control)

    aio = (
        "import asyncio, sys, warnings; warnings.simplefilter('error');"
        "from harken_client import AsyncClient\n"
        "async def main():\n"
        "    async with AsyncClient(sys.argv[1]) as client:\n"
        "        wish = {'grumble_id': 'g', 'voice_time': '2026-03-01T08:00:00Z'}\n"
        "        print((await client.batch_score([wish] * 3))[2].level)\n"
        "asyncio.run(main())"
    )
    assert int(run(binaries / "python", "-c", aio, target)) in range(1, 6)
