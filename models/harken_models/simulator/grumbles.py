"""Grumbles: when they come, what they are about, and the constant of their hazard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harken_models.simulator.customers import Customers
from harken_models.simulator.parameters import Parameters
from harken_models.simulator.points import SEGMENTS
from harken_models.simulator.streams import Flags, Floats, Ints, Streams, choose, poisson

COMBINATIONS = 8
"""Of the three flags: 4 * dissatisfied + 2 * company_responsible + problem_exists."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a grumble can be, as tables: the same for drawing and for the truth."""

    preference: Floats
    """(segments, points): shares of a segment's grumbles."""
    combination: Floats
    """(types, points, combinations): shares of the flags."""
    effect: Floats
    """(segments, types, points, combinations): log hazard ratio of segment, point and flags."""
    speed: Ints
    """(points,): speed class of resolution."""
    key: Flags
    """(segments, points): is it a key pair."""

    @classmethod
    def of(cls, p: Parameters) -> Marks:
        """Tabulate."""
        ids = [point.id for point in p.points]
        lift = np.zeros((len(p.segments), len(ids)))
        for pair in p.key_pairs:
            lift[SEGMENTS.index(pair.segment), ids.index(pair.point)] = pair.log_lift
        categories = {c.id: c for c in p.categories}
        of_point = [categories[point.category] for point in p.points]
        popularity = np.array([point.popularity for point in p.points])
        preference = popularity * np.where(lift > 0, p.arrivals.key_preference, 1.0)
        fees = np.array([point.category in ("charges", "monternet") for point in p.points])
        flag_effect = np.array([_flag_effect(p, k) for k in range(COMBINATIONS)])
        fixed = np.array([point.effect for point in p.points]) + [c.effect for c in of_point]
        by_type = np.array([t.fees for t in p.types])[:, None] * fees
        effect = lift[:, None, :] + by_type[None] + fixed
        shares = np.array(
            [
                [
                    [
                        _share(t.dissatisfied, c.problem, c.responsible, k)
                        for k in range(COMBINATIONS)
                    ]
                    for c in of_point
                ]
                for t in p.types
            ]
        )
        return cls(
            preference / preference.sum(axis=1, keepdims=True),
            shares,
            effect[..., None] + flag_effect,
            np.array([c.speed for c in of_point]),
            lift > 0,
        )


def _flag_effect(p: Parameters, k: int) -> float:
    e = p.effects
    return (
        e.dissatisfied * (k >> 2)
        + e.company_responsible * (k >> 1 & 1)
        + e.problem_exists * (k & 1)
    )


