"""The settings of LightGBM that a search tries: a fixed list, so that a search can be repeated.

The first six were found good on real and simulated exports; those that follow are spread evenly
over the space around them (a Halton sequence). A budget is how many of the list are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Encoding = Literal["native", "target", "ordered"]
SMOOTHING = 20.0
"""Rows of average complaint rate that every level of a target statistic starts with."""
LEAF_FACTOR = "leaf_factor"
"""A setting of ours: multiplies the rows that a leaf must hold, which follow the data's size."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting to try. ``params`` override what all trials have in common.

    ``encoding``: a category goes to LightGBM as such (``native``) or as the complaint rate of
    its level, counted in other parts of the data (``target``) or before the row's moment
    (``ordered``).
    """

    name: str
    encoding: Encoding
    params: Mapping[str, float] = field(default_factory=dict)
    smoothing: float = SMOOTHING

    @property
    def rated(self) -> bool:
        """Are categories told by their rates?"""
        return self.encoding != "native"


TRIALS = (
    Trial("target-16", "target", {"num_leaves": 16}),
    Trial("native-4", "native", {"num_leaves": 4, "feature_fraction": 0.7}),
    Trial("native-8", "native", {"num_leaves": 8, "feature_fraction": 0.5}),
    Trial("target-4", "target", {"num_leaves": 4, "feature_fraction": 0.5}),
    Trial("target-32", "target", {"num_leaves": 32}),
    Trial("native-24", "native", {"num_leaves": 24}),
)
_T = TypeVar("_T")
_ENCODINGS: tuple[Encoding, ...] = ("native", "target", "ordered")
_LEAVES = (3, 4, 6, 8, 12, 16, 24, 32, 48)
_RIDGES = (1.0, 10.0, 30.0, 100.0)
_LEAF_FACTORS = (0.5, 1.0, 2.0, 4.0)
_SMOOTHINGS = (10.0, 20.0, 50.0)


def trial_list(count: int) -> tuple[Trial, ...]:
    """The first ``count`` trials; a longer list begins with the shorter one."""
    return (*TRIALS, *_spread(count - len(TRIALS)))[:count]


def _spread(count: int) -> list[Trial]:
    if count <= 0:
        return []
    from scipy.stats import qmc  # takes a second to import, and only training searches

    points = qmc.Halton(5, scramble=True, rng=0).random(count).tolist()
    trials = []
    for number, (leaves, share, ridge, factor, smoothing) in enumerate(points):
        encoding = _ENCODINGS[number % len(_ENCODINGS)]
        size = _pick(_LEAVES, leaves)
        params = {
            "num_leaves": size,
            "feature_fraction": round(0.2 + 0.6 * share, 2),
            "lambda_l2": _pick(_RIDGES, ridge),
            LEAF_FACTOR: _pick(_LEAF_FACTORS, factor),
        }
        name = f"{encoding}-{size}-{len(TRIALS) + number + 1}"
        trials.append(Trial(name, encoding, params, _pick(_SMOOTHINGS, smoothing)))
    return trials


def _pick(values: Sequence[_T], share: float) -> _T:
    return values[int(share * len(values))]
