"""The words of an answer, from the rule base's catalogues and labels, built once a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from harken_rules import Entry, Fired, RuleBase

from harken_server.grumble import Advice, Labelled, Strategy, Words
from harken_server.kept import MOST, Kept, KeptTogether

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
advised = itemgetter(*ADVICE)
"""Those of a verdict's results that make advice."""
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
        self._labels: dict[str, dict[object, Labelled]] = {
            name: {
                code: Labelled(code, base.label(name, code, language)) for code in fact.values or {}
            }
            for name, fact in base.facts.items()
        }
        self._words: dict[tuple[object, ...], Words] = {}
        self.advice = KeptTogether(self._make_advice)
        """What the results named in ``ADVICE``, in that order, amount to."""
        self.strategies = Kept(self._find_strategies)
        """The strategies of the catalogue whose codes a verdict names."""
        self.reasons = Kept(self._make_reasons)
        """Fired rules as reasons: ``<decision>.<rule>`` and their authors' words."""

    def label(self, fact: str, code: object) -> Labelled:
        """An enum fact's value with its label; empty where ``code`` is missing.

        Of a fact that the rule base does not declare, or an open one's other values, there is
        only the code.
        """
        if code is None:
            return NOTHING
        found = self._labels.get(fact, _UNKNOWN).get(code)
        return found if found is not None else Labelled(str(code), str(code))

    def words(self, segment: object, behaviour_type: object, tolerance: object) -> Words:
        """The labels of these codes."""
        key = segment, behaviour_type, tolerance
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= MOST:  # they may be a caller's own codes
                self._words.clear()
            found = self._words[key] = Words(*map(self.label, Words._fields, key))
        return found

    def _make_advice(self, results: tuple[object, ...]) -> Advice:
        treatment, contact_policy, owner, supporting, escalation, warnings = results
        return Advice(
            treatment=self.label("treatment", treatment),
            contact_policy=self.label("contact_policy", contact_policy),
            owner=self.label("owner", owner),
            supporting_departments=tuple(
                self.label("supporting_departments", code) for code in many(supporting)
            ),
            escalation_chain=self.chain(escalation),
            warnings=tuple(self.label("warnings", code) for code in many(warnings)),
        )

    def _find_strategies(self, codes: object) -> tuple[Strategy, ...]:
        return tuple([self._strategies[str(code)] for code in many(codes)])

    def _make_reasons(self, fired: tuple[Fired, ...]) -> tuple[Labelled, ...]:
        codes = map(reason_code, fired)
        return tuple(
            Labelled(code, pick(each.because, self._language, code))
            for code, each in zip(codes, fired, strict=True)
        )

    def chain(self, code: object) -> tuple[Labelled, ...]:
        """The departments of an escalation chain, in order."""
        departments = self._base.catalogues["departments"]
        return tuple(
            Labelled(name, pick(departments[name].title, self._language, name))
            for name in chain_of(self._base, code)
        )

    def ignored(self, name: str) -> Labelled:
        """The warning that an undeclared attribute was not looked at."""
        words = _IGNORED.get(self._language, _IGNORED["en"])
        return Labelled("attribute-ignored", words.format(name))


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
