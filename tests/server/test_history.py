"""A history read by columns says of every row what the scorer says of it alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models import default_bundle_path
from harken_rules import default_base_path
from harken_server.errors import ScoringError
from harken_server.history import HistoryError
from harken_server.history.facts import facts_of, for_rules
from harken_server.history.pool import work_through
from harken_server.history.rows import usable_rows
from harken_server.history.source import History, RawChunk, open_history
from harken_server.scoring import Scorer
from harken_server.snapshot import Snapshot, load_snapshot

from .simulated import ROWS, grumbles_of, simulated_history


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return load_snapshot(default_base_path(), default_bundle_path())


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.read_parquet(simulated_history()).iloc[:40].copy()


def written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_every_row_scores_as_in_a_batch(snapshot: Snapshot, suffix: str) -> None:
    path = simulated_history().with_suffix(suffix)
    wanted = Scorer(snapshot).score_batch(list(grumbles_of(path)))
    history = open_history(path)
    at = 0
    for chunk in history.chunks(250):
        rows, refused = usable_rows(history, chunk)
        assert (refused.rows, chunk.first) == (0, at + 1)
        facts = facts_of(rows, snapshot.bundle)
        decided = snapshot.engine.decide_columns(for_rules(facts, snapshot.base), len(rows))
        results = {name: decided.values(name) for name in ("level", "severity", "owner")}
        for place in range(len(rows)):
            score = wanted[at + place]
            assert not isinstance(score, ScoringError)
            assert facts["probability"][place].hex() == score.probability.hex()
            assert (facts["segment"][place] or "") == score.segment.code
            assert results["level"][place] == score.level
            assert float(results["severity"][place]).hex() == score.severity.hex()
            assert results["owner"][place] == score.advice.owner.code
            said = decided.verdict(place).results
            assert said["strategies"] == tuple(s.code for s in score.strategies)
            assert said["level"] == score.level
        at += len(rows)
    assert at == ROWS


def test_what_the_scorer_refuses_is_counted_with_row_and_field(
    snapshot: Snapshot, frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame["sms_count"] = frame["sms_count"].astype(float)
    for row, column, value in [
        (2, "observe_time", frame["voice_time"].iloc[2] - pd.Timedelta(hours=1)),
        (3, "age_years", 140),  # the file and the API take it, the rule base does not
        (5, "sms_count", 3e9),
        (7, "point", "p" * 200),
        (11, "channel", "smoke_signal"),
        (11, "credit_level", 9),
        (13, "grumble_id", None),
        (17, "customer_id", "c" * 129),
    ]:
        frame.loc[row, column] = value
    history = open_history(written(frame, tmp_path / "spoilt.parquet"))
    (chunk,) = history.chunks()
    rows, refused = usable_rows(history, chunk)
    assert refused.rows == 7 - 1
    assert [(fault.row, fault.field) for fault in refused.first] == [
        (3, "observe_time"),
        (6, "sms_count"),
        (8, "point"),
        (12, "channel"),
        (12, "credit_level"),
        (14, "grumble_id"),
        (18, "customer_id"),
    ]
    assert "between 0 and 2147483647" in refused.first[1].reason
    assert refused.fields["credit_level"] == 1
    assert len(rows) == 40 - 6
    assert not set(rows.numbers.tolist()) & {3, 6, 8, 12, 14, 18}
    facts = for_rules(facts_of(rows, snapshot.bundle), snapshot.base)
    decided = snapshot.engine.decide_columns(facts, len(rows))
    assert [rows.numbers[row] for row in decided.errors] == [4]


def test_outcomes_are_read_from_label_or_complained(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["label"] = [1, 0, None, 0] * 10
    history = open_history(written(frame, tmp_path / "a.parquet"))
    rows, _ = usable_rows(history, next(history.chunks()))
    assert rows.label[:2].tolist() == [1.0, 0.0]
    assert math.isnan(rows.label[2])
    other = frame.drop(columns="label").assign(complained=["yes", "no", "", "no"] * 10)
    history = open_history(written(other, tmp_path / "b.csv"))
    again, _ = usable_rows(history, next(history.chunks()))
    assert np.array_equal(again.label, rows.label, equal_nan=True)
    history = open_history(written(frame.drop(columns="label"), tmp_path / "c.parquet"))
    none, _ = usable_rows(history, next(history.chunks()))
    assert np.isnan(none.label).all()


def test_a_probability_of_its_own_needs_no_model(
    snapshot: Snapshot, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame["scored"] = np.linspace(0, 1, 40)
    frame.loc[[4, 6], "scored"] = [1.5, np.nan]
    path = written(frame, tmp_path / "scored.parquet")
    history = open_history(path, probability="scored")
    rows, refused = usable_rows(history, next(history.chunks()))
    assert [(f.row, f.field) for f in refused.first] == [(5, "probability"), (7, "probability")]
    monkeypatch.setattr(snapshot.bundle.predictor, "many", None)  # nobody may call it
    facts = facts_of(rows, snapshot.bundle)
    assert facts["probability"].tolist() == frame["scored"].drop([4, 6]).tolist()
    monkeypatch.undo()
    plain = facts_of(replace(rows, probability=None), snapshot.bundle)
    assert np.array_equal(plain["association"], facts["association"], equal_nan=True)
    assert [plain["segment"][at] for at in range(38)] == [facts["segment"][at] for at in range(38)]
    with pytest.raises(HistoryError, match="no column 'scores'"):
        open_history(path, probability="scores")


SPEC = """
dataset: operator
time_zone: Asia/Shanghai
missing: ["", "-"]
fields:
  grumble_id: {column: id}
  voice_time: {column: voiced}
  resolution_state: {column: state, map: {open: unresolved, done: all_satisfied}}
