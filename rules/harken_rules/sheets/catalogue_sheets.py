"""Catalogues as sheets, one row a text, and the taxonomy, one row an entry.

    entry         part     value      text (en)          text (zh)
    explain_bill  title               Explain the bill   解释账单
    explain_bill  steps[]             Read the bill ...  逐项说明账单

A part whose name ends in ``[]`` is a list, one row an item. ``value`` holds what is no text for
people: a code, a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harken_rules.language import Place
from harken_rules.sheets.book import TAXONOMY, Finding, Grid, Sheet, widths_of
from harken_rules.sheets.plain import Plain, as_list, as_mapping, as_text
from harken_rules.sheets.tablegrid import TableGrid, entry, heading_row
from harken_rules.source import Items, Node, Scalar, Table

LIST = "[]"
_LEVELS = ("category", "service", "point")
_BELOW = ("services", "points")

Path = tuple[str, ...]
"""The codes from the category down."""


def fits(entries: Mapping[str, Plain]) -> bool:
    """Whether a catalogue can stand in a sheet: it has no lists within lists."""
    parts = [part for one in entries.values() for part in as_mapping(one).values()]
    return not any(isinstance(item, list) for part in parts for item in as_list(part))


def catalogue_sheet(name: str, entries: Mapping[str, Plain], languages: Sequence[str]) -> Sheet:
    """One row a text of each entry."""
    sheet = Sheet(name)
    texts = [f"text ({language})" for language in languages]
    sheet.headings.append(sheet.add("entry", "part", "value", *texts))
    for code, value in entries.items():
        for part, content in as_mapping(value).items():
            label = part + LIST if isinstance(content, list) else part
            for item in (content or [""]) if isinstance(content, list) else [content]:
                labels = as_mapping(item)
                row = [as_text(labels.get(language)) for language in languages]
                sheet.add(code, label, as_text(item), *row)
    sheet.frozen, sheet.widths, sheet.filtered = (2, 3), widths_of(sheet.rows, most=60), True
    return sheet


def taxonomy_sheet(taxonomy: Mapping[str, Plain], languages: Sequence[str]) -> Sheet:
    """One row an entry: a category, a service in it, a point in that."""
    sheet = Sheet(TAXONOMY)
    sheet.headings.append(sheet.add(*_LEVELS, *(f"title ({one})" for one in languages)))

    def add(level: Mapping[str, Plain], above: list[str]) -> None:
        for code, value in level.items():
            one, path = as_mapping(value), [*above, code]
            title = as_mapping(one.get("title"))
            codes = path + [""] * (3 - len(path))
            sheet.add(*codes, *(as_text(title.get(language)) for language in languages))
            if len(path) < 3:
                add(as_mapping(one.get(_BELOW[len(path) - 1])), path)

    add(taxonomy, [])
    sheet.frozen, sheet.widths, sheet.filtered = (2, 4), widths_of(sheet.rows), True
    return sheet


def read_catalogue_sheet(
    grid: Grid, name: str, languages: Sequence[str], found: list[Finding]
) -> Node | None:
    """The catalogue's file as the sheet has it."""
    headings = ["entry", "part", "value", *(f"text ({one})" for one in languages)]
    table = _table(grid, "entry", headings, ("entry", "part"), found)
    if table is None:
        return None
    entries: dict[str, dict[str, list[Node]]] = {}
    lists: set[tuple[str, str]] = set()
    places: dict[str, Place] = {}
    for row in table.rows():
        code, part = table.text(row, "entry"), table.text(row, "part")
        places.setdefault(code, table.place(row, "entry"))
        parts = entries.setdefault(code, {})
        key = part.removesuffix(LIST)
        if part != key:
            lists.add((code, key))
        elif key in parts:
            message = f"'{key}' of entry '{code}' stands here a second time"
            hint = f"remove one of the two rows, or write {key}{LIST} for a list"
            table.error(row, table.columns["part"], message, hint)
        item = _item(table, row, languages)
        parts.setdefault(key, []).extend(() if item is None else (item,))
    top = grid.place(table.heading, 1)
    nodes = []
    for code, parts in entries.items():
        node = Table(
            places[code],
            tuple(
                _part(places[code], key, items, (code, key) in lists)
                for key, items in parts.items()
            ),
        )
        nodes.append(entry(places[code], code, node))
    file = [entry(top, "catalogue", Scalar(top, name, True))]
    return Table(top, (*file, entry(top, "entries", Table(top, tuple(nodes)))))


