"""Customers: who they are, what the operator knows of them, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harken_models.simulator.parameters import BRANDS, Parameters
from harken_models.simulator.streams import Flags, Floats, Ints, Streams, choose, poisson


@dataclass(frozen=True, slots=True)
class Customers:
    """One block of customers, arrays of shape (customers,); codes index ``parameters``."""

    number: Ints
    segment: Ints
    behaviour_type: Ints
    brand: Ints
    age_years: Ints
    tenure_months: Ints
    monthly_spend_yuan: Floats
    use_minutes: Floats
    data_mb: Floats
    sms_count: Ints
    arrears_count: Ints
    suspension_count: Ints
    vip_tier: Ints
    credit_level: Ints
    corporate_contact: Flags
    priority: Flags
    """Gold, diamond or the best credit: handled one speed class faster."""
    frailty: Floats
    """Hidden individual log hazard ratio."""
    effect: Floats
    """Log hazard per hour of the customer: base, tolerance, frailty and profile."""
    rate: Floats
    """Hidden own rate of grumbling, in grumbles an hour."""

    def __len__(self) -> int:
        return len(self.number)


def draw_customers(p: Parameters, streams: Streams, first: int, n: int) -> Customers:
    """Draw ``n`` customers, numbered from ``first``."""

    def by_segment(name: str) -> Floats:
        return np.array([getattr(s, name) for s in p.segments], dtype=np.float64)[segment]

    def spread(name: str, mean: Floats, sd: float) -> Floats:
        return mean * np.exp(sd * streams.normal(name, n) - sd * sd / 2)

    segment = choose(streams.uniform("segment", n), np.array([s.share for s in p.segments]))
    kind = choose(
        streams.uniform("behaviour_type", n), np.array([s.types for s in p.segments]), segment
    )
    age = by_segment("age_years") + by_segment("age_sd") * streams.normal("age", n)
    tenure = by_segment("tenure_months") * streams.gamma("tenure", 5.0, n)
    spend = spread("spend", by_segment("monthly_spend_yuan"), 0.35)
    # Whoever spends more than the segment's mean also uses more, but not in proportion.
    keen = np.sqrt(spend / by_segment("monthly_spend_yuan"))
    arrears = poisson(streams.uniform("arrears", n), by_segment("arrears"))
    suspended = streams.flags("suspension_1", 0.45, n) & (arrears >= 1)
    again = streams.flags("suspension_2", 0.45, n) & (arrears >= 2)
    suspension = suspended.astype(np.int64) + again
    credit = _credit_level(tenure, arrears, streams.normal("credit", n))
    vip = _vip_tier(segment, spend, streams.normal("vip", n))
    priority = (vip >= 3) | (credit == 5)
    frailty = p.effects.frailty_sd * streams.normal("frailty", n)
    tenure_months = np.clip(np.rint(tenure), 0, 240).astype(np.int64)
    effect = (
        p.effects.base
        + by_segment("effect")
        + np.array([t.tolerance for t in p.types])[kind]
        + frailty
        + p.effects.arrears * np.minimum(arrears, 3)
        + p.effects.suspension * suspension
        + p.effects.priority * priority
        + p.effects.newcomer * (tenure_months < 6)
        + p.effects.tenure * np.log1p(tenure_months / 12)
    )
    uneven = streams.gamma("rate", p.arrivals.shape, n)
    return Customers(
        number=np.arange(first, first + n, dtype=np.int64),
        segment=segment,
        behaviour_type=kind,
        brand=np.array([BRANDS.index(s.brand) for s in p.segments])[segment],
        age_years=np.clip(np.rint(age), 14, 85).astype(np.int64),
        tenure_months=tenure_months,
        monthly_spend_yuan=np.round(spend, 2),
        use_minutes=np.round(spread("minutes", by_segment("use_minutes") * keen, 0.4), 1),
        data_mb=np.round(spread("data", by_segment("data_mb") * keen, 0.7), 1),
        sms_count=poisson(streams.uniform("sms", n), by_segment("sms_count")),
        arrears_count=arrears,
        suspension_count=suspension,
        vip_tier=vip,
        credit_level=credit,
        corporate_contact=streams.flags("corporate", by_segment("corporate_share"), n),
        priority=priority,
        frailty=frailty,
        effect=effect,
        rate=p.arrivals.per_month / 720.0 * by_segment("grumbles") * uneven,
    )


def _credit_level(tenure: Floats, arrears: Ints, noise: Floats) -> Ints:
    """Credit level 1..5: long tenure raises it, arrears lower it."""
    score = 2.2 + 0.5 * np.log1p(tenure / 12) - 0.7 * arrears + 0.6 * noise
    return np.clip(np.rint(score), 1, 5).astype(np.int64)


def _vip_tier(segment: Ints, spend: Floats, noise: Floats) -> Ints:
    """VIP tier, a code: by spend with some discretion, and only premium brands above ordinary."""
    score = np.log(spend) + 0.25 * noise
    tier = np.searchsorted(np.log([100.0, 180.0, 300.0, 520.0]), score).astype(np.int64)
    return np.where(segment <= 1, tier, np.minimum(tier, 1))
