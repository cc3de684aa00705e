"""A tally in plain values: what the text, the page and ``--json`` show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from harken_rules import RuleBase
from harken_rules.verdict import Result

from harken_server.history.rows import Refused
from harken_server.impact.compare import SIDES, TREATMENT
from harken_server.impact.tally import Changed, Level, Tally

Plain = dict[str, Any]
Z95 = 1.959963984540054
"""The normal distribution's 97.5 % point: intervals are of 95 %."""
CAUSES = 12
SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Bases:
    """Both bases, for their labels, and the language these are wanted in."""

    old: RuleBase
    new: RuleBase
    language: str = "en"

    def label(self, fact: str, code: Result) -> str:
        """The label of a code; the new base's, or the old one's where it has none."""
        if code is None or isinstance(code, tuple):
            return ""
        for base in (self.new, self.old):
            declared = base.facts.get(fact)
            if declared is not None and str(code) in (declared.values or {}):
                return base.label(fact, str(code), self.language)
        return str(code)


def summary_of(tally: Tally, bases: Bases) -> Plain:
    """All figures. Shares and rates are from 0 to 1; a rate comes with its 95 % interval."""
    levels = sorted({level for pair in tally.levels for level in pair}, key=_order)
    moved = _moves(tally.levels)
    return {
        "rows": {
            "read": tally.read,
            "compared": tally.rows,
            "refused": {side: _refused(one) for side, one in sorted(tally.refused.items())},
        },
        "changed": {**moved, "advice_only": tally.otherwise},
        "levels": levels,
        "transitions": [
            {"old": old, "new": new, "rows": number}
            for (old, new), number in sorted(
                tally.levels.items(), key=lambda each: (_order(each[0][0]), _order(each[0][1]))
            )
        ],
        "shares": _shares(tally, levels),
        "by_level": [
            {"level": level, **_moves(_only(tally.levels, level))}
            for level in levels
            if any(old == level for old, _ in tally.levels)
        ],
        "by_group": {
            name: _groups(counts, name, bases) for name, counts in sorted(tally.groups.items())
        },
        "advice": {
            **{name: _single(counts, name, bases) for name, counts in tally.single.items()},
            **{name: _listed(counts, name, bases) for name, counts in tally.listed.items()},
        },
        "workload": workload(tally, bases),
        "warning_line": _warning_line(tally),
        "complaints_by_level": _complaints(tally, levels),
        "causes": [
            {"decision": each.decision, "old": each.old, "new": each.new, "rows": number}
            for each, number in sorted(
                tally.causes.items(), key=lambda item: (-item[1], item[0].decision, item[0].old)
            )[:CAUSES]
        ],
        "sample": [_changed(each) for each in _chosen(tally)],
    }


def wilson(hits: int, of: int) -> Plain:
    """A share with Wilson's interval (Wilson 1927, without continuity correction)."""
    if not of:
        return {"hits": hits, "of": of, "value": None, "low": None, "high": None}
    share, z2 = hits / of, Z95 * Z95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"hits": hits, "of": of, "value": share, "low": low, "high": high}


def paired_difference(gained: int, lost: int, of: int) -> Plain:
    """The new share minus the old one on the same ``of`` rows, with its 95 % interval.

    Wald's interval of paired shares with half a row added to each cell (Agresti and Min 2005).
    """
    if not of:
        return {"value": None, "low": None, "high": None}
    b, c, n = gained + 0.5, lost + 0.5, of + 2
    half = Z95 * math.sqrt(b + c - (b - c) ** 2 / n) / n
    middle = (b - c) / n
    return {"value": (gained - lost) / of, "low": middle - half, "high": middle + half}


def _order(level: Level) -> tuple[bool, int]:
    """The highest level first, none at the end."""
    return level is None, -(level or 0)


def _moves(counts: Counter[tuple[Level, Level]]) -> Plain:
    rows, changed = counts.total(), 0
    up = down = 0
    for (old, new), number in counts.items():
        if old != new:
            changed += number
            up += number * (new is not None and old is not None and new > old)
            down += number * (new is not None and old is not None and new < old)
    return {"rows": rows, "changed": changed, "up": up, "down": down}


def _only(counts: Counter[tuple[Level, Level]], level: Level) -> Counter[tuple[Level, Level]]:
    return Counter({pair: number for pair, number in counts.items() if pair[0] == level})


def _shares(tally: Tally, levels: list[Level]) -> list[Plain]:
    found = []
    for level in levels:
        both = [
            sum(number for pair, number in tally.levels.items() if pair[side] == level)
            for side in (0, 1)
        ]
        shares = [number / tally.rows if tally.rows else 0.0 for number in both]
        found.append(
            {
                "level": level,
                "old_rows": both[0],
                "new_rows": both[1],
                "old": shares[0],
                "new": shares[1],
            }
        )
    return found


def _groups(
    counts: Counter[tuple[str | None, Level, Level]], name: str, bases: Bases
) -> list[Plain]:
    by_code: dict[str | None, Counter[tuple[Level, Level]]] = {}
    for (code, old, new), number in counts.items():
        by_code.setdefault(code, Counter())[old, new] += number
    rows = [
        {"code": code, "label": bases.label(name, code), **_moves(found)}
        for code, found in by_code.items()
    ]
    return sorted(rows, key=lambda each: (-each["changed"], -each["rows"], each["code"] or ""))


