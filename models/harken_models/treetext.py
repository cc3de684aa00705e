"""The trees of LightGBM's text format as arrays: what nodes ask, where they lead, leaves.

Only what comparing and explaining need is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from harken_models.errors import ModelsError

CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NONE, MISSING_ZERO = 0, 1
ZERO = float(np.float32(1e-35))
"""Up to here, either side of it, LightGBM takes a number for zero."""


class TreeArrays(NamedTuple):
    """One tree; arrays by node, then by leaf. A child ``c`` below 0 is the leaf ``~c``.

    ``decision``: bits CATEGORICAL, DEFAULT_LEFT, and the missing type from bit 2 on.
    ``categories``: of each categorical node the codes that go left.
    """

    feature: np.ndarray
    threshold: np.ndarray
    decision: np.ndarray
    left: np.ndarray
    right: np.ndarray
    categories: Mapping[int, frozenset[int]]
    node_rows: np.ndarray
    leaf_value: np.ndarray
    leaf_rows: np.ndarray


def read_trees(text: str) -> list[TreeArrays]:
    """The trees of a model with one output. Raises ModelsError for what is none of the usual
    sums of trees: several classes, averaged trees, linear leaves, no tree at all."""
    head, *blocks = text.split("\nend of trees", 1)[0].split("\nTree=")
    lines = head.splitlines()
    if "num_tree_per_iteration=1" not in lines:
        raise ModelsError("the model has several outputs")
    if "average_output" in lines:
        raise ModelsError("the model averages its trees")
    if not blocks:
        raise ModelsError("the model has no trees")
    try:
        return [_tree(block) for block in blocks]
    except (LookupError, ValueError) as error:
        raise ModelsError(f"the model's text cannot be read: {error!r}") from None


def _tree(block: str) -> TreeArrays:
    pairs = (line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
    said = dict(pairs)
    if said.get("is_linear", "0") != "0":
        raise ModelsError("the model has linear leaves")

    def numbers(name: str, kind: type) -> np.ndarray:
        return np.array(said.get(name, "").split(), dtype=kind)

    decision, threshold = numbers("decision_type", np.int64), numbers("threshold", np.float64)
    bounds, words = numbers("cat_boundaries", np.int64), numbers("cat_threshold", np.int64)
    categories = {}
    for node in np.flatnonzero(decision & CATEGORICAL).tolist():
        place = int(threshold[node])
        own = words[bounds[place] : bounds[place + 1]].tolist()
        categories[node] = frozenset(
            32 * at + bit for at, word in enumerate(own) for bit in range(32) if word >> bit & 1
        )
    return TreeArrays(
        numbers("split_feature", np.int64),
        threshold,
        decision,
        numbers("left_child", np.int64),
        numbers("right_child", np.int64),
        categories,
        numbers("internal_count", np.int64),
        numbers("leaf_value", np.float64),
        numbers("leaf_count", np.int64),
    )
