"""``make fuzz``: what it says of an engine that is right, and of one that is not."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from harken_rules.durable_engine import BoxEvaluator

BENCH = Path(__file__).resolve().parents[2] / "bench" / "fuzz.py"


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``bench/fuzz.py``, which is no package."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("fuzz_command", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz_command", module)
    spec.loader.exec_module(module)
    return module


def test_no_difference(
    fuzz: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "build" / "fuzz.json"
    assert fuzz.main(["--evaluations", "1500", "--seed", "7", "--out", str(out)]) == 0
    said = json.loads(out.read_text(encoding="utf-8"))
    assert said["seed"] == 7
    assert said["evaluations"] >= 1500
    assert said["durable_rules_questions"] > 0
    assert said["difference"] is None
    assert "no difference" in capsys.readouterr().out


def test_a_difference_comes_with_what_reproduces_it(
    fuzz: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    right = BoxEvaluator.matching

    def wrong(self: BoxEvaluator, decision: int, signature: tuple[int, ...]) -> tuple[int, ...]:
        return right(self, decision, signature)[1:]

    monkeypatch.setattr(BoxEvaluator, "matching", wrong)
    out = tmp_path / "fuzz.json"
    assert fuzz.main(["--evaluations", "100000", "--seed", "7", "--out", str(out)]) == 1
    said = json.loads(out.read_text(encoding="utf-8"))
    assert said["evaluations"] < 100_000
    assert "random_base(" in said["difference"]
    assert "facts = {" in said["difference"]
    assert "a difference" in capsys.readouterr().out
