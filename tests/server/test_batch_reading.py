"""Every way of reading and scoring says the same: one by one, as a batch, by columns.

What it is compared with is the plain way: protobuf's own reading, field by field, and ``Score``.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from harken.v1 import scoring_pb2
from harken_server.errors import ScoringError
from harken_server.grpc import batch_reading, reading
from harken_server.grpc.batch_reading import BatchRequest, read_batch
from harken_server.grpc.convert import from_proto, to_proto
from harken_server.grpc.errors import refusal_of
from harken_server.grpc.scoring_service import ScoringService
from harken_server.grpc.wire import BYTES, DOUBLE, FIELDS, NO_FIELD, VARINT, Wire, varints
from harken_server.metrics import Metrics
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from .odd_requests import LATER, requests, wires

NOW_US = 1_700_010_000_000_000
often = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _stopped_clock():
    with mock.patch("time.time_ns", return_value=NOW_US * 1000):
        yield


@pytest.fixture
def by_columns(monkeypatch):
    """Batches are read by columns, however small and odd they are."""
    monkeypatch.setattr(batch_reading, "LEAST", 1)
    monkeypatch.setattr(batch_reading, "_SHARE", 0)


def plainly(wire, scorer):
    """The grumble, or what is wrong, as protobuf reads it."""
    try:
        return from_proto(scoring_pb2.ScoreRequest.FromString(wire), scorer.violations)
    except ScoringError as error:
        return error.violations


def batch_of(wires):
    return b"".join(b"\x0a" + bytes(_varint(len(wire))) + wire for wire in wires)


def _varint(number):
    while number > 127:
        yield number & 127 | 128
        number >>= 7
    yield number


def expected(wire, scorer):
    """The result that protobuf and ``Score`` come to, without the decision's id."""
    try:
        request = scoring_pb2.ScoreRequest.FromString(wire)
        score = scorer.score(from_proto(request, scorer.violations))
    except ScoringError as error:
        return scoring_pb2.BatchScoreResult(status=refusal_of(error).message)
    return scoring_pb2.BatchScoreResult(score=to_proto(score._replace(decision_id="")))


@often
@given(wire=wires())
def test_a_request_is_read_alike_fast_and_plainly(scorer, wire):
    try:
        found = reading.grumble_of(reading.ScoreRequest.FromString(wire), scorer.violations)
    except ScoringError as error:
        found = error.violations
    assert repr(found) == repr(plainly(wire, scorer))


@often
@given(sent=st.lists(wires(), min_size=1, max_size=6))
def test_a_batch_is_answered_like_its_items_whichever_way_it_is_read(scorer, by_columns, sent):
    service = ScoringService(lambda: scorer, Metrics(CollectorRegistry()))
    wanted = [expected(wire, scorer) for wire in sent]
    for least in (1, 1000):
        with mock.patch.object(batch_reading, "LEAST", least):
            response = service.batch_score(BatchRequest.FromString(batch_of(sent)))
        results = list(scoring_pb2.BatchScoreResponse.FromString(response).results)
        for result in results:
            assert result.HasField("status") or len(result.score.decision_id) == 32
            result.score.ClearField("decision_id") if result.HasField("score") else None
        assert results == wanted


@often
@given(sent=st.lists(requests(sound=True), min_size=1, max_size=8))
def test_ordinary_requests_are_never_read_by_themselves(scorer, by_columns, sent):
    batch = read_batch(BatchRequest.FromString(batch_of(sent)), scorer.snapshot, scorer.violations)
    assert isinstance(batch.columns.originals, batch_reading._Requests)
    assert not batch.columns.aside
    assert [repr(each) for each in batch.columns.originals] == [
        repr(plainly(wire, scorer)) for wire in sent
    ]
    kinds = scorer.snapshot.attributes.kinds
    unlinked = batch.columns.__class__(
        batch.columns.rows, batch.columns.columns, batch.columns.lengths
    )
    for row, wire in enumerate(sent):
        plain = plainly(wire, scorer)._replace(explain=False, language="en")
        ids = {"grumble_id": "", "customer_id": None}
        assert unlinked.grumble(row, kinds)._replace(**ids) == plain._replace(**ids)


