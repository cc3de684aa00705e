"""The order in which decisions run: each after those whose results it asks about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harken_rules.language import Decision


def dependencies(decisions: Iterable[Decision]) -> dict[str, tuple[str, ...]]:
    """For each decision the names of those whose results its rules ask about, sorted."""
    known = sorted(decisions, key=lambda one: one.name)
    yielded_by = {result: one.name for one in reversed(known) for result in one.results}
    return {
        one.name: tuple(sorted({yielded_by[f] for f in one.inputs if f in yielded_by}))
        for one in known
    }


def in_order(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """The decisions in dependency order, by name where that leaves a choice.

    Decisions that stand in a cycle, or after one, follow at the end by name.
    """
    by_name = {one.name: one for one in decisions}
    waiting = {name: set(needs) for name, needs in dependencies(by_name.values()).items()}
    ordered: list[str] = []
    while ready := sorted(name for name, needs in waiting.items() if not needs):
        ordered += ready
        for name in ready:
            del waiting[name]
        for needs in waiting.values():
            needs.difference_update(ready)
    return tuple(by_name[name] for name in [*ordered, *sorted(waiting)])


def find_cycles(needs: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Cycles among ``needs``, no two of which share a member; each starts at its first name."""
    left = {name: set(others) for name, others in needs.items()}
    cycles: list[list[str]] = []
    while True:
        _strip(left)
        if not left:
            return cycles
        cycle = _walk(left)
        cycles.append(cycle)
        for name in cycle:
            del left[name]


def _strip(left: dict[str, set[str]]) -> None:
    """Remove what cannot stand in a cycle: names that need nobody, again and again."""
    while True:
        for others in left.values():
            others.intersection_update(left)
        idle = [name for name, others in left.items() if not others]
        if not idle:
            return
        for name in idle:
            del left[name]


def _walk(left: Mapping[str, set[str]]) -> list[str]:
    """A cycle: everyone left needs someone left, so following the needs must come round."""
    path = [min(left)]
    while (following := min(left[path[-1]])) not in path:
        path.append(following)
    cycle = path[path.index(following) :]
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]
