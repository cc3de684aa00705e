"""What changes when the same grumbles are scored by another rule base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from harken_server.errors import ScoringError
from harken_server.grumble import Score

WARNING_LINE = "above_warning_line"
"""The warning that a grumble above the warning line carries."""

Transitions = Counter[tuple[int, int]]
"""How many grumbles, by the former level and the other."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rule bases on one sample. ``strategies`` and ``owners``: by code, how often by each;
    ``above_warning_line`` likewise. What one of them cannot score counts as refused alone."""

    scored: int
    refused: int
    transitions: Transitions
    strategies: dict[str, tuple[int, int]]
    owners: dict[str, tuple[int, int]]
    above_warning_line: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scored": self.scored,
            "refused": self.refused,
            "transitions": [[*pair, count] for pair, count in sorted(self.transitions.items())],
            "strategies": self.strategies,
            "owners": self.owners,
            "above_warning_line": self.above_warning_line,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The reverse."""
        return cls(
            scored=values["scored"],
            refused=values["refused"],
            transitions=Counter({(old, new): n for old, new, n in values["transitions"]}),
            strategies={code: (old, new) for code, (old, new) in values["strategies"].items()},
            owners={code: (old, new) for code, (old, new) in values["owners"].items()},
            above_warning_line=tuple(values["above_warning_line"]),
        )


def changed(transitions: Transitions) -> int:
    """How many got another level."""
    return sum(count for (former, level), count in transitions.items() if former != level)


def differing(counts: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Those named oftener or less often than before, by code."""
    return {code: pair for code, pair in sorted(counts.items()) if pair[0] != pair[1]}


Outcome = Score | ScoringError


def compare(former: Sequence[Outcome], other: Sequence[Outcome]) -> Comparison:
    """What ``other`` says of the grumbles of which ``former`` speaks, in the same order."""
    pairs = [
        (old, new)
        for old, new in zip(former, other, strict=True)
        if isinstance(old, Score) and isinstance(new, Score)
    ]
    olds, news = [old for old, _ in pairs], [new for _, new in pairs]
    return Comparison(
        scored=len(pairs),
        refused=len(former) - len(pairs),
        transitions=Counter((old.level, new.level) for old, new in pairs),
        strategies=_both(map(_strategies, olds), map(_strategies, news)),
        owners=_both(map(_owner, olds), map(_owner, news)),
        above_warning_line=(sum(map(_above, olds)), sum(map(_above, news))),
    )


def _both(
    olds: Iterable[Iterable[str]], news: Iterable[Iterable[str]]
) -> dict[str, tuple[int, int]]:
    before = Counter(code for codes in olds for code in codes)
    after = Counter(code for codes in news for code in codes)
    return {code: (before[code], after[code]) for code in sorted({*before, *after})}


def _strategies(score: Score) -> tuple[str, ...]:
    return tuple(strategy.code for strategy in score.strategies)


def _owner(score: Score) -> tuple[str, ...]:
    return (score.advice.owner.code,) if score.advice.owner.code else ()


def _above(score: Score) -> bool:
    return any(warning.code == WARNING_LINE for warning in score.warnings)
