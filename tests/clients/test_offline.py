"""``harken replay --offline``: processes that score their own slices, and what survives them."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from harken_client import commands
from harken_client.replay import csv_slices, offline, slices
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.offline import Offline
from harken_client.replay.run import Replay
from harken_client.replay.summary import Summary
from typer.testing import CliRunner

ROWS = 30_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which the stand-in is found as an installed package is."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).with_name("offline_backend.py"), folder / "harken_stand_in.py")
    info = folder / "harken_stand_in-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harken-stand-in\nVersion: 1.0\n")
    point = "[harken.replay]\noffline = harken_stand_in:open_backend\n"
    (info / "entry_points.txt").write_text(point)
    return folder


@pytest.fixture(autouse=True)
def found(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed)
    monkeypatch.setenv("PYTHONPATH", str(installed))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file with rows to reject here and there, in this process and in the backend."""
    path, rng = tmp_path_factory.mktemp("in") / "in.parquet", random.Random(1)
    table = {
        "grumble_id": [None if row % 997 == 5 else f"g-{row}" for row in range(ROWS)],
        "voice_time": [
            "noon" if row % 1511 == 7 else "2026-03-01T08:00:00Z" for row in range(ROWS)
        ],
        "category": [rng.choice(["charges", None, "basic_comms"]) for _ in range(ROWS)],
        "label": [rng.choice([0, 1, None]) for _ in range(ROWS)],
    }
    pq.write_table(pa.table(table), path, row_group_size=13_000)
    return path


def replay(source: Path, out: Path, rules: Path | None = None, **options: Any) -> Summary:
    wanted = {"rules": rules, "processes": 2} | options.pop("offline", {})
    return Replay(source, out, offline=Offline(**wanted), **options).run(None)


def text(path: Path) -> bytes:
    """The text of OUT, but for the ids that each chunk makes up."""
    return re.sub(rb",[^,\n]+,([01]?)\n", rb",\1\n", path.read_bytes())


