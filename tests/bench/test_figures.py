"""The benchmark's own arithmetic, its table of rows, and the file that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import figures
import plots
import pytest
from rows import ROWS
from setting import Part, Setting

import bench

KEYS = ["id", "what", "value", "unit", "bar", "ok", "detail"]
BARS = {
    "score-throughput": "≥ 0.75",
    "score-cpu": "≤ 1.3",
    "score-p50": "≤ 1.25",
    "core": "≤ 80",
    "rules-hit": "≤ 4",
    "rules-miss": "≤ 2000",
    "rules-column": "≤ 0.5",
    "rules-size": "≤ 1.2",
    "batch": "≥ 0.6",
    "stream": "≥ 0.8",
    "offline": "≥ 0.9",
    "offline-compiled": "≥ 2.5",
    "native": "≥ 2.5",
    "peer": "≥ 2.5",
    "offline-memory": "≤ 1536",
    "offline-memory-flat": "≤ 1.1",
    "growth-rows": "≤ 1.05",
    "growth-trees": "≤ 1.05",
    "growth-rules": "≤ 0.2",
}


def test_the_bars_are_those_that_were_agreed() -> None:
    assert {name: str(row.bar) for name, row in ROWS.items() if row.bar} == BARS


def test_every_row_is_measured_by_one_part() -> None:
    measured = [name for part in bench.PARTS for name in part.rows]
    assert len(measured) == len(set(measured))
    assert {name.removesuffix("-shipped") for name in measured} == set(ROWS)


@pytest.mark.parametrize(
    ("name", "value", "ok"),
    [
        ("score-throughput", 0.75, True),
        ("score-throughput", 0.7499, False),
        ("score-cpu", 1.3, True),
        ("score-cpu", 1.31, False),
        ("score-throughput-shipped", 0.1, None),
        ("start", 3.0, None),
        ("core", None, None),
    ],
)
def test_a_bar_is_met_or_missed(name: str, value: float | None, ok: bool | None) -> None:
    found = figures.figure(ROWS, name, value, {})
    assert found.ok is ok
    assert (found.bar is None) == (name in ("score-throughput-shipped", "start"))


def test_the_file_is_a_list_of_rows_with_the_same_keys(tmp_path: Path) -> None:
    spread = figures.Spread((1.0, 2.0, 3.0, 4.0, 5.0))
    found = [
        figures.figure(ROWS, "core", spread.median, spread.detail("a note", mean=3.0)),
        figures.figure(ROWS, "peer", None, {"skipped": "no network"}),
    ]
    figures.write(tmp_path / "deep" / "bench.json", found)
    core, peer = figures.read(tmp_path / "deep" / "bench.json")
    assert list(core) == list(peer) == KEYS
    assert core["detail"] == {"note": "a note", "turns": 5, "quartiles": [2.0, 4.0], "mean": 3.0}
    assert (core["value"], core["bar"], core["ok"]) == (3.0, "≤ 80", True)
    assert (peer["value"], peer["ok"]) == (None, None)


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str, value: float) -> float:
        order.append(name)
        return value * len(order)

    found = figures.take_turns(3, {"a": lambda: side("a", 1), "b": lambda: side("b", 1)})
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found["a"].turns == (1, 4, 5)
    assert found["b"].over(found["a"]).turns == (2, 3 / 4, 6 / 5)


def test_a_part_that_fails_midway_keeps_its_rows_and_says_why(tmp_path: Path) -> None:
    def broken(setting: Setting) -> Iterator[figures.Figure]:
        yield setting.figure("start", 2.0)
        raise RuntimeError("the wire is cut")

    def unavailable(setting: Setting) -> Iterator[figures.Figure]:
        yield setting.figure("start", 2.0)
        raise figures.Unmeasurable("no such thing here")

    setting, rows = Setting(tmp_path), ("start", "reload")
    failed = list(bench.measured(Part("x", "X", rows, broken), setting))
    assert [each.value for each in failed] == [2.0, None]
    assert failed[1].detail == {"failed": "RuntimeError: the wire is cut"}
    skipped = list(bench.measured(Part("x", "X", rows, unavailable), setting))
    assert skipped[1].detail == {"skipped": "no such thing here"}
    assert "missed" not in bench.closing(skipped, 1.0, tmp_path)
    assert "skipped: reload" in bench.closing(skipped, 1.0, tmp_path)


def test_parts_are_chosen_by_their_names_and_by_their_rows() -> None:
    assert [part.name for part in bench.chosen("peer, batch-rows")] == ["peer", "batch"]
    with pytest.raises(SystemExit, match="no such row or part: bach"):
        bench.chosen("bach")


def test_pictures_are_drawn_from_the_file_alone(tmp_path: Path) -> None:
    point = {"in_flight": 1, "per_second": 900, "p50_us": 1000.0, "p99_us": 3000.0}
    curves = {name: [point, {**point, "in_flight": 4}] for name in ("score", "null")}
    growth = {"points": [[10, 1.0], [100, 9.0]], "of": "rows", "unit": "seconds"}
    rows = [
        {"id": "score-throughput", "value": 0.8, "detail": {"load": curves}},
        {"id": "growth-rows", "value": 0.95, "detail": growth},
        {"id": "offline-memory", "value": 300, "detail": {"curve": [[0, 250], [1, 300]]}},
        {"id": "null-cpu-us", "value": 200.0, "detail": {}},
        {"id": "core", "value": 60.0, "detail": {"stages": {"parse": 2.0, "rules": 20.0}}},
    ]
    drawn = sorted(path.name for path in plots.draw(rows, tmp_path))
    assert drawn == ["latency.png", "memory.png", "score.png", "size.png"]
    assert all((tmp_path / name).stat().st_size > 5000 for name in drawn)
    assert list(plots.draw([{"id": "core", "value": None, "detail": {}}], tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
