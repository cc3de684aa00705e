"""Requests, built from typed values, from a plain mapping, or from proto-JSON.

Field names are the core names that the API, dataset specifications and rule bases share
(``category``, ``age_years``, ``grumble_count_30d`` ...). Where each belongs in
``ScoreRequest`` is read from the messages' own descriptors, so nothing is listed twice.
Only what the wire cannot carry is refused here (an enum code without a number, text in a
number's place); ranges and codes of the rule base are the server's to judge.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from numbers import Real
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from harken.v1 import grumble_pb2, scoring_pb2

from harken_client.errors import FieldViolation, InvalidRequest, invalid_field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """One grumble with all that is known of its customer; ``None`` is *not known*.

    Times are aware datetimes; no ``observe_time`` means the server's clock.
    ``attributes`` are an operator's own fields. Open codes (``category``, ``brand`` ...)
    are the rule base's; ``channel``, ``resolution_state`` and ``vip_tier`` the API's, in
    lower case without prefix: ``unresolved``, ``hotline``, ``gold``.
    """

    grumble_id: str
    voice_time: datetime
    observe_time: datetime | None = None
    customer_id: str | None = None
    category: str | None = None
    service: str | None = None
    point: str | None = None
    channel: str | None = None
    resolution_state: str | None = None
    dissatisfied: bool | None = None
    company_responsible: bool | None = None
    problem_exists: bool | None = None

    brand: str | None = None
    age_years: int | None = None
    tenure_months: int | None = None
    monthly_spend_yuan: float | None = None
    use_minutes: float | None = None
    data_mb: float | None = None
    sms_count: int | None = None
    arrears_count: int | None = None
    suspension_count: int | None = None
    vip_tier: str | None = None
    credit_level: int | None = None
    corporate_contact: bool | None = None
    segment: str | None = None
    behaviour_type: str | None = None

    grumble_count_30d: int | None = None
    grumble_count_90d: int | None = None
    complaint_count_30d: int | None = None
    complaint_count_90d: int | None = None
    same_point_count_90d: int | None = None
    days_since_contact: float | None = None

    attributes: Mapping[str, str | float | bool] = field(default_factory=dict)
    explain: bool = False
    language: str = "en"


Scorable = scoring_pb2.ScoreRequest | ScoreInput | Mapping[str, object]
"""What ``score`` takes: a message, a typed input, or a mapping by core names."""


@dataclass(frozen=True, slots=True)
class CoreField:
    """Where a core name stands in ``ScoreRequest``.

    ``kind`` is ``text``, ``code`` (an enum of the API), ``integer``, ``number``, ``flag``
    or ``time``. ``codes`` gives a code's number.
    """

    name: str
    part: str
    kind: str
    codes: Mapping[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The proto path, as errors name it: ``customer.brand``, ``attributes[plan]``."""
        return f"{self.part}.{self.name}".replace(".[", "[")


_KINDS = {
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_ENUM: "code",
    FieldDescriptor.CPPTYPE_INT32: "integer",
    FieldDescriptor.CPPTYPE_DOUBLE: "number",
    FieldDescriptor.CPPTYPE_BOOL: "flag",
    FieldDescriptor.CPPTYPE_MESSAGE: "time",
}


def _core_field(part: str, descriptor: Any) -> CoreField:
    codes = {}
    if descriptor.enum_type is not None:
        values = descriptor.enum_type.values
        prefix = values[0].name.removesuffix("UNSPECIFIED")
        codes = {v.name.removeprefix(prefix).lower(): v.number for v in values if v.number}
    return CoreField(descriptor.name, part, _KINDS[descriptor.cpp_type], MappingProxyType(codes))


CORE_FIELDS: Mapping[str, CoreField] = MappingProxyType(
    {
        descriptor.name: _core_field(part, descriptor)
        for part, message in (
            ("grumble", grumble_pb2.Grumble),
            ("customer", grumble_pb2.CustomerProfile),
            ("history", grumble_pb2.History),
        )
        for descriptor in message.DESCRIPTOR.fields
    }
)
"""Every core name."""


def to_request(value: Scorable) -> scoring_pb2.ScoreRequest:
    """The message for ``value``; :class:`InvalidRequest` names the field that is wrong."""
    if isinstance(value, scoring_pb2.ScoreRequest):
        return value
    if isinstance(value, ScoreInput):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return grumble_request(value)


def grumble_request(values: Mapping[str, object]) -> scoring_pb2.ScoreRequest:
    """A request from core names: ``{"grumble_id": "g-1", "category": "charges", ...}``.

    ``None`` is left out. Times are aware datetimes or ISO 8601 text with an offset;
    ``attributes`` is a mapping; ``explain`` and ``language`` are taken too. Raises
    :class:`InvalidRequest` for an unknown name or a value that the wire cannot carry.
    """
    request = scoring_pb2.ScoreRequest()
    request.grumble.SetInParent()
    for name, value in values.items():
        if value is None:
            continue
        if name == "attributes":
            set_attributes(request, value)
        elif name == "explain":
            request.explain = _as_flag("explain", value)
        elif name in ("language", "language_code"):
            request.language_code = _as_text("language_code", value)
        elif name in CORE_FIELDS:
            set_field(request, CORE_FIELDS[name], value)
        else:
            raise invalid_field(
                name, "there is no such field" + did_you_mean(name, CORE_FIELDS), "FIELD_INVALID"
            )
    return request


