"""The model as machine code: made once before the workers start, and left out where it fails."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import lightgbm as lgb
import pytest
import yaml
from harken.v1 import scoring_pb2, scoring_pb2_grpc
from harken_models import default_bundle_path, load_bundle
from harken_models.bundlefile import write_bundle
from harken_models.errors import NotCompiledWarning
from harken_server import children, compiling
from harken_server.assignment import Assignment
from harken_server.compiling import compile_ahead, compile_bundle
from harken_server.settings import shipped
from harken_server.snapshot import load_snapshot
from harken_server.supervision import Crew
from harken_server.workers import Worker


@pytest.fixture
def crew() -> Crew:
    workers = [Worker(Assignment(n, "", "", "", compiled=True), {}) for n in range(2)]
    return Crew(workers, on_death=lambda _pid: None)


def asked(crew: Crew) -> list[bool]:
    """Whether each worker is told to compile, as it will read it."""
    told = [Assignment.from_json(worker.assignment.to_json()) for worker in crew.workers]
    return [each.compiled for each in told]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    lines: list[tuple[str, dict[str, Any]]] = []

    class Log:
        def __getattr__(self, _level: str) -> Any:
            return lambda event, **values: lines.append((event, values))

    monkeypatch.setattr(compiling, "_log", Log())
    return lines


def test_workers_compile_what_was_compiled_ahead(
    crew: Crew, logged: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, list[str]]] = []

    def ask(module: str, arguments: list[str], **_limits: float) -> children.Answer:
        calls.append((module, arguments))
        return children.Answer({"problem": "", "seconds": 7.5})

    monkeypatch.setattr(compiling, "ask", ask)
    compile_ahead(Path("bundle"), crew)
    assert calls == [("harken_server.compiling", ["bundle"])]
    assert asked(crew) == [True, True]
    assert logged == [("model compiled", {"seconds": 7.5})]


@pytest.mark.parametrize(
    "answer",
    [
        children.Answer({"problem": "harken-models[compiled] is not installed"}),
        children.Answer({}, "it crashed (SIGSEGV)"),
    ],
)
def test_workers_use_lightgbm_where_it_cannot_be_compiled_and_one_line_says_why(
    crew: Crew,
    logged: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    answer: children.Answer,
) -> None:
    monkeypatch.setattr(compiling, "ask", lambda *_words, **_limits: answer)
    compile_ahead(Path("bundle"), crew)
    assert asked(crew) == [False, False]
    why = answer.failure or answer.said["problem"]
    assert logged == [("model not compiled, LightGBM runs it", {"why": why})]


def test_the_child_says_why_a_bundle_cannot_be_compiled(
    tmp_path: Path, crew: Crew, logged: list[tuple[str, dict[str, Any]]]
) -> None:
    (tmp_path / "bundle").mkdir()
    compile_ahead(tmp_path / "bundle", crew)
    assert asked(crew) == [False, False]
    assert [event for event, _ in logged if event != "compiling the model"] == [
        "model not compiled, LightGBM runs it"
    ]
    assert "manifest.yaml: cannot be read" in str(logged[-1][1]["why"])


def test_a_snapshot_without_the_extra_is_served_by_lightgbm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "harken_models.treecode", None)
    assert "harken-models[compiled]" in str(compile_bundle(default_bundle_path())["problem"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rules = shipped("harken_rules", "base")
        snapshot = load_snapshot(rules, default_bundle_path(), compiled=True)
    assert not snapshot.bundle.compiled
    assert [warning.category for warning in caught] == [NotCompiledWarning]


@pytest.fixture(scope="module")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bundle with its first trees only, which are compiled in a second."""
    shipped_bundle = load_bundle(default_bundle_path())
    model = shipped_bundle.parts.model
    assert model.boosted is not None
    text = lgb.Booster(model_str=model.boosted.text).model_to_string(num_iteration=10)
    small = replace(model, boosted=replace(model.boosted, text=text))
    probes = yaml.safe_load((default_bundle_path() / "probes.yaml").read_text())["probes"]
    folder = tmp_path_factory.mktemp("small") / "bundle"
    rows = [probe["row"] for probe in probes]
    write_bundle(folder, replace(shipped_bundle.parts, model=small), {}, rows)
    return folder


@pytest.mark.parametrize("usable", [True, False], ids=["compiled", "no cache"])
def test_served_compiled_or_not_a_grumble_has_the_same_score(
    usable: bool,
    small_bundle: Path,
    tmp_path: Path,
    serve_here: Callable[..., Any],
    request_of: Callable[..., scoring_pb2.ScoreRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path / "cache"
    if not usable:
        cache.write_text("not a folder")
    monkeypatch.setenv("HARKEN_CACHE_DIR", str(cache))
    served = serve_here("--bundle", str(small_bundle), "--compiled", "--workers", "1")
    with grpc.insecure_channel(served.target) as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        request = request_of(explain=True)
        answer = stub.Score(request, timeout=30, wait_for_ready=True).score
    log = served.log.read_text()
    assert log.count("model compiled") == int(usable)
    assert log.count("model not compiled") == int(not usable)
    assert usable or "cannot be used as a cache" in log
    assert answer.probability == _probability(small_bundle, request)
    assert len(answer.explanation.contributions) > 3


def _probability(bundle: Path, request: scoring_pb2.ScoreRequest) -> float:
    from harken_server.grpc.convert import from_proto
    from harken_server.scoring import Scorer

    scorer = Scorer(load_snapshot(shipped("harken_rules", "base"), bundle))
    return scorer.score(from_proto(request)).probability
