"""What a page is made of, without saying how it looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Words in each language; ``""`` is for what is the same in all.

    ``kind``: "", ``code``, ``strong`` or ``soft``; ``link``: the id of what it leads to.
    """

    texts: Mapping[str, str]
    kind: str = ""
    link: str = ""


Inline = tuple[Span, ...]


def anchor(*names: str) -> str:
    """An id made of names and codes, which may hold any character."""
    return re.sub(r"[^\w-]", lambda found: f".{ord(found[0]):x}", "-".join(names))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some words; ``kind``: "" or ``quote``."""

    inline: Inline
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A point of a list, perhaps with points of its own."""

    inline: Inline
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Points, numbered if ``ordered``."""

    items: tuple[Item, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; ``id`` may be empty."""

    cells: tuple[Inline, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head."""

    head: tuple[Inline, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a graph; ``layer`` from 0, left to right."""

    id: str
    title: Span
    layer: int


@dataclass(frozen=True, slots=True)
class Graph:
    """What builds on what: ``edges`` lead from one node's id to another's."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


Block = Paragraph | Listing | Table | Graph


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    id: str
    title: Inline
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """The whole page. ``languages``: those its texts are in, the first shown first."""

    title: Span
    languages: tuple[str, ...]
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
