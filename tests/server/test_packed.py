"""Columns joined by hand are, to the byte, what protobuf writes."""

from __future__ import annotations

import numpy as np
import pytest
from harken.v1 import replay_pb2
from harken_server.grpc.packed import delimited, fixed, small, varint
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = {f.name: f.number for f in replay_pb2.ReplayScoresResponse.DESCRIPTOR.fields}


@given(st.lists(st.integers(0, 2**21 - 1) | st.sampled_from([0, 127, 128, 16383, 16384])))
def test_small_numbers(numbers):
    written = small(NUMBERS["level"], np.array(numbers, np.int64))
    expected = replay_pb2.ReplayScoresResponse(level=numbers)
    assert replay_pb2.ReplayScoresResponse.FromString(written) == expected
    if numbers:  # an empty field is not written at all
        assert written == expected.SerializeToString()


@given(st.lists(st.floats()), st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_of_fixed_width(floats, times):
    written = fixed(NUMBERS["probability"], np.array(floats, np.float64))
    written += fixed(NUMBERS["reply_deadline_time_us"], np.array(times, np.int64))
    read = replay_pb2.ReplayScoresResponse.FromString(written)
    assert np.array(read.probability).tobytes() == np.array(floats, np.float64).tobytes()
    assert list(read.reply_deadline_time_us) == times


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000, 3_000_000])
def test_lengths(size):
    message = replay_pb2.CodeList(codes=["x" * size])
    assert delimited(1, b"x" * size) == message.SerializeToString()


def test_varints():
    assert [varint(n) for n in (0, 1, 127, 128, 300, 2**28)] == [
        b"\x00",
        b"\x01",
        b"\x7f",
        b"\x80\x01",
        b"\xac\x02",
        b"\x80\x80\x80\x80\x01",
    ]
