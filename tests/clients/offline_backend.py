"""A stand-in for the scoring core, loaded by its entry point in the replay's own processes.

Its scores follow from the grumble's id. ``rules`` is a file of JSON that says how it behaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa

CODED = ("segment", "behaviour_type", "tolerance", "treatment", "contact_policy", "strategies",
         "owner", "supporting_departments", "escalation_chain", "reasons", "warnings")  # fmt: skip


class Backend:
    """``die`` names a file: while it is there, whoever scores dies."""

    def __init__(self, wishes: dict[str, Any]) -> None:
        self.rule_base_digest, self.model_digest = "sha256:" + "a" * 64, "sha256:" + "b" * 64
        self.model_digest = wishes.get("model", self.model_digest)
        self._wishes = wishes
        self._scored = 0

    def score(self, batch: Any) -> tuple[Any, list[tuple[int, str, str, str]]]:
        time.sleep(self._wishes.get("seconds", 0))
        if Path(self._wishes.get("die", "/nowhere")).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        ids = batch.column("grumble_id").to_pylist()
        assert batch.num_rows
        shares = [int(hashlib.sha256((i or "").encode()).hexdigest()[:8], 16) / 2**32 for i in ids]
        wrong = {row for row, i in enumerate(ids) if not i}
        clean = [None if row in wrong else share for row, share in enumerate(shares)]
        codes = [None if s is None else "ab"[: int(s * 3)] or None for s in clean]
        coded = pa.array(codes, pa.string()).dictionary_encode()
        columns = {
            "level": pa.array([s if s is None else 1 + int(s * 5) for s in clean], pa.int32()),
            "probability": pa.array(clean, pa.float64()),
            "severity": pa.array([s if s is None else round(s * 10, 1) for s in clean]),
            **dict.fromkeys(CODED, coded),
            "reply_deadline_time": batch.column("observe_time"),
            "resolve_deadline_time": pa.nulls(batch.num_rows, pa.timestamp("us", "UTC")),
            "rule_base_digest": pa.array([self.rule_base_digest] * batch.num_rows),
            "model_digest": pa.array([self.model_digest] * batch.num_rows).dictionary_encode(),
            "decision_id": pa.array([f"{uuid.uuid4().hex}-{row}" for row in range(len(ids))]),
        }
        said = "grumble.grumble_id: grumble_id is required"
        faults = [(row, "grumble.grumble_id", "FIELD_REQUIRED", said) for row in sorted(wrong)]
        return pa.RecordBatch.from_pydict(columns), faults

    def close(self) -> None:
        pass


def open_backend(rules: Path | None, bundle: Path | None, compiled: bool, threads: int) -> Backend:
    wishes = json.loads(rules.read_text()) if rules else {}
    if bundle is not None:
        raise ValueError(f"bundle: {bundle} is no bundle")
    assert threads == 1
    return Backend(wishes)