def read_taxonomy_sheet(grid: Grid, languages: Sequence[str], found: list[Finding]) -> Node | None:
    """The taxonomy's file as the sheet has it."""
    headings = [*_LEVELS, *(f"title ({one})" for one in languages)]
    table = _table(grid, "category", headings, _LEVELS, found)
    if table is None:
        return None
    seen: dict[Path, tuple[int, Table | None]] = {}
    for row in table.rows():
        codes = [table.text(row, level) for level in _LEVELS]
        path = tuple(code for code in codes if code)
        depth = len(path)
        if list(path) != codes[:depth]:
            message = "the row has a code, but not the one it belongs under"
            table.error(row, table.columns["category"], message, "fill the columns before it")
        elif path in seen:
            message = f"{_LEVELS[depth - 1]} '{path[-1]}' stands here a second time"
            table.error(row, table.columns[_LEVELS[depth - 1]], message, "remove one of the rows")
        elif depth > 1 and path[:-1] not in seen:
            message = f"{_LEVELS[depth - 2]} '{path[-2]}' has no row of its own above"
            table.error(row, table.columns[_LEVELS[depth - 2]], message, "add one with its title")
        elif path:
            seen[path] = (row, table.texts(row, "title", languages))
    below: dict[Path, list[tuple[Path, Place, Table | None]]] = {}
    for path, (row, title) in seen.items():
        place = table.place(row, _LEVELS[len(path) - 1])
        below.setdefault(path[:-1], []).append((path, place, title))
    top = grid.place(table.heading, 1)
    return Table(top, (entry(top, "taxonomy", _level(top, below, ())),))


def _level(
    top: Place, below: Mapping[Path, list[tuple[Path, Place, Table | None]]], above: Path
) -> Table:
    entries = []
    for path, place, title in below.get(above, ()):
        parts = [] if title is None else [entry(title.place, "title", title)]
        if path in below:
            parts.append(entry(place, _BELOW[len(above)], _level(place, below, path)))
        entries.append(entry(place, path[-1], Table(place, tuple(parts))))
    return Table(top, tuple(entries))


def _table(
    grid: Grid, first: str, headings: Sequence[str], required: Sequence[str], found: list[Finding]
) -> TableGrid | None:
    heading = heading_row(grid, first)
    if heading is None:
        found.append(Finding(grid.name, 1, 1, f"no column is called '{first}'"))
        return None
    table = TableGrid(grid, heading, grid.rows, found)

    def known(written: str) -> str | None:
        return written if written in headings else None

    return table if table.read_headings(known, lambda: headings, required) else None


def _item(table: TableGrid, row: int, languages: Sequence[str]) -> Node | None:
    """The row's value or texts; None if both are empty, which is a list without items."""
    value, texts = table.scalar(row, "value"), table.texts(row, "text", languages)
    if value.text and texts is not None:
        message = "a row holds a value or texts, not both"
        table.error(row, value.place.column, message, "empty one of the two")
    if value.text:
        return value
    if texts is None and not table.text(row, "part").endswith(LIST):
        return value
    return texts


def _part(place: Place, key: str, items: list[Node], is_list: bool) -> tuple[Scalar, Node]:
    where = items[0].place if items else place
    node: Node = Items(where, tuple(items)) if is_list or len(items) != 1 else items[0]
    return entry(where, key, node)
