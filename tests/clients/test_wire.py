"""Answers to chunks cut from their bytes are what protobuf reads."""

from __future__ import annotations

import math
from datetime import UTC
from typing import Any

import grpc
import pytest
from google.protobuf.internal.encoder import TagBytes
from google.rpc import status_pb2
from harken.v1 import replay_pb2
from harken_client import HarkenError, InvalidRequest, ServerFault
from harken_client.replay.wire import CODED, read_answer, sequence_of
from hypothesis import given, settings
from hypothesis import strategies as st

LISTS = st.lists(st.lists(st.sampled_from(["a", "b", "票"]), max_size=3), min_size=1, max_size=4)


@st.composite
def responses(draw: Any) -> replay_pb2.ReplayScoresResponse:
    rows = draw(st.sampled_from([1, 2, 7, 300]))
    many = st.integers(0, 2**20)

    def column(values: Any) -> list[Any]:
        seed = draw(st.lists(values, min_size=1, max_size=3))
        return [seed[row % len(seed)] for row in range(rows)]

    response = replay_pb2.ReplayScoresResponse(
        sequence=draw(many), row_count=rows, decision_id="d", rule_base_digest="r",
        model_digest="m", level=column(st.integers(0, 5)),
        probability=column(st.one_of(st.floats(0, 1), st.just(math.nan))),
        severity=column(st.floats(0, 10)),
        reply_deadline_time_us=column(st.one_of(st.just(-1), st.integers(0, 10**15))),
        resolve_deadline_time_us=column(st.just(-1)),
    )  # fmt: skip
    for name in CODED:
        lists = draw(LISTS)
        if draw(st.booleans()):
            lists = [[f"code{n}"] for n in range(200)]  # indices that take two bytes
        field = getattr(response, name)
        for codes in lists:
            field.values.add(codes=codes)
        field.index.extend(row * 7 % len(lists) for row in range(rows))
    return response


@settings(max_examples=60, deadline=None)
@given(response=responses())
def test_columns_are_what_protobuf_reads(response: replay_pb2.ReplayScoresResponse) -> None:
    rows, data = response.row_count, response.SerializeToString()
    assert sequence_of(data) == response.sequence
    answer = read_answer(data, rows)
    found = answer.scores.to_pydict()
    assert found["level"] == list(response.level)
    assert [x.hex() for x in found["probability"]] == [x.hex() for x in response.probability]
    assert found["severity"] == list(response.severity)
    for name in ("reply_deadline_time", "resolve_deadline_time"):
        stamps = [
            -1 if t is None else round(t.replace(tzinfo=UTC).timestamp() * 1e6) for t in found[name]
        ]
        assert stamps == list(getattr(response, f"{name}_us"))
    for name in CODED:
        field = getattr(response, name)
        lists = [";".join(value.codes) or None for value in field.values]
        assert found[name] == [lists[place] for place in field.index], name
    assert found["decision_id"] == [f"d-{row}" for row in range(rows)]
    assert set(found["model_digest"]) == {"m"}


def test_another_way_of_packing_is_read_too() -> None:
    """Fields may come in pieces, and numbers unpacked: protobuf allows it."""
    response = replay_pb2.ReplayScoresResponse(sequence=3, row_count=2, level=[1, 2])
    for name in ("probability", "severity"):
        getattr(response, name).extend([0.25, 0.5])
    response.reply_deadline_time_us.extend([-1, -1])
    response.resolve_deadline_time_us.extend([-1, -1])
    for name in CODED:
        getattr(response, name).values.add()
        getattr(response, name).index.extend([0, 0])
    data = response.SerializeToString()
    halves = [
        replay_pb2.ReplayScoresResponse(probability=[value]).SerializeToString()
        for value in (0.25, 0.5)
    ]
    whole = replay_pb2.ReplayScoresResponse(probability=[0.25, 0.5]).SerializeToString()
    assert read_answer(data.replace(whole, b"".join(halves)), 2).scores.equals(
        read_answer(data, 2).scores
    )
    level = replay_pb2.ReplayScoresResponse.DESCRIPTOR.fields_by_name["level"].number
    packed = replay_pb2.ReplayScoresResponse(level=[1, 2]).SerializeToString()
    unpacked = TagBytes(level, 0) + b"\1" + TagBytes(level, 0) + b"\2"
    assert packed in data
    assert read_answer(data.replace(packed, unpacked), 2).scores.column("level").to_pylist() == [
        1,
        2,
    ]


def test_faults_are_the_rejects_lines(status: Any) -> None:
    path, said = "customer.age_years", "it is -3"
    fields = ((path, said), ("grumble.point", "unknown"))
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    response = whole(2)
    problem = status(invalid, "bad", "VALUE_OUT_OF_RANGE", fields)
    response.faults.add(row=1, status=problem)
    (fault,) = read_answer(response.SerializeToString(), 2).faults
    words = "customer.age_years: it is -3; grumble.point: unknown"
    assert fault == (1, path, "VALUE_OUT_OF_RANGE", words)


def whole(rows: int) -> replay_pb2.ReplayScoresResponse:
    response = replay_pb2.ReplayScoresResponse(row_count=rows, level=[1] * rows)
    for name in ("probability", "severity"):
        getattr(response, name).extend([0.5] * rows)
    for name in ("reply_deadline_time_us", "resolve_deadline_time_us"):
        getattr(response, name).extend([-1] * rows)
    for name in CODED:
        getattr(response, name).values.add()
        getattr(response, name).index.extend([0] * rows)
    return response


def test_a_status_of_the_whole_chunk_is_raised() -> None:
    status = status_pb2.Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message="no batch")
    response = replay_pb2.ReplayScoresResponse(sequence=1, status=status)
    with pytest.raises(InvalidRequest, match="no batch"):
        read_answer(response.SerializeToString(), 2)


def test_an_answer_that_does_not_fit_is_a_fault() -> None:
    short = whole(3)
    del short.severity[2:]
    for data in (whole(3).SerializeToString(), short.SerializeToString()):
        with pytest.raises(ServerFault, match="of 2 rows"):
            read_answer(data, 2)
    with pytest.raises(HarkenError):
        read_answer(b"\x0a\xff\xff\xff", 2)
