"""``ReplayScores``: what ``Score`` answers, by columns; and how its streams behave."""

from __future__ import annotations

import itertools
import math
import threading
import time

import grpc
import numpy as np
import pyarrow as pa
import pytest
import structlog
from google.rpc import error_details_pb2, status_pb2
from harken.v1 import grumble_pb2, replay_pb2, scoring_pb2
from harken_rules import load_rule_base
from harken_server.assignment import Limits
from harken_server.grpc.errors import DETAILS_KEY
from harken_server.grpc.replay_service import CallerGoneError, ReplayService
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.snapshot import build_snapshot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from .held import Held
from .replaying import batch_of, chunk_of, row_of, rows_of, stream_of

STATUS = grpc.StatusCode
ON_ONE = pytest.mark.parametrize("transport", ["grpcio"], indirect=True)
"""For tests of rows and bytes, which every transport hands on as they are."""
VOICED = 1_700_000_000


def limits(**given):
    return Limits(**{"threads": 4, "drain_seconds": 5, "notice_seconds": 0, **given})


def answers(started, *batches):
    chunks = [chunk_of(batch, number) for number, batch in enumerate(batches)]
    return list(started.stub.ReplayScores(iter(chunks), timeout=60))


def scored_alone(started, request):
    try:
        return row_of(started.stub.Score(request, timeout=20).score)
    except grpc.RpcError as error:
        return status_of(error)


def status_of(error):
    return status_pb2.Status.FromString(dict(error.trailing_metadata())[DETAILS_KEY])


def reason_of(status):
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


def violations_of(status):
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    return [(violation.field, violation.description) for violation in bad.field_violations]


# Values of every kind, right and wrong; each is left out of many rows.
CODES = {
    "category": ["charges", "basic_comms", "new", "x" * 129],
    "service": ["s", "x" * 200],
    "point": ["bill", "signal", "漏接"],
    "brand": ["gotone", "mzone", "easyown", "gotoen"],
    "segment": ["gotone_1", "easyown_1", "nobody"],
    "behaviour_type": ["limited_patience", "tariff_sensitive", "odd"],
    "customer_id": ["c-1", "c" * 129],
}
NUMBERS = {
    "monthly_spend_yuan": [0.0, -0.0, 88.5, 1e12, 1e13, -1.0, math.nan, math.inf, 0.1 + 0.2],
    "data_mb": [1e-300, 5.0, -math.inf],
    "days_since_contact": [0.5, 1_000_000.0, 1_000_001.0],
    "age_years": [0, 44, 120, 121, 151, -1, 2**31 - 1, -(2**31)],
    "credit_level": [1, 5, 6, 0],
    "complaint_count_90d": [0, 3, -1],
}
FLAGS = ["dissatisfied", "company_responsible", "corporate_contact"]
ATTRIBUTES = {
    "usage": ("number", [1.5, math.nan, math.inf, 2.0]),
    "lines": ("number", [2.0, 2.5, -3.0, math.nan]),
    "region": ("text", ["n", "s", "", "x" * 1025]),
    "plan": ("text", ["basic", "premium", "gold", ""]),
    "roaming": ("flag", [True, False]),
    "colour": ("text", ["red", "", "x" * 1025]),
    "weight": ("number", [1.0, math.nan]),
    "new": ("flag", [True, False]),
}
PART_OF = {
    f.name: part
    for part, kind in (
        ("grumble", grumble_pb2.Grumble),
        ("customer", grumble_pb2.CustomerProfile),
        ("history", grumble_pb2.History),
    )
    for f in kind.DESCRIPTOR.fields
}


@st.composite
def requests(draw):
    request = scoring_pb2.ScoreRequest()
    request.grumble.grumble_id = draw(st.sampled_from(["g-1", "抱怨", "", "g" * 129]))
    if draw(st.integers(0, 9)):
        request.grumble.voice_time.FromSeconds(
            VOICED + draw(st.sampled_from([0, 1, 5_600_000_000]))
        )
    request.grumble.observe_time.FromSeconds(VOICED + draw(st.sampled_from([0, 1, 90_000, -9])))
    request.grumble.observe_time.nanos = draw(st.sampled_from([0, 1_999, 999_999_999]))
    request.grumble.channel = draw(st.integers(0, 14))
    request.grumble.resolution_state = draw(st.integers(0, 5))
    request.customer.vip_tier = draw(st.integers(0, 5))
    some = st.integers(0, 2).map(lambda n: n == 0)
    for name, values in (CODES | NUMBERS).items():
        if draw(some):
            setattr(getattr(request, PART_OF[name]), name, draw(st.sampled_from(values)))
    for name in FLAGS:
        if draw(some):
            setattr(getattr(request, PART_OF[name]), name, draw(st.booleans()))
    for name, (kind, values) in ATTRIBUTES.items():
        if not draw(st.integers(0, 6)):
            setattr(request.attributes[name], kind, draw(st.sampled_from(values)))
    return request


