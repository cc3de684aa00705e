"""Every true parameter of the simulated world, in one place.

The source gives shares, orders and directions; the numbers here are chosen to reproduce
them and are no measurement. Hazards are per hour, effects are log hazard ratios, times are
hours unless a name says otherwise. Sequences are in the order of the codes beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from harken_models.simulator.points import CATEGORIES, KEY_PAIRS, POINTS, KeyPair, Point

BRANDS = ("gotone", "mzone", "easyown")
STATES = ("unresolved", "minor_part", "major_part", "all_dissatisfied", "all_satisfied")
CLOSED = len(STATES)
"""The hidden sixth state: the dossier is closed, the customer has let the matter go."""
VIP_TIERS = ("none", "ordinary", "silver", "gold", "diamond")


@dataclass(frozen=True, slots=True)
class SegmentParameters:
    """A segment's share of the customers, its profile (means) and its people."""

    id: str
    brand: str
    share: float
    age_years: float
    age_sd: float
    tenure_months: float
    monthly_spend_yuan: float
    use_minutes: float
    data_mb: float
    sms_count: float
    arrears: float
    """Mean arrears a year."""
    corporate_share: float
    grumbles: float
    """Rate of grumbling relative to the mean customer."""
    effect: float
    """Log hazard ratio of the segment as such."""
    types: tuple[float, ...]
    """Shares of the behaviour types."""
    channels: tuple[float, ...]
    """Weights of the channels."""


@dataclass(frozen=True, slots=True)
class TypeParameters:
    """How a behaviour type escalates.

    With ``a`` the hours since the grumble was voiced, the age profile is
    ``floor + (1 - floor) * (1 - exp(-a / ramp_hours)) + jump * logistic((a - deadline) / width)``
    and ``resolution`` multiplies it by the state the grumble is in: unresolved, a minor part
    solved, a major part solved, all solved but dissatisfied, all solved and satisfied.
    """

    id: str
    tolerance: float
    """Log hazard ratio of the type as such: the hidden tolerance effect."""
    floor: float
    ramp_hours: float
    resolution: tuple[float, ...]
    jump: float = 0.0
    deadline_hours: float = 24.0
    width_hours: float = 5.0
    fees: float = 0.0
    """Added for grumbles about charges and Monternet."""
    repeat: float = 0.35
    """Added for each earlier grumble about the same point within 90 days (at most three)."""
    dissatisfied: float = 0.5
    """Probability that the customer is heard to be dissatisfied."""


