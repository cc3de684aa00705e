"""An operator's own fields: what is declared, and whether what came is of that kind."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

from harken_rules import RuleBase
from harken_rules.language import FactType

from harken_server.errors import Reason, Violation, clip
from harken_server.grumble import AttributeValue
from harken_server.limits import MAX_ATTRIBUTES, MAX_CODE, MAX_TEXT

if TYPE_CHECKING:
    from harken_models import Bundle

_FACT_KINDS = {
    FactType.ENUM: "text",
    FactType.NUMBER: "number",
    FactType.INTEGER: "whole number",
    FactType.BOOLEAN: "flag",
}
_MODEL_KINDS = {"category": "text", "number": "number", "flag": "flag"}


class Attributes:
    """The declared attributes of a rule base and a bundle.

    ``kinds`` maps a name to ``text``, ``number``, ``whole number`` or ``flag``;
    ``conflicts`` names those that the two declare differently, a sentence each.
    """

    def __init__(self, base: RuleBase, bundle: Bundle) -> None:
        kinds = {name: _MODEL_KINDS[str(spec.type)] for name, spec in bundle.attributes.items()}
        conflicts = []
        for fact in base.facts.values():
            if fact.source != "attribute":
                continue
            kind = _FACT_KINDS[fact.type]
            theirs = kinds.get(fact.name)
            if theirs is not None and theirs != kind.removeprefix("whole "):
                conflicts.append(
                    f"attribute '{fact.name}' is a {kind} in the rule base "
                    f"and a {theirs} in the bundle; make them agree"
                )
            kinds[fact.name] = kind
        self.kinds: Mapping[str, str] = kinds
        self.conflicts = tuple(conflicts)

    def violations(self, given: Mapping[str, AttributeValue]) -> list[Violation]:
        """Everything wrong with the attributes ``given``, by name."""
        if len(given) > MAX_ATTRIBUTES:
            words = f"{len(given)} attributes were sent; at most {MAX_ATTRIBUTES} are allowed"
            return [Violation(Reason.FIELD_INVALID, "attributes", words)]
        found = []
        for name in sorted(given):
            problem = self._problem(name, given[name])
            if problem is not None:
                reason, words = problem
                # A name too long to be anybody's is not repeated in full.
                field = f"attributes[{name[:MAX_CODE]}]"
                found.append(Violation(reason, field, words))
        return found

    def read(self, given: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
        """The declared ones among sound attributes, whole numbers as such."""
        row: dict[str, AttributeValue] = {}
        for name, value in given.items():
            kind = self.kinds.get(name)
            if kind is not None:
                row[name] = int(value) if kind == "whole number" else value
        return row

    def ignored(self, given: Mapping[str, AttributeValue]) -> list[str]:
        """The names that nothing declares, in alphabetical order."""
        return sorted(name for name in given if name not in self.kinds)

    def _problem(self, name: str, value: AttributeValue) -> tuple[Reason, str] | None:
        if not name or len(name) > MAX_CODE:
            return Reason.FIELD_INVALID, f"an attribute's name has 1 to {MAX_CODE} characters"
        if isinstance(value, str) and len(value) > MAX_TEXT:
            words = f"attribute {clip(name)} has {len(value)} characters; at most {MAX_TEXT}"
            return Reason.FIELD_INVALID, words + " are allowed"
        number = value if isinstance(value, int | float) else 0
        if not isfinite(number):
            return Reason.FIELD_INVALID, f"attribute {clip(name)} must be a finite number"
        kind = self.kinds.get(name)
        if kind is None or kind == _kind(value):
            return None
        if (kind, _kind(value)) == ("whole number", "number") and float(number).is_integer():
            return None
        return Reason.ATTRIBUTE_TYPE, f"attribute {clip(name)} is declared as a {kind}"


def _kind(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"