@pytest.fixture
def started(start):
    return start(limits())


@ON_ONE
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=st.lists(requests(), min_size=1, max_size=12), plain=st.booleans(), data=st.data())
def test_a_row_gets_what_score_answers_to_the_bit(started, sent, plain, data):
    batch = batch_of(
        sent, plain=plain, blank=data.draw(st.booleans()), keep_empty=data.draw(st.booleans())
    )
    if {"grumble_id", "voice_time"} <= set(batch.schema.names):
        (answer,) = answers(started, batch)
        assert rows_of(answer) == [scored_alone(started, request) for request in sent]


@ON_ONE
def test_the_rows_of_that_test_are_right_and_wrong_and_differ(started):
    """The comparison above means something only if the rows are not all alike."""
    chance = np.random.default_rng(5)
    sent = []
    for number in range(400):
        request = scoring_pb2.ScoreRequest()
        request.grumble.grumble_id = f"g{number}"
        request.grumble.voice_time.FromSeconds(VOICED)
        request.grumble.observe_time.FromSeconds(VOICED + int(chance.integers(-5, 900_000)))
        request.grumble.category = str(chance.choice(["charges", "basic_comms"]))
        request.grumble.dissatisfied = bool(chance.integers(2))
        request.customer.age_years = int(chance.integers(0, 125))
        sent.append(request)
    (answer,) = answers(started, batch_of(sent))
    rows = rows_of(answer)
    assert rows == [scored_alone(started, request) for request in sent]
    assert len({row[0] for row in rows if isinstance(row, tuple)}) > 1
    assert 1 < len(answer.faults) < 100
    assert len(set(answer.probability)) > 100


@ON_ONE
def test_a_row_without_scores_among_rows_that_lack_nothing(started, request_of):
    """Its codes are none, although no other row of the chunk has none."""
    full = {"brand": "gotone", "behaviour_type": "tariff_sensitive", "segment": "gotone_1"}
    sent = [request_of(customer=full), request_of(customer={**full, "age_years": 130})]
    (answer,) = answers(started, batch_of(sent))
    assert rows_of(answer) == [scored_alone(started, request) for request in sent]


def test_a_chunk_names_its_rows_rules_and_model(started, request_of):
    first, second = answers(started, *[batch_of([request_of()] * 3)] * 2)
    assert [first.sequence, second.sequence] == [0, 1]
    assert first.row_count == 3
    assert len(first.decision_id) == 32
    assert first.decision_id != second.decision_id
    assert first.rule_base_digest == started.scorer.snapshot.rule_base_digest
    assert first.model_digest == started.scorer.snapshot.model_digest


def test_a_rule_base_that_changes_in_a_stream_counts_from_the_next_chunk(
    scorer, bundle, edited, request_of, tmp_path, monkeypatch
):
    """Also where it changes while a chunk is worked on."""
    monkeypatch.setattr("harken_server.grpc.replay_service.SLICE_ROWS", 1)
    other = Scorer(build_snapshot(load_rule_base(edited(tmp_path / "base", 4)), bundle))
    served = [scorer]
    service = ReplayService(lambda: served[-1], Metrics(CollectorRegistry()))
    chunk = chunk_of(batch_of([request_of()] * 3)).SerializeToString()
    raw = [service.answer(chunk, lambda: served.append(other)) for _ in range(2)]
    before, after = map(replay_pb2.ReplayScoresResponse.FromString, raw)
    assert (list(before.level), list(after.level)) == ([1] * 3, [4] * 3)
    assert before.rule_base_digest == scorer.snapshot.rule_base_digest
    assert after.rule_base_digest == other.snapshot.rule_base_digest != before.rule_base_digest


@ON_ONE
def test_chunks_larger_than_a_slice_are_the_same(started, request_of, monkeypatch):
    sent = [
        request_of(hours=n, customer={"age_years": n % 130}, grumble={"point": f"p{n % 7}"})
        for n in range(200)
    ]
    sent[9].attributes["colour"].text = "red"
    (whole,) = answers(started, batch_of(sent))
    monkeypatch.setattr("harken_server.grpc.replay_service.SLICE_ROWS", 17)
    (sliced,) = answers(started, batch_of(sent))
    assert rows_of(sliced) == rows_of(whole)
    assert len(whole.faults) > 1


