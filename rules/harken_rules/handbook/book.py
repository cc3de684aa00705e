"""The page of a rule base: its sections, in the order a reader wants them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harken_rules.handbook.catalogues import catalogue_sections
from harken_rules.handbook.content import (
    Block,
    Book,
    Graph,
    Inline,
    Node,
    Paragraph,
    Row,
    Section,
    Table,
)
from harken_rules.handbook.decisions import decision_section
from harken_rules.handbook.speech import Speech, code_span, plain
from harken_rules.language import Decision, Fact, RuleBase
from harken_rules.order import dependencies
from harken_rules.reading.cases import Case
from harken_rules.reading.facts import GIVEN_SOURCES


def book_of(base: RuleBase, cases: Sequence[Case], languages: tuple[str, ...]) -> Book:
    """The whole rule base in words; ``languages`` are some of the rule base's own."""
    speech = Speech(base, languages)
    counts = speech.word(
        "counts",
        facts=len(base.facts),
        decisions=len(base.decisions),
        rules=sum(len(one.rules) for one in base.decisions),
        cases=len(cases),
    )
    digest = speech.word("digest"), plain(": "), code_span(base.digest)
    return Book(
        speech.text(base.title),
        languages,
        (Paragraph((code_span(base.name), plain(" "), counts)), Paragraph(digest)),
        (
            Section("graph", (speech.word("graph"),), (_graph(speech),)),
            _facts(speech),
            Section(
                "decisions",
                (speech.word("decisions"),),
                sections=tuple(decision_section(one, speech) for one in base.decisions),
            ),
            Section(
                "catalogues",
                (speech.word("catalogues"),),
                sections=catalogue_sections(speech),
            ),
            Section("cases", (speech.word("cases"),), (_cases(cases, speech),)),
        ),
    )


def layers(decisions: Sequence[Decision]) -> dict[str, int]:
    """For each decision the length of the longest way to it; ``decisions`` in dependency order."""
    needs = dependencies(decisions)
    found: dict[str, int] = {}
    for one in decisions:
        found[one.name] = max((found[name] + 1 for name in needs[one.name]), default=0)
    return found


def _graph(speech: Speech) -> Graph:
    decisions = speech.base.decisions
    depth, needs = layers(decisions), dependencies(decisions)
    nodes = (
        Node(f"decision-{one.name}", speech.text(one.title), depth[one.name]) for one in decisions
    )
    edges = (
        (f"decision-{source}", f"decision-{one.name}")
        for one in decisions
        for source in sorted(needs[one.name])
    )
    return Graph(tuple(nodes), tuple(edges))


def _facts(speech: Speech) -> Section:
    facts = speech.base.facts.values()
    given = [one for one in facts if one.source in GIVEN_SOURCES]
    decided = [one for one in facts if one.source not in GIVEN_SOURCES]
    parts = [
        Section(f"facts-{key}", (speech.word(key),), (_fact_table(some, speech),))
        for key, some in (("given", given), ("decided", decided))
        if some
    ]
    return Section("facts", (speech.word("facts"),), sections=tuple(parts))


def _fact_table(facts: Sequence[Fact], speech: Speech) -> Table:
    head = tuple((speech.word(key),) for key in ("fact", "code", "type", "values", "source"))
    rows = (
        Row(
            (
                (speech.title(one.name, "strong"),),
                (code_span(one.name),),
                (speech.kind_of(one),),
                _values(one, speech),
                _source(one, speech),
            ),
            f"fact-{one.name}",
        )
        for one in facts
    )
    return Table(head, tuple(rows))


def _source(fact: Fact, speech: Speech) -> Inline:
    if fact.source in GIVEN_SOURCES:
        return (speech.word(fact.source),)
    decision = next(one for one in speech.base.decisions if one.name == fact.source)
    return (speech.text(decision.title, link=f"decision-{fact.source}"),)


def _values(fact: Fact, speech: Speech) -> Inline:
    if not fact.values:
        return ()
    more = (plain(" "), speech.word("open", "soft")) if fact.open else ()
    for name, entries in speech.base.catalogues.items():
        if dict(fact.values) == {code: one.title for code, one in entries.items()}:
            link = code_span(name, f"catalogue-{name}")
            return speech.word("entries"), plain(" "), link, *more
    said: list[Inline] = [speech.labelled(text, code) for code, text in fact.values.items()]
    listed = [span for one in said for span in (plain("\n"), *one)][1:]
    return (*listed, *more)


def _cases(cases: Sequence[Case], speech: Speech) -> Block:
    if not cases:
        return Paragraph((speech.word("no cases"),))
    counts = Counter(one.place.file for one in cases)
    head = ((speech.word("file"),), (speech.word("cases"),))
    rows = (Row(((code_span(name),), (plain(f"{n:,}"),))) for name, n in sorted(counts.items()))
    return Table(head, tuple(rows))
