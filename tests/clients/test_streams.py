"""``harken replay`` by columns against a service: the same OUT as row by row."""

from __future__ import annotations

import csv
import itertools
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harken_client import Client
from harken_client.replay import slices, streams
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.run import Replay
from harken_client.replay.summary import Summary

NAMES = ["grumble_id", "voice_time", "observe_time", "category", "age_years", "attr_plan", "label"]
ROWS = 3000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices and chunks so small that a short file has many."""
    monkeypatch.setattr(slices, "QUANTUM", 512)
    monkeypatch.setattr(slices, "LARGEST", 1024)
    monkeypatch.setattr(streams, "CHUNK_ROWS", 300)
    monkeypatch.setattr("harken_client.replay.csv_slices.SMALLEST_BYTES", 20_000)
    monkeypatch.setattr("harken_client.replay.csv_slices.LARGEST_BYTES", 40_000)


def write(path: Path, rows: int = ROWS, **changes: dict[int, str]) -> Path:
    rng = random.Random(3)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for row in range(1, rows + 1):
            day = f"2026-03-{1 + row % 28:02d}"
            cells = {
                "grumble_id": f"g-{row}",
                "voice_time": f"{day}T08:00:00Z",
                "observe_time": f"{day}T{rng.randrange(9, 24):02d}:00:00.{rng.choice('05')}Z",
                "category": rng.choice(["charges", "basic_comms", ""]),
                "age_years": str(rng.randrange(16, 90)),
                "attr_plan": rng.choice(["gold", "a,b", 'the "big" one', " "]),
                "label": rng.choice(["0", "1", ""]),
            }
            for column, values in changes.items():
                cells[column] = values.get(row, cells[column])
            writer.writerow(cells.values())
    return path


def replay(fake: Any, source: Path, out: Path, **options: Any) -> Summary:
    with Client(fake.target) as client:
        return Replay(source, out, **options).run(client)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_ids(path: Path) -> bytes:
    """The text of OUT, but for the ids that each answer makes up, in the last column but one."""
    return re.sub(rb",[^,\n]+,([01]?)\n", rb",\1\n", path.read_bytes())


WRONG: dict[str, Any] = {
    "age_years": {3: "-3", 700: "-1", 900: "old", 2999: "-7"},
    "grumble_id": {5: "", 17: 'g,"17"\n', 18: " g-18 "},
    "voice_time": {6: "noon", 3000: "2026-13-01"},
    "observe_time": {8: "", 9: "2026-03-09 10:00+08"},
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_both_ways_say_the_same(fake: Any, tmp_path: Path, kind: str) -> None:
    source = write(tmp_path / "in.csv", **WRONG)
    with source.open("a", encoding="utf-8") as file:
        file.write("g-x,2026-03-01T08:00:00Z,,,,,1,surplus\ng-y,2026-03-01T08:00:00Z\n")
    source.write_bytes(source.read_bytes().replace(b"g-44,", b"g-\xff4,"))
    if kind == "parquet":
        rows = [row for row in read_rows_of(source) if len(row) == len(NAMES)]
        columns = list(map(list, zip(*rows, strict=True)))
        table = pa.table(dict(zip(NAMES, columns, strict=True)))
        source = tmp_path / "in.parquet"
        pq.write_table(table, source, row_group_size=1700)
    by_rows = replay(fake, source, tmp_path / "rows.csv", via="batch")
    assert fake.chunks == 0
    fake.streams, fake.calls = 8, 0
    by_columns = replay(fake, source, tmp_path / "columns.csv")
    assert fake.chunks == fake.calls > 10
    assert (by_rows.via, by_columns.via) == ("batch", "stream")
    assert by_rows.rejects >= len(WRONG) + 3
    said = (tmp_path / "rows.rejects.csv").read_bytes()
    assert (tmp_path / "columns.rejects.csv").read_bytes() == said
    assert without_ids(tmp_path / "columns.csv") == without_ids(tmp_path / "rows.csv")
    names = ("rows", "scored", "rejects", "level_shares", "auc", "ap", "brier", "calibration")
    for name in names:
        assert (
            getattr(by_rows, name) == pytest.approx(getattr(by_columns, name)) or name == names[-1]
        )


def read_rows_of(source: Path) -> list[list[str]]:
    with source.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return list(reader)


def test_out_as_parquet_is_the_same_table(fake: Any, tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", **WRONG)
    replay(fake, source, tmp_path / "rows.parquet", via="batch")
    fake.streams = 4
    replay(fake, source, tmp_path / "columns.parquet")
    tables = [pq.read_table(tmp_path / f"{n}.parquet") for n in ("rows", "columns")]
    assert tables[0].schema.equals(tables[1].schema)
    rows, columns = (table.drop_columns(["decision_id"]) for table in tables)
    assert rows.equals(columns)


def test_decision_ids_name_chunk_and_place(fake: Any, tmp_path: Path) -> None:
    fake.streams = 4
    replay(fake, write(tmp_path / "in.csv", 700), tmp_path / "out.csv")
    ids = [row["decision_id"].split("-") for row in read_rows(tmp_path / "out.csv")]
    chunks = [list(group) for _, group in itertools.groupby(ids, lambda each: each[0])]
    assert 3 <= len(chunks) == len({chunk[0][0] for chunk in chunks}) == fake.chunks
    for chunk in chunks:
        assert [place for _, place in chunk] == [str(n) for n in range(len(chunk))]


def test_limit_takes_the_first_rows(fake: Any, tmp_path: Path) -> None:
    fake.streams = 4
    source = write(tmp_path / "in.csv")
    assert replay(fake, source, tmp_path / "out.csv", limit=1234).rows == 1234
    numbers = [int(row["row"]) for row in read_rows(tmp_path / "out.csv")]
    assert numbers == list(range(1, 1235))


def test_an_empty_file_has_an_empty_out(fake: Any, tmp_path: Path) -> None:
    fake.streams = 4
    source = write(tmp_path / "in.csv", 0)
    for name in ("out.csv", "out.parquet"):
        assert replay(fake, source, tmp_path / name).rows == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    assert read_rows(tmp_path / "out.csv") == []
    assert fake.chunks == 0


def test_rows_none_of_which_can_be_sent(fake: Any, tmp_path: Path) -> None:
    fake.streams = 4
    source = write(tmp_path / "in.csv", 40, voice_time=dict.fromkeys(range(1, 41), "noon"))
    for name in ("out.csv", "out.parquet"):
        summary = replay(fake, source, tmp_path / name)
        assert (summary.rejects, summary.scored, summary.model_digest) == (40, 0, "")
    assert fake.chunks == 0


def test_a_service_without_streams_gets_batches_and_it_is_said_once(
    fake: Any, tmp_path: Path
) -> None:
    source, said = write(tmp_path / "in.csv", 40), list[str]()
    assert replay(fake, source, tmp_path / "out.csv", say=said.append).via == "batch"
    assert len(said) == 1
    with pytest.raises(ReplayError, match="no ReplayScores"):
        replay(fake, source, tmp_path / "out.csv", via="stream")


def test_streams_that_break_cost_no_row(fake: Any, status: Any, tmp_path: Path) -> None:
    fake.streams = 8
    codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED] * 3
    fake.failures = [status(code, "later", "OVERLOADED") for code in codes]
    source = write(tmp_path / "in.csv")
    assert replay(fake, source, tmp_path / "out.csv", patience=30).scored == ROWS
    assert fake.failures == []
    assert [int(row["row"]) for row in read_rows(tmp_path / "out.csv")] == list(range(1, ROWS + 1))


def test_a_busy_service_is_given_fewer_streams(fake: Any, tmp_path: Path) -> None:
    fake.streams = 1
    fake.seconds_a_batch = 0.02
    source = write(tmp_path / "in.csv")
    assert replay(fake, source, tmp_path / "out.csv", in_flight=3).scored == ROWS
    assert fake.most_streams == 1


def test_two_last_answers_at_once_end_a_slice_once() -> None:
    """Both streams have counted down before either looks whether anything is left."""
    desk, job = streams.Desk(1.0), streams.Job(Any, Any, [None, None], left=2)  # type: ignore[arg-type]
    chunks = [streams.Chunk(job, place, 0, 1, place, b"") for place in (0, 1)]
    taken = {chunk.sequence: chunk for chunk in chunks}

    class Between(threading.Condition):
        def __exit__(self, *said: Any) -> None:
            super().__exit__(*said)
            if job.left:
                desk.answer(chunks[1], taken, None, ())

    desk._change = Between()
    desk.answer(chunks[0], taken, None, ())
    assert desk.finished.get_nowait() is job
    assert desk.finished.empty()


def test_several_streams_are_open_at_once(fake: Any, tmp_path: Path) -> None:
    fake.streams = 8
    fake.seconds_a_batch = 0.05
    replay(fake, write(tmp_path / "in.csv"), tmp_path / "out.csv", in_flight=3)
    assert fake.most_streams == 3
    assert len(fake.peers) >= 3, "each stream has a connection of its own"


def test_a_chunk_refused_whole_is_named(fake: Any, tmp_path: Path) -> None:
    fake.streams, fake.largest_chunk = 4, 200
    with pytest.raises(Interrupted, match=r"the chunk of rows [\d,]+ to [\d,]+: too many rows"):
        replay(fake, write(tmp_path / "in.csv"), tmp_path / "out.csv")


def test_chunks_fit_into_a_message(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CHUNK_BYTES", 6_000)
    fake.streams = 4
    source = write(tmp_path / "in.csv", 1000, category={500: "x" * 7000})
    summary = replay(fake, source, tmp_path / "out.csv")
    assert (summary.scored, summary.rejects) == (999, 1)
    (reject,) = read_rows(tmp_path / "out.rejects.csv")
    assert (reject["row"], reject["reason"]) == ("500", "RESOURCE_EXHAUSTED")
    assert fake.chunks > 10


def test_a_model_swapped_half_way_stops_the_replay(fake: Any, tmp_path: Path) -> None:
    fake.streams = 1
    chunks = 0

    def swap() -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 6:
            fake.model_digest = "sha256:" + "c" * 64

    fake.before_batch = swap
    with pytest.raises(ReplayError, match="another rule base or model"):
        replay(fake, write(tmp_path / "in.csv"), tmp_path / "out.csv", in_flight=1)


def test_few_rows_are_held_however_long_the_file(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = most = 0

    def counted(change: int, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **more: Any) -> Any:
            nonlocal held, most
            held += change
            most = max(most, held)
            return call(*arguments, **more)

        return wrapped

    read = counted(1, slices.ParquetSlices.read)
    monkeypatch.setattr(slices.ParquetSlices, "read", lambda self, part: read(self, part))
    monkeypatch.setattr(streams, "content_of", counted(-1, streams.content_of))
    fake.streams = 8
    source = tmp_path / "in.parquet"
    ids = [f"g-{row}" for row in range(12_000)]
    times = pa.array([0] * len(ids), pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"grumble_id": ids, "voice_time": times}), source)
    replay(fake, source, tmp_path / "out.csv", in_flight=2)
    assert most <= 4, "slices read, typed or under way at once"


SMALL = (
    "from harken_client.replay import csv_slices, slices, streams;"
    "streams.CHUNK_ROWS = 300;"
    "csv_slices.SMALLEST_BYTES, csv_slices.LARGEST_BYTES = 20_000, 40_000;"
    "import typer; from harken_client import commands; app = typer.Typer();"
    "commands.register(app); app()"
)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_replay_goes_on(fake: Any, tmp_path: Path, how: signal.Signals) -> None:
    fake.streams = 8
    source, out = write(tmp_path / "in.csv", **WRONG), tmp_path / "out.csv"
    replay(fake, source, tmp_path / "whole.csv")
    chunks, fake.chunks, fake.seconds_a_batch = fake.chunks, 0, 0.5
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL, "replay", str(source), str(out), "--target", fake.target,
         "--in-flight", "2"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    journal, until = tmp_path / "out.csv.partial" / "journal.jsonl", time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no part within a minute"
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-how if how is signal.SIGKILL else 130)
    if how is signal.SIGINT:
        assert "the same command goes on from there" in said
        assert "Traceback" not in said
    assert not out.exists()
    fake.chunks, fake.seconds_a_batch = 0, 0.0
    assert replay(fake, source, out).rows == ROWS
    assert 0 < fake.chunks < chunks, "parts that are done are not done again"
    assert without_ids(out) == without_ids(tmp_path / "whole.csv")
    rejects = (tmp_path / "whole.rejects.csv").read_bytes()
    assert (tmp_path / "out.rejects.csv").read_bytes() == rejects
    assert not journal.parent.exists()


def test_a_replay_begun_in_batches_goes_on_in_batches(fake: Any, tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.csv"), tmp_path / "out.csv"

    def stop(rows: int, *_: int) -> None:
        raise KeyboardInterrupt

    with Client(fake.target) as client, pytest.raises(Interrupted, match="500 rows are done"):
        Replay(source, out, via="batch", checkpoint_seconds=0).run(client, stop)
    fake.streams = 8
    with pytest.raises(ReplayError, match="it was begun as rows, not columns"):
        replay(fake, source, out, via="stream")
    assert replay(fake, source, out).via == "batch"
    assert fake.chunks == 0


def test_a_server_that_is_lost_leaves_what_is_done(fake: Any, status: Any, tmp_path: Path) -> None:
    fake.streams = 8
    source, out = write(tmp_path / "in.csv"), tmp_path / "out.csv"
    count = 0

    def go_away() -> None:
        nonlocal count
        count += 1
        if count > 6:
            fake.failures = [status(grpc.StatusCode.UNAVAILABLE, "gone")]

    fake.before_batch = go_away
    with pytest.raises(Interrupted, match="the same command goes on"):
        replay(fake, source, out, patience=0.5, in_flight=1)
    fake.before_batch = lambda: None
    fake.failures, fake.chunks = [], 0
    assert replay(fake, source, out).scored == ROWS
    assert 0 < fake.chunks < 10