# What columns can say and a ScoreRequest cannot, or says in another way.


def with_column(batch, name, column):
    if name in batch.schema.names:
        batch = batch.drop_columns([name])
    return batch.append_column(name, column)


@ON_ONE
@pytest.mark.parametrize(
    ("name", "column", "reason", "field", "words"),
    [
        ("age_years", pa.array([3.5, 4.0]), "FIELD_INVALID", "customer.age_years", "whole"),
        (
            "age_years",
            pa.array([math.nan, 4.0], from_pandas=False),
            "FIELD_INVALID",
            "customer.age_years",
            "nan; it must be a finite",
        ),
        (
            "age_years",
            pa.array([math.inf, 4.0]),
            "FIELD_INVALID",
            "customer.age_years",
            "inf; it must be a finite",
        ),
        (
            "age_years",
            pa.array([2**40, 4]),
            "VALUE_OUT_OF_RANGE",
            "customer.age_years",
            "between 0 and 150",
        ),
        ("age_years", pa.array([1e300, 4]), "VALUE_OUT_OF_RANGE", "customer.age_years", "1e+300"),
        (
            "monthly_spend_yuan",
            pa.array([math.nan, None], from_pandas=False),
            "FIELD_INVALID",
            "customer.monthly_spend_yuan",
            "finite",
        ),
        (
            "channel",
            pa.array(["pigeon", "hotline"]),
            "UNKNOWN_VALUE",
            "grumble.channel",
            "'pigeon' is no value of Channel",
        ),
        (
            "channel",
            pa.array(["pigeon", "hotline"]).dictionary_encode(),
            "UNKNOWN_VALUE",
            "grumble.channel",
            "no value of Channel",
        ),
        (
            "vip_tier",
            pa.array(["platinum", ""]),
            "UNKNOWN_VALUE",
            "customer.vip_tier",
            "no value of VipTier",
        ),
        (
            "voice_time",
            pa.array([None, VOICED * 10**6], pa.timestamp("us", "UTC")),
            "FIELD_REQUIRED",
            "grumble.voice_time",
            "required",
        ),
        (
            "voice_time",
            pa.array([-1, VOICED], pa.timestamp("s", "Asia/Shanghai")),
            "VALUE_OUT_OF_RANGE",
            "grumble.voice_time",
            "1970",
        ),
        (
            "voice_time",
            pa.array([2**62, VOICED], pa.timestamp("s", "UTC")),
            "VALUE_OUT_OF_RANGE",
            "grumble.voice_time",
            "2200",
        ),
        (
            "voice_time",
            pa.array([-(2**62), VOICED * 1000], pa.timestamp("ms", "UTC")),
            "VALUE_OUT_OF_RANGE",
            "grumble.voice_time",
            "1970",
        ),
        ("grumble_id", pa.array([None, "g"]), "FIELD_REQUIRED", "grumble.grumble_id", "required"),
        ("attr_plan", pa.array([1.0, None]), "ATTRIBUTE_TYPE", "attributes[plan]", "text"),
        ("attr_usage", pa.array(["much", None]), "ATTRIBUTE_TYPE", "attributes[usage]", "number"),
        ("attr_roaming", pa.array([1, None]), "ATTRIBUTE_TYPE", "attributes[roaming]", "flag"),
        ("attr_lines", pa.array([1.5, None]), "ATTRIBUTE_TYPE", "attributes[lines]", "whole"),
        ("attr_", pa.array(["?", None]), "FIELD_INVALID", "attributes[]", "1 to 128"),
        (
            "attr_" + "n" * 129,
            pa.array(["?", None]),
            "FIELD_INVALID",
            f"attributes[{'n' * 128}]",
            "1 to 128",
        ),
    ],
)
def test_a_wrong_cell_spoils_only_its_row(started, request_of, name, column, reason, field, words):
    batch = with_column(batch_of([request_of()] * 2, keep_empty=False), name, column)
    (answer,) = answers(started, batch)
    (fault,) = answer.faults
    assert (fault.row, reason_of(fault.status)) == (0, reason)
    ((named, said),) = violations_of(fault.status)
    assert named == field
    assert words in said
    assert list(answer.level) == [0, 1]


