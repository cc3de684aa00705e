"""A decision as a table: a row for each way a rule can match."""

from __future__ import annotations

from collections.abc import Iterator

from harken_rules.handbook.content import Block, Inline, Paragraph, Row, Section, Span, Table
from harken_rules.handbook.speech import Speech, code_span, plain, sentence
from harken_rules.language import Characteristic, Clause, Decision, Hit, Rule
from harken_rules.outcomes import partial_of
from harken_rules.phrases import Phrases
from harken_rules.reading.numbers import number_text

MOST_COLUMNS = 6
"""A decision that asks about more facts has one column with all that a rule asks."""


def decision_section(decision: Decision, speech: Speech) -> Section:
    """The decision with its rules, and for a scorecard its characteristics."""
    said = speech.word(decision.hit.value)
    through = speech.word("falls through", "soft") if decision.otherwise_missing else plain("")
    blocks: list[Block] = [
        Paragraph((said, plain(" "), through) if decision.otherwise_missing else (said,)),
        Paragraph(
            (
                *_linked("asks", decision.inputs, speech),
                plain(". "),
                *_linked("yields", decision.results, speech),
                plain("."),
            )
        ),
    ]
    if decision.characteristics:
        blocks.append(_characteristics(decision, speech))
    blocks.append(_rules(decision, speech))
    return Section(
        f"decision-{decision.name}",
        (speech.text(decision.title), plain(" "), code_span(decision.name)),
        tuple(blocks),
    )


def _linked(word: str, facts: tuple[str, ...], speech: Speech) -> Inline:
    spans: list[Span] = [speech.word(word), plain(": ")]
    for place, name in enumerate(facts):
        if place:
            spans.append(plain(", "))
        spans.append(speech.title(name, link=f"fact-{name}"))
    return tuple(spans) if facts else (*spans, speech.word("nothing"))


def _characteristics(decision: Decision, speech: Speech) -> Table:
    head = tuple((speech.word(key),) for key in ("characteristic", "weight", "baseline"))
    rows = (
        Row(
            (
                speech.labelled(one.title, one.name),
                (plain(number_text(one.weight)),),
                (plain(number_text(one.baseline)),),
            )
        )
        for one in decision.characteristics.values()
    )
    return Table(head, tuple(rows))


def _rules(decision: Decision, speech: Speech) -> Table:
    scored = decision.hit is Hit.SUM
    head: list[Inline] = [(speech.word("rule"),)]
    if decision.characteristics:
        head.append((speech.word("characteristic"),))
    if _in_columns(decision):
        head += [(speech.title(name),) for name in decision.inputs]
    else:
        head.append((speech.word("when"),))
    if scored:
        head += [(speech.word("score"),), (speech.word("adds"),)]
    else:
        head += [(speech.title(name),) for name in decision.results]
    explained = any(rule.because for rule in decision.rules)
    if explained:
        head.append((speech.word("because"),))
    rows = []
    for rule in decision.rules:
        for place, asked in enumerate(_asked(rule, decision, speech)):
            then = _then(rule, decision, speech) if place == 0 else ((),) * _width(decision)
            cells = [_name(rule, place, speech)]
            if decision.characteristics:
                found = decision.characteristics.get(rule.characteristic or "")
                cells.append(_titled(found, speech) if place == 0 else ())
            because = (speech.text(rule.because),) if rule.because and place == 0 else ()
            cells += [*asked, *then, *([because] if explained else [])]
            anchor = f"rule-{decision.name}-{rule.id}" if place == 0 else ""
            rows.append(Row(tuple(cells), anchor))
    return Table(tuple(head), tuple(rows))


def _name(rule: Rule, place: int, speech: Speech) -> Inline:
    return (code_span(rule.id),) if place == 0 else (speech.word("or", "soft"),)


def _titled(characteristic: Characteristic | None, speech: Speech) -> Inline:
    return (speech.text(characteristic.title),) if characteristic else ()


def _in_columns(decision: Decision) -> bool:
    return 0 < len(decision.inputs) <= MOST_COLUMNS


def _width(decision: Decision) -> int:
    return 2 if decision.hit is Hit.SUM else len(decision.results)


def _asked(rule: Rule, decision: Decision, speech: Speech) -> Iterator[list[Inline]]:
    """For each alternative of a rule the cells that say what it asks."""
    always = (speech.word("always", "soft"),)
    for clauses in rule.alternatives:
        if not _in_columns(decision):
            yield [(_sentences(clauses, speech),) if clauses else always]
            continue
        cells: list[Inline] = []
        for name in decision.inputs:
            here = [clause for clause in clauses if clause.fact == name]
            spans = [speech.wanted(name, clause.condition) for clause in here]
            cells.append(tuple(span for one in spans for span in (plain("\n"), one))[1:])
        yield cells if clauses else [always, *cells[1:]]


def _sentences(clauses: tuple[Clause, ...], speech: Speech) -> Span:
    def say(phrases: Phrases) -> str:
        return "\n".join(sentence(phrases, one.fact, one.condition) for one in clauses)

    return speech.each(say)


def _then(rule: Rule, decision: Decision, speech: Speech) -> tuple[Inline, ...]:
    if decision.hit is not Hit.SUM:
        return tuple((speech.values(name, rule.then[name]),) for name in decision.results)
    (partial,) = rule.then[decision.results[0]]
    score = number_text(partial) if not isinstance(partial, str | bool) else str(partial)
    added = partial_of(decision, rule)
    return (plain(score),), (plain("" if added is None else number_text(added)),)