attributes:
  plan: {column: tariff, type: category}
  unread: {column: not_there, type: category}
label: {column: escalated, positive: ["Y"], blank_is: negative}
"""


def test_foreign_columns_are_read_by_the_specification(tmp_path: Path) -> None:
    spec = tmp_path / "operator.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    path = tmp_path / "operator.csv"
    path.write_text(
        "id,voiced,state,tariff,escalated\n"
        "a,2011-05-01 08:00,open,-,Y\n"
        "b,2011-05-01 09:00,shut,family,\n"
        "\n"
        "c,2011-05-02 10:00,done,family,\n",
        encoding="utf-8",
    )
    history = open_history(path, spec, {"plan": "text"})
    assert history.columns == ("id", "voiced", "state", "tariff", "escalated")
    rows, refused = usable_rows(history, next(history.chunks()))
    assert rows.columns["plan"].tolist() == [None, "family"]
    assert rows.columns["resolution_state"].tolist() == ["unresolved", "all_satisfied"]
    assert rows.label.tolist() == [1.0, 0.0]
    assert rows.columns["voice_time_us"][0] == 1_304_208_000_000_000
    assert [str(fault) for fault in refused.first] == [
        "row 2, resolution_state: 'shut' is not among its values"
    ]
    with pytest.raises(HistoryError, match="'plan' is a category here and a number"):
        open_history(path, spec, {"plan": "number"})
    # A file that was prepared with this specification carries the core names.
    prepared = tmp_path / "prepared.csv"
    prepared.write_text("grumble_id,voice_time,attr_plan\na,2011-05-01T00:00:00Z,family\n")
    history = open_history(prepared, spec, {"plan": "text"})
    rows, _ = usable_rows(history, next(history.chunks()))
    assert rows.columns["plan"].tolist() == ["family"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("history.csv", None, "no such file"),
        ("history.txt", "x", "must end in .csv or .parquet"),
        ("history.csv", "", "cannot be read"),
        ("history.csv", "id,when\n1,2\n", "no column 'grumble_id'"),
        ("history.parquet", "no parquet", "cannot be read"),
    ],
)
def test_an_unusable_file_is_one_sentence(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(HistoryError, match=words):
        open_history(tmp_path / name)


def test_a_folder_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="harken data prepare"):
        open_history(tmp_path)


def test_a_file_damaged_further_down_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("grumble_id,voice_time\na,2011-05-01\nb,2011-05-01,more,cells\n")
    with pytest.raises(HistoryError, match=r"broken\.csv: cannot be read: .*line 3"):
        list(open_history(path).chunks())
    path.write_text("grumble_id,voice_time\na,2011-05-01,one more\n")
    with pytest.raises(HistoryError, match="more cells than its header"):
        list(open_history(path).chunks())


class Counting:
    """Work that can be sent: the first number of each chunk."""

    def prepare(self):
        return first_of


def first_of(chunk: RawChunk) -> tuple[int, int]:
    return chunk.first, len(chunk)


def test_chunks_come_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(History, "chunks", small_chunks(History.chunks))
    history = open_history(simulated_history())
    told: list[int] = []
    alone = list(work_through(history, Counting(), 1, told.append))
    assert alone == [(at + 1, min(200, ROWS - at)) for at in range(0, ROWS, 200)]
    assert sum(told) == ROWS


def small_chunks(chunks):
    def made(self, size: int = 200) -> Iterator[RawChunk]:
        return chunks(self, size)

    return made