@ON_ONE
def test_a_wrong_cell_does_not_hide_what_else_is_wrong(started, request_of):
    request = request_of(customer={"brand": "gotoen", "data_mb": math.inf})
    request.attributes["plan"].text = "gold"
    batch = with_column(batch_of([request]), "age_years", pa.array([0.5]))
    (answer,) = answers(started, batch)
    fields = [field for field, _ in violations_of(answer.faults[0].status)]
    assert fields == [
        "customer.age_years",
        "customer.data_mb",
        "customer.brand",
        "attributes[plan]",
    ]


@ON_ONE
def test_every_arrow_form_of_a_value_is_the_same(started, request_of):
    sent = [
        request_of(
            customer={"brand": "gotone", "age_years": 40, "monthly_spend_yuan": 77.0},
            grumble={"dissatisfied": True},
        ),
        request_of(customer={"age_years": 41}),
    ]
    base = batch_of(sent)
    expected = [scored_alone(started, request) for request in sent]
    micros = [VOICED * 10**6] * 2
    forms = {
        "brand": [
            pa.array(["gotone", None]),
            pa.array(["gotone", None], pa.large_utf8()),
            pa.array(["gotone", ""]).dictionary_encode(),
            pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.uint8()), [None, "gotone", "odd"]),
            pa.DictionaryArray.from_arrays([2, None], ["gotone", "", "gotone"]),
            pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int64()), ["", "gotone", "x" * 999]),
        ],
        "age_years": [
            pa.array([40, 41], kind)
            for kind in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64(), pa.float32())
        ],
        "monthly_spend_yuan": [
            pa.array([77, None], pa.int32()),
            pa.array([77, None], pa.float64()),
        ],
        "segment": [pa.nulls(2)],
        "voice_time": [
            pa.array(micros, pa.timestamp("us", "Asia/Shanghai")),
            pa.array([VOICED] * 2, pa.timestamp("s", "UTC")),
            pa.array([VOICED * 10**3] * 2, pa.timestamp("ms", "+08:00")),
            pa.array([VOICED * 10**9 + 999] * 2, pa.timestamp("ns", "UTC")),
        ],
        "grumble_id": [
            pa.array(["g", "h"], pa.large_utf8()),
            pa.array(["g", "h"]).dictionary_encode(),
        ],
    }
    for name, columns in forms.items():
        for column in columns:
            (answer,) = answers(started, with_column(base, name, column))
            assert rows_of(answer) == expected, (name, column.type)


@ON_ONE
def test_without_observe_time_the_servers_clock_counts(started, request_of):
    batch = batch_of([request_of()] * 2).drop_columns(["observe_time"])
    before = time.time_ns() // 1000
    first, second = answers(started, batch, with_column(batch, "observe_time", pa.nulls(2)))
    after = time.time_ns() // 1000
    for answer in (first, second):
        (deadline,) = set(answer.reply_deadline_time_us)
        hours = round((deadline - before) / 3_600_000_000)
        assert before <= deadline - hours * 3_600_000_000 <= after


@ON_ONE
def test_undeclared_attributes_are_warned_of_row_by_row(started, request_of):
    sent = [request_of() for _ in range(4)]
    sent[1].attributes["colour"].text = "red"
    sent[2].attributes["colour"].text = "red"
    sent[2].attributes["size"].number = 3
    sent[3].attributes["usage"].number = 3
    (answer,) = answers(started, batch_of(sent))
    assert rows_of(answer) == [scored_alone(started, request) for request in sent]
    ignored = "attribute-ignored"
    warned = [[code for code in row[-1] if code == ignored] for row in rows_of(answer)]
    assert warned == [[], [ignored], [ignored, ignored], []]


@ON_ONE
def test_too_many_attributes(started, request_of):
    request = request_of()
    for number in range(65):
        request.attributes[f"a{number}"].flag = True
    sound = request_of()
    sound.attributes["a1"].flag = True
    (answer,) = answers(started, batch_of([sound, request]))
    expected = [scored_alone(started, each) for each in (sound, request)]
    assert rows_of(answer) == expected
    assert "65 attributes" in expected[1].message


