"""``harken replay`` end to end: every row is in OUT or in the rejects, in order."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import typer
from harken_client import Client, commands
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.outcome import COLUMNS
from harken_client.replay.run import Replay
from harken_client.replay.summary import Summary
from typer.testing import CliRunner, Result

COLUMN_NAMES = ["grumble_id", "voice_time", "observe_time", "category", "age_years", "label"]


def write_grumbles(path: Path, rows: int, seed: int = 7, **changes: dict[int, str]) -> Path:
    """A flat CSV file; ``changes`` puts values into rows (from 1) of a column."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMN_NAMES)
        for row in range(1, rows + 1):
            cells = {
                "grumble_id": f"g-{row}",
                "voice_time": f"2026-03-{1 + row % 28:02d}T08:00:00Z",
                "observe_time": f"2026-03-{1 + row % 28:02d}T{rng.randrange(9, 24):02d}:00:00.5Z",
                "category": rng.choice(["charges", "basic_comms", ""]),
                "age_years": str(rng.randrange(16, 90)),
                "label": rng.choice(["0", "0", "1", ""]),
            }
            for column, values in changes.items():
                cells[column] = values.get(row, cells[column])
            writer.writerow(cells.values())
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def replay(target: str, source: Path, out: Path, **options: Any) -> Summary:
    with Client(target) as client:
        return Replay(source, out, **options).run(client)


@pytest.fixture
def run(fake: Any) -> Any:
    """Runs ``harken replay`` against the stand-in."""
    app = typer.Typer()
    commands.register(app)

    def invoke(*arguments: str | Path) -> Result:
        arguments = ("replay", *arguments, "--target", fake.target)
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