@dataclass(frozen=True, slots=True)
class CategoryParameters:
    """A category's effect, and what is found behind its grumbles."""

    id: str
    effect: float
    speed: int
    """Speed class of its resolution: 0 slow, 1 medium, 2 fast."""
    problem: float
    """Probability that a problem exists."""
    responsible: float
    """Probability that the company is responsible, if a problem exists."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution of a grumble: a Markov chain over the states, starting after the call.

    ``moves`` are (from, to, mean hours) at medium speed; the chain only moves forwards, and
    the last state, ``CLOSED``, ends it.
    """

    call_hours: float = 0.5
    """Nothing changes, and nobody complains, while the customer is still on the line."""
    speeds: tuple[float, ...] = (0.6, 1.0, 1.65)
    """Factor on every rate, by speed class; a priority customer is one class faster."""
    at_intake: tuple[tuple[float, ...], ...] = (
        (0.70, 0.12, 0.06, 0.04, 0.08),
        (0.62, 0.13, 0.07, 0.05, 0.13),
        (0.52, 0.13, 0.09, 0.06, 0.20),
    )
    """State at the end of the call, by speed class."""
    moves: tuple[tuple[int, int, float], ...] = (
        (0, 1, 53.0),
        (0, 2, 88.0),
        (0, 3, 235.0),
        (0, 4, 82.0),
        (0, 5, 235.0),
        (1, 2, 47.0),
        (1, 3, 147.0),
        (1, 4, 71.0),
        (1, 5, 235.0),
        (2, 3, 118.0),
        (2, 4, 35.0),
        (2, 5, 235.0),
        (3, 4, 88.0),
        (3, 5, 65.0),
        (4, 5, 47.0),
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """When the CRM scores a grumble: once, at a moment chosen without knowing its future."""

    at_intake: float = 0.50
    """Share scored minutes after it was voiced; the others wait for a planned review."""
    at_intake_if_satisfied: float = 0.85
    """The same where all was solved, to satisfaction, during the call."""
    intake_minutes: tuple[float, float] = (1.0, 20.0)
    review_hours: tuple[float, float] = (1.0, 144.0)
    """Planned reviews, uniform on the logarithm."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Shares of values that the operator's systems have not recorded."""

    behaviour_type: float = 0.40
    segment: float = 0.10
    age_years: float = 0.03
    tenure_months: float = 0.01
    monthly_spend_yuan: float = 0.02
    use_minutes: float = 0.02
    data_mb: float = 0.04
    sms_count: float = 0.04
    credit_level: float = 0.05
    dissatisfied: float = 0.03
    company_responsible: float = 0.04
    problem_exists: float = 0.02


@dataclass(frozen=True, slots=True)
class Effects:
    """Log hazard ratios that belong to no segment, type, point or category."""

    base: float = -9.18
    """Log hazard per hour of a grumble with no effect at all, where age profile and state are 1."""
    frailty_sd: float = 0.10
    """Individual tolerance beyond the type's, normal with mean 0."""
    dissatisfied: float = 1.80
    company_responsible: float = 1.20
    problem_exists: float = 0.50
    arrears: float = 0.60
    """For each arrears of the last year, at most three."""
    suspension: float = 0.60
    """For each suspension of the last year, at most two."""
    priority: float = 0.10
    newcomer: float = 0.40
    """Tenure under six months."""
    tenure: float = -0.70
    """Times the log of one plus the years of tenure: loyal customers complain less."""
    repeats_at_most: int = 3
    repeat_window_days: float = 90.0
    carry: float = 0.50
    """What a grumble leaves behind for the next: the later one's hazard is multiplied by
    1 + carry * sum over the earlier ones of exp(-hours between / carry_hours)."""
    carry_hours: float = 168.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How grumbles come."""

    per_month: float = 0.79
    """Mean grumbles of a customer in 30 days."""
    shape: float = 12.0
    """Gamma shape of the customers' own rates around the mean: smaller is more uneven."""
    repeat: float = 0.32
    """Probability that a grumble is about the point of the one before, when it follows at once;"""
    repeat_hours: float = 720.0
    """it falls with the time between, exp(-hours / repeat_hours)."""
    key_preference: float = 5.0
    """How much more a segment grumbles about its own key points."""
    weekday: tuple[float, ...] = (1.08, 1.03, 1.0, 1.0, 1.04, 0.95, 0.90)
    """Monday to Sunday."""
    hour: tuple[float, ...] = (
        0.15, 0.08, 0.05, 0.05, 0.05, 0.10, 0.30, 0.70, 1.30, 1.80, 1.90, 1.60,
        1.30, 1.35, 1.50, 1.60, 1.55, 1.40, 1.30, 1.45, 1.50, 1.20, 0.80, 0.40,
    )  # fmt: skip
    bill_days: int = 5
    bill_factor: float = 1.15
    """The first days of a month, when bills arrive."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The whole world."""

    segments: tuple[SegmentParameters, ...]
    types: tuple[TypeParameters, ...]
    categories: tuple[CategoryParameters, ...]
    points: tuple[Point, ...] = POINTS
    key_pairs: tuple[KeyPair, ...] = KEY_PAIRS
    resolution: Resolution = Resolution()
    observation: Observation = Observation()
    missing: Missing = Missing()
    effects: Effects = Effects()
    arrivals: Arrivals = Arrivals()
    horizon_days: int = 30
    channel_effects: tuple[float, ...] = (
        0.0, 0.35, -0.2, -0.5, -0.7, -0.7, -0.5, -0.7, 0.7, 1.0, 0.7, 0.6, 0.0, 0.0,
    )  # fmt: skip
    """Log hazard ratio of each channel: who writes a letter is further than who sends an SMS."""
    same_category: float = 0.88
    """Share of complaints filed under the category of the grumble that caused them."""


_PREMIUM = (0.46, 0.14, 0.12, 0.08, 0.03, 0.02, 0.05, 0.01, 0.04, 0.01, 0.01, 0.01, 0.01, 0.01)
_YOUTH = (0.36, 0.08, 0.00, 0.18, 0.10, 0.08, 0.08, 0.03, 0.02, 0.00, 0.05, 0.00, 0.01, 0.01)
_MASS = (0.52, 0.22, 0.00, 0.06, 0.08, 0.03, 0.02, 0.03, 0.00, 0.01, 0.01, 0.01, 0.00, 0.01)

DEFAULT = Parameters(
    segments=(
        SegmentParameters(
            "gotone_1", "gotone", 0.10, 33, 6.5, 96, 380, 900, 180, 90, 0.15, 0.10, 1.15, -0.4,
            (0.26, 0.14, 0.24, 0.24, 0.12), _PREMIUM,
        ),
        SegmentParameters(
            "gotone_2", "gotone", 0.14, 31, 6.0, 66, 190, 620, 120, 110, 0.25, 0.04, 1.05, 0.0,
            (0.22, 0.18, 0.24, 0.24, 0.12), _PREMIUM,
        ),
        SegmentParameters(
            "mzone_1", "mzone", 0.18, 22, 2.8, 14, 46, 180, 160, 260, 0.70, 0.0, 1.10, 0.45,
            (0.26, 0.22, 0.22, 0.12, 0.18), _YOUTH,
        ),
        SegmentParameters(
            "mzone_2", "mzone", 0.12, 34, 5.5, 80, 62, 260, 110, 150, 0.40, 0.0, 0.95, 0.1,
            (0.20, 0.24, 0.26, 0.16, 0.14), _YOUTH,
        ),
        SegmentParameters(
            "easyown_1", "easyown", 0.20, 25, 4.0, 28, 150, 480, 90, 120, 0.55, 0.0, 1.0, 0.3,
            (0.24, 0.24, 0.22, 0.14, 0.16), _MASS,
        ),
        SegmentParameters(
            "easyown_2", "easyown", 0.26, 39, 8.0, 62, 38, 190, 20, 40, 0.45, 0.0, 0.85, -0.4,
            (0.16, 0.32, 0.26, 0.12, 0.14), _MASS,
        ),
    ),
    types=(
        TypeParameters(
            "limited_patience", -0.25, floor=0.20, ramp_hours=96, jump=1.4,
            resolution=(1.0, 0.85, 0.50, 0.20, 0.02), dissatisfied=0.60, repeat=0.40,
        ),
        TypeParameters(
            "tariff_sensitive", -0.15, floor=0.55, ramp_hours=24, fees=0.85,
            resolution=(1.0, 0.80, 0.45, 0.20, 0.02), dissatisfied=0.50, repeat=0.40,
        ),
        TypeParameters(
            "cooperative_realist", 0.25, floor=0.30, ramp_hours=72, repeat=0.40,
            resolution=(1.3, 0.70, 0.25, 0.08, 0.01), dissatisfied=0.40,
        ),
        TypeParameters(
            "rational_assertive", 0.10, floor=0.35, ramp_hours=72, repeat=0.65,
            resolution=(1.0, 1.0, 0.75, 0.30, 0.02), dissatisfied=0.45,
        ),
        TypeParameters(
            "limited_forgiveness", 0.10, floor=0.50, ramp_hours=48, repeat=0.40,
            resolution=(1.0, 0.90, 0.70, 0.50, 0.05), dissatisfied=0.65,
        ),
    ),
    categories=(
        CategoryParameters("basic_comms", 0.0, 0, 0.70, 0.65),
        CategoryParameters("charges", 0.30, 1, 0.55, 0.60),
        CategoryParameters("service_response", -0.15, 2, 0.65, 0.75),
        CategoryParameters("marketing", -0.40, 2, 0.35, 0.60),
        CategoryParameters("info_security", -0.20, 0, 0.60, 0.30),
        CategoryParameters("service_quality", 0.40, 1, 0.60, 0.90),
        CategoryParameters("own_services", 0.0, 1, 0.60, 0.60),
        CategoryParameters("monternet", 0.50, 1, 0.65, 0.50),
    ),
)  # fmt: skip

assert tuple(c.id for c in DEFAULT.categories) == CATEGORIES