@ON_ONE
def test_faults_beyond_a_bound_name_their_first_violation_only(started, request_of, monkeypatch):
    """Whether the scorer finds them or, in the second half, the reader of the columns."""
    monkeypatch.setattr("harken_server.chunks.MAX_FURTHER", 3)
    wrong = request_of(customer={"age_years": 130, "brand": "gotoen", "segment": "s" * 129})
    (answer,) = answers(started, batch_of([wrong] * 4))
    whole = scored_alone(started, wrong)
    assert [fault.row for fault in answer.faults] == [0, 1, 2, 3]
    first, *others = [violations_of(fault.status) for fault in answer.faults]
    assert first == violations_of(whole)
    assert len(first) == 3
    assert others == [first[:1]] * 3
    assert {reason_of(fault.status) for fault in answer.faults} == {reason_of(whole)}
    batch = with_column(batch_of([request_of()] * 3), "age_years", pa.array([0.5] * 3))
    batch = with_column(batch, "channel", pa.array(["pigeon"] * 3))
    batch = with_column(batch, "vip_tier", pa.array(["platinum"] * 3))
    (answer,) = answers(started, batch)
    assert [len(violations_of(fault.status)) for fault in answer.faults] == [3, 1, 1]


@ON_ONE
def test_values_that_no_row_has_are_not_looked_at(start, scorer, request_of, monkeypatch):
    monkeypatch.setattr("harken_server.grpc.replay_service.SLICE_ROWS", 2)
    seen = []

    class Spy(Held):
        def score_columns(self, grumbles):
            seen.append(grumbles.columns["category"].values)
            return self._scorer.score_columns(grumbles)

    many = pa.array(["charges", *map(str, range(9)), "basic_comms"])
    column = pa.DictionaryArray.from_arrays(pa.array([10, None, 0, 0], pa.int8()), many)
    batch = batch_of([request_of()] * 4)
    (answer,) = answers(start(limits(), Spy(scorer)), with_column(batch, "category", column))
    assert sorted({*itertools.chain(*seen)}) == ["basic_comms", "charges"]
    seen.clear()
    plain = pa.array(["charges", "charges", "basic_comms", "new"])
    answers(start(limits(), Spy(scorer)), with_column(batch, "category", plain))
    assert seen == [("charges",), ("basic_comms", "new")]
    assert not answer.faults


def test_a_caller_who_goes_is_noticed_while_bad_rows_are_looked_at(scorer, request_of, monkeypatch):
    monkeypatch.setattr("harken_server.chunks.PIECE", 2)
    monkeypatch.setattr("harken_server.grpc.replay_service.PIECE", 2)
    batch = with_column(batch_of([request_of()] * 9), "age_years", pa.array([0.5] * 9))
    asked = []
    service = ReplayService(lambda: scorer, Metrics(CollectorRegistry()))
    service.answer(chunk_of(batch).SerializeToString(), lambda: asked.append(1))
    assert len(asked) == 8  # four times as they are judged, and as they are written
    with pytest.raises(CallerGoneError):
        service.answer(chunk_of(batch).SerializeToString(), lambda: True)


# Chunks that cannot be read as a whole.


def bomb(request):
    batch = batch_of([request])
    zeros = pa.array(["g" * 3_000_000])
    return stream_of(with_column(batch, "grumble_id", zeros), compression="zstd")


def two_batches(request):
    batch = batch_of([request])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
        out.write_batch(batch)
    return sink.getvalue().to_pybytes()


def of(change):
    return lambda request: stream_of(change(batch_of([request])))


def twice(batch):
    columns = [*batch.columns, batch.column("brand")]
    return pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, "brand"])


UNREADABLE = {
    "no Arrow": (lambda _: b"?" * 100, "MESSAGE_UNDECODABLE", "no Arrow IPC stream"),
    "nothing": (lambda _: b"", "MESSAGE_UNDECODABLE", "no Arrow IPC stream"),
    "broken off": (
        lambda r: stream_of(batch_of([r]))[:-600],
        "MESSAGE_UNDECODABLE",
        "no Arrow IPC stream",
    ),
    "a file": (
        lambda r: b"ARROW1\0\0" + stream_of(batch_of([r])),
        "MESSAGE_UNDECODABLE",
        "no Arrow IPC stream",
    ),
    "two batches": (two_batches, "FIELD_INVALID", "more than one record batch"),
    "compressed": (bomb, "FIELD_INVALID", "compressed"),
    "compressed dictionaries": (
        lambda r: stream_of(batch_of([r] * 500), compression="lz4"),
        "FIELD_INVALID",
        "compressed",
    ),
    "no rows": (of(lambda b: b.slice(0, 0)), "BATCH_SIZE", "1 to 65536 rows, not 0"),
    "unknown column": (
        of(lambda b: with_column(b, "age_yeras", pa.array([1]))),
        "FIELD_INVALID",
        "'age_yeras'; did you mean 'age_years'?",
    ),
    "outcome": (of(lambda b: with_column(b, "label", pa.array([1]))), "FIELD_INVALID", "'label'"),
    "twice": (of(twice), "FIELD_INVALID", "two columns are called 'brand'"),
    "no id": (of(lambda b: b.drop_columns(["grumble_id"])), "FIELD_REQUIRED", "'grumble_id'"),
    "no time": (of(lambda b: b.drop_columns(["voice_time"])), "FIELD_REQUIRED", "'voice_time'"),
    "text for a number": (
        of(lambda b: with_column(b, "age_years", pa.array(["40"]))),
        "FIELD_INVALID",
        "column 'age_years' has the type 'string'; it needs float64",
    ),
    "number for a code": (
        of(lambda b: with_column(b, "brand", pa.array([40]))),
        "FIELD_INVALID",
        "column 'brand' has the type 'int64'; it needs utf8",
    ),
    "number for a flag": (
        of(lambda b: with_column(b, "dissatisfied", pa.array([1]))),
        "FIELD_INVALID",
        "it needs bool",
    ),
    "time without a zone": (
        of(lambda b: with_column(b, "voice_time", pa.array([1], pa.timestamp("us")))),
        "FIELD_INVALID",
        "a time zone",
    ),
    "a list": (
        of(lambda b: with_column(b, "attr_x", pa.array([[1]]))),
        "FIELD_INVALID",
        "column 'attr_x'",
    ),
}


