"""An explanation as indented text, in English or Chinese, and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harken_rules.cases import value_text
from harken_rules.explain import Explanation, Reached, Step
from harken_rules.hints import printable
from harken_rules.language import Hit, Place
from harken_rules.phrases import Phrases
from harken_rules.reading.numbers import number_text

Pieces = list[tuple[str, str]]
"""A line as (text, style) pieces, without its end."""

Lines = Iterator[tuple[int, Pieces]]
"""Lines with how deep each stands."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "given": "Given",
        "nothing given": "Nothing is given.",
        "model": "Not given by the model, and so not known here: ",
        "rule": "rule {}",
        "before": "no rule before it holds",
        "nobody": "no rule matches",
        "nothing": "no rule adds anything",
        "above": "  (explained above)",
        "adds": "{} = {} × {}",
    },
    "zh": {
        "given": "已知事实",
        "nothing given": "没有给出任何事实。",
        "model": "模型事实未给出，在此视为未知：",
        "rule": "规则 {}",
        "before": "在它之前的规则均不成立",
        "nobody": "没有规则成立",
        "nothing": "没有规则计分",
        "above": "（见上文）",
        "adds": "{} = {} × {}",
    },
}


@dataclass(slots=True)
class Teller:
    """Tells one explanation; ``prefix`` stands before file names."""

    explanation: Explanation
    phrases: Phrases
    prefix: str = ""
    _told: set[str] = field(default_factory=set)
    _headed: set[str] = field(default_factory=set)

    def lines(self) -> Lines:
        """What was given, then every root with all that it rests on."""
        yield from self._given()
        for root in self.explanation.roots:
            step = self.explanation.steps[self.explanation.yielded_by[root]]
            if root in self._headed:
                continue  # it was told with another result of the same decision
            yield 0, []
            yield from self._results(step)

    def _given(self) -> Lines:
        given, base = self.explanation.given, self.phrases.base
        yield 0, [(self._word("given" if given else "nothing given"), "bold" if given else "")]
        for fact, value in given.items():
            yield 1, [(self._said(fact, value), "")]
        results = self.explanation.yielded_by
        unknown = [
            self.phrases.title(name)
            for name, fact in base.facts.items()
            if fact.source == "model" and name not in given and name not in results
        ]
        if unknown:
            said = self.phrases.word("comma").join(unknown)
            yield 0, [(self._word("model") + said, "yellow")]

    def _results(self, step: Step) -> Lines:
        above = self._word("above") if step.decision.name in self._told else ""
        for name, value in step.results.items():
            self._headed.add(name)
            yield 0, [(self._said(name, value), "bold"), (above, "dim")]
        if not above:
            yield from self._step(step, 1)

    def _step(self, step: Step, depth: int) -> Lines:
        """Why a decision says what it does."""
        self._told.add(step.decision.name)
        for reached in step.rules:
            yield depth, self._rule(step, reached)
            because = self.phrases.text(reached.rule.because)
            if because:
                yield depth + 1, [(printable(because), "green")]
            for each in reached.held:
                said = self.phrases.held(each.fact, each.condition, each.value)
                yield from self._fact(each.fact, said, depth + 1)
        if not step.rules:
            key = "nothing" if step.decision.hit is Hit.SUM else "nobody"
            yield depth, [(self._word(key), ""), *self._place(step.decision.place)]
        elif step.ruling_out:
            yield depth, [(self._word("before"), "")]
        for fact, value in step.ruling_out.items():
            yield from self._fact(fact, self.phrases.said(fact, value), depth + 1)

    def _fact(self, fact: str, said: str, depth: int) -> Lines:
        """A fact that a step rests on and, the first time, the decision that it comes from."""
        decision = self.explanation.yielded_by.get(fact)
        above = decision in self._told
        yield depth, [(f"- {printable(said)}", ""), (self._word("above") if above else "", "dim")]
        if decision is not None and not above:
            yield from self._step(self.explanation.steps[decision], depth + 1)

    def _rule(self, step: Step, reached: Reached) -> Pieces:
        said = self._word("rule").format(reached.rule.id)
        if step.decision.hit is Hit.SUM:
            said = f"{self._adds(step, reached)}  {said}"
        elif step.decision.hit is Hit.ALL:
            name = step.decision.results[0]
            said = f"{self.phrases.listed(name, reached.rule.then[name])}  {said}"
        return [(said, ""), *self._place(reached.rule.place)]

    def _adds(self, step: Step, reached: Reached) -> str:
        """``1.76 = 0.4 × 4.4  Complaint probability``."""
        partial = number_text(reached.partial) if reached.partial is not None else ""
        if reached.rule.characteristic is None or reached.weight is None or reached.score is None:
            return partial
        title = self.phrases.text(step.decision.characteristics[reached.rule.characteristic].title)
        weight, score = number_text(reached.weight), number_text(reached.score)
        return f"{self._word('adds').format(partial, weight, score)}  {title}"

    def _place(self, place: Place) -> Pieces:
        return [(f"  {self.prefix}{place.file}:{place.line}", "blue")]

    def _said(self, fact: str, value: object) -> str:
        return printable(self.phrases.said(fact, value))

    def _word(self, key: str) -> str:
        return _WORDS.get(self.phrases.language, _WORDS["en"])[key]


def to_dict(explanation: Explanation, phrases: Phrases) -> dict[str, object]:
    """An explanation for machines: values as rule files write them, and words in one language."""
    return {
        "language": phrases.language,
        "given": {name: value_text(value) for name, value in explanation.given.items()},
        "results": {
            name: plain(value)
            for step in explanation.steps.values()
            for name, value in step.results.items()
            if name in explanation.roots
        },
        "decisions": [_step_dict(step, phrases) for step in explanation.steps.values()],
    }


def plain(value: object) -> object:
    """A result for JSON: numbers that are not whole as text, since they are exact."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else value_text(value)


def _step_dict(step: Step, phrases: Phrases) -> dict[str, object]:
    return {
        "decision": step.decision.name,
        "hit": step.decision.hit.value,
        "results": {name: plain(value) for name, value in step.results.items()},
        "said": [phrases.said(name, value) for name, value in step.results.items()],
        "rules": [_rule_dict(each, phrases) for each in step.rules],
        "ruling_out": [
            {"fact": fact, "value": plain(value), "said": phrases.said(fact, value)}
            for fact, value in step.ruling_out.items()
        ],
        "rests_on": list(step.facts),
    }


def _rule_dict(reached: Reached, phrases: Phrases) -> dict[str, object]:
    place = reached.rule.place
    found: dict[str, object] = {
        "rule": reached.rule.id,
        "file": place.file,
        "line": place.line,
        "because": phrases.text(reached.rule.because),
        "conditions": [
            {
                "fact": each.fact,
                "value": plain(each.value),
                "said": phrases.held(each.fact, each.condition, each.value),
            }
            for each in reached.held
        ],
    }
    if reached.partial is not None:
        found["partial_score"] = number_text(reached.partial)
        found["characteristic"] = reached.rule.characteristic
    return found
