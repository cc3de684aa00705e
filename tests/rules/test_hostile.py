"""Whatever the public API is fed, it answers rightly or with a FactError; it never crashes."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harken_rules.engine import FactError, RuleEngine, Verdict

from . import oracle
from .random_bases import random_base

HOSTILE: list[object] = [
    1e-300,
    -1e-300,
    5e-324,
    1e300,
    -1e300,
    1.7976931348623157e308,
    1e-05,
    1e16,
    math.nan,
    math.inf,
    -math.inf,
    10**30,
    -(10**30),
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    10**100_000,
    Decimal("1e-400"),
    Decimal("1e999999"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    Fraction(1, 3),
    3 + 4j,
    "",
    "3",
    "red",
    "unheard-of",
    "é\x00\ud800",
    '"}],"sid":"1',
    "$nex",
    "x" * 100_000,
    b"",
    b"red",
    b"x" * 100_000,
    [],
    ["red"],
    {},
    {"id": 1},
    (),
    True,
    False,
    object(),
    np.float64("nan"),
    np.float32(0.1),
    np.int64(7),
    np.array([1, 2]),
    print,
    HOSTILE_TYPE := type("Hostile", (), {"__eq__": None, "__hash__": None}),
    HOSTILE_TYPE(),
]


def feed_everything() -> tuple[int, int]:
    """Feeds every hostile value to every fact of some bases; (verdicts, errors)."""
    verdicts = errors = 0
    for seed in range(8):
        base = random_base(seed, rules=40, least=10)
        engine = RuleEngine(base)
        for name in [*engine.given, "id", "sid", "$s", "nobody_knows_it"]:
            for value in HOSTILE:
                verdict = decide_or_none(engine, name, value)
                errors += verdict is None
                if verdict is not None:
                    facts = plain(name, value) if name in engine.given else {}
                    wanted, fired, _ = oracle.decide(base, facts)
                    assert dict(verdict.results) == wanted
                    assert [(each.decision, each.rule_id) for each in verdict.fired] == fired
                    verdicts += 1
                column = np.empty(1, dtype=object)
                column[0] = value
                engine.decide_columns({name: column}, rows=1)
        assert engine.decide({}) == RuleEngine(base, evaluator="boxes").decide({})
    return verdicts, errors


def decide_or_none(engine: RuleEngine, name: str, value: object) -> Verdict | None:
    """The verdict, or ``None`` after a well-formed FactError."""
    try:
        return engine.decide({name: value})
    except FactError as caught:
        error = caught
    assert error.fact == name
    assert len(str(error)) < 300
    return None


def plain(name: str, value: object) -> dict[str, object]:
    """The value as the oracle knows values: no numpy scalars."""
    return {name: value.item() if isinstance(value, np.generic) else value}


def test_hostile_values() -> None:
    verdicts, errors = feed_everything()
    assert verdicts > 1000
    assert errors > 1000


def test_hostile_values_do_not_bring_a_process_down() -> None:
    script = "from tests.rules.test_hostile import feed_everything; print(feed_everything())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(")


@pytest.mark.parametrize(
    "value", ["x" * 100_000, 10**100_000, ["x" * 100_000]], ids=["text", "integer", "list"]
)
def test_what_is_long_is_never_echoed(value: object) -> None:
    base = random_base(1)
    number = next(name for name in base.facts if name.startswith("b"))
    with pytest.raises(FactError) as caught:
        RuleEngine(base).decide({number: value})
    assert len(repr(caught.value)) < 300