@ON_ONE
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_chunk_that_cannot_be_read_has_a_status_and_the_stream_goes_on(started, request_of, name):
    make, reason, words = UNREADABLE[name]
    good = chunk_of(batch_of([request_of()]), 7)
    bad = replay_pb2.ReplayScoresRequest(sequence=8, record_batch=make(request_of()))
    before, refused, after = started.stub.ReplayScores(iter([good, bad, good]), timeout=30)
    assert list(before.level) == list(after.level) == [1]
    assert refused.sequence == 8
    assert reason_of(refused.status) == reason
    assert words in refused.status.message
    ((field, _),) = {(f, "") for f, _ in violations_of(refused.status)}
    assert field == "record_batch"
    expected = replay_pb2.ReplayScoresResponse(sequence=8, status=refused.status)
    assert refused == expected
    assert started.counted("harken_replay_chunks_total", code="OK") == 2
    assert started.counted("harken_replay_chunks_total", code="INVALID_ARGUMENT") == 1


@ON_ONE
def test_too_many_rows(started, request_of):
    columns = {
        "grumble_id": pa.array(["g"] * 65_537).dictionary_encode(),
        "voice_time": pa.array([VOICED] * 65_537, pa.timestamp("s", "UTC")),
    }
    (answer,) = answers(started, pa.RecordBatch.from_pydict(columns))
    assert reason_of(answer.status) == "BATCH_SIZE"
    assert "not 65537" in answer.status.message


@ON_ONE
def test_everything_wrong_with_the_columns_is_said_at_once(started, request_of):
    batch = with_column(batch_of([request_of()]), "age_years", pa.array(["40"]))
    batch = with_column(batch, "lable", pa.array([1]))
    (answer,) = answers(started, batch)
    said = [words for _, words in violations_of(answer.status)]
    assert len(said) == 2
    assert "age_years" in said[0]
    assert "lable" in said[1]


def test_bytes_that_are_no_message_have_a_status(started, request_of):
    method = started.channel.stream_stream("/harken.v1.ScoringService/ReplayScores")
    good = chunk_of(batch_of([request_of()]), 3).SerializeToString()
    raw = list(method(iter([b"\xff" * 20, good]), timeout=30))
    first, second = map(replay_pb2.ReplayScoresResponse.FromString, raw)
    assert reason_of(first.status) == "MESSAGE_UNDECODABLE"
    assert list(second.level) == [1]


@ON_ONE
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_spoiled_bytes_never_harm_the_server(started, request_of, data):
    sent = stream_of(batch_of([request_of()] * 3))
    spoiled = bytearray(sent)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(sent) - 1))
        spoiled[place] = data.draw(st.sampled_from([0, 1, 127, 128, 255]))
    chunk = replay_pb2.ReplayScoresRequest(record_batch=bytes(spoiled))
    (answer,) = started.stub.ReplayScores(iter([chunk]), timeout=30)
    assert answer.HasField("status") != bool(answer.row_count)


# Streams.


