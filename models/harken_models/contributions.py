"""What each feature contributes to a sum of trees: exact SHAP values, without walking the trees.

The values are those of ``pred_contrib`` (path-dependent TreeSHAP, Lundberg et al. 2018), whose
recursion visits every leaf with all that it has met on the way. Leaf by leaf the same sum has a
closed form. Let a leaf of value v have the features 1..d on its path, let z_i be the share of
the training rows that pass the path's questions about feature i, and o_i be 1 if this row
passes them, else 0. Weighting the subsets of the other features is a Beta integral, so

    share_j = v (o_j - z_j) ∫₀¹ ∏_{i≠j} (o_i t + z_i (1 - t)) dt,

a polynomial of degree d - 1 in t, which Gauss-Legendre quadrature with ⌈d/2⌉ nodes integrates
exactly. All that does not depend on the row is tabulated, with the nodes side by side as a
vector for the processor. For o_j = 0 the factor z_j cancels: those features share one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from harken_models.errors import ModelsError
from harken_models.treetext import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_NONE,
    MISSING_ZERO,
    ZERO,
    TreeArrays,
)

NODES = (4, 8, 16)
"""Numbers of nodes in use, for leaves with up to twice as many features."""

Kernel = Callable[..., None]
"""Adds up one group; see ``harken_models.contribcode``."""


class _Leaf(NamedTuple):
    """A leaf: its value and, of each feature on its path, share and answers asked for.

    An answer is a node's number for left, the number plus that of all nodes for right.
    """

    value: float
    features: list[int]
    shares: list[float]
    answers: list[list[int]]


class _Group(NamedTuple):
    """The leaves that take equally many nodes; a pair is one of a leaf and a feature.

    The pairs of leaf i are ``starts[i]`` to ``starts[i + 1]``. Tables have a row of nodes: a
    pair's factor is ``failed``, and the node more if the row passes; ``common`` turns the
    product of a leaf's factors into the share of each feature that the row fails, ``weight``
    into what that of a feature passed is more.
    """

    nodes: np.ndarray
    starts: np.ndarray
    features: np.ndarray
    failed: np.ndarray
    weight: np.ndarray
    common: np.ndarray


class Contributions:
    """Base value and contributions of the trees' features. Immutable, so safe to share.

    ``width`` is the number of features of a row. Preparing takes some 40 µs a leaf. Raises
    ModelsError where a path asks about more features than there are tables for.
    """

    def __init__(
        self, trees: Sequence[TreeArrays], width: int, kernels: Callable[[int], Kernel]
    ) -> None:
        self._width = width
        self._questions = _Questions(trees)
        self.base = float(sum(_mean(tree) for tree in trees))
        by_nodes: dict[int, list[_Leaf]] = {count: [] for count in NODES}
        first = 0
        for tree in trees:
            for leaf in _leaves(tree, first, self._questions.count):
                by_nodes[_nodes_for(len(leaf.features))].append(leaf)
            first += len(tree.feature)
        used = [(count, leaves) for count, leaves in by_nodes.items() if leaves]
        answers = [asked for _, leaves in used for leaf in leaves for asked in leaf.answers]
        # Most pairs ask one question; of the others the second, third, … are put in turn.
        self._first = np.array([asked[0] for asked in answers], dtype=np.intp)
        self._further = [
            (np.array(pairs), np.array([answers[pair][turn] for pair in pairs]))
            for turn in range(1, max(map(len, answers), default=0))
            if (pairs := [i for i, asked in enumerate(answers) if len(asked) > turn])
        ]
        self._groups = [_group(count, leaves) for count, leaves in used]
        self._calls = [
            (kernels(count), [table.ctypes.data for table in group], len(group.common))
            for (count, _), group in zip(used, self._groups, strict=True)
        ]

    def __call__(self, row: np.ndarray) -> np.ndarray:
        """The contributions (features,) to the trees' sum for a row (features,), float64."""
        answers = self._questions.answers(row)
        passes = answers[self._first]
        for pairs, asked in self._further:
            passes[pairs] &= answers[asked]
        shares = np.zeros(self._width)
        place, result = passes.ctypes.data, shares.ctypes.data
        for (kernel, tables, leaves), group in zip(self._calls, self._groups, strict=True):
            kernel(*tables, place, leaves, result)
            place += len(group.features)
        return shares


