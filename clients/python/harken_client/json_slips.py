"""Where a ScoreRequest written in JSON is wrong, in the words of whoever writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from harken.v1 import scoring_pb2

from harken_client.requests import did_you_mean

_SHOWN = 60
_TIME = "google.protobuf.Timestamp"
_WANTED = {
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_INT32: "a whole number",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
}


def slip_in(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The field of the first thing that is wrong in ``value``, and what is; None if nothing is."""
    return _slip(value, scoring_pb2.ScoreRequest.DESCRIPTOR, "")


def _slip(value: object, message: Any, path: str) -> tuple[str, str] | None:
    if not isinstance(value, Mapping):
        return path, f"{_shown(value)} is no JSON object"
    known = {field.json_name: field for field in message.fields}
    names = {**known, **message.fields_by_name}
    for key, each in value.items():
        at = f"{path}.{key}" if path else str(key)
        field = names.get(key)
        if field is None:
            near = did_you_mean(str(key), known)
            return at, "there is no such field" + (near or f"; one of {', '.join(known)}")
        found = _slip_in_field(each, field, at)
        if found is not None:
            return found
    return None if _fits(value, message) else (path, "this cannot be read")


def _slip_in_field(value: object, field: Any, path: str) -> tuple[str, str] | None:
    inner = field.message_type
    if value is None or inner is None or inner.full_name == _TIME:
        return (
            None if _fits({field.name: value}, field.containing_type) else _leaf(value, field, path)
        )
    if not inner.GetOptions().map_entry:
        return _slip(value, inner, path)
    if not isinstance(value, Mapping):
        return path, f"{_shown(value)} is no JSON object"
    for name, each in value.items():
        if not _fits({field.name: {name: each}}, field.containing_type):
            return f"{path}[{name}]", (
                f'{_shown(each)} is no value; write {{"text": "..."}}, {{"number": 1}} '
                'or {"flag": true}'
            )
    return None


def _leaf(value: object, field: Any, path: str) -> tuple[str, str]:
    if field.enum_type is not None:
        known = [one.name for one in field.enum_type.values if one.number]
        near = did_you_mean(str(value), dict.fromkeys(known))
        return path, f"{_shown(value)} is unknown" + (near or f"; one of {', '.join(known)}")
    if field.message_type is not None:
        return path, f"{_shown(value)} is no time; write it like 2026-03-01T08:00:00+08:00"
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 and isinstance(value, int):
        return path, f"{_shown(value)} is too large"
    return path, f"{_shown(value)} is not {_WANTED[field.cpp_type]}"


def _fits(value: Mapping[str, Any], message: Any) -> bool:
    try:
        json_format.ParseDict(dict(value), GetMessageClass(message)())
    except (json_format.ParseError, ValueError, TypeError, AttributeError):
        return False
    return True


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
