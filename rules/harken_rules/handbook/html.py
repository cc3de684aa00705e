"""A page as one HTML file: no script, nothing loaded from elsewhere, fit to be printed.

Texts in several languages all stand in the page; three buttons choose which are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from harken_rules.handbook.content import (
    Block,
    Book,
    Graph,
    Inline,
    Item,
    Listing,
    Paragraph,
    Section,
    Span,
    Table,
)
from harken_rules.handbook.drawing import draw
from harken_rules.handbook.speech import LANGUAGE_NAMES

_CSS = Path(__file__).with_name("page.css")
_NEXT = ' class="next"'
"""Of a text that follows the same in another language."""

_TAGS = {"code": "code", "strong": "strong", "soft": "small"}


def render(book: Book, contents: str = "Contents", both: str = "both") -> str:
    """The file's text. ``contents`` and ``both`` are words for the heading and a button."""
    first = book.languages[0] if book.languages else "en"
    title = " · ".join(dict.fromkeys(book.title.texts.values()))
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{escape(first)}">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{_CSS.read_text(encoding='utf-8')}{_hiding(book.languages)}</style></head>",
        "<body>",
        *_buttons(book.languages, both),
        "<main>",
        f"<h1>{_span(book.title)}</h1>",
        *(_block(one) for one in book.lead),
        f"<nav><h2>{escape(contents)}</h2>",
        _contents(book.sections, 2),
        "</nav>",
        *(line for one in book.sections for line in _section(one, 2)),
        "</main></body></html>",
    ]
    return "\n".join(lines) + "\n"


def _hiding(languages: tuple[str, ...]) -> str:
    """What each button hides; nothing if there is one language."""
    if len(languages) < 2:
        return ""
    found = []
    for place, shown in enumerate(languages):
        others = [_css_text(one) for one in languages if one != shown]
        hidden = ",".join(f"#show-{place}:checked~main [lang={one}]" for one in others)
        found.append(f"{hidden}{{display:none}}\n")
        found.append(f"#show-{place}:checked~main .next::before{{content:none}}\n")
    return "".join(found)


def _css_text(text: str) -> str:
    return '"' + re.sub(r"[^\w-]", lambda found: f"\\{ord(found[0]):x} ", text) + '"'


def _buttons(languages: tuple[str, ...], both: str) -> Iterator[str]:
    if len(languages) < 2:
        return
    for place, name in enumerate((*(LANGUAGE_NAMES.get(one, one) for one in languages), both)):
        checked = " checked" if place == 0 else ""
        yield (
            f'<input type="radio" name="show" id="show-{place}"{checked}>'
            f'<label for="show-{place}">{escape(name)}</label>'
        )


def _contents(sections: tuple[Section, ...], depth: int) -> str:
    items = "".join(
        f'<li><a href="#{escape(one.id)}">{_inline(one.title, linked=False)}</a>'
        f"{_contents(one.sections, depth + 1) if depth < 4 else ''}</li>\n"
        for one in sections
        if one.title
    )
    return f"<ul>\n{items}</ul>" if items else ""


def _section(section: Section, level: int) -> Iterator[str]:
    if not section.title:
        yield f'<a id="{escape(section.id)}"></a>'
        return
    yield f'<section id="{escape(section.id)}">'
    yield f"<h{level}>{_inline(section.title)}</h{level}>"
    yield from (_block(one) for one in section.blocks)
    for one in section.sections:
        yield from _section(one, min(level + 1, 6))
    yield "</section>"


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            tag = "blockquote" if block.kind == "quote" else "p"
            return f"<{tag}>{_inline(block.inline)}</{tag}>"
        case Listing():
            return _listing(block.items, "ol" if block.ordered else "ul")
        case Table():
            return _table(block)
        case Graph():
            return f'<figure class="wide">{draw(block)}</figure>'


def _listing(items: tuple[Item, ...], tag: str) -> str:
    points = "".join(
        f"<li>{_inline(one.inline)}{_listing(one.items, tag) if one.items else ''}</li>\n"
        for one in items
    )
    return f"<{tag}>\n{points}</{tag}>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_inline(one)}</th>' for one in table.head)
    rows = "".join(
        f"<tr{_id(row.id)}>{''.join(f'<td>{_inline(one)}</td>' for one in row.cells)}</tr>\n"
        for row in table.rows
    )
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def _id(name: str) -> str:
    return f' id="{escape(name)}"' if name else ""


def _inline(inline: Inline, *, linked: bool = True) -> str:
    return "".join(_span(one, linked=linked) for one in inline)


def _span(span: Span, *, linked: bool = True) -> str:
    if set(span.texts) == {""}:
        said = _text(span.texts[""])
    else:
        said = "".join(
            f'<span lang="{escape(language)}"{_NEXT if place else ""}>{_text(text)}</span>'
            for place, (language, text) in enumerate(span.texts.items())
        )
    if span.kind:
        said = f"<{_TAGS[span.kind]}>{said}</{_TAGS[span.kind]}>"
    if span.link and linked:
        said = f'<a href="#{escape(span.link)}">{said}</a>'
    return said


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")
