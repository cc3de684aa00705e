"""A block's draws as Arrow tables, with the names every other room uses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harken_models.core import BEHAVIOUR_TYPES, CHANNELS
from harken_models.simulator.customers import Customers
from harken_models.simulator.grumbles import Grumbles
from harken_models.simulator.parameters import (
    BRANDS,
    CLOSED,
    STATES,
    VIP_TIERS,
    Parameters,
)
from harken_models.simulator.paths import NEVER, Paths
from harken_models.simulator.points import CATEGORIES, SEGMENTS
from harken_models.simulator.streams import Flags, Floats, Ints, Streams, choose
from harken_models.simulator.truth import Truth, World, true_probability

SCORED = ("at_intake", "at_review", "ended_before_review", "history_only")
"""Values of the column ``scored``; the last two are left out of training and evaluation."""
AGES_SECONDS = (360, 3_600, 21_600, 86_400, 259_200, 604_800)
"""Six minutes, one and six hours, one, three and seven days: ages of the truth in flight."""
MOST_GRUMBLES = 1000
"""A grumble's number is its customer's times this, plus its rank."""

_MICROSECONDS = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds since the simulation's start: what is written."""

    origin_us: int
    history: int
    start: int
    end: int
    followed: int
    """Complaints are written until here."""


def customers_table(p: Parameters, customers: Customers, streams: Streams) -> pa.Table:
    """What the operator's systems know of each customer."""

    def gone(name: str) -> Flags:
        return streams.flags(f"missing_{name}", getattr(p.missing, name), len(customers))

    c = customers
    return pa.table(
        {
            "customer_id": _ids("C", c.number, 8),
            "brand": _codes(c.brand, BRANDS),
            "age_years": pa.array(c.age_years, mask=gone("age_years")),
            "tenure_months": pa.array(c.tenure_months, mask=gone("tenure_months")),
            "monthly_spend_yuan": pa.array(c.monthly_spend_yuan, mask=gone("monthly_spend_yuan")),
            "use_minutes": pa.array(c.use_minutes, mask=gone("use_minutes")),
            "data_mb": pa.array(c.data_mb, mask=gone("data_mb")),
            "sms_count": pa.array(c.sms_count, mask=gone("sms_count")),
            "arrears_count": pa.array(c.arrears_count),
            "suspension_count": pa.array(c.suspension_count),
            "vip_tier": _codes(c.vip_tier, VIP_TIERS),
            "credit_level": pa.array(c.credit_level, mask=gone("credit_level")),
            "corporate_contact": pa.array(c.corporate_contact),
            "segment": _codes(c.segment, SEGMENTS, gone("segment")),
            "behaviour_type": _codes(c.behaviour_type, BEHAVIOUR_TYPES, gone("behaviour_type")),
        }
    )


def grumbles_table(
    p: Parameters,
    window: Window,
    customers: Customers,
    grumbles: Grumbles,
    paths: Paths,
    rows: Ints,
    streams: Streams,
) -> pa.Table:
    """The grumbles ``rows``, each as it stood when it was scored."""
    n = len(grumbles)

    def flag(name: str, bit: int) -> pa.Array:
        gone = streams.flags(f"missing_{name}", getattr(p.missing, name), n)[rows]
        return pa.array((grumbles.combination[rows] >> bit & 1).astype(np.bool_), mask=gone)

    points = p.points
    scored = np.where(paths.at_review, 1, np.where(paths.missed, 2, 0))
    scored = np.where(grumbles.voice_second < window.start, 3, scored)
    voice, observed = grumbles.voice_second[rows], paths.observed[rows]
    point = grumbles.point[rows]
    category = np.array([CATEGORIES.index(q.category) for q in points])[point]
    services = tuple(sorted({q.service for q in points}))
    service = np.array([services.index(q.service) for q in points])[point]
    return pa.table(
        {
            "grumble_id": _ids("G", grumble_numbers(customers, grumbles)[rows], 11),
            "customer_id": _ids("C", customers.number[grumbles.customer[rows]], 8),
            "category": _codes(category, CATEGORIES),
            "service": _codes(service, services),
            "point": _codes(point, tuple(q.id for q in points)),
            "channel": _codes(grumbles.channel[rows], CHANNELS),
            "voice_time": _times(window, voice),
            "observe_time": _times(window, voice + observed),
            "resolution_state": _codes(paths.state_at(rows, observed), STATES),
            "dissatisfied": flag("dissatisfied", 2),
            "company_responsible": flag("company_responsible", 1),
            "problem_exists": flag("problem_exists", 0),
            "scored": _codes(scored[rows], SCORED),
        }
    )


def changes_table(
    window: Window, customers: Customers, grumbles: Grumbles, paths: Paths, rows: Ints
) -> pa.Table:
    """Every state the grumbles ``rows`` entered while open, the first when they were voiced."""
    entered = paths.entered[rows, :CLOSED]
    at, state = np.nonzero(entered < NEVER)
    second = entered[at, state]
    number = grumble_numbers(customers, grumbles)[rows][at]
    return pa.table(
        {
            "grumble_id": _ids("G", number, 11),
            "change_time": _times(window, grumbles.voice_second[rows][at] + second),
            "resolution_state": _codes(state, STATES),
        }
    )


