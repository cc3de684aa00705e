"""What workers are held to: the rule base and the bundle that all of them serve."""

from __future__ import annotations

import io
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import structlog
from harken_models import default_bundle_path
from harken_server.assignment import Answer, Assignment, Order, Word
from harken_server.logs import set_up_logs
from harken_server.supervision import Crew
from harken_server.workers import Worker

FIRST, SECOND = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MODEL = "sha256:" + "c" * 64


class FakeWorker(Worker):
    """Serves what stands in ``folders``, without a process."""

    def __init__(self, folders: dict[str, str]) -> None:
        super().__init__(Assignment(0, "127.0.0.1:0", "", ""), {})
        self.folders = folders
        self.orders: list[str] = []

    def start(self) -> None:
        self.word = Word("base", self.folders[self.assignment.rules], MODEL)
        self.serving.set()

    def alive(self) -> bool:
        return True

    def tell(self, order: Order) -> Future[Answer]:
        self.orders.append(order.do)
        answer: Future[Answer] = Future()
        answer.set_result(Answer(rule_base="base", digest=self.folders.get(order.rules or "", "")))
        return answer


@pytest.fixture
def crew() -> Crew:
    folders = {"/first": FIRST, "/second": SECOND}
    return Crew([FakeWorker(folders), FakeWorker(folders)], on_death=lambda _pid: None)


def held(crew: Crew) -> set[tuple[str, str, str]]:
    each = [worker.assignment for worker in crew.workers]
    return {(one.rules, one.rule_base_digest, one.model_digest) for one in each}


def test_a_worker_started_again_is_told_what_the_others_serve(crew: Crew) -> None:
    assert crew.start(Path("/first"), 1.0, threading.Event(), FIRST).serves
    assert held(crew) == {("/first", FIRST, MODEL)}
    assert crew.reload(Path("/second"), SECOND) == ()
    assert held(crew) == {("/second", SECOND, MODEL)}


def test_a_folder_that_reads_as_something_else_is_not_swapped_in(crew: Crew) -> None:
    crew.start(Path("/first"), 1.0, threading.Event())
    (problem,) = crew.reload(Path("/second"), "sha256:" + "d" * 64)
    assert problem == f"the workers read {SECOND} in its folder"
    assert held(crew) == {("/first", FIRST, MODEL)}
    assert crew.word.rule_base_digest == FIRST
    assert [worker.orders for worker in crew.workers] == [["prepare", "drop"]] * 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["rule base", "bundle"])
def test_a_worker_that_finds_something_else_does_not_serve_it(what: str, base_path: Path) -> None:
    wanted = {"rule base": {"rule_base_digest": FIRST}, "bundle": {"model_digest": MODEL}}[what]
    bundle = str(default_bundle_path())
    worker = Worker(Assignment(0, "127.0.0.1:0", str(base_path), bundle, **wanted), {})
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(120) == 2
    worker.finish(0)
    assert not worker.serving.is_set()
    assert worker.word is not None
    assert worker.word.failure.startswith(f"the {what} in ")
    assert worker.word.failure.endswith(f"; served is {next(iter(wanted.values()))}")


def test_a_line_of_the_log_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes write to one place: what is written in pieces comes in between."""

    class Pieces(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.pieces: list[str] = []

        def write(self, text: str) -> int:
            self.pieces.append(text)
            return len(text)

    before, seen = structlog.get_config(), Pieces()
    monkeypatch.setattr(sys, "stderr", seen)
    try:
        set_up_logs("info", "json")
        log: Any = structlog.get_logger()
        log.info("one")
        log.info("two")
    finally:
        structlog.configure(**before)
    assert [piece[-1] for piece in seen.pieces] == ["\n", "\n"]
