"""The hazard of complaint and its exact integrals.

A grumble's hazard at age ``a`` (hours since it was voiced) is ``c * g(a) * r(state)``: its own
constant ``c``, the age profile ``g`` and resolution factor ``r`` of the customer's behaviour
type. Its states are a Markov chain, so the probability of no complaint is the expectation of
``exp(-integral of the hazard)``, which the Feynman-Kac equation gives: backwards in time from
every state and age (what is still to come), forwards from the call (all of a new grumble).
Both are solved once by the classical fourth-order Runge-Kutta method, on a grid over
``log c`` and age, and looked up by interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harken_models.simulator.parameters import CLOSED, Parameters
from harken_models.simulator.streams import Floats, Ints

GRID_HOURS = 0.25
LAST_HOURS = 3600.0
LOG_C = np.arange(-14.0, -1.9, 0.5)
AGES = np.array(
    [
        0.5, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 33, 36, 40, 44, 48,
        56, 64, 72, 84, 96, 108, 120, 144, 168, 192, 240, 288, 336, 384, 432, 480, 600, 720,
    ]
)  # fmt: skip


def age_profile(p: Parameters, age: Floats) -> Floats:
    """``g``: shape (types, *age.shape), zero while the customer is still on the line."""
    rows = []
    for t in p.types:
        grown = t.floor + (1 - t.floor) * (1 - np.exp(-age / t.ramp_hours))
        late = t.jump / (1 + np.exp(-(age - t.deadline_hours) / t.width_hours))
        rows.append(np.where(age < p.resolution.call_hours, 0.0, grown + late))
    return np.stack(rows)


def resolution_factors(p: Parameters) -> Floats:
    """``r``: shape (types, states with ``CLOSED``), zero when closed."""
    return np.array([(*t.resolution, 0.0) for t in p.types])


def exit_rates(p: Parameters) -> tuple[tuple[int, int, Floats], ...]:
    """The chain's moves: (from, to, rate an hour of each speed class)."""
    speeds = np.array(p.resolution.speeds)
    return tuple((a, b, speeds / hours) for a, b, hours in p.resolution.moves)


@dataclass(frozen=True, slots=True)
class Cumulative:
    """The integral of each type's age profile, on a quarter-hour grid."""

    age: Floats
    integral: Floats
    """Shape (types, ages)."""

    @classmethod
    def of(cls, p: Parameters) -> Cumulative:
        """Integrate by the mid-point rule, exact enough for a curve this smooth."""
        age = np.arange(0.0, LAST_HOURS + GRID_HOURS / 2, GRID_HOURS)
        steps = age_profile(p, age[:-1] + GRID_HOURS / 2) * GRID_HOURS
        zero = np.zeros((len(p.types), 1))
        return cls(age, np.concatenate([zero, np.cumsum(steps, axis=1)], axis=1))

    def at(self, kind: Ints, age: Floats) -> Floats:
        """The integral from 0 to ``age`` for behaviour type ``kind``, row by row."""
        out = np.empty(age.shape)
        for t, curve in enumerate(self.integral):
            rows = kind == t
            out[rows] = np.interp(age[rows], self.age, curve)
        return out

    def age_at(self, kind: Ints, integral: Floats) -> Floats:
        """The age at which the integral reaches this value; the grid's end if never."""
        out = np.empty(integral.shape)
        # The curve is flat during the call: start at its end, where it begins to rise.
        for t, curve in enumerate(self.integral):
            rows = kind == t
            start = int(np.searchsorted(curve, 0.0, side="right")) - 1
            out[rows] = np.interp(integral[rows], curve[start:], self.age[start:])
        return out


@dataclass(frozen=True, slots=True)
class SurvivalTables:
    """What is still to come, for every behaviour type, speed class and log hazard constant.

    ``remaining``: log of -log P(no complaint of this grumble within the horizon), shape
    (types, speeds, states, log c, ages). ``fresh``: log of the integral over the horizon of
    P(complaint of a new grumble before the horizon's end), in hours, shape
    (types, speeds, log c).
    """

    remaining: Floats
    fresh: Floats

    @classmethod
    def of(cls, p: Parameters) -> SurvivalTables:
        """Solve both equations."""
        return cls(_remaining(p, step=3.0), _fresh(p, step=1.0))

    def survival(self, kind: Ints, speed: Ints, state: Ints, log_c: Floats, age: Floats) -> Floats:
        """P(no complaint of an open grumble within the horizon), row by row."""
        x = np.clip((log_c - LOG_C[0]) / (LOG_C[1] - LOG_C[0]), 0, len(LOG_C) - 1.000001)
        i = x.astype(np.int64)
        inside = np.clip(age, AGES[0], AGES[-1])
        j = np.clip(np.searchsorted(AGES, inside, side="right") - 1, 0, len(AGES) - 2)
        u, v = x - i, (inside - AGES[j]) / (AGES[j + 1] - AGES[j])
        width = len(AGES)
        flat = self.remaining.ravel()
        _, speeds, states, many, _ = self.remaining.shape
        at = (((kind * speeds + speed) * states + state) * many + i) * width + j
        low = flat[at] * (1 - v) + flat[at + 1] * v
        high = flat[at + width] * (1 - v) + flat[at + width + 1] * v
        return np.asarray(np.exp(-np.exp(low * (1 - u) + high * u)), dtype=np.float64)


