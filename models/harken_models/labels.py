"""Was the grumble followed by a complaint? Only where that can be known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harken_models.history import EventIndex, group_codes


def complaint_labels(
    frame: pd.DataFrame, complaints: pd.DataFrame, horizon_us: int, end_us: int
) -> np.ndarray:
    """1.0, 0.0 or NaN for each grumble.

    1.0: the same customer complains in ``(observe, observe + horizon]``. NaN (left out): the
    horizon had not passed when the data ends, the customer is unknown, or the grumble had
    already become a complaint, one made in ``[voice, observe]``: nothing is left to predict.
    """
    customers, complainants = group_codes(frame["customer_id"], complaints["customer_id"])
    times = complaints["complaint_time_us"].to_numpy(np.int64)
    events = EventIndex(complainants, times)
    voice = frame["voice_time_us"].to_numpy()
    observe = frame["observe_time_us"].to_numpy()
    # Whole microseconds: (a, b] is [a + 1, b + 1).
    followed = events.count(customers, observe + 1, observe + horizon_us + 1) > 0
    already = events.count(customers, voice, observe + 1) > 0
    known = (customers >= 0) & (observe + horizon_us <= end_us) & ~already
    return np.where(known, followed.astype(np.float64), np.nan)
