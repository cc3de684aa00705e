"""A page as Markdown, with the tables and the Mermaid graphs that code hosts show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

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

_SPECIAL = re.compile(r"([\\`*_{}\[\]|#~])")

_MERMAID = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;", "\n": " "}
"""How Mermaid writes what would end a title or be taken for HTML."""


def render(book: Book, contents: str = "Contents") -> str:
    """The file's text; texts in several languages stand one after the other."""
    lines = [f"# {_span(book.title)}", ""]
    for block in book.lead:
        lines += [*_block(block), ""]
    lines += [f"## {_escaped(contents)}", "", *_contents(book.sections, 0), ""]
    for section in book.sections:
        lines += _section(section, 2)
    return "\n".join(lines).rstrip() + "\n"


def _contents(sections: tuple[Section, ...], depth: int) -> Iterator[str]:
    for one in sections:
        if one.title:
            yield f"{'  ' * depth}- [{_inline(one.title, linked=False)}](#{one.id})"
            if depth < 1:
                yield from _contents(one.sections, depth + 1)


def _section(section: Section, level: int) -> Iterator[str]:
    yield f'<a id="{section.id}"></a>'
    yield ""
    if section.title:
        yield f"{'#' * min(level, 6)} {_inline(section.title)}"
        yield ""
    for block in section.blocks:
        yield from _block(block)
        yield ""
    for one in section.sections:
        yield from _section(one, level + 1)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield ("> " if block.kind == "quote" else "") + _inline(block.inline)
        case Listing():
            yield from _listing(block.items, "1." if block.ordered else "-", "")
        case Table():
            yield _row([_inline(one) for one in block.head])
            yield _row(["---"] * len(block.head))
            for row in block.rows:
                first, *rest = (_inline(one) for one in row.cells)
                anchor = f'<a id="{row.id}"></a>' if row.id else ""
                yield _row([anchor + first, *rest])
        case Graph():
            yield from _graph(block)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _listing(items: tuple[Item, ...], mark: str, indent: str) -> Iterator[str]:
    for one in items:
        yield f"{indent}{mark} {_inline(one.inline)}"
        yield from _listing(one.items, mark, indent + " " * (len(mark) + 1))


def _graph(graph: Graph) -> Iterator[str]:
    yield "```mermaid"
    yield "graph LR"
    names = {node.id: f"n{place}" for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        title = "".join(_MERMAID.get(one, one) for one in _joined(node.title))
        yield f'  {names[node.id]}["{title}"]'
    for one, other in graph.edges:
        yield f"  {names[one]} --> {names[other]}"
    yield "```"


def _inline(inline: Inline, *, linked: bool = True) -> str:
    return "".join(_span(one, linked=linked) for one in inline).strip()


def _span(span: Span, *, linked: bool = True) -> str:
    text = _joined(span)
    if not text.strip():
        return text.replace("\n", "<br>")
    if span.kind == "code":
        marks = "`" * (max((len(one) for one in re.findall("`+", text)), default=0) + 1)
        said = f"{marks}{text}{marks}".replace("|", "\\|")
    else:
        said = _escaped(text)
        said = f"**{said}**" if span.kind == "strong" else said
        said = f"*{said}*" if span.kind == "soft" else said
    return f"[{said}](#{span.link})" if span.link and linked else said


def _joined(span: Span) -> str:
    return " · ".join(dict.fromkeys(span.texts.values()))


def _escaped(text: str) -> str:
    return escape(_SPECIAL.sub(r"\\\1", text), quote=False).replace("\n", "<br>")
