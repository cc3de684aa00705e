"""A sound rule base by seed: facts of every type, catalogues, chained decisions, cases that hold."""

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
    """The sound rule base of ``seed``: about eight decisions of three to nine rules."""
    rng = random.Random(seed)
    base = Base(rng, seed)
    taxonomy = _taxonomy(rng)
    given = _given(rng, taxonomy)
    _decisions(base, given)
    _catalogues(base, taxonomy)
    languages = rng.sample(["en", "zh"], 2)
    header = {"name": f"seeded-{seed}", "title": label(rng), "languages": languages}
    base.files["rulebase.yaml"] = node_of(header)
    asked = {
        name for one in base.decisions for r in one.rules for w in r.alternatives for name in w
    }
    base.facts = {n: f for n, f in base.facts.items() if n in asked or f.cone != {n}}
    base.files["facts.yaml"] = facts_tree(rng, base.facts)
    for decision in base.decisions:
        folder = rng.choice(["decisions/", "decisions/", "decisions/more/"])
        decision.file = f"{folder}{decision.name}{rng.choice(['.yaml', '.yaml', '.yml'])}"
        base.files[decision.file] = decision_tree(rng, decision, base.facts)
    add_cases(base)
    return base


def _taxonomy(rng: random.Random) -> Table:
    """Two or three categories, some with services, some of those with points."""
    made: dict[str, Table] = {}
    for category in codes(rng, "category", rng.randint(2, 3)):
        made[category] = entry(rng)
        if rng.random() < 0.5:
            continue
        services = {
            code: entry(rng) for code in codes(rng, f"{category}_service", rng.randint(1, 2))
        }
        made[category].put("services", services)
        for code, service in services.items():
            if rng.random() < 0.5:
                points = codes(rng, f"{code}_point", rng.randint(1, 2))
                service.put("points", {point: entry(rng) for point in points})
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
    """The facts from outside, by the part they play."""
    source = rng.choice(["request", "attribute"])
    kinds = rng.sample(CODES, rng.randint(2, 4))
    made = {
        "category": given_enum(
            "category",
            "request",
            _level(taxonomy, 0),
            catalogue="categories",
            is_open=rng.random() < 0.5,
        ),
        "hours": given_number(rng, "open_hours", "request", rng.choice(["hours", None])),
        "model": given_number(rng, rng.choice(["probability", "risk"]), "model", None),
        "count": given_integer(rng, "grumble_count", "request", None),
        "months": given_integer(rng, "tenure_months", source, "months"),
        "tier": given_enum("tier", source, kinds),
        "type": given_enum("behaviour_type", "attribute", rng.sample(CODES, 3), is_open=True),
        "flag": given_flag("dissatisfied", "request"),
        "fault": given_flag("problem_exists", source),
        "channel": given_enum(
            "channel", "request", codes(rng, "channel", rng.randint(2, 4)), catalogue="channels"
        ),
    }
    for depth, (name, catalogue) in enumerate([("service", "services"), ("point", "points")], 1):
        ids = _level(taxonomy, depth)
        if ids:
            made[name] = given_enum(
                name, "request", ids, catalogue=catalogue, is_open=rng.random() < 0.5
            )
    return made


def _decisions(base: Base, given: Mapping[str, Fact]) -> None:
    """Bands, a scorecard over them, a level over that, and what follows from the level."""
    rng = base.rng
    base.facts |= {fact.name: fact for fact in given.values()}

    def either(*names: str) -> list[Fact]:
        return [given[name] for name in rng.sample(names, rng.randint(0, len(names)))]

    def add(
        name: str,
        hit: Hit,
        primary: Fact,
        extras: Sequence[Fact],
        results: dict[str, Yields],
        *,
        named: bool = False,
    ) -> list[Fact]:
        decision, facts = table(rng, name, hit, primary, extras, results, all_named=named)
        base.add(decision, facts)
        return facts

    def any_hit() -> Hit:
        return rng.choice([Hit.FIRST, Hit.UNIQUE])

    (band,) = add(
        "duration_band", any_hit(), given["hours"], either("type"), {"duration_band": _words}
    )
    (matter,) = add(
        "matter",
        any_hit(),
        given["category"],
        either("fault"),
        {"matter": rng.choice([_words, _flag])},
        named=True,
    )
    kind = rng.choice([FactType.NUMBER, FactType.INTEGER])
    severity = Fact("severity", kind, "scorecard", unit=rng.choice(["points", None]))
    alone = rng.choice([None, given["flag"]])
    base.add(
        scorecard(rng, "scorecard", [band, given["model"], given["count"]], alone, severity),
        [severity],
    )
    (level,) = add("level", any_hit(), severity, either("tier"), {"level": _whole})
    wanted = {"owner": _from("departments"), "escalation": _from("escalations")}
    add("handling", Hit.FIRST, matter, [level], wanted)
    (spend,) = add("standing", any_hit(), given["months"], [], {"standing": _words})
    names = codes(rng, "strategy", rng.randint(2, 5))
    strategies = Fact(
        "strategies", FactType.ENUM, "soothing", values=tuple(names), values_from="strategies"
    )
    base.add(
        listing(rng, "soothing", [level, spend][: rng.randint(1, 2)], names, strategies),
        [strategies],
    )
    add(
        "contact",
        any_hit(),
        given["channel"],
        [spend],
        {"reply_hours": _hours, "answer_now": _flag},
        named=True,
    )
    for name in ("service", "point"):
        if name in given:
            add(
                f"{name}_group",
                any_hit(),
                given[name],
                [],
                {f"of_{name}": rng.choice([_words, _flag])},
                named=True,
            )


def _words(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    values = CODES[: min(rules, 4)]
    return Fact(name, FactType.ENUM, decision, values=values), values


def _from(catalogue: str) -> Yields:
    def make(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
        values = tuple(f"{catalogue}_{number}" for number in range(min(rules, 3)))
        return Fact(name, FactType.ENUM, decision, values=values, values_from=catalogue), values

    return make


def _flag(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    return Fact(name, FactType.BOOLEAN, decision), (True, False)


def _whole(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    limits = Interval(Decimal(1), Decimal(5))
    values = tuple(Decimal(number) for number in range(1, min(rules, 5) + 1))
    return Fact(name, FactType.INTEGER, decision, range=limits), values


def _hours(name: str, decision: str, rules: int) -> tuple[Fact, tuple[Value, ...]]:
    values = (Decimal("0.5"), Decimal(2), Decimal(24), Decimal("99.75"))[:rules]
    return Fact(name, FactType.NUMBER, decision, unit="hours", range=Interval(Decimal(0))), values


def _catalogues(base: Base, taxonomy: Table) -> None:
    """Every entry that some fact takes its values from, and departments in every escalation."""
    rng, facts = base.rng, base.facts
    base.files["catalogue/taxonomy.yaml"] = node_of({"taxonomy": taxonomy})
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
            code: entry(
                rng,
                steps=labels(rng, rng.randint(1, 2)),
                script=label(rng),
                **rng.choice([{}, {"expectation": label(rng)}]),
            )
            for code in facts["strategies"].values
        },
        "channels": {
            code: entry(rng, wait=label(rng), lines=["a", "b"]) for code in facts["channel"].values
        },
    }
    for name, entries in made.items():
        tree = {"catalogue": name, "entries": entries}
        base.files[f"catalogue/{name}.yaml"] = node_of(dict(rng.sample(sorted(tree.items()), 2)))
