"""A small simulated history, as ``harken data prepare`` writes one, and rows made of it.

Drawn at random over the codes that the shipped bundle's core knows: the simulator proper takes
seconds to tune itself, and nothing here rests on its truth.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from harken_models.core import BEHAVIOUR_TYPES, BRANDS, CHANNELS, RESOLUTION_STATES, VIP_TIERS
from harken_models.dataset import load_dataset
from harken_server.grumble import CORE, KINDS, Grumble

ROWS = 900
HOUR_US = 3_600_000_000
START_US = 1_304_208_000_000_000  # 2011-05-01
CODES = {
    "category": ("charges", "basic_comms", "marketing", "service_quality", "info_security"),
    "point": ("spam_sms", "weak_signal", "bill_inaccurate", "staff_attitude", "extra_fee", "new"),
    "channel": CHANNELS,
    "resolution_state": RESOLUTION_STATES,
    "brand": BRANDS,
    "vip_tier": VIP_TIERS,
    "behaviour_type": BEHAVIOUR_TYPES,
}
FLAGS = ("dissatisfied", "company_responsible", "problem_exists", "corporate_contact")
COUNTS = {"arrears_count": 0.3, "suspension_count": 0.2, "grumble_count_30d": 0.6}
COUNTS |= {"grumble_count_90d": 1.2, "complaint_count_30d": 0.1, "complaint_count_90d": 0.3}
COUNTS |= {"same_point_count_90d": 0.4, "sms_count": 90.0}
_folder = tempfile.TemporaryDirectory()


@functools.cache
def simulated_history() -> Path:
    """900 grumbles of three weeks, most outcomes known; .parquet, and .csv beside it."""
    rng = np.random.default_rng(20110501)
    voiced = START_US + np.sort(rng.integers(0, 21 * 24 * HOUR_US, ROWS))
    hours = np.round(rng.exponential(40, ROWS), 1)
    frame = pd.DataFrame(
        {
            "grumble_id": [f"G{number:05}" for number in range(ROWS)],
            "customer_id": [f"C{number}" for number in rng.integers(0, 500, ROWS)],
            "voice_time": pd.to_datetime(voiced, unit="us", utc=True),
            "observe_time": pd.to_datetime(
                voiced + (hours * HOUR_US).astype(np.int64), unit="us", utc=True
            ),
        }
    )
    for name, codes in CODES.items():
        frame[name] = np.array(codes)[rng.integers(0, len(codes), ROWS)]
    for name in FLAGS:
        frame[name] = pd.array(rng.random(ROWS) < 0.5, dtype="boolean")
    for name, mean in COUNTS.items():
        frame[name] = pd.array(rng.poisson(mean, ROWS), dtype="Int64")
    frame["age_years"] = pd.array(rng.integers(16, 80, ROWS), dtype="Int64")
    frame["tenure_months"] = pd.array(rng.integers(0, 150, ROWS), dtype="Int64")
    frame["credit_level"] = pd.array(rng.integers(1, 6, ROWS), dtype="Int64")
    for name in ("monthly_spend_yuan", "use_minutes", "data_mb", "days_since_contact"):
        frame[name] = np.round(rng.lognormal(3.6, 0.8, ROWS), 2)
    for name in [*CODES, *FLAGS, "age_years", "monthly_spend_yuan", "tenure_months"]:
        frame.loc[rng.random(ROWS) < 0.06, name] = None
    complained = rng.random(ROWS) < 0.1 + 0.15 * (frame["resolution_state"] == "unresolved")
    frame["label"] = pd.array(complained, dtype="Int64")
    frame.loc[::7, "label"] = pd.NA
    path = Path(_folder.name) / "history.parquet"
    frame.to_parquet(path, index=False)
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path


def grumbles_of(path: Path) -> Iterator[Grumble]:
    """The rows one by one, as the scorer takes them."""
    frame = load_dataset(None, path).frame
    for row in frame.to_dict("records"):
        given = {}
        for name, value in row.items():
            if name in CORE and value is not None and value == value:
                given[name] = KINDS[name](value)
        yield Grumble(**given)
