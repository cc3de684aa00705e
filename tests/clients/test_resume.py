"""A replay that is stopped, however rudely, goes on without losing or repeating a row."""

from __future__ import annotations

import csv
import fcntl
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harken_client import Client
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.run import Replay

ROWS = 6000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A flat file with a row to reject in every 97."""
    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["grumble_id", "voice_time", "age_years", "label"])
        for row in range(1, ROWS + 1):
            age = -3 if row % 97 == 0 else row % 80
            writer.writerow([f'g-"{row}"\n', "2026-03-01T08:00:00Z", age, row % 2])
    return path


def replay(fake: Any, source: Path, out: Path, **options: Any) -> Any:
    with Client(fake.target) as client:
        return Replay(source, out, **options).run(client)


def start(
    fake: Any, source: Path, out: Path, *options: str, first: str = ""
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c"),
            f"{first}import typer; from harken_client import commands; app = typer.Typer();"
            "commands.register(app); app()",
            *("replay", str(source), str(out), "--target", fake.target, "--in-flight", "2"),
            *options,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_checkpoint(out: Path, process: subprocess.Popen[str]) -> None:
    journal = out.with_name(f"{out.name}.partial") / "journal.jsonl"
    until = time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no checkpoint within a minute"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_replay_goes_on(
    fake: Any, source: Path, tmp_path: Path, how: signal.Signals, kind: str
) -> None:
    replay(fake, source, tmp_path / "whole.csv")
    out = tmp_path / f"out.{kind}"
    fake.seconds_a_batch, fake.calls = 0.4, 0
    process = start(fake, source, out)
    wait_for_checkpoint(out, process)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-how if how is signal.SIGKILL else 130)
    if how is signal.SIGINT:
        assert "the same command goes on from there" in said
        assert "Traceback" not in said
    assert not out.exists()

    fake.seconds_a_batch, fake.calls = 0.0, 0
    assert replay(fake, source, out).rows == ROWS
    assert fake.calls < ROWS / 500, "rows that were done are not scored again"
    if kind == "parquet":
        replay(fake, source, tmp_path / "whole.parquet")
    assert out.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
    rejects = (tmp_path / "out.rejects.csv").read_bytes()
    assert rejects == (tmp_path / "whole.rejects.csv").read_bytes()
    assert not out.with_name(f"{out.name}.partial").exists()


@pytest.fixture
def broken_off(fake: Any, source: Path, tmp_path: Path) -> Path:
    """OUT of a replay that stopped after some rows; its folder is there."""
    out = tmp_path / "out.csv"

    def stop(rows: int, *_: int) -> None:
        if rows >= 2000:
            raise KeyboardInterrupt

    with Client(fake.target) as client, pytest.raises(Interrupted, match="2,000 rows are done"):
        Replay(source, out, checkpoint_seconds=0).run(client, stop)
    return out


def test_whatever_follows_the_last_checkpoint_is_cut_off(
    fake: Any, source: Path, tmp_path: Path, broken_off: Path
) -> None:
    replay(fake, source, tmp_path / "whole.csv")
    folder = tmp_path / "out.csv.partial"
    rng = random.Random(7)
    for name in ("rows.csv", "rejects.csv", "journal.jsonl"):
        with (folder / name).open("ab") as file:
            file.write(rng.randbytes(1000).replace(b"\n", b""))
    assert replay(fake, source, broken_off).rows == ROWS
    for name in ("csv", "rejects.csv"):
        whole = (tmp_path / f"whole.{name}").read_bytes()
        assert (tmp_path / f"out.{name}").read_bytes() == whole


def test_seconds_add_up_over_runs(fake: Any, source: Path, broken_off: Path) -> None:
    journal = broken_off.with_name("out.csv.partial") / "journal.jsonl"
    before = json.loads(journal.read_text().splitlines()[-1])["seconds"]
    assert replay(fake, source, broken_off).seconds >= round(before, 3) > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("input", "IN has changed"),
        ("spec", "the specification has changed"),
        ("language", "another --language"),
        ("limit", "another --limit"),
        ("model", "another rule base or model"),
    ],
)
def test_another_replay_is_not_mixed_in(
    fake: Any, source: Path, tmp_path: Path, broken_off: Path, change: str, said: str
) -> None:
    options: dict[str, Any] = {}
    if change == "input":
        source.write_bytes(source.read_bytes() + b"extra,2026-03-01T08:00:00Z,1,0\n")
    elif change == "spec":
        options["spec"] = tmp_path / "spec.yaml"
        columns = "grumble_id: {column: grumble_id}\n  voice_time: {column: voice_time}\n"
        options["spec"].write_text(f"dataset: x\nfields:\n  {columns}", encoding="utf-8")
    elif change == "language":
        options["language"] = "zh"
    elif change == "limit":
        options["limit"] = 5000
    else:
        fake.model_digest = "sha256:" + "c" * 64
    with pytest.raises(ReplayError, match=rf"{said}[\s\S]*--restart"):
        replay(fake, source, broken_off, **options)
    assert replay(fake, source, broken_off, restart=True, **options).rows >= 5000


def test_a_model_swapped_half_way_stops_the_replay(fake: Any, source: Path, tmp_path: Path) -> None:
    batches = 0

    def swap() -> None:
        nonlocal batches
        batches += 1
        if batches == 4:
            fake.model_digest = "sha256:" + "c" * 64

    fake.before_batch = swap
    with pytest.raises(ReplayError, match="another rule base or model"):
        replay(fake, source, tmp_path / "out.csv", in_flight=1)


def test_two_replays_to_one_out_do_not_meet(
    fake: Any, source: Path, tmp_path: Path, broken_off: Path
) -> None:
    from harken_client.replay.journal import Identity, RowSpool, digest

    with RowSpool(broken_off) as journal:
        journal.open(Identity(digest(source), "", "en", None))
        for restart in (False, True):
            with pytest.raises(ReplayError, match="another replay is writing"):
                replay(fake, source, broken_off, restart=restart)
    assert replay(fake, source, broken_off).rows == ROWS


def test_a_damaged_folder_is_said(fake: Any, source: Path, broken_off: Path) -> None:
    folder = broken_off.with_name("out.csv.partial")
    rows = (folder / "rows.csv").read_bytes()
    (folder / "rows.csv").write_bytes(rows[:100])
    with pytest.raises(ReplayError, match="damaged; add --restart"):
        replay(fake, source, broken_off)
    assert replay(fake, source, broken_off, restart=True).rows == ROWS


def test_a_crash_while_finishing_costs_nothing(
    fake: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay(fake, source, tmp_path / "whole.csv")
    out = tmp_path / "out.csv"
    out.write_text("what was there before", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("harken_client.replay.run.shutil.copyfile", _crash)
        with pytest.raises(Interrupted):
            replay(fake, source, out)
    assert out.read_text(encoding="utf-8") == "what was there before"
    fake.calls = 0
    assert replay(fake, source, out).rows == ROWS
    assert fake.calls == 0
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_folder_that_is_gone_is_not_locked(
    fake: Any, source: Path, broken_off: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other replay ends between our opening its journal and our locking it."""
    take = fcntl.flock

    def late(file: int, how: int) -> None:
        shutil.rmtree(broken_off.with_name("out.csv.partial"))
        take(file, how)

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", late)
        with pytest.raises(ReplayError, match="has just ended"):
            replay(fake, source, broken_off)
    assert replay(fake, source, broken_off).rows == ROWS


@pytest.mark.parametrize("via", ["batch", "stream"])
def test_a_full_disk_is_a_sentence(fake: Any, source: Path, tmp_path: Path, via: str) -> None:
    fake.streams = 8
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
    process = start(fake, source, tmp_path / "out.csv", "--via", via, first=limit)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith("harken replay: cannot read or write")
    assert "File too large" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out.csv").exists()
    assert replay(fake, source, tmp_path / "out.csv", via=via).rows == ROWS


@pytest.mark.parametrize("via", ["batch", "stream"])
def test_a_file_that_is_still_written_has_no_out(
    fake: Any, source: Path, tmp_path: Path, via: str
) -> None:
    fake.streams, out = 8, tmp_path / "out.csv"

    def grow(*_: int) -> None:
        with source.open("a") as file:
            file.write("g-z,2026-03-01T08:00:00Z,3,1\n")

    with Client(fake.target) as client, pytest.raises(ReplayError, match="was changed while"):
        Replay(source, out, via=via, in_flight=1).run(client, grow)
    assert not out.exists()
    with pytest.raises(ReplayError, match="IN has changed"):
        replay(fake, source, out, via=via)


def _crash(*_: object) -> None:
    raise OSError(28, "No space left on device")
