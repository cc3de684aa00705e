"""Why not, for machines."""

from __future__ import annotations

from harken_rules.cases import value_text, wanted_text
from harken_rules.changes import Alternative
from harken_rules.explain_text import plain
from harken_rules.language import Rule, Within
from harken_rules.phrases import Phrases
from harken_rules.reading.numbers import number_text
from harken_rules.why_not import Misses, WhyNot


def to_dict(why_not: WhyNot, phrases: Phrases) -> dict[str, object]:
    """The same for machines."""
    goal, search = why_not.goal, why_not.search
    found: dict[str, object] = {
        "goal": goal.text,
        "result": goal.result,
        "wanted": wanted_text(goal.wanted),
        "value": plain(why_not.situation.value(goal.result)),
        "reached": search is None,
        "misses": [_misses_dict(each) for each in why_not.misses],
        "keep": list(why_not.keep),
    }
    if search is not None:
        found["alternatives"] = [_alternative_dict(each, phrases) for each in search.alternatives]
        found["others"] = search.others
        found["complete"] = search.complete
        found["tried"] = {str(size): number for size, number in search.tried.items()}
        found["all"] = {str(size): number for size, number in search.all.items()}
    return found


def _misses_dict(misses: Misses) -> dict[str, object]:
    return {
        "decision": misses.decision.name,
        "result": misses.result,
        "wanted": wanted_text(misses.wanted),
        "value": plain(misses.value),
        "rules": [
            {
                **_rule_dict(miss.rule),
                "failing": [
                    {
                        "fact": each.fact,
                        "value": plain(each.value),
                        "wanted": wanted_text(each.condition),
                    }
                    for each in miss.failing
                ],
                "instead": None if miss.instead is None else miss.instead.id,
            }
            for miss in misses.rules
        ],
        "others": misses.others,
        "against": [_rule_dict(rule) for rule in misses.against],
        "rooms": [
            {
                "name": room.name,
                "now": number_text(room.now),
                "least": number_text(room.least),
                "most": number_text(room.most),
            }
            for room in misses.rooms
        ],
    }


def _rule_dict(rule: Rule) -> dict[str, object]:
    return {"rule": rule.id, "file": rule.place.file, "line": rule.place.line}


def _alternative_dict(one: Alternative, phrases: Phrases) -> dict[str, object]:
    return {
        "changes": [
            {
                "fact": each.fact,
                "title": phrases.title(each.fact),
                "before": value_text(each.before),
                "after": value_text(each.after),
                "others": [value_text(other) for other in each.others],
                "range": None if each.interval is None else wanted_text(Within(each.interval)),
            }
            for each in one.changes
        ],
        "result": plain(one.result),
    }
