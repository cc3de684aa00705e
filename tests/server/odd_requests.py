"""Requests as callers send them and as they should not: for comparing ways of reading them."""

from __future__ import annotations

from harken.v1 import grumble_pb2, scoring_pb2
from hypothesis import strategies as st

PARTS = {
    "grumble": grumble_pb2.Grumble,
    "customer": grumble_pb2.CustomerProfile,
    "history": grumble_pb2.History,
}
INTEGERS = st.sampled_from([0, 1, 2, 5, 30, 61, 62, 127, 128, 130, 151, 300, 1800, 2**31 - 1])
BAD_INTEGERS = st.sampled_from([-1, -(2**31)])
NUMBERS = st.sampled_from([0.0, -0.0, 0.5, 36.6, 128.0, 899.99, 900.0, 1e12])
BAD_NUMBERS = st.sampled_from([-0.01, 1.1e12, float("nan"), float("inf"), float("-inf")])
TEXTS = st.sampled_from(
    ["", "gotone", "mzone", "charges", "bill", "gotone_1", "limited_patience", "说不准", "a" * 128]
)
BAD_TEXTS = st.sampled_from(["gotoen", "x" * 129, "错" * 60, "\u00e9" * 128, "y" * 20_000])
SECONDS = st.sampled_from([1_700_000_000, 1_700_003_600, 1_700_000_001, 1_699_999_999])
BAD_SECONDS = st.sampled_from([0, -1, 2**40 + 1, -(2**62), 2**62, 7_258_118_400])
NANOS = st.sampled_from([0, 0, 0, 1000, 999_999_999])
BAD_NANOS = st.sampled_from([-5, 1_000_000_000])
LANGUAGES = st.sampled_from(["", "", "en", "zh", "zh-CN", "EN_gb"])
BAD_LANGUAGES = st.sampled_from(["fr", "-", "语"])


@st.composite
def requests(draw, sound=False):
    """A request's bytes: a few fields of each part, now and then one that is wrong."""
    request = scoring_pb2.ScoreRequest()

    def one(good, bad, odds=12):
        return draw(good if sound or draw(st.integers(0, odds)) else bad)

    for part, message in PARTS.items():
        for field in draw(st.lists(st.sampled_from(list(message.DESCRIPTOR.fields)), max_size=8)):
            target = getattr(request, part)
            if field.message_type:
                getattr(target, field.name).seconds = one(SECONDS, BAD_SECONDS)
                getattr(target, field.name).nanos = one(NANOS, BAD_NANOS)
            elif field.enum_type:
                known = st.sampled_from([value.number for value in field.enum_type.values])
                setattr(target, field.name, one(known, st.sampled_from([-1, 99, 200])))
            elif field.type == field.TYPE_BOOL:
                setattr(target, field.name, draw(st.booleans()))
            elif field.type == field.TYPE_INT32:
                setattr(target, field.name, one(INTEGERS, BAD_INTEGERS))
            elif field.type == field.TYPE_DOUBLE:
                setattr(target, field.name, one(NUMBERS, BAD_NUMBERS))
            else:
                setattr(target, field.name, one(TEXTS, BAD_TEXTS))
    if sound or draw(st.integers(0, 9)):
        request.grumble.grumble_id = draw(st.sampled_from(["g-1", "投诉-1", "g" * 128]))
        if not request.grumble.HasField("voice_time"):
            request.grumble.voice_time.seconds = 1_700_000_000
        if not request.grumble.HasField("observe_time"):
            request.grumble.observe_time.seconds = 1_700_007_200
    request.language_code = one(LANGUAGES, BAD_LANGUAGES)
    if not sound and not draw(st.integers(0, 9)):
        request.explain = draw(st.booleans())
        for name in draw(st.lists(st.sampled_from(["plan", "usage", "lines", "new", ""]))):
            value = draw(st.sampled_from(["basic", 2.0, 1.5, True, float("nan"), None]))
            kind = {str: "text", float: "number", bool: "flag"}.get(type(value))
            request.attributes[name].SetInParent()
            if kind is not None:
                setattr(request.attributes[name], kind, value)
    return request.SerializeToString()


LATER = [
    b"\x78\x01",  # a field that no message has yet
    b"\x82\x06\x03abc",  # another, whose number takes two bytes
    b"\x12\x04\x10\x80\x80\x00",  # an integer written longer than it need be
    b"\x12\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # the integer -1
    b"\x0a\x02\x50\x02",  # a flag that is 2
    b"\x12\x02\x0a\x00",  # an empty text, sent all the same
    b"\x1a\x00",  # a part without anything in it
    b"\x0a\x02\x3a\x00",  # a time of nothing
]
"""What may follow a request's bytes: protobuf merges it with what came before."""


@st.composite
def wires(draw):
    """A request's bytes, perhaps followed by more of it."""
    wire = draw(requests())
    if not draw(st.integers(0, 5)):
        wire += draw(st.sampled_from(LATER) | requests())
    return wire
