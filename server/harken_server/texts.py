"""The words of an answer, from the rule base's catalogues and labels, built once a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from harken_rules import Fired, RuleBase

from harken_server.grumble import Labelled, Strategy

NOTHING = Labelled("", "")
_IGNORED = {
    "en": "Attribute '{}' is not declared and was left out of account",
    "zh": "属性“{}”未声明，未予采用",
}


def pick(texts: object, language: str, otherwise: str = "") -> str:
    """A text in ``language``; English, then ``otherwise``, where there is none."""
    if not isinstance(texts, Mapping):
        return str(texts) if texts else otherwise
    return str(texts.get(language) or texts.get("en") or otherwise)


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be done, in one language: the part of an answer that many answers share."""

    treatment: Labelled
    contact_policy: Labelled
    strategies: tuple[Strategy, ...]
    owner: Labelled
    supporting_departments: tuple[Labelled, ...]
    escalation_chain: tuple[Labelled, ...]
    warnings: tuple[Labelled, ...]


_ADVICE = (
    "treatment",
    "contact_policy",
    "strategies",
    "owner",
    "supporting_departments",
    "escalation",
    "warnings",
)
_advised = itemgetter(*_ADVICE)
_KEPT = 4096
"""Pieces of advice remembered; a rule base gives far fewer different ones."""


def many(value: object) -> tuple[object, ...]:
    """The values of a result of an ``all`` decision; none where it is missing."""
    return value if isinstance(value, tuple) else ()


class Texts:
    """Looks up by code and language; whatever is asked for twice is the same object."""

    def __init__(self, base: RuleBase) -> None:
        self._base = base
        self._strategies: dict[tuple[str, str], Strategy] = {}
        self._labels: dict[tuple[str, str, str], Labelled] = {}
        self._chains: dict[tuple[str, str], tuple[Labelled, ...]] = {}
        self._reasons: dict[tuple[str, str, str], Labelled] = {}
        self._advice: dict[tuple[object, ...], Advice] = {}

    def advice(self, results: Mapping[str, object], language: str) -> Advice:
        """The advice that a verdict's results amount to."""
        key = (language, *_advised(results))
        found = self._advice.get(key)
        if found is None:
            found = self._make_advice(results, language)
            if len(self._advice) < _KEPT:
                self._advice[key] = found
        return found

    def _make_advice(self, results: Mapping[str, object], language: str) -> Advice:
        return Advice(
            treatment=self.label("treatment", results["treatment"], language),
            contact_policy=self.label("contact_policy", results["contact_policy"], language),
            strategies=tuple(self.strategy(c, language) for c in many(results["strategies"])),
            owner=self.label("owner", results["owner"], language),
            supporting_departments=tuple(
                self.label("supporting_departments", code, language)
                for code in many(results["supporting_departments"])
            ),
            escalation_chain=self.chain(results["escalation"], language),
            warnings=tuple(
                self.label("warnings", code, language) for code in many(results["warnings"])
            ),
        )

    def label(self, fact: str, code: object, language: str) -> Labelled:
        """An enum fact's value with its label; empty where ``code`` is missing.

        Of a fact that the rule base does not declare there is only the code.
        """
        if code is None:
            return NOTHING
        key = (fact, str(code), language)
        found = self._labels.get(key)
        if found is None:
            declared = self._base.facts.get(fact)
            if declared is None or key[1] not in (declared.values or {}):
                # A caller's own code: it is not kept, or callers could fill the memory.
                return Labelled(key[1], key[1])
            found = Labelled(key[1], self._base.label(*key))
            self._labels[key] = found
        return found

    def strategy(self, code: object, language: str) -> Strategy:
        """A strategy of the catalogue."""
        key = (str(code), language)
        found = self._strategies.get(key)
        if found is None:
            entry = self._base.catalogues["strategies"][key[0]]
            steps = entry.data.get("steps")
            found = Strategy(
                code=entry.id,
                title=pick(entry.title, language, entry.id),
                steps=tuple(pick(step, language) for step in steps)
                if isinstance(steps, list | tuple)
                else (),
                script=pick(entry.data.get("script"), language),
                expectation=pick(entry.data.get("expectation"), language),
            )
            self._strategies[key] = found
        return found

    def chain(self, code: object, language: str) -> tuple[Labelled, ...]:
        """The departments of an escalation chain, in order."""
        if code is None:
            return ()
        key = (str(code), language)
        found = self._chains.get(key)
        if found is None:
            names = self._base.catalogues["escalations"][key[0]].data.get("departments")
            departments = self._base.catalogues["departments"]
            found = tuple(
                Labelled(str(name), pick(departments[str(name)].title, language, str(name)))
                for name in (names if isinstance(names, list | tuple) else ())
            )
            self._chains[key] = found
        return found

    def reason(self, fired: Fired, language: str) -> Labelled:
        """A fired rule as a reason: ``<decision>.<rule>`` and its author's words."""
        key = (fired.decision, fired.rule_id, language)
        found = self._reasons.get(key)
        if found is None:
            code = f"{fired.decision}.{fired.rule_id}"
            found = Labelled(code, pick(fired.because, language, code))
            self._reasons[key] = found
        return found

    @staticmethod
    def ignored(name: str, language: str) -> Labelled:
        """The warning that an undeclared attribute was not looked at."""
        words = _IGNORED.get(language, _IGNORED["en"])
        return Labelled("attribute-ignored", words.format(name))
