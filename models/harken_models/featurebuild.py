"""Which features a data set can give: made once, at training, from what the data holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harken_models.core import CORE_FIELDS, RESOLUTION_STATES, VIP_TIERS
from harken_models.features import JOINT, US_PER_DAY, WEEKDAYS, Feature, FeatureSpec
from harken_models.history import EXTENDED
from harken_models.spec import ATTRIBUTE_PREFIX, DatasetSpec
from harken_models.timetext import utc_offset_hours

# Where the domain is sure: longer unresolved, worse resolved, more often → not less likely. The
# last lines are the reserved names of attributes. Hours since something are none of these: right
# after an event they are short, and what they then say depends on the event.
_RISING = frozenset(
    ("grumble_count_30d", "grumble_count_90d", "complaint_count_30d", "complaint_count_90d",
     "same_point_count_90d",
     "grumble_count_7d", "complaint_count_7d", "same_point_count_30d", "open_grumble_count",
     "contact_count", "handover_count", "reopening_count")
)  # fmt: skip
_ORDINAL = {"resolution_state": (RESOLUTION_STATES, 1), "vip_tier": (VIP_TIERS, 0)}

# What the domain knows to act together: key points differ by segment, tariff-sensitive
# customers escalate over fees. The resolution state stands in none: as a part of a category it
# would escape its monotone sign.
_JOINT = {
    "point_in_segment": ("point", "segment"),
    "category_for_type": ("category", "behaviour_type"),
}

MINIMUM_LEVEL = 5
"""A category is kept where this many training rows have it; rarer ones are pooled. Low, because
every model here shrinks a level by itself when it has few rows."""
MAXIMUM_LEVELS = 250
MAXIMUM_OWN_LEVELS = 400
"""Of an operator's own category. A rate for each level would bear a thousand of them, but the same
codes also go to LightGBM as such, which past some hundreds mostly learns noise from them."""
MINIMUM_WEEKS = 8


def build_features(frame: pd.DataFrame, spec: DatasetSpec) -> FeatureSpec:
    """The feature specification of a data set's training rows.

    ``frame`` holds only rows to learn from. A column that is empty or constant there gives no
    feature. Categories are pooled by frequency alone, never by outcome.
    """
    features: list[Feature] = []
    times = {"observe_time_us", "voice_time_us"}
    for name, core in CORE_FIELDS.items():
        if core.type in ("text", "time") or name not in frame:
            continue
        if core.type in ("number", "integer"):
            sign = 1 if name in _RISING else 0
            features.append(Feature(name, "number", (name,), unit=core.unit, monotone=sign))
        elif core.type == "flag":
            features.append(Feature(name, "flag", (name,)))
        elif name in _ORDINAL:
            order, sign = _ORDINAL[name]
            features.append(
                Feature(name, "ordinal", (name,), monotone=sign, categories=order, unit="rank")
            )
        else:
            features.append(Feature(name, "category", (name,), categories=_levels(frame[name])))
    for name, pair in _JOINT.items():
        if set(pair) <= set(frame):
            levels = _levels(_joined(frame, pair))
            features.append(Feature(name, "category", pair, JOINT, categories=levels))
    if {"grumble_count_90d", "complaint_count_90d"} <= set(frame):
        counts = ("grumble_count_90d", "complaint_count_90d")
        features.append(Feature("contact_count_90d", "number", counts, "total", "contacts", 1))
    if times <= set(frame):
        both = ("observe_time_us", "voice_time_us")
        features.append(Feature("open_hours", "number", both, "open_hours", "hours", 1))
        features.extend(_calendar(frame["voice_time_us"]))
    features.extend(_own(frame, spec))
    if any(ATTRIBUTE_PREFIX + name in frame for name in EXTENDED):
        features.extend(_shares(frame))
    offset = utc_offset_hours(spec.time_zone)
    every = FeatureSpec(tuple(features), offset)
    matrix = every.encode_columns(model_columns(frame), len(frame))
    return FeatureSpec(
        tuple(f for f, column in zip(features, matrix.T, strict=True) if _varies(column)), offset
    )


def model_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """A loaded data set's frame as columns for the model: attributes under their own names."""
    return {
        name.removeprefix(ATTRIBUTE_PREFIX): frame[name].to_numpy()
        for name in map(str, frame.columns)
        if name not in ("label", "excluded", "grumble_id", "customer_id")
        and not name.startswith("_")
    }


def _levels(column: pd.Series, most: int = MAXIMUM_LEVELS) -> tuple[str, ...]:
    # Of levels that are equally frequent at the edge the first by name are kept.
    counts = column.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    kept = counts[counts >= MINIMUM_LEVEL].head(most)
    return tuple(sorted(map(str, kept.index)))


def _own(frame: pd.DataFrame, spec: DatasetSpec) -> list[Feature]:
    """The operator's attributes."""
    features = []
    for name, attribute in spec.attributes.items():
        column, kind = frame[ATTRIBUTE_PREFIX + name], attribute.type
        levels = _levels(column, MAXIMUM_OWN_LEVELS) if kind == "category" else ()
        sign = 1 if name in _RISING and kind == "number" else 0
        features.append(
            Feature(name, kind, (name,), monotone=sign, categories=levels, attribute=True)
        )
    return features


def _joined(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.Series:
    """Both codes as a joint category writes them, of the rows that have both."""
    known = frame[list(pair)].dropna()
    return known[pair[0]].astype(str) + "|" + known[pair[1]].astype(str)


def _shares(frame: pd.DataFrame) -> list[Feature]:
    """Shares of an extended history, from counts that are sent. How they turn with the
    probability depends on the counts, so none is held to a sign."""
    shares = {
        "complaint_share_90d": ("complaint_count_90d", "grumble_count_90d", "share"),
        "recent_grumble_share": ("grumble_count_30d", "grumble_count_90d", "part"),
    }
    return [
        Feature(name, "number", (first, second), formula, "share")
        for name, (first, second, formula) in shares.items()
        if first in frame and second in frame
    ]


def _calendar(voice_us: pd.Series) -> list[Feature]:
    """Hour and weekday, where the data is long enough to tell a weekday from a single day."""
    if voice_us.max() - voice_us.min() < MINIMUM_WEEKS * 7 * US_PER_DAY:
        return []
    voice = ("voice_time_us",)
    return [
        Feature("hour_of_day", "number", voice, "hour_of_day", "hours"),
        Feature("day_of_week", "category", voice, "day_of_week", categories=WEEKDAYS),
    ]


def _varies(column: np.ndarray) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 0 and (len(known) < len(column) or bool((known != known[0]).any()))