def test_out_is_what_the_service_answered(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 1203)
    summary = replay(fake.target, source, tmp_path / "out.csv")
    rows = read_rows(tmp_path / "out.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["row"]) for row in rows] == list(range(1, 1204))
    given = read_rows(source)
    assert [row["grumble_id"] for row in rows] == [row["grumble_id"] for row in given]
    assert [row["label"] for row in rows] == [row["label"] for row in given]
    by_id = {request.grumble.grumble_id: fake.answer(request) for request in fake.requests}
    for row in rows:
        score = by_id[row["grumble_id"]]
        assert float(row["probability"]) == score.probability
        assert int(row["level"]) == score.level
    first = rows[0]
    assert first["strategies"] == "explain_bill;apologise"
    assert first["escalation_chain"] == "branch;head"
    assert first["resolve_deadline_time"].endswith("00:00.500000Z")
    assert (summary.rows, summary.scored, summary.rejects) == (1203, 1203, 0)
    assert read_rows(tmp_path / "out.rejects.csv") == []
    assert not (tmp_path / "out.csv.partial").exists()


def test_every_row_is_in_out_or_in_the_rejects(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(
        tmp_path / "in.csv", 1100,
        age_years={3: "-3", 700: "-1", 900: "old"},
        grumble_id={5: ""}, voice_time={6: "noon", 1100: "2026-13-01"},
    )  # fmt: skip
    with source.open("a", encoding="utf-8") as file:
        file.write("g-1101,2026-03-01T08:00:00Z,,,,1,surplus\n")
    summary = replay(fake.target, source, tmp_path / "out.csv")
    rejects = read_rows(tmp_path / "out.rejects.csv")
    assert [(row["row"], row["grumble_id"], row["field"], row["reason"]) for row in rejects] == [
        ("3", "g-3", "customer.age_years", "VALUE_OUT_OF_RANGE"),
        ("5", "", "grumble.grumble_id", "FIELD_REQUIRED"),
        ("6", "g-6", "grumble.voice_time", "FIELD_INVALID"),
        ("700", "g-700", "customer.age_years", "VALUE_OUT_OF_RANGE"),
        ("900", "g-900", "customer.age_years", "FIELD_INVALID"),
        ("1100", "g-1100", "grumble.voice_time", "FIELD_INVALID"),
        ("1101", "", "", "FIELD_INVALID"),
    ]
    assert "7 cells, the header 6" in rejects[-1]["message"]
    kept = [int(row["row"]) for row in read_rows(tmp_path / "out.csv")]
    assert sorted(kept + [int(row["row"]) for row in rejects]) == list(range(1, 1102))
    assert kept == sorted(kept)
    assert (summary.rows, summary.rejects) == (1101, 7)


def test_a_byte_that_is_no_utf8_spoils_its_row_only(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 10)
    source.write_bytes(source.read_bytes().replace(b"g-4,", b"g-\xff4,"))
    assert replay(fake.target, source, tmp_path / "out.csv").rejects == 1
    (reject,) = read_rows(tmp_path / "out.rejects.csv")
    assert (reject["row"], reject["field"]) == ("4", "grumble.grumble_id")
    assert "UTF-8" in reject["message"]


def test_csv_and_parquet_say_the_same(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 1203, age_years={8: "-3"})
    typed = pa.csv.read_csv(source)
    assert pa.types.is_timestamp(typed.schema.field("voice_time").type)
    pq.write_table(typed, tmp_path / "in.parquet", row_group_size=500)
    replay(fake.target, source, tmp_path / "a.csv")
    replay(fake.target, tmp_path / "in.parquet", tmp_path / "b.csv")
    replay(fake.target, tmp_path / "in.parquet", tmp_path / "c.parquet")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.rejects.csv").read_bytes() == (tmp_path / "c.rejects.csv").read_bytes()
    table = pq.read_table(tmp_path / "c.parquet")
    assert tuple(table.schema.names) == COLUMNS
    rows = read_rows(tmp_path / "a.csv")
    assert table["probability"].to_pylist() == [float(row["probability"]) for row in rows]
    assert table["row"].to_pylist() == [int(row["row"]) for row in rows]
    assert table["label"].to_pylist() == [int(r["label"]) if r["label"] else None for r in rows]
    assert table["behaviour_type"].null_count == len(rows)
    assert table["resolve_deadline_time"][0].as_py().microsecond == 500_000


def test_summary_counts_shares_and_outcomes(fake: Any, run: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 800, age_years={3: "-3"})
    result = run(source, tmp_path / "out.csv", "--json", tmp_path / "summary.json")
    assert result.exit_code == 1
    said = json.loads((tmp_path / "summary.json").read_text())
    rows = read_rows(tmp_path / "out.csv")
    assert (said["rows"], said["scored"], said["rejects"]) == (800, 799, 1)
    assert sum(said["level_shares"].values()) == pytest.approx(1)
    for level, share in said["level_shares"].items():
        at_level = [row for row in rows if row["level"] == level]
        assert share == pytest.approx(len(at_level) / 799)
        known = [int(row["label"]) for row in at_level if row["label"]]
        assert said["complaint_rate_by_level"][level] == pytest.approx(sum(known) / len(known))
    assert said["labelled"] == sum(row["label"] != "" for row in rows)
    assert said["rule_base_digest"] == fake.rule_base_digest
    assert 0 < said["auc"] < 1
    assert 0 <= said["ece"] <= 1
    assert len(said["calibration"]) == 10
    for part in ("799 scored", "1 rejected", "AUC", "level", "out.rejects.csv"):
        assert part in result.stdout


def test_json_on_stdout_is_all_there(run: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 20, label=dict.fromkeys(range(1, 21), ""))
    result = run(source, tmp_path / "out.csv", "--json", "-")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["auc"] is None
    assert said["complaint_rate_by_level"]["1"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("folder out.csv", "harken data prepare"),
        ("none.csv out.csv", "cannot read none.csv"),
        ("in.csv out.xlsx", "must end in .csv or .parquet"),
        ("in.csv in.csv", "the same file"),
        ("in.csv no/such/out.csv", "no folder"),
        ("in.csv out.csv --spec none.yaml", "cannot read the specification none.yaml"),
    ],
)
def test_what_is_unusable_is_exit_2_in_a_sentence(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_grumbles(tmp_path / "in.csv", 3)
    Path("folder").mkdir()
    result = run(*arguments.split())
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("harken replay: ")
    assert "Traceback" not in result.stderr


def test_limit_takes_the_first_rows(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 1203)
    assert replay(fake.target, source, tmp_path / "out.csv", limit=700).rows == 700
    assert len(read_rows(tmp_path / "out.csv")) == 700


def test_an_empty_file_has_an_empty_out(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 0)
    for name in ("out.csv", "out.parquet"):
        summary = replay(fake.target, source, tmp_path / name)
        assert (summary.rows, summary.scored) == (0, 0)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    assert fake.calls == 0


def test_transient_failures_cost_no_row(fake: Any, status: Any, tmp_path: Path) -> None:
    codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED] * 12
    fake.failures = [status(code, "later", "OVERLOADED") for code in codes]
    source = write_grumbles(tmp_path / "in.csv", 1203)
    assert replay(fake.target, source, tmp_path / "out.csv").scored == 1203
    assert fake.failures == []
    fake.failures = []
    replay(fake.target, source, tmp_path / "calm.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "calm.csv").read_bytes()


def test_a_batch_refused_whole_is_taken_apart(fake: Any, tmp_path: Path) -> None:
    fake.largest_batch = 100
    source = write_grumbles(tmp_path / "in.csv", 1000)
    assert replay(fake.target, source, tmp_path / "out.csv").scored == 1000


def test_a_row_too_large_for_the_server_is_rejected(fake: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 8, category={3: "x" * 5_000_000})
    summary = replay(fake.target, source, tmp_path / "out.csv")
    assert (summary.scored, summary.rejects) == (7, 1)
    (reject,) = read_rows(tmp_path / "out.rejects.csv")
    assert (reject["row"], reject["reason"]) == ("3", "RESOURCE_EXHAUSTED")


def test_a_server_fault_stops_the_replay_resumably(fake: Any, status: Any, tmp_path: Path) -> None:
    source = write_grumbles(tmp_path / "in.csv", 3000)
    replay(fake.target, source, tmp_path / "whole.csv")
    batches = 0

    def break_down() -> None:
        nonlocal batches
        batches += 1
        if batches > 3:
            fake.failures = [status(grpc.StatusCode.INTERNAL, "incident abc", "INTERNAL")]

    fake.before_batch = break_down
    with pytest.raises(Interrupted, match=r"incident abc[\s\S]*the same command goes on"):
        replay(fake.target, source, tmp_path / "out.csv", in_flight=1)
    fake.before_batch = lambda: None
    fake.failures, fake.calls = [], 0
    assert replay(fake.target, source, tmp_path / "out.csv").rows == 3000
    assert fake.calls < 6, "rows that were done are not scored again"
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_nobody_there_leaves_nothing_behind(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("harken_client.replay.pipeline.FIRST_PATIENCE", 0.0)
    source = write_grumbles(tmp_path / "in.csv", 10)
    with pytest.raises(Interrupted, match=r"no service answers at 127\.0\.0\.1:1"):
        replay("127.0.0.1:1", source, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_parquet_without_pyarrow_says_what_to_install(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    source = write_grumbles(tmp_path / "in.csv", 10)
    with pytest.raises(ReplayError, match=r"pip install 'harken-client\[parquet\]'"):
        replay(fake.target, source, tmp_path / "out.parquet")
    (tmp_path / "in.parquet").write_bytes(b"")
    with pytest.raises(ReplayError, match="harken-client"):
        replay(fake.target, tmp_path / "in.parquet", tmp_path / "out.csv")


def test_without_pyarrow_rows_go_in_batches(fake: Any, tmp_path: Path) -> None:
    fake.streams = 8
    source = write_grumbles(tmp_path / "in.csv", 20)
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import typer; from harken_client import commands; app = typer.Typer()\n"
        "commands.register(app); app()"
    )

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        files = (str(source), str(tmp_path / "out.csv"))
        command = [sys.executable, "-c", program, "replay", *files, *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("--target", fake.target, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["via"] == "batch"
    assert (fake.chunks, done.stderr) == (0, "")
    for options in (["--target", fake.target, "--via", "stream"], ["--offline"]):
        refused = run(*options)
        assert refused.returncode == 2
        assert "pip install 'harken-client[parquet]'" in refused.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        ("抱怨编号,时间\n".encode("gb18030"), "iconv -f GB18030"),
        (b"grumble_id,voice_time,grumble_id\n", "'grumble_id' twice"),
        (b"Ticket,Opened\n1,2\n", "--spec must say"),
    ],
)
def test_an_unusable_csv_says_why(fake: Any, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(ReplayError, match=said):
        replay(fake.target, tmp_path / "in.csv", tmp_path / "out.csv")


def test_an_unusable_parquet_says_why(fake: Any, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(ReplayError, match="not a Parquet file"):
        replay(fake.target, tmp_path / "in.parquet", tmp_path / "out.csv")


@pytest.mark.parametrize("via", ["batch", "stream"])
def test_a_date_that_python_does_not_have_spoils_its_row_only(
    fake: Any, tmp_path: Path, via: str
) -> None:
    fake.streams = 4
    days = pa.array([20_000, 3_000_000, 20_001, -800_000], pa.date32())
    table = pa.table({"grumble_id": list("abcd"), "voice_time": days, "attr_since": days})
    pq.write_table(table, tmp_path / "in.parquet")
    replay(fake.target, tmp_path / "in.parquet", tmp_path / "out.csv", via=via)
    assert [row["grumble_id"] for row in read_rows(tmp_path / "out.csv")] == ["a", "c"]
    rejects = read_rows(tmp_path / "out.rejects.csv")
    assert [row["grumble_id"] for row in rejects] == ["b", "d"]
    assert "'10183-09-21' is not a time" in rejects[0]["message"]