def set_field(request: scoring_pb2.ScoreRequest, core: CoreField, value: object) -> None:
    """Set one core field; a value of the wrong type raises :class:`InvalidRequest`."""
    part = getattr(request, core.part)
    if core.kind == "time":
        set_time(getattr(part, core.name), _as_microseconds(core.path, value))
    else:
        setattr(part, core.name, _CONVERT[core.kind](core, value))


def set_time(stamp: Message, microseconds: int) -> None:
    """Set a ``Timestamp`` from microseconds since 1970-01-01 UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    stamp.seconds = seconds  # type: ignore[attr-defined]
    stamp.nanos = rest * 1000  # type: ignore[attr-defined]


def set_attributes(request: scoring_pb2.ScoreRequest, attributes: object) -> None:
    """Set an operator's own fields: text, a number or a flag each; ``None`` is left out."""
    if not isinstance(attributes, Mapping):
        raise invalid_field("attributes", "must be a mapping of names to values", "FIELD_INVALID")
    for name, value in attributes.items():
        if value is None:
            continue
        target = request.attributes[name]
        if isinstance(value, bool):
            target.flag = value
        elif isinstance(value, Real):
            target.number = _as_number(f"attributes[{name}]", value)
        elif isinstance(value, str):
            target.text = _as_text(f"attributes[{name}]", value)
        else:
            raise invalid_field(
                f"attributes[{name}]",
                f"{value!r} is neither text, a number nor true or false",
                "ATTRIBUTE_TYPE",
            )


def request_from_json(value: object) -> scoring_pb2.ScoreRequest:
    """A request from the proto-JSON form of ``ScoreRequest``, already parsed from text."""
    if not isinstance(value, Mapping):
        raise InvalidRequest(
            f"a ScoreRequest is a JSON object, not {type(value).__name__}", reason="FIELD_INVALID"
        )
    request = scoring_pb2.ScoreRequest()
    try:
        json_format.ParseDict(dict(value), request)
    except (json_format.ParseError, ValueError, TypeError, AttributeError):
        from harken_client.json_slips import slip_in

        field, what = slip_in(value) or ("", "it cannot be read")
        raise InvalidRequest(
            f"not the JSON form of a ScoreRequest: {field + ': ' if field else ''}{what}",
            reason="FIELD_INVALID",
            field_violations=(FieldViolation(field, what),),
        ) from None
    return request


def code_number(core: CoreField, value: object) -> int:
    """The number of an API enum's code; lower case, or the name as the .proto writes it."""
    code = _as_text(core.path, value)
    if code in core.codes:
        return core.codes[code]
    raise invalid_field(
        core.path,
        f"unknown value {code!r}" + (did_you_mean(code, core.codes) or one_of(core.codes)),
        "UNKNOWN_VALUE",
    )


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def one_of(known: Mapping[str, object]) -> str:
    """``; one of a, b, c``."""
    return f"; one of {', '.join(known)}"


def _as_text(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid_field(path, f"{value!r} is not text", "FIELD_INVALID")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise invalid_field(path, "the text is not valid UTF-8", "FIELD_INVALID") from None
    return value


def _as_flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid_field(path, f"{value!r} is not true or false", "FIELD_INVALID")
    return value


def _as_number(path: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise invalid_field(path, f"{value!r} is not a number", "FIELD_INVALID")
    try:
        return float(value)
    except OverflowError:
        raise invalid_field(path, "the number is too large", "VALUE_OUT_OF_RANGE") from None


def _as_integer(path: str, value: object) -> int:
    number = _as_number(path, value)
    if not number.is_integer():
        raise invalid_field(path, f"{value!r} is not a whole number", "FIELD_INVALID")
    if not -_INT32 <= number < _INT32:
        raise invalid_field(path, f"{value!r} is too large", "VALUE_OUT_OF_RANGE")
    return int(number)


def _as_microseconds(path: str, value: object) -> int:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise invalid_field(
                path, f"{value!r} is not an ISO 8601 time", "FIELD_INVALID"
            ) from None
    if not isinstance(value, datetime):
        raise invalid_field(path, f"{value!r} is not a time", "FIELD_INVALID")
    if value.tzinfo is None:
        raise invalid_field(
            path, f"{value.isoformat()} has no time zone; write an offset or Z", "FIELD_INVALID"
        )
    return (value - EPOCH) // timedelta(microseconds=1)


_CONVERT: Mapping[str, Callable[[CoreField, object], object]] = {
    "text": lambda core, value: _as_text(core.path, value),
    "code": code_number,
    "integer": lambda core, value: _as_integer(core.path, value),
    "number": lambda core, value: _as_number(core.path, value),
    "flag": lambda core, value: _as_flag(core.path, value),
}
