"""The columns of OUT and of the rejects file, and a row of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from harken.v1 import score_pb2

from harken_client.errors import HarkenError, InvalidRequest
from harken_client.requests import EPOCH

COLUMNS = (
    "row",
    "grumble_id",
    "level",
    "probability",
    "severity",
    "segment",
    "behaviour_type",
    "tolerance",
    "treatment",
    "contact_policy",
    "strategies",
    "owner",
    "supporting_departments",
    "escalation_chain",
    "reply_deadline_time",
    "resolve_deadline_time",
    "reasons",
    "warnings",
    "rule_base_digest",
    "model_digest",
    "decision_id",
    "label",
)
"""Of OUT. Several codes in one cell are joined by ``;``; times are UTC."""
TIMES = ("reply_deadline_time", "resolve_deadline_time")
REJECT_COLUMNS = ("row", "grumble_id", "field", "reason", "message")

_IN_BATCH = re.compile(r"^requests\[\d+\]\.?")


def out_schema() -> Any:
    """The Arrow schema of OUT."""
    import pyarrow

    types: dict[str, Any] = dict.fromkeys(COLUMNS, pyarrow.string())
    types |= dict.fromkeys(TIMES, pyarrow.timestamp("us", "UTC"))
    types |= {"row": pyarrow.int64(), "level": pyarrow.int8(), "label": pyarrow.int8()}
    types |= {"probability": pyarrow.float64(), "severity": pyarrow.float64()}
    return pyarrow.schema(list(types.items()))


def out_row(row: int, grumble_id: str, score: score_pb2.Score, label: int | None) -> list[object]:
    """One row of OUT. Floats are written so that reading them back gives the same bits."""
    return [
        row,
        grumble_id,
        score.level,
        repr(score.probability),
        repr(score.severity),
        score.segment,
        score.behaviour_type,
        score.tolerance,
        score.treatment,
        score.contact_policy,
        _codes(score.strategies),
        score.owner.code,
        _codes(score.supporting_departments),
        _codes(score.escalation_chain),
        time_text(score.reply_deadline_time) if score.HasField("reply_deadline_time") else "",
        time_text(score.resolve_deadline_time) if score.HasField("resolve_deadline_time") else "",
        _codes(score.reasons),
        _codes(score.warnings),
        score.rule_base_digest,
        score.model_digest,
        score.decision_id,
        "" if label is None else label,
    ]


def reject_row(row: int, grumble_id: str, error: HarkenError) -> list[object]:
    """One row of the rejects file: the first field that is wrong, and everything said."""
    violations = error.field_violations if isinstance(error, InvalidRequest) else ()
    fields = [_IN_BATCH.sub("", violation.field) for violation in violations]
    said = [
        f"{field}: {violation.description}" if field else violation.description
        for field, violation in zip(fields, violations, strict=True)
    ]
    message = "; ".join(said) or error.message
    return [row, grumble_id, fields[0] if fields else "", error.reason or error.code, message]


def _codes(items: Iterable[Any]) -> str:
    return ";".join([item.code for item in items])


def time_text(stamp: Timestamp) -> str:
    """A time as OUT has it."""
    time = EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    return time.isoformat().replace("+00:00", "Z")
