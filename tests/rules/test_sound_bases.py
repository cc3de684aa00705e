"""Sound rule bases, the shipped one and 200 generated ones: nothing is found in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from harken_rules import FactType, Severity, default_base_path
from harken_rules.language import Hit, Missing, OneOf, RuleBase, Within
from harken_rules.loader import read_rule_base

from .seeded.base import write
from .seeded.grow import sound_base

BASES = 200
PARTS = 4


def test_nothing_is_found_in_the_shipped_base() -> None:
    assert read_rule_base(default_base_path()).diagnostics == ()


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_found_in_sound_bases(part: int, tmp_path: Path) -> None:
    for seed in range(part, BASES, PARTS):
        written = write(sound_base(seed))
        loaded = read_rule_base(written.to(tmp_path / str(seed)))
        said = "\n".join(one.render() for one in loaded.diagnostics)
        assert not said, f"seed {seed}\n{said}"
        assert loaded.base is not None
        assert loaded.cases


def test_a_seed_gives_the_same_bytes_each_time() -> None:
    for seed in range(3):
        assert write(sound_base(seed)).files == write(sound_base(seed)).files
    assert write(sound_base(1)).files != write(sound_base(2)).files


def test_generated_bases_show_everything(tmp_path: Path) -> None:
    """Otherwise that nothing is found in them would say little."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        base = sound_base(seed)
        loaded = read_rule_base(write(base).to(tmp_path / str(seed)))
        assert loaded.base is not None
        seen.update(_shown(loaded.base))
        seen.update("rows" for case in loaded.cases if " / " in case.name)
    wanted = {*FactType, *Hit, "open", "unit", "range", "catalogue", "rows", "reasons", "alone"}
    wanted |= {"any", "not", "list", "two bounds", "missing", "known", "catch-all", "otherwise"}
    assert not wanted - seen.keys()


def _shown(base: RuleBase) -> list[str]:
    seen: list[str] = []
    for fact in base.facts.values():
        seen += [fact.type, *(["open"] if fact.open else []), *(["unit"] if fact.unit else [])]
        seen += ["range"] if fact.range.low is not None else []
    seen += ["catalogue"] if "channels" in base.catalogues else []
    for decision in base.decisions:
        seen += [decision.hit, *(["otherwise"] if decision.otherwise_missing else [])]
        seen += ["reasons"] if decision.reasons else []
        for rule in decision.rules:
            seen += ["alone"] if decision.hit is Hit.SUM and not rule.characteristic else []
            seen += ["any"] if len(rule.alternatives) > 1 else []
            seen += ["catch-all"] if () in rule.alternatives else []
            for clauses in rule.alternatives:
                for clause in clauses:
                    match clause.condition:
                        case OneOf(values, negated):
                            seen += ["not"] if negated else []
                            seen += ["list"] if len(values) > 1 else []
                        case Missing(wanted):
                            seen += ["missing" if wanted else "known"]
                        case Within(span):
                            both = span.low is not None and span.high is not None
                            seen += ["two bounds"] if both else []
    return seen


def test_warnings_are_not_overlooked(tmp_path: Path) -> None:
    base = sound_base(0)
    base.raw["stray.yaml"] = b"x: y\n"
    (found,) = read_rule_base(write(base).to(tmp_path / "base")).diagnostics
    assert found.severity is Severity.WARNING