@often
@given(sent=st.lists(wires(), min_size=1, max_size=6))
def test_columns_are_scored_like_single_grumbles(scorer, by_columns, sent):
    data = BatchRequest.FromString(batch_of(sent))
    batch = read_batch(data, scorer.snapshot, scorer.violations)
    scored = scorer.score_columns(batch.columns)
    parts = ("segment", "behaviour_type", "tolerance")
    lists = ("strategies", "reasons")
    for row in sorted(set(range(len(sent))) - batch.columns.aside):
        score = outcome(scorer, batch.columns.originals[row])
        if isinstance(score, ScoringError):
            assert scored.errors[row].violations == score.violations
            assert (scored.level[row], scored.codes("owner")[0][row]) == (0, -1)
            assert np.isnan([scored.probability[row], scored.severity[row]]).all()
            continue
        assert row not in scored.errors
        numbers = scored.level[row], scored.probability[row], scored.severity[row]
        assert numbers == (score.level, score.probability, score.severity)
        assert scored.reply_deadline_us[row] == (score.reply_deadline_us or -1)
        assert scored.resolve_deadline_us[row] == (score.resolve_deadline_us or -1)
        for name in parts:
            assert (said(scored, name, row) or "") == getattr(score, name).code
        for name in lists:
            assert said(scored, name, row) == tuple(each.code for each in getattr(score, name))
        for name in ("treatment", "contact_policy", "owner"):
            assert (said(scored, name, row) or "") == getattr(score.advice, name).code
        for name in ("supporting_departments", "escalation_chain", "warnings"):
            found = getattr(score.advice, name)
            assert said(scored, name, row) == tuple(each.code for each in found)


def outcome(scorer, grumble):
    try:
        return scorer.score(grumble)
    except ScoringError as error:
        return error


def said(scored, name, row):
    codes, values = scored.codes(name)
    assert codes.dtype == np.int32
    assert len(set(values)) == len(values)
    return values[codes[row]]


def test_bytes_that_are_no_batch_are_refused():
    with pytest.raises(DecodeError):
        BatchRequest.FromString(b"\x0a\x03\x0a\x01\xff")


def test_many_odd_requests_are_read_one_by_one(scorer):
    plain = scoring_pb2.ScoreRequest()
    plain.grumble.grumble_id, plain.grumble.voice_time.seconds = "g", 1_700_000_000
    odd = plain.SerializeToString() + LATER[0]
    sent = [plain.SerializeToString()] * 140 + [odd] * 10
    read = read_batch(BatchRequest.FromString(batch_of(sent)), scorer.snapshot, scorer.violations)
    assert read.columns.aside == set(range(140, 150))
    sent += [odd] * 20
    read = read_batch(BatchRequest.FromString(batch_of(sent)), scorer.snapshot, scorer.violations)
    assert read.columns.aside == set()


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_no_bytes_lead_the_wire_astray(data, cuts):
    cuts = sorted(min(cut, len(data)) for cut in cuts)
    first, last = np.array([0, *cuts]), np.array([*cuts, len(data)])
    forms = np.array([NO_FIELD, VARINT, DOUBLE, BYTES] * 4, dtype=np.uint8)
    read = Wire(data).read(first, last, np.repeat(forms[:, None], len(first), axis=1))
    ends = (read.values + read.sizes)[read.sizes > 0]
    assert read.values.shape == (FIELDS, len(first))
    assert (ends <= len(data)).all()


def test_varints_are_read_whatever_follows_them():
    numbers = [0, 1, 127, 128, 2**28 - 1, 2**28, 2**35, 2**49, 2**56 - 1]
    written = [bytes(_varint(number)).ljust(8, b"\x99") for number in numbers]
    read, lengths = varints(np.frombuffer(b"".join(written), dtype="<u8"))
    assert read.tolist() == numbers
    assert lengths.tolist() == [len(bytes(_varint(number))) for number in numbers]
    _, unfinished = varints(np.array([2**64 - 1], dtype=np.uint64))
    assert unfinished[0] < -100


@given(texts=st.lists(st.binary(max_size=20), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_texts_are_told_apart(texts):
    data = b"".join(texts)
    sizes = np.array([list(map(len, texts))] * 2)
    first = np.cumsum(sizes, axis=1) - sizes
    chosen, examples = Wire(data).distinct(first, sizes)
    column = np.arange(2)[:, None].repeat(len(texts), axis=1).ravel()
    for place, text in enumerate(texts * 2):
        example = examples[chosen.ravel()[place]]
        assert texts[example % len(texts)] == text
        assert column[example] == column[place]
    assert len(examples) == 2 * len(set(texts))


def test_texts_that_meet_in_a_slot_are_told_apart_too():
    texts = [f"{number:06}".encode() for number in range(3000)]
    first = np.arange(0, 18000, 6)[None, :]
    chosen, examples = Wire(b"".join(texts)).distinct(first, np.full_like(first, 6))
    assert examples[chosen[0]].tolist() == list(range(3000))
