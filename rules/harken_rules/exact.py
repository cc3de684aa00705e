"""Exact arithmetic that the cells of a number rest on."""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal

WIDE = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Enough digits that halving and adding one lose nothing for any constant a person writes."""


def least_float(cut: Decimal, exceed: bool) -> float:
    """The least float whose shortest decimal reaches (or exceeds) ``cut``; may be infinite.

    ``cut`` rounds to ``nearest``, so the next float below stands for less than ``cut`` and the
    next above for more; only ``nearest`` itself has to be looked at.
    """
    nearest = float(cut)
    if math.isinf(nearest):
        return nearest if nearest > 0 else math.nextafter(nearest, 0)
    shortest = Decimal(repr(nearest))
    if shortest > cut or (shortest == cut and not exceed):
        return nearest
    return math.nextafter(nearest, math.inf)


def between(low: Decimal | None, high: Decimal | None, whole: bool) -> Decimal | None:
    """A number strictly between the two, whole if asked; ``None`` if there is none."""
    if low is None:
        if high is None:
            return Decimal(0)
        near = WIDE.subtract(high, Decimal(1))
        return near.to_integral_value(ROUND_FLOOR) if whole else near
    if whole:
        near = WIDE.add(low.to_integral_value(ROUND_FLOOR), Decimal(1))
    elif high is None:
        near = WIDE.add(low, Decimal(1))
    else:
        near = WIDE.divide(WIDE.add(low, high), Decimal(2))
    return near if high is None or near < high else None


def is_whole(value: Decimal) -> bool:
    """Whether ``value`` is an integer, found without writing out a great exponent."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0 or value == 0:
        return True
    return value.adjusted() >= 0 and value == value.to_integral_value()


def scale_of(value: Decimal) -> int:
    """Digits behind the point."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def units_of(value: Decimal, scale: int) -> int:
    """``value`` as an integer of ``10 ** -scale`` units; exact, ``scale`` covers its digits."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no finite number")
    units = int("".join(map(str, digits)) or "0") * int(10 ** (exponent + scale))
    return -units if sign else units


def unscaled(units: int, scale: int) -> Decimal:
    """The number of ``units`` of ``10 ** -scale``, without trailing zeros behind the point."""
    while scale and units % 10 == 0:
        units //= 10
        scale -= 1
    return Decimal((units < 0, tuple(map(int, str(abs(units)))), -scale))


def canonical(value: Decimal) -> Decimal:
    """The same number without trailing zeros behind the point."""
    scale = scale_of(value)
    return unscaled(units_of(value, scale), scale)


def product(a: Decimal, b: Decimal) -> Decimal:
    """Exact, whatever the precision of the context."""
    scale = scale_of(a), scale_of(b)
    return unscaled(units_of(a, scale[0]) * units_of(b, scale[1]), sum(scale))


def difference(a: Decimal, b: Decimal) -> Decimal:
    """Exact, whatever the precision of the context."""
    scale = max(scale_of(a), scale_of(b))
    return unscaled(units_of(a, scale) - units_of(b, scale), scale)