@pytest.fixture(scope="module")
def whole(source: Path, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT of a replay that nothing happened to."""
    out = tmp_path_factory.mktemp("whole") / "out.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed)
        patch.setenv("PYTHONPATH", str(installed))
        summary = replay(source, out)
    assert (summary.rows, summary.via) == (ROWS, "offline")
    return out


def same_as(whole: Path, out: Path) -> None:
    assert text(out) == text(whole)
    rejects = whole.with_name("out.rejects.csv").read_bytes()
    assert out.with_name(f"{out.stem}.rejects.csv").read_bytes() == rejects
    assert not out.with_name(f"{out.name}.partial").exists()


def test_every_row_is_in_out_or_in_the_rejects(whole: Path) -> None:
    with whole.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with whole.with_name("out.rejects.csv").open(newline="") as file:
        rejects = list(csv.DictReader(file))
    numbers = [int(row["row"]) for row in rows]
    refused = [int(row["row"]) for row in rejects]
    assert numbers == sorted(numbers)
    assert refused == sorted(refused)
    assert sorted(numbers + refused) == list(range(1, ROWS + 1))
    assert {row["reason"] for row in rejects} == {"FIELD_REQUIRED", "FIELD_INVALID"}
    assert [row["grumble_id"] for row in rows] == [f"g-{n - 1}" for n in numbers]
    ids = [row["decision_id"] for row in rows]
    assert len(set(ids)) == len(ids)


def test_csv_is_read_by_the_processes_too(whole: Path, source: Path, tmp_path: Path) -> None:
    table = pq.read_table(source)
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.schema.names)
        writer.writerows(list(row.values()) for row in table.to_pylist())
    assert (tmp_path / "in.csv").stat().st_size > csv_slices.SMALLEST_BYTES
    replay(tmp_path / "in.csv", tmp_path / "out.csv", offline={"processes": 1})
    same_as(whole, tmp_path / "out.csv")


def start(source: Path, out: Path, rules: Path) -> subprocess.Popen[str]:
    program = "import typer; from harken_client import commands; app = typer.Typer();"
    return subprocess.Popen(
        [sys.executable, "-c", f"{program} commands.register(app); app()", "replay", str(source),
         str(out), "--offline", "--processes", "2", "--rules", str(rules)],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_ctrl_c_is_one_sentence_while_processes_still_start(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text("{}")
    process = start(source, tmp_path / "out.csv", rules)
    until = time.monotonic() + 60
    while len(children_of(process)) < 3:  # with that which multiprocessing has for itself
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.startswith("harken replay: interrupted\n")


def test_ctrl_c_waits_for_a_process_that_is_being_started() -> None:
    done, gone_on = threading.Event(), []
    handler = signal.getsignal(signal.SIGINT)

    def begin() -> None:
        with offline._no_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the other thread is given the signal, and this one told of it
            gone_on.append(True)

    other = threading.Thread(target=done.wait)  # as a progress bar's: it does not block signals
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            begin()
    finally:
        done.set()
        other.join()
    assert gone_on
    assert signal.getsignal(signal.SIGINT) is handler


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [
        int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]


def wait_for_part(out: Path, process: subprocess.Popen[str]) -> None:
    journal = out.with_name(f"{out.name}.partial") / "journal.jsonl"
    until = time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no part within a minute"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_replay_goes_on(
    source: Path, whole: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out, rules = tmp_path / "out.csv", tmp_path / "rules.json"
    rules.write_text(json.dumps({"seconds": 0.7}))
    process = start(source, out, rules)
    wait_for_part(out, process)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-how if how is signal.SIGKILL else 130)
    if how is signal.SIGINT:
        assert "the same command goes on from there" in said
        assert "Traceback" not in said
    assert not out.exists()
    folder = out.with_name("out.csv.partial")
    kept = {path.name: path.stat().st_mtime_ns for path in folder.glob("part-??????")}
    done = folder.joinpath("journal.jsonl").read_bytes().count(b"\n") - 1
    assert 1 <= done < 5
    rules.write_text("{}")
    summary = replay(source, out, rules)
    assert summary.rows == ROWS
    assert kept
    same_as(whole, out)


@pytest.fixture
def broken_off(source: Path, tmp_path: Path) -> Path:
    """OUT of a replay that stopped after a part; its folder is there."""
    out = tmp_path / "out.csv"

    def stop(rows: int, *_: int) -> None:
        raise KeyboardInterrupt

    job = Replay(source, out, offline=Offline(processes=1))
    with pytest.raises(Interrupted, match=r"8,192 rows are done") as caught:
        job.run(None, stop)
    assert caught.value.by_hand
    return out


def test_parts_that_are_done_are_not_done_again(
    source: Path, whole: Path, broken_off: Path
) -> None:
    folder = broken_off.with_name("out.csv.partial")
    (part,) = folder.glob("part-??????")
    marked = part.read_bytes().replace(b"1,g-0,", b"1,G-0,", 1)
    part.write_bytes(marked)
    (folder / "part-000001.77").write_bytes(b"what a process left that was killed")
    (folder / "part-000003").write_bytes(b"what is in no journal")
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"number": 1, "rows"')
    replay(source, broken_off)
    assert text(broken_off) == text(whole).replace(b"1,g-0,", b"1,G-0,", 1)


def test_a_damaged_part_is_said(source: Path, broken_off: Path) -> None:
    (part,) = broken_off.with_name("out.csv.partial").glob("part-??????")
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ReplayError, match="damaged; add --restart"):
        replay(source, broken_off)
    assert replay(source, broken_off, restart=True).rows == ROWS


@pytest.mark.parametrize("change", ["model", "compiled", "limit"])
def test_another_replay_is_not_mixed_in(
    source: Path, tmp_path: Path, broken_off: Path, change: str
) -> None:
    rules, options = tmp_path / "rules.json", dict[str, Any]()
    rules.write_text(json.dumps({"model": "sha256:" + "c" * 64} if change == "model" else {}))
    if change == "limit":
        options["limit"] = 9_000
    said = {"model": "another rule base or model", "compiled": "columns, not columns, compiled"}
    wanted = {"compiled": change == "compiled"}
    with pytest.raises(ReplayError, match=said.get(change, "another --limit")):
        replay(source, broken_off, rules, offline=wanted, **options)


def test_a_process_that_dies_is_said_and_costs_nothing(
    source: Path, whole: Path, tmp_path: Path
) -> None:
    rules, end = tmp_path / "rules.json", tmp_path / "end"
    rules.write_text(json.dumps({"die": str(end)}))

    def kill(rows: int, *_: int) -> None:
        end.touch()

    job = Replay(source, tmp_path / "out.csv", offline=Offline(rules=rules, processes=2))
    with pytest.raises(Interrupted, match=r"died \(SIGKILL\)[\s\S]*the same command goes on"):
        job.run(None, kill)
    end.unlink()
    job.run(None)
    same_as(whole, tmp_path / "out.csv")


def test_a_full_disk_while_out_is_made_costs_nothing(
    source: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "out.csv"
    out.write_text("what was there before", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("harken_client.replay.parts.join_lines", lambda _: full)
        with pytest.raises(Interrupted, match=r"No space left[\s\S]*30,000 rows are done"):
            replay(source, out)
    assert out.read_text(encoding="utf-8") == "what was there before"
    monkeypatch.setattr(offline.OfflineRunner, "_start", None)  # nothing is left to score
    replay(source, out)
    same_as(whole, out)


def test_what_the_core_refuses_is_said_in_its_words(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="bundle: nowhere is no bundle"):
        replay(source, tmp_path / "out.csv", offline={"bundle": Path("nowhere")})
    assert not (tmp_path / "out.csv").exists()


def test_without_a_core_it_is_said_what_to_install(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "entry_points", lambda **_: ())
    with pytest.raises(ReplayError, match="pip install harken-server"):
        replay(source, tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rules", "x"], "--rules: only together with --offline"),
        (["--compiled"], "--compiled: only together with --offline"),
        (["--offline", "--via", "batch"], "--via: not together with --offline"),
        (["--offline", "--target", "h:1", "--in-flight", "2"], "--in-flight, --target: not"),
        (["--offline", "--json", "nowhere/x.json"], "there is no such folder"),
        (["--offline", "--bundle", "x"], "x is no bundle"),
    ],
)
def test_options_that_do_not_fit_are_exit_2(
    source: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    app = typer.Typer()
    commands.register(app)
    done = CliRunner().invoke(app, ["replay", str(source), str(tmp_path / "out.csv"), *options])
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_target_in_the_environment_is_no_wish(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_TARGET", "nowhere:1")
    app = typer.Typer()
    commands.register(app)
    options = ["--offline", "--processes", "1", "--limit", "10"]
    done = CliRunner().invoke(app, ["replay", str(source), str(tmp_path / "out.csv"), *options])
    assert done.exit_code == 1, done.stderr  # row 6 has no id


def test_parquet_out_is_the_same_table(source: Path, whole: Path, tmp_path: Path) -> None:
    replay(source, tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    with whole.open(newline="") as file:
        for row, other in zip(csv.DictReader(file), rows, strict=True):
            assert int(row["row"]) == other["row"]
            assert float(row["probability"]) == other["probability"]
            assert row["reasons"] == (other["reasons"] or "")


def test_a_short_file_needs_few_processes(source: Path, tmp_path: Path) -> None:
    assert slices.QUANTUM >= 100
    started = list[int]()

    class Counted(offline.OfflineRunner):
        def _start(self, number: int) -> Any:
            started.append(number)
            return super()._start(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harken_client.replay.run.OfflineRunner", Counted)
        summary = replay(source, tmp_path / "out.csv", limit=100, offline={"processes": 8})
    assert summary.rows == 100
    assert started == [0]


def test_no_process_outlives_its_parent(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"seconds": 0.5}))
    process = start(source, tmp_path / "out.csv", rules)
    wait_for_part(tmp_path / "out.csv", process)
    children = children_of(process)
    assert len(children) >= 2
    process.kill()
    process.communicate()
    until = time.monotonic() + 20
    while any(_runs(child) for child in children):
        assert time.monotonic() < until
        time.sleep(0.05)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"
