"""Why a row changed: the decisions of both bases whose rules fired differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from harken_rules import RuleEngine
from harken_rules.columns import ColumnVerdicts, behind
from harken_rules.language import Hit
from harken_rules.outcomes import Outcome
from numpy.typing import NDArray

from harken_server.history.rows import Rows
from harken_server.impact.tally import SHOWN, Changed, Difference, Level

Verdicts = tuple[ColumnVerdicts, ...]
Engines = tuple[RuleEngine, RuleEngine]
Places = NDArray[np.int64]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def causes_of(verdicts: Verdicts, engines: Engines, rows: Places) -> Counter[Difference]:
    """For rows whose level changed the first decision behind the level that differs.

    What comes after it differs because it does; so the first is the cause.
    """
    causes: Counter[Difference] = Counter()
    left = rows
    for name, pair in decisions_of(engines, level_only=True):
        if not len(left):
            break
        known: dict[tuple[int, int], Difference | None] = {}
        chosen = [
            np.zeros(len(left), dtype=np.int64)
            if place is None
            else decided.answers(place).chosen[left]
            for decided, place in zip(verdicts, pair, strict=True)
        ]
        width = int(chosen[1].max()) + 1
        keys, inverse, numbers = np.unique(
            chosen[0] * width + chosen[1], return_inverse=True, return_counts=True
        )
        differs = np.zeros(len(keys), dtype=bool)
        for at, (key, number) in enumerate(zip(keys.tolist(), numbers.tolist(), strict=True)):
            each = divmod(key, width)
            known[each] = found = difference(
                name, *_outcomes(verdicts, pair, each), hit=_hit(engines, pair)
            )
            if found is not None:
                differs[at] = True
                causes[found] += number
        left = left[~differs[inverse]]
    return causes


def sample_of(
    rows: Rows, verdicts: Verdicts, engines: Engines, places: Places, names: tuple[str, ...]
) -> dict[tuple[Level, Level], list[Changed]]:
    """Some of the changed rows at ``places`` of each transition, drawn by their numbers.

    Whichever way the file is cut into chunks, the same rows are drawn.
    """
    draws = rows.numbers[places].astype(np.uint64) * _SPREAD
    draws ^= draws >> np.uint64(29)
    levels = [decided.values("level") for decided in verdicts]
    sample: dict[tuple[Level, Level], list[Changed]] = {}
    for at in np.argsort(draws).tolist():
        row = int(places[at])
        transition = (levels[0][row], levels[1][row])
        held = sample.setdefault(transition, [])
        if len(held) < SHOWN:
            held.append(changed(rows, verdicts, engines, row, int(draws[at]), names))
    return sample


def changed(
    rows: Rows, verdicts: Verdicts, engines: Engines, row: int, draw: int, names: tuple[str, ...]
) -> Changed:
    """All that differs in one row."""
    old, new = (decided.verdict(row).results for decided in verdicts)
    why = []
    for name, pair in decisions_of(engines):
        each = [
            0 if place is None else int(decided.answers(place).chosen[row])
            for decided, place in zip(verdicts, pair, strict=True)
        ]
        found = difference(
            name, *_outcomes(verdicts, pair, (each[0], each[1])), hit=_hit(engines, pair)
        )
        if found is not None:
            why.append(found)
    return Changed(
        draw,
        int(rows.numbers[row]),
        str(rows.columns["grumble_id"][row]),
        old["level"],  # type: ignore[arg-type]
        new["level"],  # type: ignore[arg-type]
        tuple((name, old[name], new[name]) for name in names if old[name] != new[name]),
        tuple(why),
    )


def decisions_of(
    engines: Engines, level_only: bool = False
) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
    """The decisions of both bases and their places in each: the new one's order, then those
    that only the old one has."""
    old, new = (
        {
            plan.table.decision.name: place
            for place, plan in enumerate(engine.plans)
            if not level_only or place in behind(engine, ("level",))
        }
        for engine in engines
    )
    for name in dict.fromkeys([*new, *old]):
        yield name, (old.get(name), new.get(name))


def difference(name: str, old: Outcome | None, new: Outcome | None, hit: Hit) -> Difference | None:
    """What fired differently in a decision; None if its results are the same."""
    if old is not None and new is not None and old.results == new.results:
        return None
    before, after = _fired(old, hit), _fired(new, hit)
    gone = tuple(rule for rule, said in before.items() if after.get(rule, ()) != said)
    come = tuple(rule for rule, said in after.items() if before.get(rule, ()) != said)
    return Difference(name, gone, come)


def _fired(outcome: Outcome | None, hit: Hit) -> dict[str, object]:
    """Each rule that fired, with what it contributes."""
    if outcome is None:
        return {}
    if hit in (Hit.FIRST, Hit.UNIQUE):
        return {fired.rule_id: outcome.results for fired in outcome.fired}
    return {fired.rule_id: fired.partial for fired in outcome.fired}


def _outcomes(
    verdicts: Verdicts, pair: tuple[int | None, int | None], chosen: tuple[int, int]
) -> tuple[Outcome | None, Outcome | None]:
    old, new = (
        None if place is None else decided.answers(place).outcomes[at]
        for decided, place, at in zip(verdicts, pair, chosen, strict=True)
    )
    return old, new


def _hit(engines: Engines, pair: tuple[int | None, int | None]) -> Hit:
    for engine, place in zip(engines, pair, strict=True):
        if place is not None:
            return engine.plans[place].table.decision.hit
    raise LookupError("a decision of neither base")
