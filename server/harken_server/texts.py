"""The words of an answer, from the rule base's catalogues and labels, built once a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeVar

from harken_rules import Entry, Fired, RuleBase

from harken_server.grumble import Advice, Labelled, Strategy

Made = TypeVar("Made")

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


ADVICE = (
    "treatment",
    "contact_policy",
    "owner",
    "supporting_departments",
    "escalation",
    "warnings",
)
_advised = itemgetter(*ADVICE)
_KEPT = 16384
"""Things of a kind remembered. When there are more, all are forgotten."""
_UNKNOWN: Mapping[object, Labelled] = {}


def many(value: object) -> tuple[object, ...]:
    """The values of a result of an ``all`` decision; none where it is missing."""
    return value if isinstance(value, tuple) else ()


class Texts:
    """The words of one language; whatever is asked for twice is the same object."""

    def __init__(self, base: RuleBase, language: str) -> None:
        self._base = base
        self._language = language
        self._strategies = {
            code: strategy_of(entry, language)
            for code, entry in base.catalogues["strategies"].items()
        }
        self._strategy_lists: dict[object, tuple[Strategy, ...]] = {}
        self._reasons: dict[int, tuple[tuple[Labelled, ...], tuple[Fired, ...]]] = {}
        self._advice: dict[tuple[object, ...], Advice] = {}
        self._labels: dict[str, dict[object, Labelled]] = {
            name: {
                code: Labelled(code, base.label(name, code, language)) for code in fact.values or {}
            }
            for name, fact in base.facts.items()
        }

    def label(self, fact: str, code: object) -> Labelled:
        """An enum fact's value with its label; empty where ``code`` is missing.

        Of a fact that the rule base does not declare, or an open one's other values, there is
        only the code.
        """
        if code is None:
            return NOTHING
        found = self._labels.get(fact, _UNKNOWN).get(code)
        # A caller's own code is not kept, or callers could fill the memory.
        return found if found is not None else Labelled(str(code), str(code))

    def advice(self, results: Mapping[str, object]) -> Advice:
        """The advice that a verdict's results amount to."""
        key = _advised(results)
        found = self._advice.get(key)
        if found is None:
            found = remember(self._advice, key, self._make_advice(results))
        return found

    def _make_advice(self, results: Mapping[str, object]) -> Advice:
        return Advice(
            treatment=self.label("treatment", results["treatment"]),
            contact_policy=self.label("contact_policy", results["contact_policy"]),
            owner=self.label("owner", results["owner"]),
            supporting_departments=tuple(
                self.label("supporting_departments", code)
                for code in many(results["supporting_departments"])
            ),
            escalation_chain=self.chain(results["escalation"]),
            warnings=tuple(self.label("warnings", code) for code in many(results["warnings"])),
        )

    def strategies(self, codes: object) -> tuple[Strategy, ...]:
        """The strategies of the catalogue that a verdict names; none where it is missing."""
        found = self._strategy_lists.get(codes)
        if found is None:
            made = tuple([self._strategies[str(code)] for code in many(codes)])
            found = remember(self._strategy_lists, codes, made)
        return found

    def chain(self, code: object) -> tuple[Labelled, ...]:
        """The departments of an escalation chain, in order."""
        departments = self._base.catalogues["departments"]
        return tuple(
            Labelled(name, pick(departments[name].title, self._language, name))
            for name in chain_of(self._base, code)
        )

    def reasons(self, fired: tuple[Fired, ...]) -> tuple[Labelled, ...]:
        """Fired rules as reasons: ``<decision>.<rule>`` and their authors' words."""
        # By identity, for they cannot be hashed: the engine says the same with the same object.
        # What is kept here keeps its identity to itself.
        found = self._reasons.get(id(fired))
        if found is None:
            found = remember(self._reasons, id(fired), (tuple(map(self._reason, fired)), fired))
        return found[0]

    def _reason(self, fired: Fired) -> Labelled:
        code = reason_code(fired)
        return Labelled(code, pick(fired.because, self._language, code))

    def ignored(self, name: str) -> Labelled:
        """The warning that an undeclared attribute was not looked at."""
        words = _IGNORED.get(self._language, _IGNORED["en"])
        return Labelled("attribute-ignored", words.format(name))


def remember(kept: dict[Any, Made], key: object, made: Made) -> Made:
    """Keep what was made; answers it."""
    if len(kept) >= _KEPT:
        kept.clear()
    kept[key] = made
    return made


def strategy_of(entry: Entry, language: str) -> Strategy:
    """A strategy of the catalogue in one language."""
    steps = entry.data.get("steps")
    return Strategy(
        code=entry.id,
        title=pick(entry.title, language, entry.id),
        steps=tuple(pick(step, language) for step in steps)
        if isinstance(steps, list | tuple)
        else (),
        script=pick(entry.data.get("script"), language),
        expectation=pick(entry.data.get("expectation"), language),
    )


def reason_code(fired: Fired) -> str:
    """A fired rule's code as a reason."""
    return f"{fired.decision}.{fired.rule_id}"


def chain_of(base: RuleBase, code: object) -> tuple[str, ...]:
    """The departments' codes of an escalation chain, in order; none where it is missing."""
    if code is None:
        return ()
    names = base.catalogues["escalations"][str(code)].data.get("departments")
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()