class Feed:
    """Chunks for a stream that stays open until it is closed."""

    def __init__(self, *chunks):
        self._chunks = list(chunks)
        self._more = threading.Condition()
        self._closed = False
        self.taken = 0

    def send(self, *chunks):
        with self._more:
            self._chunks += chunks
            self._more.notify_all()

    def close(self):
        with self._more:
            self._closed = True
            self._more.notify_all()

    def __iter__(self):
        for place in itertools.count():
            with self._more:
                while place >= len(self._chunks) and not self._closed:
                    self._more.wait(60)
                if place >= len(self._chunks):
                    return
                chunk = self._chunks[place]
            self.taken += 1
            yield chunk


def open_streams(started):
    return started.counted("harken_replay_streams")


def test_streams_beyond_the_bound_are_refused_and_calls_go_on(start, request_of, wait_for):
    started = start(limits(replay_streams=2, threads=1))
    chunk = chunk_of(batch_of([request_of()]))
    feeds = [Feed(chunk), Feed(chunk)]
    streams = [started.stub.ReplayScores(iter(feed), timeout=60) for feed in feeds]
    assert [next(stream).row_count for stream in streams] == [1, 1]
    assert open_streams(started) == 2
    with pytest.raises(grpc.RpcError) as caught:
        list(started.stub.ReplayScores(iter([chunk]), timeout=20))
    assert caught.value.code() is STATUS.RESOURCE_EXHAUSTED
    assert reason_of(status_of(caught.value)) == "OVERLOADED"
    assert started.stub.Score(request_of(), timeout=20).score.level == 1  # of one call thread
    for feed in feeds:
        feed.close()
    assert [list(stream) for stream in streams] == [[], []]
    wait_for(lambda: open_streams(started) == 0)
    assert len(answers(started, batch_of([request_of()]))) == 1
    assert started.counted("harken_calls_total", method="ReplayScores", code="OK") >= 2


def test_a_server_may_take_no_streams(start, request_of):
    started = start(limits(replay_streams=0))
    with pytest.raises(grpc.RpcError) as caught:
        answers(started, batch_of([request_of()]))
    assert reason_of(status_of(caught.value)) == "OVERLOADED"


def test_the_next_chunk_is_read_when_the_one_before_is_answered(start, scorer, request_of):
    """Large chunks: gRPC itself buffers some, but by far not all that a caller has."""
    held = Held(scorer)
    started = start(limits(), held)
    rows = [request_of()] * 3_000
    chunk = chunk_of(batch_of(rows))
    feed = Feed(*[chunk] * 300)
    assert chunk.ByteSize() * 300 > 100_000_000
    stream = started.stub.ReplayScores(iter(feed), timeout=120)
    assert held.entered.acquire(timeout=10)
    time.sleep(1.0)
    assert held.calls == 1
    assert feed.taken < 60
    stream.cancel()
    held.go.set()
    feed.close()


def test_a_caller_that_goes_frees_the_stream(start, scorer, request_of, wait_for):
    held = Held(scorer)
    started = start(limits(replay_streams=1), held)
    chunk = chunk_of(batch_of([request_of()]))
    working = started.stub.ReplayScores(iter([chunk]), timeout=60)
    assert held.entered.acquire(timeout=10)
    working.cancel()
    held.go.set()
    wait_for(lambda: open_streams(started) == 0)
    waiting_feed = Feed(chunk)
    waiting = started.stub.ReplayScores(iter(waiting_feed), timeout=60)
    next(waiting)
    waiting.cancel()
    waiting_feed.close()
    wait_for(lambda: open_streams(started) == 0)
    assert len(list(started.stub.ReplayScores(iter([chunk]), timeout=20))) == 1

    def ended(code):
        return started.counted("harken_calls_total", method="ReplayScores", code=code)

    # gRPC may show a cancelled stream with nothing under way as one that has ended.
    assert (ended("CANCELLED"), ended("OK")) in ((2, 1), (1, 2))


def test_a_long_chunk_is_given_up_when_its_caller_goes(
    start, scorer, request_of, wait_for, monkeypatch
):
    monkeypatch.setattr("harken_server.grpc.replay_service.SLICE_ROWS", 1)
    held = Held(scorer)
    started = start(limits(), held)
    stream = started.stub.ReplayScores(iter([chunk_of(batch_of([request_of()] * 50))]), timeout=60)
    assert held.entered.acquire(timeout=10)
    stream.cancel()
    wait_for(lambda: started.counted("harken_replay_streams") == 1)
    time.sleep(0.2)  # the cancellation is on its way
    held.go.set()
    wait_for(lambda: open_streams(started) == 0)
    assert held.calls < 50


