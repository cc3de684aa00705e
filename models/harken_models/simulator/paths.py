"""What becomes of each grumble: its resolution, its end, its complaint, the moment of scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harken_models.simulator.grumbles import Grumbles
from harken_models.simulator.hazard import (
    LAST_HOURS,
    Cumulative,
    exit_rates,
    resolution_factors,
)
from harken_models.simulator.parameters import CLOSED, Parameters
from harken_models.simulator.streams import Flags, Floats, Ints, Streams, choose

NEVER = 2**53
"""Seconds: an event that does not come."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Whole seconds since each grumble was voiced; arrays of shape (grumbles, …)."""

    entered: Ints
    """(grumbles, states with CLOSED): when each state was entered, ``NEVER`` if it was not."""
    complaint: Ints
    """When this grumble became a complaint, ``NEVER`` if it did not."""
    observed: Ints
    """When the CRM scored it; before its end."""
    at_review: Flags
    """Scored at a planned review; else minutes after it was voiced."""
    missed: Flags
    """A review was planned and the grumble ended before it: scored at no moment that counts."""

    def end(self) -> Ints:
        """When the dossier was closed, by a complaint or otherwise."""
        return np.minimum(self.complaint, self.entered[:, CLOSED])

    def state_at(self, row: Ints, second: Ints) -> Ints:
        """The state of grumbles ``row`` at this age, ``CLOSED`` if already ended."""
        # Moves only go forwards, so the state is the highest one entered so far.
        state = np.zeros(len(row), dtype=np.int64)
        for s in range(1, CLOSED + 1):
            state[self.entered[row, s] <= second] = s
        state[self.complaint[row] <= second] = CLOSED
        return state


def draw_paths(
    p: Parameters, cumulative: Cumulative, grumbles: Grumbles, kind: Ints, streams: Streams
) -> Paths:
    """Run the resolution of every grumble, with the hazard of complaint competing.

    ``kind`` is the behaviour type of each grumble's customer.
    """
    n = len(grumbles)
    state = choose(streams.uniform("state", n), np.array(p.resolution.at_intake), grumbles.speed)
    first = state.copy()
    entered = np.full((n, CLOSED + 1), NEVER, dtype=np.int64)
    entered[np.arange(n), state] = 0
    complaint = np.full(n, NEVER, dtype=np.int64)
    patience = -np.log(streams.uniform("complaint", n))
    age = np.full(n, p.resolution.call_hours)
    rates = _rates(p)
    factors = resolution_factors(p)

    rows = np.arange(n)
    for move in range(CLOSED):
        # All rows draw for each move: what one grumble does must not shift another's draws.
        wait = -np.log(streams.uniform(f"wait_{move}", n))[rows]
        pick = streams.uniform(f"move_{move}", n)[rows]
        speed, now, start = grumbles.speed[rows], state[rows], age[rows]
        out = rates[speed, now]
        leave = np.minimum(start + wait / out.sum(axis=1), LAST_HOURS - 1.0)
        strength = np.exp(grumbles.log_c[rows]) * factors[kind[rows], now]
        began = cumulative.at(kind[rows], start)
        spent = strength * (cumulative.at(kind[rows], leave) - began)
        angry = spent >= patience[rows]
        who = rows[angry]
        at = cumulative.age_at(kind[who], began[angry] + patience[who] / strength[angry])
        complaint[who] = np.ceil(at * 3600).astype(np.int64)
        patience[rows] -= spent
        to = choose(pick, rates.reshape(-1, CLOSED + 1), speed * CLOSED + now)
        calm = ~angry
        rows, leave, to = rows[calm], leave[calm], to[calm]
        entered[rows, to] = np.ceil(leave * 3600).astype(np.int64)
        state[rows], age[rows] = to, leave
        rows = rows[to < CLOSED]
        if not len(rows):
            break
    observed, at_review, missed = _observe(p, first, entered, complaint, streams)
    return Paths(entered, complaint, observed, at_review, missed)


def _rates(p: Parameters) -> Floats:
    """(speeds, open states, states): rate an hour of each move."""
    rates = np.zeros((len(p.resolution.speeds), CLOSED, CLOSED + 1))
    for a, b, rate in exit_rates(p):
        rates[:, a, b] = rate
    return rates


def _observe(
    p: Parameters, first: Ints, entered: Ints, complaint: Ints, streams: Streams
) -> tuple[Ints, Flags, Flags]:
    """The one moment at which each grumble is scored.

    The moment is planned from what is known at intake only. A plan that looked ahead (a
    review drawn so as to come before the complaint) would leak the outcome into the data;
    so a grumble that ends before its review keeps its moment at intake and is marked missed.
    """
    n, o = len(first), p.observation
    satisfied = first == CLOSED - 1
    direct = streams.flags(
        "at_intake", np.where(satisfied, o.at_intake_if_satisfied, o.at_intake), n
    )
    low, high = (60 * m for m in o.intake_minutes)
    soon = (low + (high - low) * streams.uniform("intake", n)).astype(np.int64)
    low, high = (np.log(3600 * h) for h in o.review_hours)
    planned = np.exp(low + (high - low) * streams.uniform("review", n)).astype(np.int64)
    ended = np.minimum(complaint, entered[:, CLOSED]) <= planned
    at_review = ~direct & ~ended
    return np.where(at_review, planned, soon), at_review, ~direct & ended
