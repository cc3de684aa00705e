"""Rows of every kind that a model may be asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
from harken_models.core import BRANDS, CHANNELS, RESOLUTION_STATES, SEGMENTS, VIP_TIERS


def random_rows(rows: int, seed: int) -> list[dict[str, Any]]:
    """Rows with missing and never-seen values in every field."""
    rng = np.random.default_rng(seed)

    def code(*values: str) -> Any:
        return rng.choice(np.array([*values, "never seen", "", None], dtype=object))

    def number(low: float, high: float) -> Any:
        choice = rng.integers(0, 10)
        if choice == 0:
            return None
        if choice == 9:
            return float(rng.choice([1e308, -1e308, 1e-308, -5.0]))
        return int(rng.integers(low, high)) if choice < 5 else float(rng.uniform(low, high))

    result = []
    for _ in range(rows):
        voice = int(rng.integers(10**15, 2 * 10**15))
        row = {
            "voice_time_us": voice,
            "observe_time_us": voice + int(rng.integers(0, 10**13)),
            "point": code("spam_sms", "weak_signal", "bill_inaccurate", "extra_fee"),
            "category": code("charges", "basic_comms"),
            "channel": code(*CHANNELS[:6]),
            "resolution_state": code(*RESOLUTION_STATES),
            "brand": code(*BRANDS),
            "vip_tier": code(*VIP_TIERS),
            "segment": rng.choice(np.array([None, None, None, *SEGMENTS], dtype=object)),
            "dissatisfied": rng.choice(np.array([True, False, None], dtype=object)),
            "age_years": number(0, 150),
            "tenure_months": number(0, 400),
            "monthly_spend_yuan": number(0, 5000),
            "grumble_count_90d": number(0, 50),
            "complaint_count_90d": number(0, 50),
            "plan": code("basic", "family", "商务"),
            "roaming": rng.choice(np.array([True, False, None], dtype=object)),
            "data_gb": number(0, 100),
        }
        result.append({k: v for k, v in row.items() if v is not None or rng.random() < 0.5})
    return result


def as_columns(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        if name.endswith("_us"):
            columns[name] = np.array(values, dtype=np.int64)
        elif any(isinstance(value, str) for value in values):
            columns[name] = np.array(values, dtype=object)
        else:
            columns[name] = np.array(
                [np.nan if value is None else float(value) for value in values]
            )
    return columns