def test_draining_answers_the_chunk_in_hand_and_ends_the_stream(start, scorer, request_of):
    held = Held(scorer)
    started = start(limits(), held)
    feed = Feed(*[chunk_of(batch_of([request_of()]), n) for n in range(3)])
    stream = started.stub.ReplayScores(iter(feed), timeout=60)
    assert held.entered.acquire(timeout=10)
    draining = threading.Thread(target=started.server.drain)
    draining.start()
    time.sleep(0.2)
    held.go.set()
    assert next(stream).sequence == 0
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert caught.value.code() is STATUS.UNAVAILABLE
    assert reason_of(status_of(caught.value)) == "SHUTTING_DOWN"
    draining.join(10)
    feed.close()


def test_draining_does_not_wait_for_a_stream_that_waits(start, request_of):
    started = start(limits(drain_seconds=60))
    feed = Feed(chunk_of(batch_of([request_of()])))
    stream = started.stub.ReplayScores(iter(feed), timeout=60)
    next(stream)
    draining = threading.Thread(target=started.server.drain)
    draining.start()
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert reason_of(status_of(caught.value)) == "SHUTTING_DOWN"
    draining.join(20)
    assert not draining.is_alive()
    feed.close()


def test_a_stream_on_which_nothing_comes_ends(start, request_of, wait_for):
    started = start(limits(replay_idle_seconds=0.3, replay_streams=1))
    feed = Feed(chunk_of(batch_of([request_of()])))
    stream = started.stub.ReplayScores(iter(feed), timeout=60)
    assert next(stream).row_count == 1
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert caught.value.code() is STATUS.DEADLINE_EXCEEDED
    assert reason_of(status_of(caught.value)) == "STREAM_IDLE"
    wait_for(lambda: open_streams(started) == 0)
    feed.close()
    assert len(answers(started, batch_of([request_of()]))) == 1


@ON_ONE
def test_a_stream_whose_answers_nobody_reads_is_cancelled(start, request_of, wait_for):
    started = start(limits(replay_idle_seconds=1.0, replay_streams=1))
    chunk = chunk_of(batch_of([request_of()] * 3_000))
    feed = Feed(*[chunk] * 300)
    stream = started.stub.ReplayScores(iter(feed), timeout=60)
    wait_for(lambda: open_streams(started) == 1)
    # Nothing is read: once gRPC's buffers are full, sending waits.
    wait_for(lambda: open_streams(started) == 0, 60)
    assert 0 < started.counted("harken_replay_chunks_total", code="OK") < 300
    assert started.counted("harken_calls_total", method="ReplayScores", code="CANCELLED") == 1
    feed.close()
    stream.cancel()


class Broken:
    def __init__(self, scorer):
        self._scorer = scorer

    def __getattr__(self, name):
        return getattr(self._scorer, name)

    def score_columns(self, grumbles):
        raise ValueError("13800138000 Alice")


def test_a_fault_ends_the_stream_with_an_incident(start, scorer, request_of):
    started = start(limits(), Broken(scorer))
    with structlog.testing.capture_logs() as logs, pytest.raises(grpc.RpcError) as caught:
        answers(started, batch_of([request_of()]))
    assert caught.value.code() is STATUS.INTERNAL
    status = status_of(caught.value)
    assert reason_of(status) == "INTERNAL"
    (incident,) = [entry for entry in logs if entry["event"] == "incident"]
    assert incident["incident"] in status.message
    assert "13800138000" not in str(logs) + str(caught.value)
    assert started.counted("harken_calls_total", method="ReplayScores", code="INTERNAL") == 1


def test_rows_are_counted_by_level_and_reason(started, request_of):
    sent = [request_of(), request_of(), request_of(customer={"age_years": 130})]
    answers(started, batch_of(sent), batch_of(sent[:1]))
    assert started.counted("harken_levels_total", level="1") == 3
    assert started.counted("harken_grumbles_refused_total", reason="VALUE_OUT_OF_RANGE") == 1
    assert started.counted("harken_levels_total", level="0") == 0


def test_calls_are_answered_while_a_replay_runs(started, request_of):
    """And the replay rests for them: its chunks take longer, and are the same."""
    batch = batch_of([request_of(customer={"age_years": n % 100}) for n in range(5_000)])
    (alone,) = answers(started, batch)
    stream = started.stub.ReplayScores(iter([chunk_of(batch)] * 3), timeout=60)
    over = threading.Event()

    def call():
        while not over.is_set():
            assert started.stub.Score(request_of(), timeout=20).score.level == 1

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    beside = [rows_of(answer) for answer in stream]
    over.set()
    for caller in callers:
        caller.join()
    assert beside == [rows_of(alone)] * 3
