"""The true probability of a complaint, from the hazards that made it.

P(a complaint of the customer within the horizon after the grumble was scored | all that is
hidden, and the state of things at that moment) is one minus a product of three survivals,
independent given what is hidden:

- own: the scored grumble itself, over all its possible futures (exact, tabulated);
- others: the customer's other grumbles that are open at that moment (exact, the same table);
- future: grumbles not yet voiced. A Poisson stream of rate m, each of which becomes a
  complaint with its own probability, leaves none with probability exp(-m * the integral of
  that probability over the horizon), averaged over what the grumbles could be about. Repeats
  and what earlier grumbles carry over enter by their expectations: the one approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harken_models.simulator.customers import Customers
from harken_models.simulator.grumbles import COMBINATIONS, Clock, Grumbles, Marks, earlier
from harken_models.simulator.hazard import SurvivalTables, fresh_hours
from harken_models.simulator.parameters import CLOSED, Parameters
from harken_models.simulator.paths import Paths
from harken_models.simulator.streams import Floats, Ints

CUSTOMER_LOG_C = np.arange(-13.0, -2.9, 0.5)
OPEN_AT_MOST = 60 * 86_400
"""Seconds: grumbles older than this are all closed, but for a share far below rounding."""


@dataclass(frozen=True, slots=True)
class FutureTable:
    """Expected complaint hours of one future grumble, by customer and point.

    Logs; shape (segments, types, priority, points, customer log c); ``fresh`` is averaged
    over the segment's points: (segments, types, priority, customer log c).
    """

    by_point: Floats
    fresh: Floats

    @classmethod
    def of(cls, p: Parameters, marks: Marks, tables: SurvivalTables) -> FutureTable:
        """Average over the flags, then over the points."""
        shape = (len(p.segments), len(p.types), 2, len(p.points), len(CUSTOMER_LOG_C), COMBINATIONS)
        _, kind, priority, point, log_c, _ = np.indices(shape)
        speed = np.minimum(marks.speed[point] + priority, len(p.resolution.speeds) - 1)
        total = CUSTOMER_LOG_C[log_c] + marks.effect[:, :, None, :, None, :]
        hours = fresh_hours(tables, kind, speed, total)
        share = marks.combination[None, :, None, :, None, :]
        by_point = (hours * share).sum(axis=-1)
        fresh = (by_point * marks.preference[:, None, None, :, None]).sum(axis=3)
        return cls(np.log(by_point), np.log(fresh))

    def at(self, table: Floats, cell: Ints, log_c: Floats) -> Floats:
        """Look up hours: ``cell`` is the flat index before the last axis of ``table``."""
        step = CUSTOMER_LOG_C[1] - CUSTOMER_LOG_C[0]
        many = len(CUSTOMER_LOG_C)
        x = np.clip((log_c - CUSTOMER_LOG_C[0]) / step, 0, many - 1.000001)
        i = x.astype(np.int64)
        u, flat = x - i, table.ravel()
        at = cell * many + i
        return np.asarray(np.exp(flat[at] * (1 - u) + flat[at + 1] * u), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Truth:
    """True probabilities of the grumbles asked for; arrays of shape (rows,)."""

    probability: Floats
    own: Floats
    others: Floats
    future: Floats


@dataclass(frozen=True, slots=True)
class World:
    """All that is the same for every block."""

    parameters: Parameters
    marks: Marks
    clock: Clock
    tables: SurvivalTables
    future: FutureTable


def true_probability(
    world: World, customers: Customers, grumbles: Grumbles, paths: Paths, rows: Ints | None = None
) -> Truth:
    """The truth of the grumbles ``rows`` of a block, of every one if there is no choice."""
    kind = customers.behaviour_type[grumbles.customer]
    n = len(grumbles)
    rows = np.arange(n) if rows is None else rows
    asked = np.zeros(n, dtype=np.bool_)
    asked[rows] = True
    moment = grumbles.voice_second + paths.observed
    own = _survival(world, grumbles, paths, kind, rows, paths.observed[rows])
    others = np.ones(n)
    latest = np.arange(n)
    for late, early in earlier(grumbles.customer, grumbles.voice_second, OPEN_AT_MOST):
        # Seen from the later grumble, the earlier one may still be open.
        one, other = late[asked[late]], early[asked[late]]
        age = moment[one] - grumbles.voice_second[other]
        others[one] *= _survival(world, grumbles, paths, kind, other, age)
        # Seen from the earlier one, the later one was voiced before the earlier was scored.
        age = moment[early] - grumbles.voice_second[late]
        known = asked[early] & (age >= 0)
        late, early, age = late[known], early[known], age[known]
        others[early] *= _survival(world, grumbles, paths, kind, late, age)
        latest[early] = late
    hazard = _future_hazard(world, customers, grumbles, moment[rows], latest[rows])
    others, future = others[rows], np.exp(-hazard)
    return Truth(1 - own * others * future, 1 - own, 1 - others, 1 - future)


def _survival(
    world: World, grumbles: Grumbles, paths: Paths, kind: Ints, row: Ints, second: Ints
) -> Floats:
    """P(no complaint of grumble ``row`` within the horizon after this age); 1 if it is closed."""
    out = np.ones(len(row))
    state = paths.state_at(row, second)
    is_open = state < CLOSED
    row, state = row[is_open], state[is_open]
    out[is_open] = world.tables.survival(
        kind[row], grumbles.speed[row], state, grumbles.log_c[row], second[is_open] / 3600.0
    )
    return out


def _future_hazard(
    world: World, customers: Customers, grumbles: Grumbles, moment: Ints, latest: Ints
) -> Floats:
    """Expected complaints from grumbles voiced after ``moment``, within the horizon.

    ``latest`` is the customer's last grumble voiced by then.
    """
    p, who = world.parameters, grumbles.customer[latest]
    horizon = 24.0 * p.horizon_days
    rate = customers.rate[who] * world.clock.expected(moment / 3600.0, horizon) / horizon
    segment, kind = customers.segment[who], customers.behaviour_type[who]
    since = (moment - grumbles.voice_second[latest]) / 3600.0

    # What is carried over: known grumbles fade, those to come add up to a level.
    scale = p.effects.carry_hours
    faded = scale / horizon * (1 - np.exp(-horizon / scale))
    carried = (grumbles.carried[latest] + 1) * np.exp(-since / scale)
    carried = carried * faded + rate * scale * (1 - faded)
    log_c = customers.effect[who] + np.log1p(p.effects.carry * carried)
    weights = np.array([s.channels for s in p.segments])
    by_channel = (weights * np.exp(p.channel_effects)).sum(axis=1) / weights.sum(axis=1)
    log_c += np.log(by_channel)[segment]

    # Repeats: of the latest point, by the first grumble to come, or among those to come.
    a = p.arrivals
    fade = rate + 1 / a.repeat_hours
    first = (1 - np.exp(-fade * horizon)) / (fade * horizon)
    of_latest = a.repeat * np.exp(-since / a.repeat_hours) * first
    of_new = a.repeat * rate / fade * (1 - first)
    boost = np.array([t.repeat for t in p.types])[kind]
    again = np.minimum(grumbles.same_point[latest] + 1, p.effects.repeats_at_most)

    cell = (segment * len(p.types) + kind) * 2 + customers.priority[who]
    look, point = world.future, grumbles.point[latest]
    at_point = cell * len(p.points) + point
    fresh = look.at(look.fresh, cell, log_c)
    repeated = look.at(look.fresh, cell, log_c + boost)
    latest_again = look.at(look.by_point, at_point, log_c + boost * again)
    # A fresh grumble hits an earlier point by chance, the more so the more there were: the
    # latest one is known, the others are like any of the segment.
    preference = world.marks.preference
    chance = (preference**2).sum(axis=1)[segment]
    known = grumbles.recent[latest] + rate * horizon / 2
    hit = preference[segment, point] * look.at(look.by_point, at_point, log_c) / fresh
    fresh = fresh * (1 + (hit + chance * known) * (np.exp(boost) - 1))
    mean = (1 - of_latest - of_new) * fresh + of_new * repeated + of_latest * latest_again
    return np.asarray(rate * mean, dtype=np.float64)
