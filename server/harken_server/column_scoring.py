"""Scoring by columns: one look at each distinct text, one predict, one pass of the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harken_rules.column_cells import Coded, Column
from numpy.typing import NDArray

from harken_server.column_limits import unsound_rows
from harken_server.columns import CodedResult, GrumbleColumns, Integers, ScoredColumns
from harken_server.deadlines import US_PER_HOUR, microseconds
from harken_server.errors import GapError, ScoringError
from harken_server.refusing import refusal
from harken_server.snapshot import RESULTS, Snapshot


def score_columns(snapshot: Snapshot, grumbles: GrumbleColumns) -> ScoredColumns:
    """See ``Scorer.score_columns``."""
    rows, given = grumbles.rows, grumbles.columns
    voice, observe = given["voice_time_us"], given["observe_time_us"]
    assessed = snapshot.bundle.assess_columns(given, rows)
    segment = assessed.segment_coded
    facts: dict[str, Column] = {
        **given,
        "open_hours": (observe - voice) / US_PER_HOUR,  # type: ignore[operator]
        "segment": Coded(segment.codes, segment.values),
        "association": assessed.association,
        "probability": assessed.probability,
    }
    verdicts = snapshot.engine.decide_columns(facts, rows)
    told: dict[str, CodedResult] = {name: verdicts.coded(name) for name in RESULTS}
    told["reasons"] = verdicts.reasons()
    told["segment"] = known(facts["segment"], rows)
    if "behaviour_type" in snapshot.results:
        told["behaviour_type"] = verdicts.coded("behaviour_type")
    else:
        told["behaviour_type"] = known(given.get("behaviour_type"), rows)
    refused = {*unsound_rows(grumbles).tolist(), *verdicts.errors} - grumbles.aside
    errors: dict[int, ScoringError] = {
        row: refusal(snapshot, grumbles.grumble(row, snapshot.attributes.kinds)) for row in refused
    }
    for row in {*rows_that_say(None, told["level"])} - refused - grumbles.aside:
        errors[row] = GapError("level")
    wrong = np.array(sorted(errors), dtype=np.int64)
    if len(wrong):
        told = {name: without(wrong, result) for name, result in told.items()}
    probability = assessed.probability
    if len(wrong):
        probability = probability.copy()
        probability[wrong] = np.nan
    return ScoredColumns(
        rows=rows,
        errors={row: errors[row] for row in wrong.tolist()},
        level=numbers(told["level"], lambda level: int(level or 0), 0, np.int64),
        probability=probability,
        severity=numbers(told["severity"], lambda sum_: float(sum_ or 0), np.nan, np.float64),
        reply_deadline_us=deadlines(told["reply_hours"], observe),  # type: ignore[arg-type]
        resolve_deadline_us=deadlines(told["resolve_hours"], observe),  # type: ignore[arg-type]
        told=told,
        base=snapshot.base,
    )


def known(column: Any, rows: int) -> CodedResult:
    """A coded column as a result: what is missing is a value, ``None``, too."""
    if column is None:
        return np.zeros(rows, dtype=np.int64), (None,)
    missing = len(column.values)
    return np.where(column.codes < 0, missing, column.codes), (*column.values, None)


def without(wrong: Integers, result: CodedResult) -> CodedResult:
    """A result that says nothing of the rows that are ``wrong``."""
    codes, values = result
    codes = codes.copy()
    codes[wrong] = -1
    return codes, values


def rows_that_say(value: object, result: CodedResult) -> list[int]:
    """The rows in which the result is ``value``."""
    codes, values = result
    return np.flatnonzero(codes == values.index(value)).tolist() if value in values else []


def numbers(
    result: CodedResult, read: Callable[[Any], float], absent: float, kind: type[np.generic]
) -> NDArray[Any]:
    """A result's numbers; ``absent`` in rows with an error."""
    codes, values = result
    return np.array([*map(read, values), absent], dtype=kind)[codes]


def deadlines(hours: CodedResult, observe: Integers) -> Integers:
    """So many hours after the observation; -1 where there are none."""
    codes, values = hours
    after = [0 if value is None else microseconds(value) for value in values]
    never = [value is None for value in values]
    added = np.array([*after, 0], dtype=np.int64)[codes]
    return np.where(np.array([*never, True])[codes], -1, observe + added)
