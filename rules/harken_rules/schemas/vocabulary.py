"""The words of a rule base: what its files may name. Read even while some decision is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harken_rules.diagnostics import Diagnostic, Report, ReportFullError, Severity
from harken_rules.language import Entry, Fact, Hit, Text
from harken_rules.loader import read_header
from harken_rules.reading.catalogues import read_catalogues
from harken_rules.reading.facts import GIVEN_SOURCES, read_facts
from harken_rules.reading.folder import CATALOGUE, FACTS, HEADER, read_folder
from harken_rules.reading.shapes import Reading
from harken_rules.source import Node, Scalar, Table


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``decisions`` maps names to titles; ``lists`` are the results of ``all`` decisions."""

    languages: tuple[str, ...]
    facts: Mapping[str, Fact]
    catalogues: Mapping[str, Mapping[str, Entry]]
    decisions: Mapping[str, Text]
    lists: frozenset[str]

    @property
    def given(self) -> dict[str, Fact]:
        """The facts that no decision yields."""
        return {name: one for name, one in self.facts.items() if one.source in GIVEN_SOURCES}

    @property
    def yielded(self) -> dict[str, Fact]:
        """The facts that decisions yield."""
        return {name: one for name, one in self.facts.items() if one.source not in GIVEN_SOURCES}

    def said(self, text: Text) -> str:
        """A label in all languages, one after the other."""
        return " · ".join(dict.fromkeys(text[one] for one in self.languages if text.get(one)))


def read_vocabulary(root: Path) -> tuple[Vocabulary | None, tuple[Diagnostic, ...]]:
    """The vocabulary of the folder; None, and what is wrong, if it cannot be read whole.

    Only rulebase.yaml, facts.yaml and the catalogues must be without errors.
    """
    report = Report()
    try:
        folder = read_folder(root, report)
        _, _, languages = read_header(folder.header, report)
        reading = Reading(report, languages or None)
        catalogues = read_catalogues(folder.catalogue, reading)
        facts = read_facts(folder.facts, catalogues, reading)
    except ReportFullError:
        return None, report.sorted()
    errors = tuple(
        one
        for one in report.sorted()
        if one.severity is Severity.ERROR
        and (one.place.file in (HEADER, FACTS) or one.place.file.startswith(f"{CATALOGUE}/"))
    )
    if errors:
        return None, errors
    heads = [_head(node) for node in folder.decisions.values() if isinstance(node, Table)]
    return (
        Vocabulary(
            languages=languages,
            facts=facts.known,
            catalogues=catalogues.entries,
            decisions={name: title for name, title, _, _ in heads if name},
            lists=frozenset(
                result for _, _, hit, results in heads if hit == Hit.ALL for result in results
            ),
        ),
        (),
    )


def _head(node: Table) -> tuple[str, Text, str, tuple[str, ...]]:
    title = node.get("title")
    texts = title.entries if isinstance(title, Table) else ()
    return (
        _text(node.get("decision")),
        {key.text: value.text for key, value in texts if isinstance(value, Scalar)},
        _text(node.get("hit")),
        (_text(node.get("result")),),
    )


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