def complaints_table(
    p: Parameters,
    window: Window,
    customers: Customers,
    grumbles: Grumbles,
    paths: Paths,
    rows: Ints,
    streams: Streams,
) -> pa.Table:
    """Complaints of the window; the cause is missing where its grumble is not written."""
    n = len(grumbles)
    category = np.array([CATEGORIES.index(q.category) for q in p.points])[grumbles.point]
    # Now and then a complaint is filed under another category than its cause.
    other = choose(streams.uniform("complaint_other", n), np.ones(len(CATEGORIES) - 1))
    moved = ~streams.flags("complaint_same", p.same_category, n)
    category = np.where(moved, (category + 1 + other) % len(CATEGORIES), category)
    when = grumbles.voice_second + paths.complaint
    out = np.flatnonzero(
        (paths.complaint < NEVER) & (when >= window.history) & (when < window.followed)
    )
    written = np.zeros(n, dtype=np.bool_)
    written[rows] = True
    number = grumble_numbers(customers, grumbles)[out]
    cause = _ids("G", number, 11)
    return pa.table(
        {
            "complaint_id": _ids("K", number, 11),
            "customer_id": _ids("C", customers.number[grumbles.customer[out]], 8),
            "complaint_time": _times(window, when[out]),
            "category": _codes(category[out], CATEGORIES),
            "caused_by_grumble_id": pc.if_else(pa.array(written[out]), cause, None),
        }
    )


def truth_table(
    world: World,
    window: Window,
    customers: Customers,
    grumbles: Grumbles,
    paths: Paths,
    truth: Truth,
    rows: Ints,
) -> pa.Table:
    """What no operator knows."""
    p = world.parameters
    who = grumbles.customer[rows]
    kind = customers.behaviour_type[who]
    end = paths.end()[rows]
    key = world.marks.key[customers.segment[who], grumbles.point[rows]]
    tolerance = np.array([t.tolerance for t in p.types])[kind] + customers.frailty[who]
    closed = _times(window, grumbles.voice_second[rows] + np.minimum(end, 10**9))
    return pa.table(
        {
            "grumble_id": _ids("G", grumble_numbers(customers, grumbles)[rows], 11),
            "true_probability": _rounded(truth.probability[rows]),
            "own_probability": _rounded(truth.own[rows]),
            "others_probability": _rounded(truth.others[rows]),
            "future_probability": _rounded(truth.future[rows]),
            "segment": _codes(customers.segment[who], SEGMENTS),
            "behaviour_type": _codes(kind, BEHAVIOUR_TYPES),
            "tolerance": _rounded(tolerance),
            "frailty": _rounded(customers.frailty[who]),
            "grumbles_per_month": _rounded(customers.rate[who] * 720),
            "key_pair": pa.array(key),
            "log_hazard": _rounded(grumbles.log_c[rows]),
            "end_time": pc.if_else(pa.array(end < NEVER), closed, None),
            "became_complaint": pa.array(paths.complaint[rows] < NEVER),
        }
    )


def closures_table(
    window: Window, customers: Customers, grumbles: Grumbles, paths: Paths, rows: Ints
) -> pa.Table:
    """When the grumbles ``rows`` were closed without having become a complaint."""
    closed = paths.entered[rows, CLOSED]
    done = rows[(closed < NEVER) & (closed <= paths.complaint[rows])]
    second = grumbles.voice_second[done] + paths.entered[done, CLOSED]
    return pa.table(
        {
            "grumble_id": _ids("G", grumble_numbers(customers, grumbles)[done], 11),
            "close_time": _times(window, second),
        }
    )


def truth_in_flight_table(
    world: World,
    window: Window,
    customers: Customers,
    grumbles: Grumbles,
    paths: Paths,
    rows: Ints,
) -> pa.Table:
    """The true probability of the grumbles ``rows`` at each age at which they are still open."""
    number = grumble_numbers(customers, grumbles)
    parts = []
    for second in AGES_SECONDS:
        age = np.full(len(grumbles), second)
        still = rows[paths.state_at(rows, age[rows]) < CLOSED]
        then = replace(paths, observed=age)
        truth = true_probability(world, customers, grumbles, then, still)
        parts.append(
            pa.table(
                {
                    "grumble_id": _ids("G", number[still], 11),
                    "observe_time": _times(window, grumbles.voice_second[still] + second),
                    "true_probability": _rounded(truth.probability),
                }
            )
        )
    return pa.concat_tables(parts)


def grumble_numbers(customers: Customers, grumbles: Grumbles) -> Ints:
    """A number for each grumble that no other block and no larger simulation gives again."""
    return customers.number[grumbles.customer] * MOST_GRUMBLES + grumbles.nth


def _codes(code: Ints, values: tuple[str, ...], gone: Flags | None = None) -> pa.Array:
    indices = pa.array(code.astype(np.int32), mask=gone)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values)).cast(pa.string())


def _ids(prefix: str, number: Ints, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _times(window: Window, second: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(window.origin_us + second * 1_000_000).cast(_MICROSECONDS)


def _rounded(values: Floats) -> pa.Array:
    """Six decimals, so that the last bit of a logarithm shows on no machine."""
    return pa.array(np.round(values, 6))
