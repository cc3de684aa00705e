"""One table from reasons to gRPC status, and the status with its details."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import structlog
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from harken_server.errors import PublishingError, Reason, ScoringError, Violation
from harken_server.paths import path_of

_log = structlog.get_logger("harken.grpc")

DOMAIN = "harken"
DETAILS_KEY = "grpc-status-details-bin"
MAX_DETAIL_BYTES = 4096
"""Room for violations: many clients take no more than 8 KiB of trailers, base64 included."""

MAX_MESSAGE = 1000
"""Bytes of a status's message as it travels, where it quotes a rule base's problem, which may run
over several lines. It travels percent-encoded, a Chinese character as nine bytes; too much of it,
and the client gets no status at all. The problems follow in the details."""
MAX_PROBLEM = 1000
"""Characters of each of those problems."""

CODES: dict[str, grpc.StatusCode] = {
    "FIELD_REQUIRED": grpc.StatusCode.INVALID_ARGUMENT,
    "FIELD_INVALID": grpc.StatusCode.INVALID_ARGUMENT,
    "VALUE_OUT_OF_RANGE": grpc.StatusCode.INVALID_ARGUMENT,
    "UNKNOWN_VALUE": grpc.StatusCode.INVALID_ARGUMENT,
    "TIME_ORDER": grpc.StatusCode.INVALID_ARGUMENT,
    "BATCH_SIZE": grpc.StatusCode.INVALID_ARGUMENT,
    "MESSAGE_UNDECODABLE": grpc.StatusCode.INVALID_ARGUMENT,
    "ATTRIBUTE_TYPE": grpc.StatusCode.INVALID_ARGUMENT,
    "OVERLOADED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "DEADLINE_PASSED": grpc.StatusCode.DEADLINE_EXCEEDED,
    "SHUTTING_DOWN": grpc.StatusCode.UNAVAILABLE,
    "INTERNAL": grpc.StatusCode.INTERNAL,
    "RULE_BASE_UNSOUND": grpc.StatusCode.FAILED_PRECONDITION,
    "REVISION_UNKNOWN": grpc.StatusCode.NOT_FOUND,
    "REVISION_AMBIGUOUS": grpc.StatusCode.INVALID_ARGUMENT,
    "REVISION_DAMAGED": grpc.StatusCode.FAILED_PRECONDITION,
    "NO_FORMER_REVISION": grpc.StatusCode.FAILED_PRECONDITION,
    "ACTIVATION_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "CHANGE_UNDER_WAY": grpc.StatusCode.ABORTED,
    "NO_SAMPLE": grpc.StatusCode.FAILED_PRECONDITION,
    "SIMULATION_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "SHADOW_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "STORE_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "STREAM_IDLE": grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""The status of every ``harken.v1.ErrorReason``."""

_HAS_REASON = "reason" in error_details_pb2.BadRequest.FieldViolation.DESCRIPTOR.fields_by_name


@dataclass(frozen=True, slots=True)
class Refusal(grpc.Status):
    """A status as grpcio's ``abort_with_status`` takes it; ``message`` is the whole of it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]
    message: status_pb2.Status


def refusal(
    reason: str,
    message: str,
    violations: Sequence[Violation] = (),
    metadata: dict[str, str] | None = None,
    problems: Sequence[str] = (),
) -> Refusal:
    """The status for ``reason``, with ErrorInfo and, for ``violations``, BadRequest.

    ``problems`` of a rule base make a PreconditionFailure.
    """
    code = CODES[reason]
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata or {})
    details = [_pack(info)]
    fields = [v for v in violations if v.field]
    if fields:
        details.append(_pack(_bad_request(fields)))
    if problems:
        details.append(_pack(_failure(reason, problems)))
    status = status_pb2.Status(code=code.value[0], message=message, details=details)
    trailers = ((DETAILS_KEY, status.SerializeToString()),)
    return Refusal(code, message, trailers, status)


def refusal_of(error: ScoringError) -> Refusal:
    """The status for a grumble that cannot be scored, naming its fields."""
    if error.reason is Reason.INTERNAL:
        return internal(report(error))
    first = error.violations[0]
    message = f"{path_of(first.field)}: {first.message}"
    more = len(error.violations) - 1
    if more:
        message += f" (and {more} more {'violation' if more == 1 else 'violations'})"
    return refusal(error.reason, message, error.violations, {"field": path_of(first.field)})


def refusal_to_publish(error: PublishingError) -> Refusal:
    """The status for what cannot be done with a rule base, and every problem of it there is
    room for."""
    message = clipped(error.message, _fitting(error.message, MAX_MESSAGE))
    more = len(error.violations) - 1
    if error.violations:
        message = f"{error.violations[0].field}: {message}"
    if more > 0:
        message += f" (and {more} more {'violation' if more == 1 else 'violations'})"
    return refusal(error.reason, message, error.violations, problems=error.problems)


def clipped(text: str, most: int) -> str:
    """``text``, or its beginning if it has more than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _fitting(text: str, most: int) -> int:
    """How many characters of ``text`` take at most ``most`` bytes, percent-encoded as gRPC does."""
    taken = 0
    for place, char in enumerate(text):
        taken += 1 if " " <= char <= "~" and char != "%" else 3 * len(char.encode())
        if taken > most:
            return place
    return len(text)


def internal(incident: str) -> Refusal:
    """The status for whatever nobody expected; the log knows more under ``incident``."""
    words = f"something went wrong inside; the server's log has it as incident {incident}"
    return refusal("INTERNAL", words, metadata={"incident": incident})


def report(error: BaseException) -> str:
    """Log what nobody expected; returns the incident id that ties the answer to the log.

    Only the kind of the exception and the lines of code it passed are logged: its message
    may quote the request, and a customer's data has no place in a log.
    """
    incident = uuid.uuid4().hex[:12]
    frames = [
        f"{frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    _log.error("incident", incident=incident, kind=type(error).__name__, traceback=frames)
    return incident


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        field = bad.field_violations.add(
            field=path_of(violation.field), description=violation.message
        )
        if _HAS_REASON:  # since googleapis-common-protos 1.63
            field.reason = violation.reason.value
        if bad.ByteSize() > MAX_DETAIL_BYTES and len(bad.field_violations) > 1:
            del bad.field_violations[-1]
            break
    return bad


def _failure(reason: str, problems: Sequence[str]) -> error_details_pb2.PreconditionFailure:
    failure = error_details_pb2.PreconditionFailure()
    for problem in problems:
        text = clipped(problem, MAX_PROBLEM)
        failure.violations.add(type=reason, subject="rule base", description=text)
        if failure.ByteSize() > MAX_DETAIL_BYTES and len(failure.violations) > 1:
            del failure.violations[-1]
            break
    return failure


def _pack(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