def _remaining(p: Parameters, step: float) -> Floats:
    """The backward equation dv/ds = c g r v - Q v, from v = 1 at the horizon's end."""
    factors, moves = resolution_factors(p), exit_rates(p)
    c = np.exp(LOG_C)
    shape = (len(p.types), len(p.resolution.speeds), len(LOG_C), len(AGES))
    value = np.ones((CLOSED + 1, *shape))

    leaving = np.zeros((CLOSED, len(p.resolution.speeds)))
    for a, _, rate in moves:
        leaving[a] += rate

    def slope(value: Floats, to_come: float) -> Floats:
        profile = age_profile(p, AGES + to_come)[:, None, None, :] * c[None, None, :, None]
        out = np.zeros_like(value)
        for state in range(CLOSED):
            kill = profile * factors[:, state][:, None, None, None]
            out[state] = -(kill + leaving[state][None, :, None, None]) * value[state]
        for a, b, rate in moves:
            out[a] += rate[None, :, None, None] * value[b]
        return out

    horizon = 24.0 * p.horizon_days
    for i in range(round(horizon / step)):
        at = horizon - i * step
        k1 = slope(value, at)
        k2 = slope(value + step / 2 * k1, at - step / 2)
        k3 = slope(value + step / 2 * k2, at - step / 2)
        k4 = slope(value + step * k3, at - step)
        value = value + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    open_states = np.moveaxis(value[:CLOSED], 0, 2)
    return np.log(-np.log(open_states))


def _fresh(p: Parameters, step: float) -> Floats:
    """The forward equation from the call's end, and the integral of 1 - survival."""
    factors, moves = resolution_factors(p), exit_rates(p)
    c = np.exp(LOG_C)
    start = np.array(p.resolution.at_intake)
    shape = (len(p.types), len(p.resolution.speeds), len(LOG_C))
    mass = np.zeros((CLOSED + 1, *shape))
    mass[:CLOSED] = start.T[:, None, :, None]

    def slope(mass: Floats, age: float) -> Floats:
        profile = age_profile(p, np.array([age]))[:, None, :]
        out = np.zeros_like(mass)
        for state in range(CLOSED):
            out[state] = -c * profile * factors[:, state][:, None, None] * mass[state]
        for a, b, rate in moves:
            flow = rate[None, :, None] * mass[a]
            out[a] -= flow
            out[b] += flow
        return out

    # The rest of the horizon after the call: whole steps.
    age, total = p.resolution.call_hours, np.zeros(shape)
    lost = 1 - mass.sum(axis=0)
    for _ in range(int((24.0 * p.horizon_days - age) / step)):
        k1 = slope(mass, age)
        k2 = slope(mass + step / 2 * k1, age + step / 2)
        k3 = slope(mass + step / 2 * k2, age + step / 2)
        k4 = slope(mass + step * k3, age + step)
        mass = mass + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        age += step
        now = 1 - mass.sum(axis=0)
        total += step * (lost + now) / 2
        lost = now
    return np.log(np.maximum(total, 1e-12))


def fresh_hours(tables: SurvivalTables, kind: Ints, speed: Ints, log_c: Floats) -> Floats:
    """Interpolate ``tables.fresh``: hours, row by row."""
    x = np.clip((log_c - LOG_C[0]) / (LOG_C[1] - LOG_C[0]), 0, len(LOG_C) - 1.000001)
    i = x.astype(np.int64)
    u = x - i
    _, speeds, many = tables.fresh.shape
    flat = tables.fresh.ravel()
    at = (kind * speeds + speed) * many + i
    return np.asarray(np.exp(flat[at] * (1 - u) + flat[at + 1] * u), dtype=np.float64)
