"""A sound rule base by seed: facts of every type, catalogues, chained decisions, cases that hold.

Sound by design: every combination of a decision's inputs can come to it, every rule decides
something that no other rule would, what no rule covers is said to be missing, every entry is led
to, and every case expects what the rules say by the generator's own reckoning.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal

from harken_rules.language import FactType, Hit, Interval

from .base import Base
from .cases import add_cases
from .conditions import given_enum, given_flag, given_integer, given_number
from .model import Fact, Value
from .spelling import decision_tree, facts_tree
from .tables import Yields, listing, scorecard, table
from .words import CODES, codes, entry, label, labels
from .yaml_tree import Table, node_of


def sound_base(seed: int) -> Base:
    """The sound rule base of ``seed``: six to ten decisions of two to nine rules."""
    rng = random.Random(seed)
    base = Base(rng, seed)
    taxonomy = _taxonomy(rng)
    _Decisions(base, _given(rng, taxonomy)).add_all()
    used = {
        name
        for decision in base.decisions
        for rule in decision.rules
        for when in rule.alternatives
        for name in when
    }
    base.facts = {n: fact for n, fact in base.facts.items() if n in used or fact.cone != {n}}
    languages = rng.sample(["en", "zh"], 2)
    header = {"name": f"seeded-{seed}", "title": label(rng), "languages": languages}
    base.files["rulebase.yaml"] = node_of(header)
    base.files["facts.yaml"] = facts_tree(rng, base.facts)
    base.files["catalogue/taxonomy.yaml"] = node_of({"taxonomy": taxonomy})
    _add_catalogues(base)
    for decision in base.decisions:
        folder = rng.choice(["decisions/", "decisions/", "decisions/more/"])
        decision.file = f"{folder}{decision.name}{rng.choice(['.yaml', '.yaml', '.yml'])}"
        base.files[decision.file] = decision_tree(rng, decision, base.facts)
    add_cases(base)
    return base


def _taxonomy(rng: random.Random) -> Table:
    """Two or three categories, one perhaps with services, some of those with points."""
    made = {code: entry(rng) for code in codes(rng, "category", rng.randint(2, 3))}
    if rng.random() < 0.5:
        services = {code: entry(rng) for code in codes(rng, "service", 2)}
        rng.choice(list(made.values())).put("services", services)
        if rng.random() < 0.5:
            points = {code: entry(rng) for code in codes(rng, "point", 2)}
            rng.choice(list(services.values())).put("points", points)
    tree = node_of(made)
    assert isinstance(tree, Table)
    return tree


def _level(taxonomy: Table, depth: int) -> list[str]:
    """The ids of one level of the taxonomy."""
    tables = [taxonomy]
    for key in ("services", "points")[:depth]:
        below = [each.value for one in tables for each in one.entries]
        tables = [one.table(key) for one in below if isinstance(one, Table) and one.has(key)]
    return [each.key.text for one in tables for each in one.entries]


def _given(rng: random.Random, taxonomy: Table) -> dict[str, Fact]:
    """The facts from outside, by the part they play; those that no rule asks about go again."""
    source = rng.choice(["request", "attribute"])
    tiers, channels = rng.sample(CODES, rng.randint(2, 4)), codes(rng, "channel", 3)
    made = {
        "hours": given_number(rng, "open_hours", "request", rng.choice(["hours", None])),
        "model": given_number(rng, rng.choice(["probability", "risk"]), "model", None),
        "count": given_integer(rng, "grumble_count", "request", None),
        "months": given_integer(rng, "tenure_months", source, "months"),
        "tier": given_enum("tier", source, tiers),
        "type": given_enum("behaviour_type", "attribute", rng.sample(CODES, 3), is_open=True),
        "flag": given_flag("dissatisfied", "request"),
        "fault": given_flag("problem_exists", source),
        "channel": given_enum("channel", "request", channels, catalogue="channels"),
    }
    levels = [("category", "categories"), ("service", "services"), ("point", "points")]
    for depth, (name, catalogue) in enumerate(levels):
        ids, is_open = _level(taxonomy, depth), rng.random() < 0.5
        if ids:
            made[name] = given_enum(name, "request", ids, catalogue=catalogue, is_open=is_open)
    return made


class _Decisions:
    """Bands, a scorecard over them, a level over that, and what follows from the level."""

    def __init__(self, base: Base, given: Mapping[str, Fact]) -> None:
        self._base, self._rng, self._given = base, base.rng, given
        base.facts |= {fact.name: fact for fact in given.values()}

    def add_all(self) -> None:
        """Add every decision, each after those that it builds on."""
        band = self._table("duration_band", "hours", ["type"], {"duration_band": _words})
        level = self._level(band)
        matter = self._table("matter", "category", ["fault"], {"matter": self._either()})
        chains = {"owner": _from("departments"), "escalation": _from("escalations")}
        self._add("handling", Hit.FIRST, matter, [level], chains)
        standing = self._table("standing", "months", [], {"standing": _words})
        self._soothing([level, standing][: self._rng.randint(1, 2)])
        if self._rng.random() < 0.6:
            contact = {"reply_hours": _hours, "answer_now": _flag}
            self._add("contact", self._hit(), self._given["channel"], [standing], contact)
        for name in ("service", "point"):
            if name in self._given:
                self._table(f"{name}_group", name, [], {f"of_{name}": self._either()})

    def _table(self, name: str, on: str, extras: list[str], results: dict[str, Yields]) -> Fact:
        chosen = [self._given[each] for each in extras if self._rng.random() < 0.6]
        return self._add(name, self._hit(), self._given[on], chosen, results)

    def _add(
        self,
        name: str,
        hit: Hit,
        primary: Fact,
        extras: Sequence[Fact],
        results: dict[str, Yields],
    ) -> Fact:
        all_named = primary.values_from is not None
        made = table(self._rng, name, hit, primary, extras, results, all_named=all_named)
        decision, facts = made
        self._base.add(decision, facts)
        return facts[0]

    def _level(self, band: Fact) -> Fact:
        rng, given = self._rng, self._given
        kind = rng.choice([FactType.NUMBER, FactType.INTEGER])
        severity = Fact("severity", kind, "scorecard", unit=rng.choice(["points", None]))
        alone = rng.choice([None, given["flag"]])
        parts = [band, given["model"], given["count"]]
        self._base.add(scorecard(rng, "scorecard", parts, alone, severity), [severity])
        extras = [given["tier"]] if rng.random() < 0.6 else []
        return self._add("level", self._hit(), severity, extras, {"level": _whole})

    def _soothing(self, inputs: list[Fact]) -> None:
        names = tuple(codes(self._rng, "strategy", self._rng.randint(2, 3)))
        strategies = Fact("strategies", FactType.ENUM, "soothing", values=names)
        strategies.values_from = "strategies"
        self._base.add(listing(self._rng, "soothing", inputs, names, strategies), [strategies])

    def _hit(self) -> Hit:
        return self._rng.choice([Hit.FIRST, Hit.UNIQUE])

    def _either(self) -> Yields:
        return self._rng.choice([_words, _flag])


def _words(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    values = CODES[: min(rules, 3)]
    return Fact(name, FactType.ENUM, decision, values=values), values


def _from(catalogue: str) -> Yields:
    def make(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
        values = tuple(f"{catalogue}_{number}" for number in range(min(rules, 2)))
        fact = Fact(name, FactType.ENUM, decision, values=values, values_from=catalogue)
        return fact, values

    return make


def _flag(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    return Fact(name, FactType.BOOLEAN, decision), (True, False)


def _whole(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    limits = Interval(Decimal(1), Decimal(5))
    values = tuple(Decimal(number) for number in range(1, min(rules, 5) + 1))
    return Fact(name, FactType.INTEGER, decision, range=limits), values


def _hours(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    values = (Decimal("0.5"), Decimal(2), Decimal(24), Decimal("99.75"))[:rules]
    fact = Fact(name, FactType.NUMBER, decision, unit="hours", range=Interval(Decimal(0)))
    return fact, values


def _add_catalogues(base: Base) -> None:
    """Every entry that some fact takes its values from, and departments in every escalation."""
    rng, facts = base.rng, base.facts
    departments = facts["owner"].values
    made = {
        "departments": {
            code: entry(rng, **rng.choice([{}, {"group": "front"}])) for code in departments
        },
        "escalations": {
            code: entry(rng, departments=rng.sample(departments, rng.randint(1, len(departments))))
            for code in facts["escalation"].values
        },
        "strategies": {
            code: entry(rng, steps=labels(rng, 1), script=label(rng))
            for code in facts["strategies"].values
        },
    }
    rng.choice(list(made["strategies"].values())).put("expectation", label(rng))
    if "channel" in facts:
        codes_ = facts["channel"].values
        made["channels"] = {code: entry(rng, lines=["a"]) for code in codes_}
        made["channels"][codes_[0]].put("wait", label(rng))
    for name, entries in made.items():
        tree = {"catalogue": name, "entries": entries}
        base.files[f"catalogue/{name}.yaml"] = node_of(dict(rng.sample(sorted(tree.items()), 2)))
