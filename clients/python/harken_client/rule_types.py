"""Rule bases and how they are served: frozen values that mirror ``harken.v1`` field by field.

Times are aware, in UTC; a time or a part that is absent is ``None``. Enum values are in small
letters without their prefix: ``error``, ``published``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from harken_client.types import time_from_proto


@dataclass(frozen=True, slots=True)
class RuleBaseRevision:
    """An immutable rule base that the server keeps; ``source``: start, published or watched."""

    digest: str
    name: str
    author: str
    message: str
    create_time: datetime | None
    source: str
    active: bool
    activate_time: datetime | None


@dataclass(frozen=True, slots=True)
class RuleBaseFile:
    """A file of a rule base; ``path`` is relative to its folder, with ``/`` between its parts."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found; ``severity`` is error or warning.

    ``line`` and ``column`` count from 1 and are 0 where no file is to blame. ``rendered_text`` is
    the finding as a person reads it.
    """

    id: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    hint: str
    rendered_text: str


@dataclass(frozen=True, slots=True)
class RevisionPage:
    """Revisions, newest first; ``next_page_token`` is empty at the end."""

    revisions: tuple[RuleBaseRevision, ...]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class RevisionWithFiles:
    """A revision and its files, if asked for, sorted by path."""

    revision: RuleBaseRevision | None
    files: tuple[RuleBaseFile, ...]


@dataclass(frozen=True, slots=True)
class CheckedRuleBase:
    """What came of a rule base that was sent.

    ``revision`` is ``None`` if there are errors, or if it was only to be checked; ``digest`` is
    empty if there are errors; ``created`` is false if there was a revision of this digest.
    """

    revision: RuleBaseRevision | None
    findings: tuple[Finding, ...]
    digest: str
    created: bool


@dataclass(frozen=True, slots=True)
class RuleBaseActivation:
    """A change of what is served; ``former_digest`` is empty at the first start."""

    digest: str
    former_digest: str
    author: str
    message: str
    activate_time: datetime | None


@dataclass(frozen=True, slots=True)
class LevelTransition:
    """How often one level, by the former rule base, became another."""

    former_level: int
    level: int
    count: int


@dataclass(frozen=True, slots=True)
class ChangedCount:
    """How many grumbles got ``code`` from the former rule base, and from the other."""

    code: str
    former_count: int
    count: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What one revision makes of a sample beside another (``SimulateRuleBaseResponse``)."""

    digest: str
    former_digest: str
    scored_count: int
    refused_count: int
    changed_level_count: int
    transitions: tuple[LevelTransition, ...]
    strategies: tuple[ChangedCount, ...]
    owners: tuple[ChangedCount, ...]
    above_warning_line: ChangedCount | None


@dataclass(frozen=True, slots=True)
class ShadowState:
    """How a shadow has done so far, over all workers."""

    digest: str
    active_digest: str
    sample_share: float
    start_time: datetime | None
    scored_count: int
    skipped_count: int
    failed_count: int
    changed_level_count: int
    transitions: tuple[LevelTransition, ...]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker process; ``since_time`` is when it began to serve this rule base."""

    number: int
    serving: bool
    rule_base_digest: str
    model_digest: str
    since_time: datetime | None


@dataclass(frozen=True, slots=True)
class ServingError:
    """A rule base that could not be served, and why."""

    report_time: datetime | None
    digest: str
    source: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServingState:
    """What is served, by each worker, and what went wrong last (``GetServingStateResponse``)."""

    active: RuleBaseRevision | None
    activation: RuleBaseActivation | None
    workers: tuple[WorkerState, ...]
    last_error: ServingError | None
    shadow: ShadowState | None
    watched_folder: str
    durable: bool


MIRRORS: Mapping[str, type] = {
    "RuleBaseRevision": RuleBaseRevision,
    "RuleBaseFile": RuleBaseFile,
    "Finding": Finding,
    "ListRuleBaseRevisionsResponse": RevisionPage,
    "GetRuleBaseRevisionResponse": RevisionWithFiles,
    "CreateRuleBaseRevisionResponse": CheckedRuleBase,
    "RuleBaseActivation": RuleBaseActivation,
    "LevelTransition": LevelTransition,
    "ChangedCount": ChangedCount,
    "SimulateRuleBaseResponse": Simulation,
    "ShadowState": ShadowState,
    "WorkerState": WorkerState,
    "ServingError": ServingError,
    "GetServingStateResponse": ServingState,
}
"""The type that mirrors a message, by the message's name."""


def from_proto(message: Message) -> Any:
    """The value that mirrors ``message``, its parts likewise."""
    fields: Any = message.DESCRIPTOR.fields
    return MIRRORS[message.DESCRIPTOR.name](**{f.name: _value(message, f) for f in fields})


def _value(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if isinstance(value, Message):
        if not message.HasField(field.name):
            return None
        return time_from_proto(value) if isinstance(value, Timestamp) else from_proto(value)
    if field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        known = field.enum_type.values_by_number.get(value)
        return str(value) if known is None else known.name.removeprefix(prefix).lower()
    if isinstance(value, str | bytes | bool | int | float):
        return value
    return tuple(from_proto(item) if isinstance(item, Message) else item for item in value)