def _share(dissatisfied: float, problem: float, responsible: float, k: int) -> float:
    """Probability of a combination; without a problem the company is rarely responsible."""
    exists = k & 1
    at_fault = responsible if exists else 0.08
    return (
        (dissatisfied if k >> 2 else 1 - dissatisfied)
        * (problem if exists else 1 - problem)
        * (at_fault if k >> 1 & 1 else 1 - at_fault)
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """The arrival intensity relative to its mean, hour by hour from the simulation's start."""

    cumulative: Floats
    """Integral from hour 0, in hours of mean intensity; one value more than hours."""

    @classmethod
    def of(cls, p: Parameters, start: np.datetime64, hours: int) -> Clock:
        """``hours`` hours from midnight of ``start``."""
        at = start.astype("datetime64[h]") + np.arange(hours).astype("timedelta64[h]")
        day = at.astype("datetime64[D]")
        weekday = (day.astype(np.int64) + 3) % 7
        of_month = (day - at.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
        a = p.arrivals
        bill = np.where(of_month < a.bill_days, a.bill_factor, 1.0)
        bill /= (a.bill_days * a.bill_factor + 30.4 - a.bill_days) / 30.4
        by_hour = np.array(a.hour)[at.astype(np.int64) % 24] / np.mean(a.hour)
        by_day = np.array(a.weekday)[weekday] / np.mean(a.weekday)
        return cls(np.concatenate([[0.0], np.cumsum(by_hour * by_day * bill)]))

    def hour_at(self, integral: Floats) -> Floats:
        """The hour at which the integral reaches this value."""
        hours = np.arange(len(self.cumulative), dtype=np.float64)
        return np.interp(integral, self.cumulative, hours)

    def expected(self, hour: Floats, ahead: float) -> Floats:
        """The integral from ``hour`` to ``hour + ahead``; mean intensity beyond the end."""
        hours = np.arange(len(self.cumulative), dtype=np.float64)
        last, end = hours[-1], hour + ahead
        beyond = np.maximum(end - last, 0.0)
        to_end = np.interp(end, hours, self.cumulative)
        from_start = np.interp(hour, hours, self.cumulative)
        return np.asarray(to_end - from_start + beyond, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Grumbles:
    """One block's grumbles, sorted by customer and voice time; arrays of shape (grumbles,)."""

    customer: Ints
    """Row in the block's customers."""
    nth: Ints
    """0, 1, 2 … within the customer."""
    voice_second: Ints
    """Seconds since the simulation's start."""
    point: Ints
    combination: Ints
    channel: Ints
    speed: Ints
    same_point: Ints
    """Earlier grumbles about the same point within the repeat window."""
    recent: Ints
    """Earlier grumbles about any point within the repeat window."""
    carried: Floats
    """Sum over earlier grumbles of exp(-hours between / carry_hours)."""
    log_c: Floats
    """Log of the hazard's constant, per hour."""

    def __len__(self) -> int:
        return len(self.customer)


def draw_grumbles(
    p: Parameters, marks: Marks, clock: Clock, customers: Customers, streams: Streams
) -> Grumbles:
    """Draw every grumble of these customers over the clock's span."""
    span = float(clock.cumulative[-1])
    counts = poisson(streams.uniform("grumbles", len(customers)), customers.rate * span)
    customer = np.repeat(np.arange(len(customers)), counts)
    n = len(customer)
    hour = clock.hour_at(streams.uniform("voice", n) * span)
    second = (hour * 3600).astype(np.int64)
    order = np.lexsort((second, customer))
    second = second[order]
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    nth = np.arange(n) - first[customer]

    gap = np.where(nth > 0, np.diff(second, prepend=0) / 3600.0, np.inf)
    a = p.arrivals
    again = streams.flags("repeat", a.repeat * np.exp(-gap / a.repeat_hours), n)
    segment, kind = customers.segment[customer], customers.behaviour_type[customer]
    fresh = choose(streams.uniform("point", n), marks.preference, segment)
    point = fresh[np.maximum.accumulate(np.where(again, 0, np.arange(n)))]
    pair = kind * len(p.points) + point
    combination = choose(
        streams.uniform("flags", n), marks.combination.reshape(-1, COMBINATIONS), pair
    )
    same, recent, carried = _history(p, customer, second, point)
    repeat = np.array([t.repeat for t in p.types])[kind]
    speed = marks.speed[point] + customers.priority[customer]
    channel = choose(
        streams.uniform("channel", n), np.array([s.channels for s in p.segments]), segment
    )
    return Grumbles(
        customer=customer,
        nth=nth,
        voice_second=second,
        point=point,
        combination=combination,
        channel=channel,
        speed=np.minimum(speed, len(p.resolution.speeds) - 1),
        same_point=same,
        recent=recent,
        carried=carried,
        log_c=customers.effect[customer]
        + marks.effect[segment, kind, point, combination]
        + repeat * np.minimum(same, p.effects.repeats_at_most)
        + np.array(p.channel_effects)[channel]
        + np.log1p(p.effects.carry * carried),
    )


def earlier(customer: Ints, second: Ints, within: float) -> Iterator[tuple[Ints, Ints]]:
    """Pairs (later rows, earlier rows) of one customer at most ``within`` seconds apart.

    One pair of arrays for each distance in rank, so that everything stays vectorised.
    """
    rows = np.arange(len(customer))
    k = 0
    while len(rows):
        k += 1
        rows = rows[rows >= k]
        before = rows - k
        near = (customer[rows] == customer[before]) & (second[rows] - second[before] <= within)
        rows, before = rows[near], before[near]
        if len(rows):
            yield rows, before


def _history(p: Parameters, customer: Ints, second: Ints, point: Ints) -> tuple[Ints, Ints, Floats]:
    """Grumbles of the repeat window, same point and any, and what all earlier ones carry."""
    same = np.zeros(len(customer), dtype=np.int64)
    recent = np.zeros(len(customer), dtype=np.int64)
    carried = np.zeros(len(customer))
    scale = 3600.0 * p.effects.carry_hours
    for rows, before in earlier(customer, second, p.effects.repeat_window_days * 86_400):
        same[rows] += point[rows] == point[before]
        recent[rows] += 1
        carried[rows] += np.exp((second[before] - second[rows]) / scale)
    return same, recent, carried
