"""What to learn from, what to judge on, and what only to be measured on.

In time: a label is known only some while after its grumble is observed. A model that is to be
judged from time T on must not have learnt from labels that were not yet known at T, so grumbles
voiced before T and known after it are purged. Without time, or where it is asked for: whole groups
of rows are shared out, those alike in everything kept together.

Rows of one group (the snapshots of a grumble) never stand on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from harken_models.errors import TrainingError
from harken_models.spec import DatasetSpec

US_PER_DAY = 86_400_000_000
SMALL = 50_000
"""Below this many rows before the test, five rolling folds judge instead of three."""
FEWEST = 10
"""Groups with a complaint (and without one) that a piece of data must hold."""
FEWEST_ROWS = 200
FOLDS = 5
COARSE = 0.2
"""Beyond this share of rows that have a double, doubles are chance, and parting them no leak."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to learn from and, later in time or of other groups, to judge on."""

    train: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, slots=True)
class Split:
    """``folds`` lie wholly before the test; ``final`` learns from all that was known by then.

    ``test_start_us`` is None and ``kind`` "groups" where rows are shared out by group.
    ``purge_us``: the longest that a label used here took to be known. ``notes`` say what was
    done otherwise than usual, in words.
    """

    folds: tuple[Fold, ...]
    final: Fold
    test_start_us: int | None
    kind: Literal["time", "groups"] = "time"
    purge_us: int = 0
    notes: tuple[str, ...] = ()


def split_rows(frame: pd.DataFrame, spec: DatasetSpec, seed: int = 1) -> Split:
    """Split the labelled, not excluded rows of a loaded dataset, by time or by groups.

    ``seed`` shuffles groups; time needs no chance. Raises TrainingError where there is too little.
    """
    if spec.timeless or spec.split.groups is not None:
        return split_by_groups(frame, spec, seed)
    return split_by_time(frame, spec)


def split_by_time(frame: pd.DataFrame, spec: DatasetSpec) -> Split:
    """The test is the last ``test_fraction`` of the groups, from a time on (rows of one time
    never part).

    Small data gets five rolling folds, each learning from the past of the next piece of time
    (half as long as ``validation_fraction``), because one small piece chooses by luck; large data
    gets three that make up ``validation_fraction``. Where outcomes take so long that the early
    ones would have nothing to learn from, there are fewer, and later ones.
    """
    rows = _Rows.of(frame, spec)
    test_start = _quantile(rows.starts(rows.usable), 1 - spec.split.test_fraction)
    before = rows.usable[rows.known_by(rows.usable, test_start)]
    final = Fold(before, rows.usable[rows.start[rows.usable] >= test_start])
    _check(final, rows)
    if len(before) < SMALL:
        wished, share = FOLDS, min(FOLDS * spec.split.validation_fraction / 2, 0.75)
    else:
        wished, share = 3, spec.split.validation_fraction
    folds = _pieces(rows, before, test_start, wished, share)
    if not folds:
        raise TrainingError(
            f"no held-out time before the test has {FEWEST} complaints and {FEWEST} grumbles "
            f"without one, or too little is known before it ({len(before):,} rows with "
            f"{int(rows.label[before].sum()):,} complaints are known when the test begins): give "
            "more data, a shorter horizon or other fractions under split"
        )
    notes = () if len(folds) == wished else (f"{len(folds)} held-out pieces instead of {wished}",)
    purge = int((rows.known - rows.observed)[rows.usable].max())
    return Split(folds, final, test_start, "time", max(purge, 0), notes)


def split_by_groups(frame: pd.DataFrame, spec: DatasetSpec, seed: int) -> Split:
    """Whole groups are dealt to the test and to five folds, complaints spread evenly.

    Rows alike in all fields that the model may see belong together as well, unless there are so
    many that it is the fields which are coarse.
    """
    rows = _Rows.of(frame, spec)
    group, notes = _merged(frame, rows)
    rng = np.random.default_rng(seed)
    order = _dealt(rows.usable, group, rows.label, rng)
    place = np.arange(len(order)) + 1
    tested = np.floor(place * spec.split.test_fraction) > np.floor(
        (place - 1) * spec.split.test_fraction
    )
    in_test = np.isin(group[rows.usable], order[tested])
    final = Fold(rows.usable[~in_test], rows.usable[in_test])
    _check(final, rows)
    order = _dealt(final.train, group, rows.label, rng)
    fold_of = np.zeros(group.max(initial=0) + 1, dtype=np.int64)
    fold_of[order] = np.arange(len(order)) % FOLDS
    own = fold_of[group[final.train]]
    folds = [Fold(final.train[own != k], final.train[own == k]) for k in range(FOLDS)]
    sound = tuple(f for f in folds if rows.enough(f.train) and rows.enough(f.held_out))
    if not sound:
        raise TrainingError(
            f"no fold of the {len(final.train):,} rows beside the test has {FEWEST} complaints "
            f"and {FEWEST} rows without one: give more data or a smaller test_fraction"
        )
    return Split(sound, final, None, "groups", 0, notes)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a split looks at. ``start``: when a row's group begins, in the time that orders."""

    usable: np.ndarray
    label: np.ndarray
    group: np.ndarray
    start: np.ndarray
    observed: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: DatasetSpec) -> _Rows:
        usable = np.flatnonzero(frame["label"].notna().to_numpy() & ~frame["excluded"].to_numpy())
        if len(usable) < FEWEST_ROWS:
            raise TrainingError(
                f"only {len(usable)} rows have a known outcome; at least {FEWEST_ROWS} are needed"
            )
        group = groups_of(frame)
        if spec.timeless:
            times = observed = known = np.zeros(len(frame), dtype=np.int64)
        else:
            times = frame[f"{spec.split.by}_us"].to_numpy()
            observed = frame["observe_time_us"].to_numpy()
            known = known_us(frame, spec)
        first = np.full(group.max(initial=0) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, group, times)
        start = first[group]
        at_once = (known[usable] == observed[usable]).all()
        if at_once and not round(spec.horizon_days * US_PER_DAY):
            # Without a horizon the outcome is no later event, and nothing is to be purged,
            # whatever time orders the rows.
            known = observed = start
        label = frame["label"].to_numpy()
        return cls(usable, label, group, start, observed, known)

    def starts(self, rows: np.ndarray) -> np.ndarray:
        """When the groups of ``rows`` begin, each group once."""
        first = np.unique(self.group[rows], return_index=True)[1]
        return np.asarray(self.start[rows][first])

    def known_by(self, rows: np.ndarray, start: int) -> np.ndarray:
        """Which of ``rows`` are of groups before ``start`` and had shown their outcome by then."""
        return np.asarray((self.start[rows] < start) & (self.known[rows] <= start))

    def enough(self, rows: np.ndarray) -> bool:
        """Are there ten groups with a complaint among them, and ten without?"""
        positive = self.label[rows] > 0
        group = self.group[rows]
        return all(len(np.unique(group[some])) >= FEWEST for some in (positive, ~positive))


