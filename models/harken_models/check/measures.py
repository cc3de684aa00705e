"""The few statistics that the detectors share. None of them draws a random number."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binom, rankdata

PARTS = 5
SMOOTHING = 20.0
"""Rows at the overall rate that are added to every level before its rate is read."""


def auc(score: np.ndarray, label: np.ndarray) -> float:
    """Area under the ROC curve, ties halved; 0.5 where a class is empty."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(score)
    above = float(ranks[label > 0].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def out_of_fold_rates(codes: np.ndarray, label: np.ndarray, part: np.ndarray) -> np.ndarray:
    """For each row the smoothed rate of its level (-1 is one, too) among the other parts."""
    levels = codes + 1
    size = int(levels.max(initial=0)) + 1
    cells = part * size + levels
    rows = np.bincount(cells, minlength=PARTS * size).reshape(PARTS, size)
    hits = np.bincount(cells, weights=label, minlength=PARTS * size).reshape(PARTS, size)
    others, others_hits = rows.sum(0) - rows, hits.sum(0) - hits
    overall = others_hits.sum(1) / np.maximum(others.sum(1), 1)
    rates = (others_hits + SMOOTHING * overall[:, None]) / (others + SMOOTHING)
    return np.asarray(rates.ravel()[cells])


def deciles(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The tenth of ``among`` in which each value lies, from 0; -1 where it is missing."""
    present = among[~np.isnan(among)]
    if not len(present):
        return np.full(len(values), -1, dtype=np.int64)
    edges = np.unique(np.quantile(present, np.arange(1, 10) / 10))
    place = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), -1, place)


def common_levels(codes: np.ndarray, keep: int = 20) -> np.ndarray:
    """The codes with all but the ``keep`` commonest levels as one; missing (-1) stays."""
    counts = np.bincount(codes[codes >= 0])
    if len(counts) <= keep:
        return codes
    common = np.argsort(-counts, kind="stable")[:keep]
    renamed = np.full(len(counts), keep, dtype=np.int64)
    renamed[common] = np.arange(keep)
    return np.where(codes < 0, -1, renamed[codes])


def stability_index(before: np.ndarray, after: np.ndarray) -> float:
    """Population stability index of two columns of codes, less what chance alone makes of it.

    Two samples of one distribution differ by about (k - 1)(1/n + 1/m) over k cells.
    """
    size = int(max(before.max(initial=-1), after.max(initial=-1))) + 2
    first = np.bincount(before + 1, minlength=size)
    then = np.bincount(after + 1, minlength=size)
    seen = first + then > 0
    p = (first[seen] + 0.5) / (first[seen] + 0.5).sum()
    q = (then[seen] + 0.5) / (then[seen] + 0.5).sum()
    noise = (int(seen.sum()) - 1) * (1 / max(len(before), 1) + 1 / max(len(after), 1))
    return float(((q - p) * np.log(q / p)).sum() - noise)


def logit(rate: float, rows: int) -> float:
    """Log-odds, finite for a rate of 0 or 1: half a row is added to both classes."""
    hits = rate * rows
    return math.log((hits + 0.5) / (rows - hits + 0.5))


def surprise(hits: int, rows: int, rate: float) -> float:
    """How likely so many hits, or still further from what is expected, are by chance."""
    if hits <= rows * rate:
        return float(2 * binom.cdf(hits, rows, rate))
    return float(2 * binom.sf(hits - 1, rows, rate))
