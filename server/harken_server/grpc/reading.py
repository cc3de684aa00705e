"""Reading requests fast: the messages of ``harken.v1``, but with defaults that no value has.

protobuf is asked twice for an optional field: is it there (``HasField``), and what is it. The
first question is the dearer one, and a request has twenty such fields. So requests are parsed
as messages of the same names, fields and numbers, in a descriptor pool of their own, in which
an optional field that is absent reads as a number that nobody can send: flags and 32-bit
integers are declared as 64-bit ones (they travel in the same way) with the least as default.

Whatever is odd about a request, it is handed to ``convert.from_proto`` in its usual form, which
says what is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from harken.v1 import grumble_pb2, scoring_pb2

from harken_server.grpc.convert import ENUMS, US, Diagnose, from_proto, language_of
from harken_server.grumble import NO_ATTRIBUTES, AttributeValue, Grumble
from harken_server.limits import MAX_ATTRIBUTES

ABSENT = -(2**63)
_FLAG: Mapping[int, bool | None] = {ABSENT: None, 0: False, 1: True}
_CHANNEL, _STATE, _TIER = (
    {number: None if number == 0 else code for number, code in ENUMS[name][1].items()}
    for name in ("channel", "resolution_state", "vip_tier")
)


def _twin() -> dict[str, Any]:
    """The message classes that requests are read as, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="harken/v1/reading.proto",
        package="harken.v1",
        syntax="editions",
        edition=descriptor_pb2.Edition.EDITION_2023,
    )
    for original in (
        timestamp_pb2.Timestamp,
        *(grumble_pb2.Grumble, grumble_pb2.CustomerProfile, grumble_pb2.History),
        *(grumble_pb2.AttributeValue, scoring_pb2.ScoreRequest, scoring_pb2.BatchScoreRequest),
    ):
        message = file.message_type.add()
        original.DESCRIPTOR.CopyToProto(message)
        optional = {field.name for field in message.field if field.proto3_optional}
        kept = [one for one in message.oneof_decl if one.name.removeprefix("_") not in optional]
        del message.oneof_decl[:]
        message.oneof_decl.extend(kept)
        for field in message.field:
            _adapt(field)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        each.name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"harken.v1.{each.name}")
        )
        for each in file.message_type
    }


def _adapt(field: descriptor_pb2.FieldDescriptorProto) -> None:
    if field.proto3_optional:
        field.ClearField("proto3_optional")
        field.ClearField("oneof_index")
        if field.type == field.TYPE_DOUBLE:
            field.default_value = "nan"
        else:
            field.type, field.default_value = field.TYPE_INT64, str(ABSENT)
    elif field.name == "seconds":  # of a timestamp: none has so early a time
        field.default_value = str(ABSENT)
    elif field.type == field.TYPE_ENUM:
        field.type = field.TYPE_INT32
        field.ClearField("type_name")
    elif field.type_name == ".google.protobuf.Timestamp":
        field.type_name = ".harken.v1.Timestamp"


_MESSAGES = _twin()
ScoreRequest = _MESSAGES["ScoreRequest"]
BatchScoreRequest = _MESSAGES["BatchScoreRequest"]

_of_request = attrgetter("grumble", "customer", "history", "attributes", "explain", "language_code")
_new = partial(tuple.__new__, Grumble)


class _OddError(Exception):
    """Something about a request wants the careful way."""


def grumble_of(request: Any, diagnose: Diagnose | None = None) -> Grumble:
    """The grumble of a ``ScoreRequest`` of this module; as ``convert.from_proto``, but fast."""
    if not isinstance(request, ScoreRequest):
        request = ScoreRequest.FromString(request.SerializeToString())
    try:
        return _quick(request)
    except (_OddError, KeyError):
        usual = scoring_pb2.ScoreRequest.FromString(request.SerializeToString())
        return from_proto(usual, diagnose)


def _quick(request: Any) -> Grumble:
    """A line for each of a grumble's fields, in their order."""
    g, c, h, attributes, explain, language = _of_request(request)
    voice_us = _microseconds(g, "voice_time", g.voice_time)
    observe_us = _microseconds(g, "observe_time", g.observe_time)
    if voice_us is None:
        raise _OddError
    return _new(
        (
            g.grumble_id,
            voice_us,
            time.time_ns() // 1000 if observe_us is None else observe_us,
            g.customer_id or None,
            g.category or None,
            g.service or None,
            g.point or None,
            _CHANNEL[g.channel],
            _STATE[g.resolution_state],
            _FLAG[g.dissatisfied],
            _FLAG[g.company_responsible],
            _FLAG[g.problem_exists],
            c.brand or None,
            None if (n := c.age_years) == ABSENT else n,
            None if (n := c.tenure_months) == ABSENT else n,
            n if (n := c.monthly_spend_yuan) == n else _absent(c, "monthly_spend_yuan"),
            n if (n := c.use_minutes) == n else _absent(c, "use_minutes"),
            n if (n := c.data_mb) == n else _absent(c, "data_mb"),
            None if (n := c.sms_count) == ABSENT else n,
            None if (n := c.arrears_count) == ABSENT else n,
            None if (n := c.suspension_count) == ABSENT else n,
            _TIER[c.vip_tier],
            None if (n := c.credit_level) == ABSENT else n,
            _FLAG[c.corporate_contact],
            c.segment or None,
            c.behaviour_type or None,
            None if (n := h.grumble_count_30d) == ABSENT else n,
            None if (n := h.grumble_count_90d) == ABSENT else n,
            None if (n := h.complaint_count_30d) == ABSENT else n,
            None if (n := h.complaint_count_90d) == ABSENT else n,
            None if (n := h.same_point_count_90d) == ABSENT else n,
            n if (n := h.days_since_contact) == n else _absent(h, "days_since_contact"),
            _attributes(attributes) if attributes else NO_ATTRIBUTES,
            explain,
            language_of(language) if language else "en",
        )
    )


def _microseconds(message: Any, name: str, given: Any) -> int | None:
    seconds, nanos = given.seconds, given.nanos
    if seconds == ABSENT:
        absent: None = _absent(message, name)
        return absent
    if not 0 <= nanos < 1_000_000_000:
        raise _OddError
    whole: int = seconds * US + nanos // 1000
    return whole


def _absent(message: Any, name: str) -> Any:
    """``None``, unless the field is there after all, with its default sent as its value."""
    if message.HasField(name):
        raise _OddError
    return None


def _attributes(given: Any) -> Mapping[str, AttributeValue]:
    values: dict[str, AttributeValue] = {}
    for name in sorted(given):
        value = given[name]
        kind = value.WhichOneof("kind")
        if kind is None:
            raise _OddError
        values[name] = getattr(value, kind)
    if len(values) > MAX_ATTRIBUTES:
        raise _OddError
    return values
