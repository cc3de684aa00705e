"""The offline backend: the same scores as ``Score``, without transport."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harken.v1 import grumble_pb2
from harken_client.replay.outcome import COLUMNS
from harken_server.errors import ScoringError
from harken_server.grpc import convert
from harken_server.offline import RESULT_SCHEMA, open_backend
from harken_server.paths import path_of
from harken_server.scoring import Scorer
from harken_server.settings import shipped
from harken_server.snapshot import load_snapshot

from .replaying import CODED, row_of
from .simulated import ROWS, grumbles_of, simulated_history

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def backend():
    return open_backend(None, None, False, 1)


@pytest.fixture(scope="module")
def alone():
    """The shipped rule base and bundle, asked one by one."""
    folders = shipped("harken_rules", "base"), shipped("harken_models", "default")
    return Scorer(load_snapshot(*folders))


@pytest.fixture(scope="module")
def history():
    """The simulated history as a record batch."""
    table = pq.read_table(simulated_history()).drop_columns(["label"])
    return table.combine_chunks().to_batches()[0]


@pytest.fixture(scope="module")
def expected(alone):
    return [outcome(alone, grumble) for grumble in grumbles_of(simulated_history())]


def outcome(scorer, grumble):
    """A row of the result, without what every row has of its own; or a fault."""
    try:
        message = convert.to_proto(scorer.score(grumble))
    except ScoringError as error:
        said = "; ".join(f"{path_of(v.field)}: {v.message}" for v in error.violations)
        return path_of(error.field), error.reason.value, said
    level, probability, severity, reply, resolve, *codes = row_of(message)
    return {
        "level": level,
        "probability": probability,
        "severity": severity,
        **{name: ";".join(each) or None for name, each in zip(CODED, codes, strict=True)},
        "reply_deadline_time": None if reply < 0 else EPOCH + timedelta(microseconds=reply),
        "resolve_deadline_time": None if resolve < 0 else EPOCH + timedelta(microseconds=resolve),
        "rule_base_digest": message.rule_base_digest,
        "model_digest": message.model_digest,
    }


def outcomes(backend, batch):
    """What ``outcome`` gives, of every row."""
    result, faults = backend.score(batch)
    assert result.schema == RESULT_SCHEMA
    assert result.num_rows == batch.num_rows
    result.validate(full=True)
    rows = result.to_pylist()
    found = []
    for row in rows:
        row.pop("decision_id")
        hexed = {n: row[n] and row[n].hex() for n in ("probability", "severity")}
        found.append(row | hexed)
    for place, *said in faults:
        assert set(found[place].values()) == {None}
        found[place] = tuple(said)
    return found


def test_every_row_is_what_score_answers(backend, history, expected):
    assert outcomes(backend, history) == expected
    assert len({row["level"] for row in expected}) > 3
    assert len({row["probability"] for row in expected}) > ROWS / 2


def test_slices_and_threads_change_nothing(history, expected, monkeypatch):
    monkeypatch.setattr("harken_server.chunks.SLICE_ROWS", 97)
    several = open_backend(None, None, False, 2)
    assert outcomes(several, history) == expected


def test_parts_of_a_batch_and_other_forms_of_its_columns_are_the_same(backend, history, expected):
    coded = pa.RecordBatch.from_arrays(
        [
            column.dictionary_encode() if pa.types.is_string(column.type) else column
            for column in history.columns
        ],
        names=history.schema.names,
    )
    for batch in (history, coded):
        for first, rows in ((0, 1), (5, 64), (850, 50)):
            assert outcomes(backend, batch.slice(first, rows)) == expected[first : first + rows]


def test_faults_say_what_score_would(backend, alone, history):
    sound = list(grumbles_of(simulated_history()))[:6]
    changes = [
        {},
        {"age_years": 151, "monthly_spend_yuan": float("inf")},
        {"brand": "gotoen"},
        {"observe_time_us": sound[3].voice_time_us - 1},
        {"category": "x" * 129},
        {},
    ]
    wrong = [grumble._replace(**change) for grumble, change in zip(sound, changes, strict=True)]
    columns = {}
    for name in ("grumble_id", "brand", "category", "age_years", "monthly_spend_yuan"):
        columns[name] = pa.array([getattr(grumble, name) for grumble in wrong])
    for name in ("voice_time", "observe_time"):
        times = [getattr(grumble, f"{name}_us") for grumble in wrong]
        columns[name] = pa.array(times, pa.timestamp("us", "UTC"))
    bare = [
        type(grumble)(
            **{
                name: getattr(grumble, name)
                for name in ("brand", "category", "age_years", "monthly_spend_yuan")
            },
            grumble_id=grumble.grumble_id,
            voice_time_us=grumble.voice_time_us,
            observe_time_us=grumble.observe_time_us,
        )
        for grumble in wrong
    ]
    found = outcomes(backend, pa.RecordBatch.from_pydict(columns))
    assert found == [outcome(alone, grumble) for grumble in bare]
    assert [isinstance(row, tuple) for row in found] == [False, True, True, True, True, False]
    assert found[1][:2] == ("customer.age_years", "VALUE_OUT_OF_RANGE")
    assert "customer.monthly_spend_yuan: " in found[1][2]


def test_each_row_has_a_decision_id_of_its_own(backend, history):
    first, second = (backend.score(history.slice(0, 3))[0] for _ in range(2))
    ids = [*first.column("decision_id").to_pylist(), *second.column("decision_id").to_pylist()]
    assert len(set(ids)) == 6
    assert [each.split("-")[1] for each in ids] == ["0", "1", "2"] * 2
    assert len({each.split("-")[0] for each in ids}) == 2


def test_the_result_has_all_columns_of_out_but_the_callers():
    assert set(COLUMNS) - set(RESULT_SCHEMA.names) == {"row", "grumble_id", "label"}
    assert set(RESULT_SCHEMA.names) <= set(COLUMNS)


def test_a_batch_that_cannot_be_read_is_a_value_error(backend, history):
    with pytest.raises(ValueError, match="'age_yeras'; did you mean 'age_years'"):
        backend.score(history.append_column("age_yeras", pa.nulls(ROWS)))
    with pytest.raises(ValueError, match="no column 'voice_time'"):
        backend.score(history.drop_columns(["voice_time"]))
    with pytest.raises(ValueError, match="1 to 65536 rows"):
        backend.score(history.slice(0, 0))


def test_folders_that_cannot_be_served_are_a_value_error(tmp_path, base_path):
    with pytest.raises(ValueError, match="no facts"):
        open_backend(tmp_path, None, False, 1)
    with pytest.raises(ValueError, match="bundle"):
        open_backend(base_path, tmp_path, False, 1)


def test_the_client_finds_it_by_its_entry_point():
    (point,) = entry_points(group="harken.replay", name="offline")
    assert point.load() is open_backend


def test_no_transport_is_loaded():
    program = """
import sys
from harken_server.offline import open_backend
open_backend(None, None, False, 1).close()
loaded = [name for name in ("grpc", "google.protobuf", "harken.v1") if name in sys.modules]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_paths_are_those_of_the_messages():
    parts = {
        "grumble": grumble_pb2.Grumble,
        "customer": grumble_pb2.CustomerProfile,
        "history": grumble_pb2.History,
    }
    for part, message in parts.items():
        for field in message.DESCRIPTOR.fields:
            assert path_of(field.name) == f"{part}.{field.name}"
    assert path_of("language") == "language_code"
    assert path_of("attributes[plan]") == "attributes[plan]"
