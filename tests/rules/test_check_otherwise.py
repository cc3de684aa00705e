"""``otherwise: missing``: who may say it, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harken_rules import check_rule_base, load_rule_base
from harken_rules.engine import RuleEngine

Edit = Callable[[dict[str, tuple[str, str]]], Path]
OTHERWISE = "otherwise: missing\n"


def test_it_is_read(sample: Path) -> None:
    says = {one.name: one.otherwise_missing for one in load_rule_base(sample).decisions}
    assert {name for name, said in says.items() if said} == {"duration_band", "escalation"}


def test_it_changes_no_verdict(sample: Path) -> None:
    verdict = RuleEngine(load_rule_base(sample), evaluator="boxes").decide({})
    assert verdict.results["duration_band"] is None
    assert verdict.results["escalation"] is None


@pytest.mark.parametrize("value", ["known", "Missing", "", "[missing]", "{level: 1}"])
def test_nothing_else_can_be_said(value: str, edit: Edit) -> None:
    base = edit({"decisions/escalation.yaml": (OTHERWISE, f"otherwise: {value}\n")})
    (found,) = check_rule_base(base)
    assert found.id in ("unknown-value", "wrong-shape")
    assert found.place.file == "decisions/escalation.yaml"


@pytest.mark.parametrize("name", ["severity", "strategies"])
def test_it_belongs_to_tables(name: str, edit: Edit) -> None:
    base = edit({f"decisions/{name}.yaml": ("rules:\n", f"{OTHERWISE}rules:\n")})
    (found,) = check_rule_base(base)
    assert (found.id, found.severity) == ("unknown-key", "error")
    assert "`hit: first` or `hit: unique`" in found.message
