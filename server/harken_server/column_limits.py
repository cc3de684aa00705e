"""``limits.sound`` by columns: which rows the API refuses, whatever the rule base says."""

from __future__ import annotations

import numpy as np
from harken_rules.column_cells import Coded
from numpy.typing import NDArray

from harken_server.columns import GrumbleColumns
from harken_server.limits import CODES, LATEST_US, MAX_CODE, RANGES


def unsound_rows(grumbles: GrumbleColumns) -> NDArray[np.int64]:
    """The rows, in order, whose form is not sound; attributes apart."""
    columns = grumbles.columns
    voice, observe = columns["voice_time_us"], columns["observe_time_us"]
    bad = np.zeros(grumbles.rows, dtype=bool)
    bad |= (voice < 0) | (observe < voice) | (observe >= LATEST_US)  # type: ignore[operator]
    for name, (low, high) in RANGES.items():
        column = columns.get(name)
        if column is not None:  # NaN lies neither below nor above
            bad |= (column < low) | (column > high)  # type: ignore[operator]
    for name, lengths in grumbles.lengths.items():
        bad |= lengths > MAX_CODE
        if name == "grumble_id":
            bad |= lengths == 0
    for name in CODES:
        column = columns.get(name)
        if isinstance(column, Coded):
            long = [place for place, text in enumerate(column.values) if len(str(text)) > MAX_CODE]
            if long:
                bad |= np.isin(column.codes, long)
    return np.flatnonzero(bad)
