"""What can go wrong, as one tree, for ``Client`` and ``AsyncClient`` alike.

    HarkenError                 whatever this package raises about a call
    ├── InvalidRequest          the request must change; names the fields
    │   ├── MessageTooLarge     more bytes than the server takes
    │   ├── NotFound            what the request names does not exist
    │   └── Refused             it cannot be done as things stand; names the problems
    ├── TransientError          the same request may succeed later
    │   ├── Overloaded          the server sheds load
    │   ├── Conflict            another change is being made
    │   ├── DeadlineExceeded    no answer within the deadline
    │   └── Unavailable         not reachable, shutting down, or the call was cancelled
    ├── AccessDenied            certificate or permission refused
    └── ServerFault             anything else that the server did; carries the incident id

Statuses that may help to try again have been retried before they are raised.
"""

# ruff: noqa: N818 - named for what happened, as callers read them in `except Overloaded:`

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "harken"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that the server, or the client before sending, refuses.

    ``field`` is the path in ``ScoreRequest``: ``customer.age_years``, or in a batch
    ``requests[3].grumble.voice_time``.
    """

    field: str
    description: str


class HarkenError(Exception):
    """A call failed.

    ``code`` is the gRPC status name, ``reason`` an ``ErrorReason`` without its prefix
    (empty where the server gave none), ``message`` a sentence for a person.
    """

    def __init__(self, message: str, *, code: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason


class InvalidRequest(HarkenError):
    """The request must change before it can be scored; ``field_violations`` says where."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "INVALID_ARGUMENT",
        reason: str = "",
        field_violations: Iterable[FieldViolation] = (),
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.field_violations = tuple(field_violations)


class MessageTooLarge(InvalidRequest):
    """The message has more bytes than the other side takes: send fewer or smaller items."""


class NotFound(InvalidRequest):
    """What the request names does not exist: no revision has this digest."""


class Refused(InvalidRequest):
    """It cannot be done as things stand; ``problems`` are a rule base's, a text each."""

    def __init__(
        self, message: str, *, code: str = "", reason: str = "", problems: Iterable[str] = ()
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.problems = tuple(problems)


class TransientError(HarkenError):
    """The same request may succeed later; scoring has no side effects, so just try again."""


class Overloaded(TransientError):
    """The server has as much in flight as it takes."""


class Conflict(TransientError):
    """Another change is being made; try again after it."""


class DeadlineExceeded(TransientError):
    """No answer came within the deadline."""


class Unavailable(TransientError):
    """The server cannot be reached, is draining, or the call was cancelled."""


class AccessDenied(HarkenError):
    """The server refuses this caller: certificate or permission."""


class ServerFault(HarkenError):
    """The server failed; ``incident_id`` (may be empty) finds the cause in its log."""

    def __init__(
        self, message: str, *, code: str = "", reason: str = "", incident_id: str = ""
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.incident_id = incident_id


def invalid_field(field: str, description: str, reason: str) -> InvalidRequest:
    """The error for one field that is wrong before anything is sent."""
    return InvalidRequest(
        f"{field}: {description}",
        reason=reason,
        field_violations=(FieldViolation(field, description),),
    )


_TRANSIENT = {
    "RESOURCE_EXHAUSTED": Overloaded,
    "ABORTED": Conflict,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
    "CANCELLED": Unavailable,
}
_INVALID = {"INVALID_ARGUMENT", "OUT_OF_RANGE"}
_DENIED = {"UNAUTHENTICATED", "PERMISSION_DENIED"}


def from_status(status: status_pb2.Status) -> HarkenError:
    """The error of a ``google.rpc.Status``: of a failed call, or of one item of a batch."""
    code = _code_name(status.code)
    info = error_details_pb2.ErrorInfo()
    violations: list[FieldViolation] = []
    problems: list[str] = []
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad_request = error_details_pb2.BadRequest()
            detail.Unpack(bad_request)
            violations += [
                FieldViolation(violation.field, violation.description)
                for violation in bad_request.field_violations
            ]
        elif detail.Is(error_details_pb2.PreconditionFailure.DESCRIPTOR):
            failure = error_details_pb2.PreconditionFailure()
            detail.Unpack(failure)
            problems += [violation.description for violation in failure.violations]
    return _error(status.message, code, info, tuple(violations), tuple(problems))


def from_rpc_error(error: grpc.RpcError) -> HarkenError:
    """The error of a call that ended with another status than OK (sync and asyncio)."""
    packed = _details(error)
    if packed is not None:
        status = status_pb2.Status()
        try:
            status.ParseFromString(packed)
            return from_status(status)
        except DecodeError:
            pass  # details of some other make: the code and the text below remain
    code = error.code()
    return _error(
        error.details() or "", code.name if code else "UNKNOWN", error_details_pb2.ErrorInfo(), ()
    )


def _details(error: grpc.RpcError) -> bytes | None:
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            return value
    return None


def _code_name(number: int) -> str:
    for code in grpc.StatusCode:
        if code.value[0] == number:
            return code.name
    return "UNKNOWN"


def _error(
    message: str,
    code: str,
    info: error_details_pb2.ErrorInfo,
    violations: tuple[FieldViolation, ...],
    problems: tuple[str, ...] = (),
) -> HarkenError:
    reason = info.reason if info.domain in ("", DOMAIN) else ""
    message = message or code
    if code == "RESOURCE_EXHAUSTED" and not reason and "larger than max" in message:
        # grpc itself refuses an oversized message, on either side, with this status
        return MessageTooLarge(message, code=code)
    if code in _TRANSIENT:
        return _TRANSIENT[code](message, code=code, reason=reason)
    if code == "FAILED_PRECONDITION":
        return Refused(message, code=code, reason=reason, problems=problems)
    if code == "NOT_FOUND":
        return NotFound(message, code=code, reason=reason)
    if code in _INVALID:
        return InvalidRequest(message, code=code, reason=reason, field_violations=violations)
    if code in _DENIED:
        return AccessDenied(message, code=code, reason=reason)
    return ServerFault(
        message, code=code, reason=reason, incident_id=info.metadata.get("incident", "")
    )