class _Questions:
    """All nodes of all trees, asked at once."""

    def __init__(self, trees: Sequence[TreeArrays]) -> None:
        def all_of(name: str) -> np.ndarray:
            return np.concatenate([np.zeros(0, dtype=np.int64), *(getattr(t, name) for t in trees)])

        self._feature = all_of("feature").astype(np.intp)
        self._threshold = all_of("threshold").astype(np.float64)
        self.count = len(self._feature)
        decision = all_of("decision").astype(np.int64)
        missing, categorical = decision >> 2, decision & CATEGORICAL != 0
        by_default, zero = decision & DEFAULT_LEFT != 0, self._threshold >= 0
        self._if_nan = np.where(missing == MISSING_NONE, zero, by_default)
        self._if_zero = np.where(missing == MISSING_ZERO, by_default, zero)
        self._categorical = np.flatnonzero(categorical)
        codes = [own for tree in trees for _, own in sorted(tree.categories.items())]
        self._unknown = max((max(own, default=0) for own in codes), default=0) + 1
        self._known = np.zeros((len(codes), self._unknown + 1), dtype=bool)
        for place, own in enumerate(codes):
            self._known[place, list(own)] = True

    def answers(self, row: np.ndarray) -> np.ndarray:
        """For each node, does the row go left? Then, for each, does it go right?"""
        values = np.where(np.abs(row) <= ZERO, 0.0, row)[self._feature]
        left = np.where(values == 0, self._if_zero, values <= self._threshold)
        left = np.where(np.isnan(values), self._if_nan, left)
        if len(self._categorical):
            codes = values[self._categorical]
            # A code is cut off towards zero; what is negative, NaN or too large is not known.
            codes = np.where(codes > -1, np.minimum(codes, self._unknown), self._unknown)
            places = np.arange(len(codes))
            left[self._categorical] = self._known[places, codes.astype(np.intp)]
        return np.concatenate([left, ~left])


def _nodes_for(features: int) -> int:
    for count in NODES:
        if features <= 2 * count:
            return count
    raise ModelsError(f"a leaf's path asks about {features} features")


def _mean(tree: TreeArrays) -> float:
    """What the tree says on average over its training rows."""
    if len(tree.leaf_value) == 1:
        return float(tree.leaf_value[0])
    return float(np.sum(tree.leaf_rows / tree.node_rows[0] * tree.leaf_value))


def _leaves(tree: TreeArrays, first: int, count: int) -> Iterator[_Leaf]:
    """The leaves of a tree whose first node is ``first`` of ``count``; none of a lone leaf."""
    if not len(tree.feature):
        return
    feature, left, right = tree.feature.tolist(), tree.left.tolist(), tree.right.tolist()
    node_rows, leaf_rows = tree.node_rows.tolist(), tree.leaf_rows.tolist()
    values = tree.leaf_value.tolist()
    waiting: list[tuple[int, list[tuple[int, float, int]]]] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if node < 0:
            shares: dict[int, float] = {}
            answers: dict[int, list[int]] = {}
            for asked, share, answer in path:
                shares[asked] = shares.get(asked, 1.0) * share
                answers.setdefault(asked, []).append(answer)
            yield _Leaf(values[~node], list(shares), list(shares.values()), list(answers.values()))
            continue
        for child, answer in ((left[node], first + node), (right[node], first + node + count)):
            rows = node_rows[child] if child >= 0 else leaf_rows[~child]
            waiting.append((child, [*path, (feature[node], rows / node_rows[node], answer)]))


def _group(count: int, leaves: Sequence[_Leaf]) -> _Group:
    points, weights = np.polynomial.legendre.leggauss(count)
    t, w = (points + 1) / 2, weights / 2
    sizes = [len(leaf.features) for leaf in leaves]
    value = np.array([leaf.value for leaf in leaves])[:, None]
    z = np.array([share for leaf in leaves for share in leaf.shares])[:, None]
    common = -value * w / (1 - t)
    each = np.repeat(np.arange(len(leaves)), sizes)
    return _Group(
        nodes=t,
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        features=np.array([f for leaf in leaves for f in leaf.features], dtype=np.int64),
        failed=z * (1 - t),
        weight=value[each] * w * (1 - z) / (t + z * (1 - t)) - common[each],
        common=common,
    )