def _single(counts: Counter[tuple[Result, Result]], name: str, bases: Bases) -> list[Plain]:
    found: Counter[tuple[Result, str]] = Counter()
    for (old, new), number in counts.items():
        found[old, "old"] += number
        found[new, "new"] += number
        if old != new:
            found[old, "lost"] += number
            found[new, "gained"] += number
    return _by_code(found, name, bases)


def _listed(counts: Counter[tuple[str, str]], name: str, bases: Bases) -> list[Plain]:
    return _by_code(counts, name, bases)


def _by_code(counts: Counter[Any], name: str, bases: Bases) -> list[Plain]:
    codes = {code for code, _ in counts}
    rows = [
        {
            "code": code,
            "label": bases.label(name, code),
            **{which: counts[code, which] for which in ("old", "new", "gained", "lost")},
        }
        for code in codes
    ]
    return sorted(rows, key=lambda r: (-(r["gained"] + r["lost"]), -r["old"], str(r["code"])))


def workload(tally: Tally, bases: Bases) -> Plain:
    """What falls to quality specialists a day: proactive calls, and rows above the line.

    The call is the treatment that a base gives most often at its highest level. Days are those
    from the first to the last observation, busy or not.
    """
    days = [key[0] for key in tally.days] + [key[0] for key in tally.lines]
    if not days:
        return {"days": 0, "series": []}
    span = range(min(days), max(days) + 1)
    calls = {side: _call(tally, side) for side in SIDES}
    series: list[Plain] = [
        {
            "day": (date(1970, 1, 1) + timedelta(days=day)).isoformat(),
            **{f"{side}_calls": tally.days[day, side, calls[side]] for side in SIDES},
            **{f"{side}_above": tally.lines[day, side] for side in SIDES},
        }
        for day in span
    ]
    return {
        "days": len(span),
        "treatment": {
            side: {"code": calls[side], "label": bases.label(TREATMENT, calls[side])}
            for side in SIDES
        },
        **{
            what: {side: _load([each[f"{side}_{what}"] for each in series]) for side in SIDES}
            for what in ("calls", "above")
        },
        "series": series,
    }


def _call(tally: Tally, side: str) -> Result:
    """The treatment that most rows of the highest level get."""
    peak = tally.peaks.get(side, Counter())
    highest = max((level for level, _ in peak), default=0)
    at_peak = {code: number for (level, code), number in peak.items() if level == highest}
    return max(at_peak, key=lambda code: (at_peak[code], str(code)), default=None)


def _load(numbers: list[int]) -> Plain:
    return {
        "rows": sum(numbers),
        "per_day": sum(numbers) / len(numbers),
        "busiest": max(numbers),
    }


def _warning_line(tally: Tally) -> Plain | None:
    if not tally.warned:
        return None
    found: Plain = {
        "known": tally.warned.total(),
        "complained": sum(n for (*_, complained), n in tally.warned.items() if complained),
    }
    for place, side in enumerate(SIDES):
        above = [(key, n) for key, n in tally.warned.items() if key[place]]
        hits = sum(n for key, n in above if key[2])
        found[side] = {
            "above": sum(n for _, n in above),
            "precision": wilson(hits, sum(n for _, n in above)),
            "recall": wilson(hits, found["complained"]),
        }
    gained, lost = tally.warned[False, True, True], tally.warned[True, False, True]
    found["recall_difference"] = paired_difference(gained, lost, found["complained"])
    return found


def _complaints(tally: Tally, levels: Iterable[Level]) -> list[Plain]:
    if not tally.outcomes:
        return []
    rows = []
    for level in levels:
        row: Plain = {"level": level}
        for place, side in enumerate(SIDES):
            mine = [(key, n) for key, n in tally.outcomes.items() if key[place] == level]
            row[side] = wilson(sum(n for key, n in mine if key[2]), sum(n for _, n in mine))
        rows.append(row)
    return rows


def _chosen(tally: Tally) -> list[Changed]:
    """Of the most frequent transitions one row each, then a second, until there are enough."""
    moved = [pair for pair in tally.levels if pair[0] != pair[1] and pair in tally.sample]
    order = sorted(moved, key=lambda pair: (-tally.levels[pair], str(pair)))
    order += sorted((pair for pair in tally.sample if pair[0] == pair[1]), key=str)
    rounds = max((len(rows) for rows in tally.sample.values()), default=0)
    rows = [
        tally.sample[pair][turn]
        for turn in range(rounds)
        for pair in order
        if turn < len(tally.sample[pair])
    ]
    return rows[:SAMPLE]


def _changed(each: Changed) -> Plain:
    return {
        "row": each.row,
        "grumble_id": each.grumble_id,
        "old": each.old,
        "new": each.new,
        "results": [
            {"result": name, "old": plain(old), "new": plain(new)}
            for name, old, new in each.results
        ],
        "why": [{"decision": d.decision, "old": d.old, "new": d.new} for d in each.why],
    }


def plain(value: Result) -> Any:
    """A result for JSON."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value)


def _refused(refused: Refused) -> Plain:
    return {
        "rows": refused.rows,
        "fields": dict(refused.fields.most_common()),
        "first": [
            {"row": fault.row, "field": fault.field, "reason": fault.reason}
            for fault in refused.first
        ],
    }