def groups_of(frame: pd.DataFrame) -> np.ndarray:
    """The number of each row's group: small integers; every row its own where none is said."""
    if "_group" not in frame:
        return np.arange(len(frame))
    return np.asarray(pd.factorize(frame["_group"])[0], dtype=np.int64)


def known_us(frame: pd.DataFrame, spec: DatasetSpec) -> np.ndarray:
    """When each row's outcome was known: said by the data, or a horizon after the observation."""
    if "_known_us" in frame:
        return np.asarray(frame["_known_us"], dtype=np.int64)
    horizon_us = round(spec.horizon_days * US_PER_DAY)
    return np.asarray(frame["observe_time_us"].to_numpy() + horizon_us)


def weights_of(frame: pd.DataFrame) -> np.ndarray:
    """What each row counts (float64, 1 where nothing is said)."""
    if "_weight" not in frame:
        return np.ones(len(frame))
    return np.asarray(frame["_weight"], dtype=np.float64)


def _pieces(
    rows: _Rows, before: np.ndarray, test_start: int, wished: int, share: float
) -> tuple[Fold, ...]:
    """Held-out pieces of the time before the test, as wished for if most of them hold enough.

    Otherwise fewer of them, which are larger, and then less of the time, which begins later.
    """
    found: tuple[Fold, ...] = ()
    for part in (share, share / 2, share / 4):
        for pieces in range(wished, 0, -1):
            folds = _rolling(rows, before, test_start, pieces, part)
            if len(folds) > pieces / 2:
                return folds
            found = max(found, folds, key=len)
    return found


def _rolling(
    rows: _Rows, before: np.ndarray, test_start: int, pieces: int, share: float
) -> tuple[Fold, ...]:
    """The last ``share`` of the rows before the test in ``pieces``, those that hold enough."""
    start = rows.start[before]
    groups = rows.starts(before)
    bounds = [_quantile(groups, 1 - share * left / pieces) for left in range(pieces, 0, -1)]
    folds = []
    for begin, end in zip(bounds, [*bounds[1:], test_start], strict=True):
        held_out = before[(start >= begin) & (start < end)]
        fold = Fold(before[rows.known_by(before, begin)], held_out)
        if rows.enough(fold.train) and rows.enough(fold.held_out):
            folds.append(fold)
    return tuple(folds)


def _quantile(times: np.ndarray, share: float) -> int:
    ordered = np.sort(times)
    return int(ordered[min(int(share * len(ordered)), len(ordered) - 1)])


def _merged(frame: pd.DataFrame, rows: _Rows) -> tuple[np.ndarray, tuple[str, ...]]:
    """Groups joined where rows of several are alike in every field; and what was done."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    fields = [
        name
        for name in map(str, frame.columns)
        if not name.startswith("_") and name not in ("label", "excluded", "grumble_id")
    ]
    alike = pd.factorize(pd.util.hash_pandas_object(frame[fields], index=False))[0]
    size = np.bincount(alike[rows.usable], minlength=alike.max(initial=0) + 1)
    doubled = size[alike[rows.usable]] > 1
    if not doubled.any():
        return rows.group, ()
    if doubled.mean() > COARSE:
        note = f"{doubled.mean():.0%} of the rows are alike in every field; they were not kept"
        return rows.group, (f"{note} together",)
    count = rows.group.max() + 1
    pairs = (np.ones(len(frame)), (rows.group, count + alike))
    whole = count + alike.max() + 1
    component = connected_components(coo_array(pairs, shape=(whole, whole)), directed=False)[1]
    note = f"{int(doubled.sum()):,} rows that are alike in every field were kept together"
    return pd.factorize(component[rows.group])[0].astype(np.int64), (note,)


def _dealt(
    some: np.ndarray, group: np.ndarray, label: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The groups of some rows, by complaints, then by size, then by chance.

    Dealing them out in turn gives every part its share of each kind.
    """
    found, inverse = np.unique(group[some], return_inverse=True)
    positives = np.bincount(inverse, weights=label[some])
    order = np.lexsort((rng.random(len(found)), np.bincount(inverse), positives))
    return np.asarray(found[order])


def _check(final: Fold, rows: _Rows) -> None:
    for some, what in ((final.train, "learn from"), (final.held_out, "be judged on")):
        if not rows.enough(some):
            raise TrainingError(
                f"a model would have to {what} {len(some)} rows with {int(rows.label[some].sum())} "
                "complaints; give more data, a shorter horizon or other fractions under split"
            )
