"""Named random streams: one seed, one stream for each name and block of customers.

A stream's key is a checksum of its name, so a stream added later changes none of those
that were there before, and a block's draws do not depend on how many blocks there are.
Only uniforms are ever drawn, everything else is made from them by inverse transforms:
numpy promises the bits of a bit generator, not those of its distributions.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Streams:
    """The random streams of one block of customers."""

    seed: int
    block: int

    def uniform(self, name: str, n: int) -> Floats:
        """``n`` uniforms on (0, 1), always the same ones for this name, seed and block."""
        key = (zlib.crc32(name.encode()), self.block)
        bits = np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key))
        raw = bits.random_raw(n) >> np.uint64(11)
        # Half a step up: 0 and 1 themselves, where inverse transforms are infinite, stay out.
        return (raw.astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, name: str, n: int) -> Floats:
        """``n`` standard normals."""
        return np.asarray(ndtri(self.uniform(name, n)), dtype=np.float64)

    def gamma(self, name: str, shape: float | Floats, n: int) -> Floats:
        """``n`` gammas of this shape, scaled to mean 1."""
        draws = gammaincinv(shape, self.uniform(name, n)) / shape
        return np.asarray(draws, dtype=np.float64)

    def flags(self, name: str, probability: float | Floats, n: int) -> Flags:
        """``n`` independent flags, true with this probability."""
        return np.asarray(self.uniform(name, n) < probability, dtype=np.bool_)


def poisson(uniform: Floats, mean: Floats, most: int = 999) -> Ints:
    """Poisson counts by inversion: the smallest k whose distribution function reaches u."""
    count = np.zeros(uniform.shape, dtype=np.int64)
    term = np.exp(-mean)
    total = term.copy()
    for k in range(1, most + 1):
        short = uniform > total
        if not short.any():
            break
        count[short] = k
        term = term * mean / k
        total = total + term
    return count


def choose(uniform: Floats, shares: Floats, row: Ints | None = None) -> Ints:
    """Draw codes by inversion.

    ``shares`` is one distribution (codes,) or, with ``row``, a table of them (rows, codes);
    it need not sum to one.
    """
    table = np.atleast_2d(shares)
    cumulative = np.cumsum(table, axis=1)
    cumulative = cumulative / cumulative[:, -1:]
    # One sorted line for all rows: row r occupies the interval [r, r + 1).
    line = (cumulative + np.arange(len(table))[:, None]).ravel()
    at = np.zeros(uniform.shape, dtype=np.int64) if row is None else row
    found = np.searchsorted(line, uniform + at, side="right") - at * table.shape[1]
    return np.asarray(np.clip(found, 0, table.shape[1] - 1), dtype=np.int64)
