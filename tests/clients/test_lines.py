"""OUT's text by columns is what ``csv`` writes row by row."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from harken_client.replay.journal import csv_lines
from harken_client.replay.lines import csv_text
from harken_client.replay.outcome import COLUMNS, TIMES, time_text
from hypothesis import given, settings
from hypothesis import strategies as st

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1),
    st.sampled_from(
        [0.0, -0.0, 1e-4, 9.999e-5, 1e-5, 1e16, 1e15, 123456.0, 999999.5, 1e22, 5e-324]
    ),
)
CODES = st.sampled_from([None, "a", "a;b", "with,comma", 'a "quote"', "two\nlines", "cr\r", "票"])
MICROS = st.one_of(
    st.none(), st.integers(0, 7_258_118_400_000_000),
    st.integers(0, 7_258_118_400).map(lambda seconds: seconds * 1_000_000),
)  # fmt: skip
KINDS: dict[str, tuple[Any, Any]] = {
    "row": (st.integers(1, 10**12), pa.int64()),
    "grumble_id": (CODES.filter(bool), pa.string()),
    "decision_id": (st.sampled_from(["x-1", "x-22"]), pa.string()),
    "level": (st.integers(1, 5), pa.int32()),
    "probability": (FLOATS, pa.float64()),
    "severity": (FLOATS, pa.float64()),
    "label": (st.sampled_from([None, 0, 1]), pa.int8()),
    **dict.fromkeys(TIMES, (MICROS, pa.int64())),
}
CODE = (CODES, pa.dictionary(pa.int32(), pa.string()))
ROWS = st.lists(
    st.tuples(*(KINDS.get(name, CODE)[0] for name in COLUMNS)), min_size=1, max_size=9
)  # fmt: skip


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    found = {}
    for name, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        column = pa.array(list(cells), KINDS.get(name, CODE)[1])
        found[name] = column.cast(pa.timestamp("us", "UTC")) if name in TIMES else column
    return found


def as_rows(rows: list[tuple[Any, ...]]) -> bytes:
    """The same text, cell by cell."""

    def cell(name: str, value: Any) -> object:
        if value is None:
            return ""
        if name in TIMES:
            stamp = Timestamp(seconds=value // 1_000_000, nanos=value % 1_000_000 * 1000)
            return time_text(stamp)
        return repr(value) if isinstance(value, float) else value

    return csv_lines([[cell(n, v) for n, v in zip(COLUMNS, row, strict=True)] for row in rows])


@settings(max_examples=80, deadline=None)
@given(rows=ROWS)
def test_the_same_text(rows: list[tuple[Any, ...]]) -> None:
    assert bytes(csv_text(columns_of(rows))) == as_rows(rows)


@pytest.mark.parametrize("distinct", [3, 100_000])
def test_many_rows_of_usual_scores(distinct: int) -> None:
    rng = random.Random(distinct)
    chances = [rng.random() ** 3 for _ in range(distinct)]
    begun = datetime(2026, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    us = begun // timedelta(microseconds=1)
    rows = []
    for number in range(3000):
        values: dict[str, Any] = {name: rng.choice(["a", "b;c", None]) for name in COLUMNS}
        values |= {"row": number + 1, "level": rng.randrange(1, 6), "label": rng.choice([None, 1])}
        values |= {"grumble_id": f"g{number}", "decision_id": f"x-{number}"}
        values |= {"probability": rng.choice(chances), "severity": rng.randrange(900) / 100}
        seconds, exact = rng.randrange(10**6) * 10**6, rng.randrange(10**12)
        values |= {name: us + rng.choice([seconds, exact]) for name in TIMES}
        rows.append(tuple(values[name] for name in COLUMNS))
    assert bytes(csv_text(columns_of(rows))) == as_rows(rows)


def test_slices_of_columns_and_no_rows() -> None:
    rows = [(n, "a,b", 1, 0.5, 1.5, *["c"] * 9, 0, None, *["d"] * 5, 1) for n in range(1, 9)]
    columns = columns_of(rows)
    middle = {name: column.slice(2, 3) for name, column in columns.items()}
    assert bytes(csv_text(middle)) == as_rows(rows[2:5])
    assert bytes(csv_text({name: column.slice(0, 0) for name, column in columns.items()})) == b""
