"""The taxonomy as a tree, strategies with steps and words, departments, escalation chains."""

from __future__ import annotations

from collections.abc import Mapping

from harken_rules.handbook.content import (
    Block,
    Inline,
    Item,
    Listing,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    anchor,
)
from harken_rules.handbook.speech import Speech, code_span, plain
from harken_rules.language import Entry
from harken_rules.reading.catalogues import CATEGORIES, POINTS, SERVICES

_LEVELS = (CATEGORIES, SERVICES, POINTS)


def catalogue_sections(speech: Speech) -> tuple[Section, ...]:
    """A section for the taxonomy, and one for each catalogue."""
    catalogues = speech.base.catalogues
    found = [_taxonomy(speech)] if CATEGORIES in catalogues else []
    for name in sorted(set(catalogues) - set(_LEVELS)):
        title = code_span(name)
        entries = catalogues[name]
        if name == "strategies":
            sections = tuple(_strategy(one, speech) for one in entries.values())
            found.append(Section(f"catalogue-{name}", (title,), sections=sections))
        else:
            table = _table(name, entries, speech)
            found.append(Section(f"catalogue-{name}", (title,), (table,)))
    return tuple(found)


def _taxonomy(speech: Speech) -> Section:
    catalogues = speech.base.catalogues

    def points(code: str) -> tuple[Item, ...]:
        below = [one for one in catalogues[POINTS].values() if one.data.get("service") == code]
        return tuple(Item(speech.labelled(one.title, one.id)) for one in below)

    def services(code: str) -> tuple[Item, ...]:
        below = [one for one in catalogues[SERVICES].values() if one.data.get("category") == code]
        return tuple(Item(speech.labelled(one.title, one.id), points(one.id)) for one in below)

    items = tuple(
        Item(speech.labelled(one.title, one.id), services(one.id))
        for one in catalogues[CATEGORIES].values()
    )
    title = (speech.word("taxonomy"),)
    anchors = tuple(Section(f"catalogue-{name}", ()) for name in _LEVELS)
    return Section("taxonomy", title, (Listing(items),), anchors)


def _strategy(entry: Entry, speech: Speech) -> Section:
    blocks: list[Block] = []
    steps = entry.data.get("steps")
    if isinstance(steps, tuple):
        blocks.append(Listing(tuple(Item((_said(one, speech),)) for one in steps), ordered=True))
    if script := entry.data.get("script"):
        blocks.append(Paragraph((_said(script, speech),), "quote"))
    if expectation := entry.data.get("expectation"):
        label = speech.word("expectation", "soft")
        blocks.append(Paragraph((label, plain(": "), _said(expectation, speech))))
    title = speech.labelled(entry.title, entry.id)
    return Section(anchor("strategy", entry.id), title, tuple(blocks))


def _table(catalogue: str, entries: Mapping[str, Entry], speech: Speech) -> Table:
    keys = list(dict.fromkeys(key for one in entries.values() for key in one.data))
    head = (
        (speech.word("title"),),
        (speech.word("code"),),
        *((_named(key, speech),) for key in keys),
    )
    rows = (
        Row(
            (
                (speech.text(one.title, "strong"),),
                (code_span(one.id),),
                *(_cell(key, one.data.get(key), speech) for key in keys),
            ),
            anchor("entry", catalogue, one.id),
        )
        for one in entries.values()
    )
    return Table(head, tuple(rows))


def _named(key: str, speech: Speech) -> Span:
    return speech.word(key) if key in ("group", "departments") else code_span(key)


def _cell(key: str, value: object, speech: Speech) -> Inline:
    if value is None:
        return ()
    if not isinstance(value, tuple):
        return (_said(value, speech),)
    between = " → " if key == "departments" else "\n"
    departments = speech.base.catalogues.get("departments", {}) if key == "departments" else {}
    spans: list[Span] = []
    for one in value:
        entry = departments.get(one) if isinstance(one, str) else None
        said = (
            speech.text(entry.title, link=anchor("entry", "departments", entry.id))
            if entry
            else _said(one, speech)
        )
        spans += [plain(between), said]
    return tuple(spans[1:])


def _said(value: object, speech: Speech) -> Span:
    """Labels, or a text that is the same in all languages."""
    if isinstance(value, Mapping):
        return speech.text({str(key): str(text) for key, text in value.items()})
    if isinstance(value, tuple):
        return plain(", ".join(str(one) for one in value))
    return plain(str(value))
