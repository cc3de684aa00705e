"""Grumbles that stand in the data twice.

Rows that are alike by chance are many where columns are few and coarse, so what counts is how
many more there are than chance makes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Severity
from harken_models.check.look import Look

_SHARE = 0.01
_FEWEST, _FINE_SHARE = 10, 0.001
"""Copies that are enough where times are so fine that hardly two grumbles share one."""
_NUMBERING = 0.95
_FINE = 0.9
_CLEAR = 5.0
"""Standard errors by which twins across the split must exceed what earlier time shows."""


def duplicate_ids(look: Look) -> Iterator[Finding]:
    """One id on several rows, where a row is a grumble."""
    if look.spec.events is not None or "grumble_id" not in look.frame:
        return
    keys = ["grumble_id"]
    if look.spec.dataset == "flat" and not look.spec.timeless:
        keys.append("observe_time_us")  # a prepared file holds each moment of a grumble as a row
    again = look.frame.duplicated(keys)
    if again.any():
        column = look.column_of("grumble_id")
        examples = look.frame["grumble_id"][again].drop_duplicates().head(5).tolist()
        figures = {"field": "grumble_id", "examples": examples}
        yield Finding("duplicate-id", "error", column, int(again.sum()), figures)


def duplicate_rows(look: Look) -> Iterator[Finding]:
    """Rows alike in all but their id; then rows of the test that repeat earlier ones."""
    rows = look.usable if len(look.usable) else look.first
    if "grumble_id" in look.frame:
        fresh = ~look.frame["grumble_id"].duplicated().to_numpy()
        rows = rows[fresh[rows]]
    if len(rows) < 2:
        return
    columns = _columns(look, rows)
    alike = _together(columns, len(rows))
    if look.spec.timeless:
        by_chance = _copies_in(_together(_shuffled(columns), len(rows)))
        yield from _copies(_copies_in(alike), len(rows), by_chance, fine=False)
        return
    frame = look.frame.iloc[rows]
    grouped = frame.groupby(["voice_time_us", "observe_time_us"], sort=False)
    moments = grouped.ngroup().to_numpy(np.int64)
    copies = _copies_in(_together([alike, moments], len(rows)))
    # Rows that only look alike meet at one moment by chance.
    chance = _pairs(alike) * _pairs(moments) / (len(rows) * (len(rows) - 1) / 2)
    fine = len(np.unique(moments)) > _FINE * (len(rows) - copies)
    yield from _copies(copies, len(rows), chance, fine)
    yield from _across(look, alike, look.ordering_us[rows])


def _copies(copies: int, rows: int, chance: float, fine: bool) -> Iterator[Finding]:
    """Copies of one row at one moment, against how many chance makes."""
    if not copies:
        return
    beyond = copies - chance
    many = beyond >= (max(_FEWEST, _FINE_SHARE * rows) if fine else _SHARE * rows)
    severity: Severity = "warning" if many and copies > 3 * chance else "note"
    figures = {"share": copies / rows, "by_chance": round(chance, 1)}
    yield Finding("duplicate-rows", severity, None, copies, figures)


def _across(look: Look, alike: np.ndarray, times: np.ndarray) -> Iterator[Finding]:
    """Rows of the test that have a twin before it, but for their times, beyond the usual.

    What is usual, the end of the training time shows against what lies before it.
    """
    order = np.argsort(times, kind="stable")
    alike = alike[order]
    n = len(alike)
    cut = int(n * (1 - look.spec.split.test_fraction))
    earlier = int(cut * (1 - look.spec.split.test_fraction))
    if earlier < 50 or n - cut < 50:
        return
    twins = np.isin(alike[cut:], alike[:cut])
    usual = float(np.isin(alike[earlier:cut], alike[:earlier]).mean()) * cut / earlier
    share, usual = float(twins.mean()), min(usual, 1.0)
    spread = math.sqrt(max(usual * (1 - usual), 1e-4) / len(twins))
    if share - usual >= max(_SHARE, _CLEAR * spread):
        figures = {"share": share, "usual": usual, "rows_of_test": len(twins)}
        yield Finding(
            "duplicate-rows", "warning", None, int(twins.sum()), figures, "duplicate-rows/across"
        )


def _columns(look: Look, rows: np.ndarray) -> list[np.ndarray]:
    """The columns of the file but ids, times and label, as codes: what copies agree in.

    Columns that nothing maps help to tell rows apart, so they are looked at where they were read;
    but one that numbers the rows would tell every copy apart.
    """
    raw = look.main.iloc[look.frame["_raw"].to_numpy()[rows]]
    apart = {one.column for one in look.sources if one.kind == "time" or one.name == "grumble_id"}
    apart |= {name for name in (look.label_column, look.spec.split.groups) if name is not None}
    if look.spec.events is not None:
        apart.add(look.spec.events.case)
    mapped = {one.column for one in look.sources}
    columns = []
    for column in raw:
        codes = np.asarray(pd.factorize(raw[column])[0], dtype=np.int64) + 1
        numbering = column not in mapped and codes.max() > _NUMBERING * len(rows)
        if column not in apart and not numbering:
            columns.append(codes)
    return columns


def _together(columns: list[np.ndarray], rows: int) -> np.ndarray:
    """One code for all rows that agree in every column."""
    code = np.zeros(rows, dtype=np.int64)
    for column in columns:
        both = code * (int(column.max()) + 1) + column
        code = np.asarray(pd.factorize(both)[0], dtype=np.int64)
    return code


def _shuffled(columns: list[np.ndarray]) -> list[np.ndarray]:
    """The columns as if they had nothing to do with each other; the same at every run."""
    rng = np.random.default_rng(0)
    return [rng.permutation(column) for column in columns]


def _copies_in(codes: np.ndarray) -> int:
    return len(codes) - len(np.unique(codes))


def _pairs(codes: np.ndarray) -> float:
    """How many pairs of rows have the same code."""
    counts = np.bincount(codes).astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())


DETECTORS = (
    Detector("duplicate-id", duplicate_ids),
    Detector("duplicate-rows", duplicate_rows),
)
