"""When two ways of writing a decision say the same, so that nothing needs to be written."""

from __future__ import annotations

from collections.abc import Mapping

from harken_rules.language import Condition, Decision, OneOf, Rule
from harken_rules.sheets.content import Content
from harken_rules.sheets.plain import as_mapping
from harken_rules.sheets.units import HEAD, RULE, Units


def take_same_meaning(
    marks: dict[str, str],
    before: Mapping[str, str],
    sheet: Units,
    folder: Units,
    decision: Decision,
    content: Content,
) -> None:
    """Let rules and heads that only spell the same otherwise count as unchanged."""
    old = next((one for one in content.base.decisions if one.name == decision.name), None)
    if old is None:
        return
    rules = {rule.id: rule for rule in old.rules}
    for rule in decision.rules:
        key = RULE + rule.id
        if key not in folder or rule.id not in rules:
            continue
        remarks = [as_mapping(one[key])["remark"] for one in (sheet, folder)]
        if remarks[0] == remarks[1] and meaning(rule) == meaning(rules[rule.id]):
            marks[key] = before[key]
    heads = [as_mapping(one[HEAD]) for one in (sheet, folder)]
    same_remarks = all(heads[0][key] == heads[1][key] for key in ("remark", "end"))
    if same_remarks and head_meaning(decision) == head_meaning(old):
        marks[HEAD] = before[HEAD]


def meaning(rule: Rule) -> object:
    """What a rule says, whatever the spelling of numbers and the order of values in a list."""
    alternatives = frozenset(
        frozenset((clause.fact, _condition(clause.condition)) for clause in one)
        for one in rule.alternatives
    )
    return rule.id, alternatives, dict(rule.then), dict(rule.because), rule.characteristic


def head_meaning(decision: Decision) -> object:
    """What a decision says besides its rules."""
    return (
        dict(decision.title),
        decision.hit,
        decision.results,
        decision.reasons,
        getattr(decision, "otherwise_missing", False),
        {
            name: (dict(one.title), one.weight, one.baseline)
            for name, one in decision.characteristics.items()
        },
    )


def _condition(condition: Condition) -> object:
    if isinstance(condition, OneOf):
        return condition.negated, frozenset(condition.values)
    return condition
